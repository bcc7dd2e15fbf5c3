# SPDX-License-Identifier: GPL-2.0-only
"""The main scenarios on a kernel with KASAN, lockdep, DMA-API checks, sleep
in atomic context, and kmemleak. The outer fixture fails on any report.
"""
import pytest

FLAVOUR = 'debug'
pytestmark = pytest.mark.full


def test_dma_only(outer):
    result = outer.call('scenarios.dma_only', timeout=1500)
    assert result['status'] == 'completed'
    assert result['verify']['stale'] == 0


@pytest.mark.parametrize('where', ['pre-copy', 'stop-copy'])
def test_destination_dies(outer, where):
    result = outer.call('failures.destination_dies', where=where,
                        timeout=1500)
    assert result['first'] == 'failed'
    assert result['second'] == 'completed'
    assert result['verify']['stale'] == 0


def test_cancel(outer):
    result = outer.call('failures.cancel', timeout=1500)
    assert result['first'] == 'cancelled'
    assert result['second'] == 'completed'


def test_disk_under_load(outer):
    result = outer.call('disk.under_load', timeout=1500)
    assert result['status'] == 'completed'
    assert result['fio']['error'] == 0


def test_guest_reset(outer):
    result = outer.call('disk.guest_reset', timeout=1500)
    assert result['first'] == 'failed'
    assert result['second'] == 'completed'


def test_to_and_fro_leaks_nothing(outer):
    result = outer.call('scenarios.to_and_fro', times=20, timeout=3000)
    assert result['status'] == 'completed'
    assert result['verify']['stale'] == 0
    leaks = outer.call('host.leaks')
    assert not leaks, leaks
