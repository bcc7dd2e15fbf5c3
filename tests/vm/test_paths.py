# SPDX-License-Identifier: GPL-2.0-only
"""The ways that QEMU takes through the driver, all of them successful."""
import pytest


# Linux 6.12's iommufd maps no BARs for peers; QEMU warns, and goes on.
NO_PEERS = ('IOMMU_IOAS_MAP failed: Bad address, PCI BAR?',
            'vfio_container_dma_map', 'peer-to-peer transactions on BARs')


def assert_moved(result, but=()):
    assert result['status'] == 'completed'
    assert result['dest_states'][-3:] == ['resuming', 'running-p2p', 'running']
    assert not [line for line in result['dest_stderr'].splitlines()
                if not any(words in line for words in but)]
    assert result['verify']['stale'] == 0


def test_paused_guest(outer):
    result = outer.call('scenarios.paused')
    assert 'pre-copy' not in result['source_states']
    assert result['status'] == 'completed'
    assert result['verify']['stale'] == 0
    assert result['source_counters']['bytes_saved_precopy'] == 0


def test_iommufd(outer):
    assert_moved(outer.call('scenarios.dma_only', iommufd=True), NO_PEERS)


def test_nothing_in_the_vf_reaches_migration(outer):
    result = outer.call('scenarios.poked')
    assert result['after'] == result['before']
    assert result['unmoved']
    assert_moved(result)


@pytest.mark.full
def test_to_and_fro(outer):
    result = outer.call('scenarios.to_and_fro', times=20, timeout=1200)
    assert result['status'] == 'completed'
    assert len(result['downtimes']) == 20
    assert result['verify']['stale'] == 0
