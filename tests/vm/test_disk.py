# SPDX-License-Identifier: GPL-2.0-only
"""The VF as the guest's disk, migrated under ext4 and fio."""
import pytest


@pytest.mark.parametrize('io_delay_us', [0, 20000], ids=['fast', 'in-flight'])
def test_disk_under_load(outer, io_delay_us):
    result = outer.call('disk.under_load', io_delay_us=io_delay_us)
    assert result['status'] == 'completed'
    assert result['dest_states'][-3:] == ['resuming', 'running-p2p', 'running']
    assert result['verify']['stale'] == 0
    assert result['fio']['error'] == 0
    assert result['fio']['read'] and result['fio']['written']
    assert 'status 0' in result['fsck']
    assert not result['complaints'].strip()
