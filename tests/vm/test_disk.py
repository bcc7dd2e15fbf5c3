# SPDX-License-Identifier: GPL-2.0-only
"""The VF as the guest's disk, migrated under ext4 and fio."""
import pytest

from judge import assert_disk, assert_moved, data_sizes


@pytest.mark.parametrize('io_delay_us', [
    pytest.param(0, id='fast'),
    pytest.param(20000, id='in-flight', marks=pytest.mark.full)])
def test_disk_under_load(outer, io_delay_us):
    result = outer.call('disk.under_load', io_delay_us=io_delay_us)
    assert_moved(result)
    assert_disk(result)
    assert result['burst']['burst'] >= 10000
    assert result['verify']['checked'] >= 32768
    if io_delay_us:
        assert result['parked'] > 0


def test_lone_request_completes_after_the_move(outer):
    """Nothing comes after it, that could make up for a lost interrupt."""
    result = outer.call('disk.lone_request')
    assert_moved(result)
    assert result['parked'] == 1
    assert result['dd'] == '0'
    assert result['recovered'] == result['recoveries'] == 0


# points: 15
def test_whole_media_arrives(outer):
    result = outer.call('disk.idle_media', mebibytes=64)
    assert_moved(result)
    assert result['after'] == result['before']
    # How much was read is in it, in MiB: nothing has a checksum, too.
    assert result['after'][1] == '64+0'
    counters = result['source_counters']
    assert counters['bytes_saved_precopy'] > 99 * \
        counters['bytes_saved_stop_copy']


# points: 13, 15
def test_dirty_bytes_rise_and_fall(outer):
    result = outer.call('disk.write_load')
    assert_moved(result)
    assert result['peak'] > 1 << 20
    assert result['low'] < 1 << 16
    sizes = data_sizes(result)
    assert max(sizes) > 1 << 20 and 0 < sizes[-1] < 1 << 16


# points: 37
def test_guest_reset_ends_that_migration_alone(outer):
    result = outer.call('disk.guest_reset')
    assert result['first'] == 'failed'
    # The one reset that was asked for.
    assert_moved(result, resets=1)
    assert result['fio']['error'] == 0
    assert 'status 0' in result['fsck']
