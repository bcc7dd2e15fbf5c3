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


def asked_ahead(events):
    """How many chunks but the last had something in them, and for how many of
    these was the next one asked for before they were put in front of the
    reader? Chunks come and are put in the order in which they are asked for.
    One that leaves nothing unsent has no next one, and the one after it is
    asked for alone, to see whether there is more.
    """
    came = [event for event in events if event not in ('asked', 'put')]
    puts = (n for n, (length, _) in enumerate(came) if length)
    asked, ahead = 0, []
    for event in events:
        asked += event == 'asked'
        if event == 'put':
            chunk = next(puts)
            if not any(empty for _, empty in came[max(chunk - 1, 0):chunk + 1]):
                ahead.append(asked > chunk + 1)
    return len(ahead) - 1, sum(ahead[:-1])


@pytest.mark.full
def test_next_chunk_is_asked_for_before_one_is_read(outer):
    """So the device has work to do while the reader copies."""
    result = outer.call('disk.traced', mebibytes=32, timeout=600)
    assert_moved(result)
    chunks, ahead = asked_ahead(result['chunks'])
    print(f'{ahead} of {chunks} chunks')
    assert chunks >= 32 << 2
    assert ahead == chunks


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
