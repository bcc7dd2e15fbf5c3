# SPDX-License-Identifier: GPL-2.0-only
"""What every migration has to show, whatever else its test looks at."""
import re

from bed import BAD
from guest import LAST_STATES

# Linux 6.12's iommufd maps no BARs for peers; QEMU warns, and goes on.
NO_PEERS = ('IOMMU_IOAS_MAP failed: Bad address, PCI BAR?',
            'vfio_container_dma_map', 'peer-to-peer transactions on BARs')


def assert_moved(result, but=(), resets=0, lying=False):
    """QEMU says completed even when it had to reset the destination's VF; so
    what counts is the states that the destination told, and the driver.
    """
    assert result['status'] == 'completed'
    assert result['dest_states'][-3:] == LAST_STATES
    said = [line for line in result['dest_stderr'].splitlines()
            if not any(words in line for words in but)]
    assert not said
    assert result['unexpected_resets'] == resets
    assert not BAD.findall(result['guest_log'])
    if 'verify' in result:
        assert bool(result['verify']['stale']) == lying
        assert result['verify']['checked'] > 0


def assert_disk(result):
    """fio, the file system, and no completion that had to be looked for."""
    assert result['fio']['error'] == 0
    assert result['fio']['read'] and result['fio']['written']
    assert 'status 0' in result['fsck']
    assert not result['complaints'].strip()
    assert result['recovered'] == result['recoveries'] == 0


def trace_events(result, *names):
    """Of the source's QEMU, in order, as (name, text)."""
    return [(match[1], match[2]) for match in
            re.finditer(r'^(?:\S*:)?(\w+) (.*)$', result['trace'], re.M)
            if match[1] in names]


def data_sizes(result):
    """What VFIO_DEVICE_FEATURE_MIG_DATA_SIZE told QEMU, in order."""
    return [int(re.search(r'stopcopy size (\d+)', text)[1]) for _, text in
            trace_events(result, 'vfio_state_pending_exact')]
