# SPDX-License-Identifier: GPL-2.0-only
"""What goes wrong leaves the source guest running, and can be tried again."""
import errno

import pytest

from bed import BAD
from conftest import LATE
from judge import assert_disk, assert_moved

DEVICES = (LATE, 'id=lmf1,media-size=32M', 'id=lmf2')


def assert_second_try(result):
    assert result['went_on']
    assert_moved(result)


def test_cancel(outer):
    result = outer.call('failures.cancel')
    assert result['first'] == 'cancelled'
    assert_second_try(result)


def test_destination_dies_in_pre_copy(outer):
    result = outer.call('failures.destination_dies', where='pre-copy')
    assert result['first'] == 'failed'
    assert 'stop-copy' not in result['first_states']
    assert_second_try(result)


def test_destination_dies_in_stop_copy(outer):
    result = outer.call('failures.destination_dies', where='stop-copy')
    assert result['first'] == 'failed'
    assert 'stop-copy' in result['first_states']
    assert_second_try(result)


@pytest.mark.full
def test_disk_goes_back_to_running(outer):
    result = outer.call('failures.disk_goes_back')
    assert result['first'] == 'failed'
    assert 'stop-copy' in result['first_states']
    assert_moved(result)
    assert_disk(result)


@pytest.mark.parametrize('how', [
    {'dest_place': [0, 1]},
    {'dest_place': [0, 2], 'faults': ['identity-version=0x20000']},
], ids=['media-size', 'contract-version'])
# points: 18
def test_mismatch_is_refused_before_the_downtime(outer, how):
    result = outer.call('failures.refused', **how)
    assert result['status'] == 'failed'
    assert 'stop-copy' not in result['source_states']
    assert result['went_on']
    # write() refused it: some of it came, and was not what the VF can take.
    counters = result['dest_counters']
    assert counters['last_error'] == -errno.EOPNOTSUPP
    assert counters['bytes_loaded'] > 0
    assert counters['load_done_ns'] == 0


@pytest.mark.full
# points: 38
def test_pf_reset_ends_the_migration_alone(outer):
    assert_pf_reset(outer)


def assert_pf_reset(outer, **limit):
    result = outer.call('failures.pf_reset', **limit)
    first = result['first']
    assert first['status'] == 'failed'
    assert 'stop-copy' not in first['source_states']
    assert first['guest'] == 'running'
    assert not BAD.findall(first['guest_log'])
    counters = first['source_counters']
    assert counters['state'] == 'RUNNING'
    assert counters['last_error'] == -errno.ENOTCONN
    # A VF is not told of its PF's reset. What counts is QEMU's own, which it
    # does if it wants RUNNING before the PF is back.
    assert first['unexpected_resets'] == \
        first['source_stderr'].count('Resetting device') <= 1
    assert_moved(result)


# points: 38
def test_vfs_removed_under_a_guest(outer):
    assert_vfs_removed(outer)


def assert_vfs_removed(outer, **limit):
    result = outer.call('failures.vfs_removed', **limit)
    # The removal waits, and the VF is the guest's meanwhile.
    assert result['waits']
    assert result['guest'] == 'running'
    assert result['burst'] >= 10000
    assert set(result['vfs'].values()) == {'lmf_vfio_pci'}
    assert_moved(result)
