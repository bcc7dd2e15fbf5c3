# SPDX-License-Identifier: GPL-2.0-only
"""The device's own dirty log decides what QEMU sends again."""
import pytest

from judge import assert_moved, data_sizes, trace_events


# points: 30
def test_dma_only_pages_arrive(outer):
    assert_arrived(outer.call('scenarios.dma_only'), 'ring')


def assert_arrived(result, log_format):
    assert_moved(result)
    assert result['burst']['burst'] >= 10000
    assert result['verify']['checked'] >= 32768
    assert 'pre-copy' in result['source_states']
    assert result['source_counters']['pages_reported'] >= 10000
    assert_ways_of_qemu(result, log_format)


def assert_ways_of_qemu(result, log_format):
    """What QEMU does beside the uAPI's plain course (qemu-contract 1.2 to
    1.4) was really done, and the driver bore it.
    """
    names = [name if 'PRE_COPY' not in text else 'PRE_COPY' for name, text in
             trace_events(result, 'vfio_device_dirty_tracking_start',
                          'vfio_migration_set_state')]
    assert names.index('vfio_device_dirty_tracking_start') < \
        names.index('PRE_COPY')
    counters = result['source_counters']
    assert counters['last_report_start_ns'] > counters['stop_copy_start_ns'] \
        > 0
    # Nobody stopped the log; it ended when the source was closed.
    assert counters['log_format'] == log_format
    assert result['log_after_close'] == 'off'
    sizes = data_sizes(result)
    assert len(sizes) > 1 and min(sizes) > 0
    # Nothing writes to the media, so nothing may come back.
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize('fault', [
    pytest.param('lose-dirty=0:1:1', marks=pytest.mark.full),
    'lose-dirty=0:1:1000'])
def test_lying_log_is_found_out(outer, fault):
    """The check of the other test can fail: a log that loses pages is seen."""
    before = outer.stats()[0]['log_lost']
    result = outer.call('scenarios.dma_only', faults=[fault])
    assert_moved(result, lying=True)
    lost = outer.stats()[0]['log_lost'] - before
    print(f"lost {lost} pages, stale {result['verify']['stale']}")
    assert lost > 0
