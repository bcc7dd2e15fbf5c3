# SPDX-License-Identifier: GPL-2.0-only
"""The main scenarios on a kernel with KASAN, lockdep, DMA-API checks, sleep
in atomic context, and kmemleak. The outer fixture fails on any report.
"""
import pytest

from judge import assert_disk, assert_moved
import test_block
from test_failures import assert_pf_reset, assert_vfs_removed

FLAVOUR = 'debug'
pytestmark = pytest.mark.full


# points: 25
def test_dma_only(outer):
    result = outer.call('scenarios.dma_only', hardware=[], memory=256,
                        timeout=2400)
    assert_moved(result)


@pytest.mark.parametrize('where', ['pre-copy', 'stop-copy'])
def test_destination_dies(outer, where):
    result = outer.call('failures.destination_dies', where=where,
                        timeout=2400)
    assert result['first'] == 'failed'
    assert_moved(result)


def test_cancel(outer):
    result = outer.call('failures.cancel', timeout=2400)
    assert result['first'] == 'cancelled'
    assert_moved(result)


def test_disk_under_load(outer):
    result = outer.call('disk.under_load', timeout=2400)
    assert_moved(result)
    assert_disk(result)


def test_guest_reset(outer):
    result = outer.call('disk.guest_reset', timeout=2400)
    assert result['first'] == 'failed'
    assert_moved(result, resets=1)


def test_pf_reset(outer):
    assert_pf_reset(outer, timeout=2400)


def test_vfs_removed(outer):
    assert_vfs_removed(outer, timeout=2400)


# Guests have a plain kernel, so their driver is looked at here.

def test_block_driver(outer):
    test_block.assert_verified(outer, timeout=1200)


def test_block_driver_loses_a_completion(outer):
    test_block.test_lost_completion_is_asked_for_again(outer)


def test_block_driver_is_reset(outer):
    test_block.assert_reset_under_load(outer, resets=5, timeout=1200)


def test_block_driver_is_unbound(outer):
    test_block.test_unbind_under_load(outer)


def test_block_driver_is_never_answered(outer):
    test_block.test_device_that_never_answers(outer)
