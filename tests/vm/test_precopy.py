# SPDX-License-Identifier: GPL-2.0-only
"""Pre-copy is real: what a VF holds does not show in the downtime."""
import statistics

import pytest

DEVICES = ('id=lmf0,media-size=512M', 'id=lmf1,media-size=1M')
pytestmark = pytest.mark.full


def test_downtime_does_not_grow_with_the_media(outer):
    result = outer.call('disk.downtimes', sizes=[512, 1], rounds=7,
                        timeout=3000)
    large = result['512']
    for move in large:
        assert move['precopy'] > 512 << 20
        assert move['precopy'] > 99 * move['stop_copy']
    medians = {size: statistics.median(m['downtime_ms'] for m in moves)
               for size, moves in result.items()}
    print('median downtime in ms, by MiB of media:', medians,
          [[m['downtime_ms'] for m in moves] for moves in result.values()])
    assert medians['512'] <= medians['1'] + 20
