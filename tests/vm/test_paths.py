# SPDX-License-Identifier: GPL-2.0-only
"""The ways that QEMU takes through the driver, all of them successful."""
from judge import NO_PEERS, assert_moved

BUS_MASTER = 1 << 2


def test_paused_guest(outer):
    result = outer.call('scenarios.paused')
    assert 'pre-copy' not in result['source_states']
    assert_moved(result)
    assert result['source_counters']['bytes_saved_precopy'] == 0


def test_iommufd(outer):
    assert_moved(outer.call('scenarios.dma_only', iommufd=True), NO_PEERS)


def test_silent_while_resuming(outer):
    result = outer.call('scenarios.silent')
    assert result['state'] == 'RESUMING'
    assert result['command'] & BUS_MASTER
    assert result['work'] == 0
    assert_moved(result)


def test_nothing_in_the_vf_reaches_migration(outer):
    result = outer.call('scenarios.poked')
    assert result['after'] == result['before']
    assert result['unmoved']
    assert_moved(result)
