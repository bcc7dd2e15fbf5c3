# SPDX-License-Identifier: GPL-2.0-only
"""The ways that QEMU takes through the driver, all of them successful."""
import pytest

from conftest import LATE
from judge import NO_PEERS, assert_moved

DEVICES = (LATE, 'id=lmf1,migrate=off,log=off')
BUS_MASTER = 1 << 2


def test_paused_guest(outer):
    result = outer.call('scenarios.paused')
    assert 'pre-copy' not in result['source_states']
    assert_moved(result)
    assert result['source_counters']['bytes_saved_precopy'] == 0


@pytest.mark.full
def test_iommufd(outer):
    assert_moved(outer.call('scenarios.dma_only', iommufd=True), NO_PEERS)


def test_silent_while_resuming(outer):
    result = outer.call('scenarios.silent')
    assert result['state'] == 'RESUMING'
    assert result['command'] & BUS_MASTER
    assert result['parked'] > 0
    assert result['work'] == 0
    assert_moved(result)


def test_nothing_in_the_vf_reaches_migration(outer):
    result = outer.call('scenarios.poked')
    assert result['after'] == result['before']
    assert '\n4096 bytes of config space' in result['before']
    assert result['told'] == ['PRE_COPY', 'ring', 0]
    assert result['unmoved']
    assert_moved(result)


def test_tools_find_the_driver(outer):
    outer.call('host.prepare')
    vf = outer.call('host.virtual_function', index=0)
    assert outer.call('host.finds_driver', bdf=vf)


def test_plain_vf_works_and_does_not_migrate(outer):
    result = outer.call('scenarios.plain_vf')
    assert result['driver'] == 'lmf_vfio_pci'
    assert not result['counters']
    assert 'status 0' in result['fsck']
    assert 'migration' in result['refusal']
