# SPDX-License-Identifier: GPL-2.0-only
"""Twenty migrations to and fro in one boot, with a log that posts late."""
import pytest

from judge import assert_disk, assert_moved

# The guest has more than the machine, for more queues.
MANY_CPUS = ('exceeds the recommended cpus',)

pytestmark = pytest.mark.full


def test_twenty_times(outer):
    assert_to_and_fro(outer, timeout=1800)


def assert_to_and_fro(outer, timeout, **options):
    result = outer.call('disk.to_and_fro', times=20, timeout=timeout,
                        **options)
    print('downtimes in ms:', result.get('downtimes'))
    assert_moved(result, MANY_CPUS)
    assert len(result['downtimes']) == 20
    assert result['queues'] == 4
    assert_disk(result)
    return result
