# SPDX-License-Identifier: GPL-2.0-only
"""How long to wait: on a debug kernel all is slow. The VF is not, so a guest
has to hold back there, or it dirties more than QEMU can send.
"""
import os

SLOW = os.path.exists('/sys/kernel/debug/kmemleak')
FACTOR = 6 if SLOW else 1
SWEEP_US = 200000 if SLOW else 2000
# A guest's CPU may stand for half a minute, which its kernel takes for a stall.
GUEST_APPEND = 'rcupdate.rcu_cpu_stall_timeout=240' if SLOW else ''
FIO_RATE = '--rate=512k' if SLOW else ''
