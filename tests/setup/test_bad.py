# SPDX-License-Identifier: GPL-2.0-only
"""What the bed takes for a complaint of a kernel: all that is one, and not what
a checker says of itself when it begins.
"""
import os
import sys

import pytest

sys.path.append(os.path.dirname(os.path.abspath(__file__)) + '/../vm')
from bed import BAD  # noqa: E402


@pytest.mark.parametrize('line', [
    'WARNING: CPU: 0 PID: 1 at drivers/pci/pci.c:1 pci_x+0x1/0x2',
    'WARNING: possible circular locking dependency detected',
    'WARNING: suspicious RCU usage',
    'BUG: KASAN: slab-use-after-free in lmf_op_put+0x1/0x2',
    'BUG: MAX_LOCKDEP_CHAINS too low!',
    'kernel BUG at mm/slub.c:1!',
    'Oops: general protection fault, probably for non-canonical address',
    'UBSAN: array-index-out-of-bounds in a.c:1:2',
    'DMA-API: lmf 0000:01:00.0: device driver has pending DMA allocations',
    'DMA-API: debugging out of memory - disabling',
    'INFO: task qemu:71 blocked for more than 61 seconds.',
    'kmemleak: 3 new suspected memory leaks',
    'refcount_t: underflow; use-after-free.',
    'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks: rcu_x stall'])
def test_complaint(line):
    assert BAD.search(line)


@pytest.mark.parametrize('line', [
    'rcu: \tRCU lockdep checking is enabled.',
    'Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar',
    'DMA-API: preallocated 65536 debug entries',
    'DMA-API: debugging enabled by kernel config',
    'kasan: KernelAddressSanitizer initialized (generic)',
    'kmemleak: Kernel memory leak detector initialized (mem pool available)'])
def test_no_complaint(line):
    assert not BAD.search(line)
