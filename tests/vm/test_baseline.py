# SPDX-License-Identifier: GPL-2.0-only
"""What the device's log is worth: the same migration with and without it."""
import pytest

from judge import assert_moved

pytestmark = pytest.mark.full

ALL_DIRTY = ',enable-migration=on,x-device-dirty-page-tracking=off'


def test_log_against_all_dirty(outer):
    """Without a log all memory is sent again, in the downtime at the latest.

    Not on iommufd: there QEMU 10.0 sends nothing again, and says completed.
    """
    ours = outer.call('scenarios.dma_only', timeout=900)
    assert_moved(ours)
    # However slow this machine is, one more pass is to be short enough.
    theirs = outer.call('scenarios.dma_only', timeout=900, vfio=ALL_DIRTY,
                        parameters={'downtime-limit': 300000})
    assert_moved(theirs, but=["doesn't support device and IOMMU dirty"])
    total = ours['source']['ram']['total'] // 4096
    table = {name: (r['source']['ram']['normal'],
                    r['source']['ram']['downtime-bytes'])
             for name, r in (('log', ours), ('all dirty', theirs))}
    print(f'pages sent, bytes in the downtime, of {total} pages:', table)
    assert 'vfio_device_dirty_tracking_start' not in theirs['trace']
    assert theirs['source']['ram']['normal'] + \
        theirs['source']['ram']['duplicate'] >= 2 * total
    assert ours['source']['ram']['normal'] + \
        ours['source']['ram']['duplicate'] < 1.5 * total
