# SPDX-License-Identifier: GPL-2.0-only
"""The host's devices and then the guest's have their DMA bounced wherever it
may be: who forgets to hand a buffer over, or back, works on old bytes.

The host's IOMMU translates nothing here, as only then is swiotlb in its way.
"""
import pytest

from judge import assert_moved

FLAVOUR = 'debug'
APPEND = 'iommu=pt swiotlb=force'
pytestmark = pytest.mark.full


# points: 25
def test_dma_only(outer):
    assert_moved(outer.call('scenarios.dma_only', hardware=[], memory=256,
                            timeout=2400))


# points: 25
def test_guest_bounces(outer):
    result = outer.call('disk.under_load', append='swiotlb=force',
                        memory=256, timeout=2400)
    assert_moved(result)
    assert result['fio']['error'] == 0
    assert not result['complaints'].strip()
    assert result['fsck'].endswith('status 0\n')
    assert result['bounced'] > 0
