# SPDX-License-Identifier: GPL-2.0-only
"""The device's own dirty log decides what QEMU sends again."""
import pytest

UNEXPECTED_RESETS = 'the driver saw a reset that nobody asked for'


def assert_really_resumed(result):
    """QEMU says completed even when the destination was silently reset."""
    assert result['dest_states'][-3:] == ['resuming', 'running-p2p', 'running']
    assert not result['dest_stderr'].strip()


def test_dma_only_pages_arrive(outer):
    before = outer.stats()
    result = outer.call('scenarios.dma_only')
    assert result['status'] == 'completed'
    assert_really_resumed(result)
    assert result['burst']['burst'] >= 10000
    assert result['verify']['checked'] >= 32768
    assert result['verify']['stale'] == 0
    assert 'pre-copy' in result['source_states']
    assert 'vfio_device_dirty_tracking_start' in result['trace']
    assert result['source_counters']['pages_reported'] >= 10000
    assert before is not None


@pytest.mark.parametrize('fault', ['lose-dirty=0:1:1', 'lose-dirty=0:1:1000'])
def test_lying_log_is_found_out(outer, fault):
    """The check of the other test can fail: a log that loses pages is seen."""
    result = outer.call('scenarios.dma_only', faults=[fault])
    assert result['status'] == 'completed'
    print('stale pages:', result['verify']['stale'])
    assert result['verify']['stale'] > 0
