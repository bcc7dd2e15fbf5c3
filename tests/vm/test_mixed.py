# SPDX-License-Identifier: GPL-2.0-only
"""Two VFs in a guest, a VF beside one without a log, and four guests at once."""
import pytest

from conftest import LATE
from judge import NO_PEERS, assert_moved

DEVICES = (LATE, 'id=lmf1,log=off')
pytestmark = pytest.mark.full


def assert_both_moved(result, but=()):
    assert_moved(result, but)
    assert result['dest_second'][-3:] == result['dest_states'][-3:]
    assert result['verify_second']['checked'] > 0
    assert result['verify_second']['stale'] == 0
    assert min(result['bursts']) >= 4000


@pytest.mark.parametrize('iommufd', [False, True], ids=['group', 'iommufd'])
def test_two_vfs_in_a_guest(outer, iommufd):
    result = outer.call('mixed.two_vfs', iommufd=iommufd, timeout=600)
    assert_both_moved(result, NO_PEERS if iommufd else ())
    # None stops for good while another may still write to it.
    told = result['told']
    last_quiet = max(told.index([vf, 'pre-copy-p2p']) for vf in (0, 1))
    first_stop = min(told.index([vf, 'stop-copy']) for vf in (0, 1))
    assert last_quiet < first_stop
    for counters in (result['source_counters'], result['second_counters']):
        assert counters['log_format'] == 'ring'
        assert counters['pages_reported'] >= 4000


def test_beside_a_vf_without_a_log(outer):
    """QEMU takes every page for dirty then, and our log is not asked."""
    result = outer.call('mixed.two_vfs', timeout=900,
                        source=[[0, 0], [0, 1]], dest=[[1, 0], [1, 1]],
                        parameters={'downtime-limit': 300000},
                        vfio=',enable-migration=on')
    assert_both_moved(result, ["doesn't support device and IOMMU dirty"])
    assert 'vfio_device_dirty_tracking_start' not in result['trace']
    ram = result['source']['ram']
    assert (ram['normal'] + ram['duplicate']) * 4096 >= 2 * ram['total']


def test_four_guests_at_once(outer):
    result = outer.call('mixed.at_once', guests=4, timeout=900)
    assert result['together'] == ['PRE_COPY'] * 4
    assert len(result['results']) == 4
    for moved in result['results']:
        assert_moved(moved)
