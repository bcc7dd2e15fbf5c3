# SPDX-License-Identifier: GPL-2.0-only
"""The main scenarios on a kernel with KASAN, lockdep, DMA-API checks, sleep
in atomic context, and kmemleak. The outer fixture fails on any report.
"""
import pytest

from judge import assert_moved
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
    assert result['fio']['error'] == 0


def test_guest_reset(outer):
    result = outer.call('disk.guest_reset', timeout=2400)
    assert result['first'] == 'failed'
    assert_moved(result, resets=1)


def test_pf_reset(outer):
    assert_pf_reset(outer, timeout=2400)


def test_vfs_removed(outer):
    assert_vfs_removed(outer, timeout=2400)


@pytest.mark.parametrize('name, args', [
    ('verified', {}), ('lost_completion', {}), ('resets_under_load',
                                                {'resets': 5}),
    ('unbound_under_load', {}), ('never_answered', {})])
def test_block_driver(outer, name, args):
    """Guests have a plain kernel, so their driver is looked at here."""
    result = outer.call('block.' + name, timeout=1200, **args)
    assert not result.get('read')
