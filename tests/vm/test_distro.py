# SPDX-License-Identifier: GPL-2.0-only
"""Debian 13 as it is: its stock kernel, and our packages, which were installed
into it by dpkg. The modules were built then, by DKMS, in a chroot: under TCG
that would take very long.
"""
import glob

import pytest

from bed import build
from judge import assert_moved
from test_packages import iommufd

pytestmark = pytest.mark.full
FLAVOUR = 'distro'


def test_modules_load_by_alias(outer):
    """udev has loaded what the PF needs, and what its VFs need with it; but
    not the driver of guests.
    """
    result = outer.call('distro.booted')
    assert 'lmf' not in result['release']
    assert result['driver'] == 'lmf'
    assert 'lmf_vfio_pci' in result['loaded']
    assert 'lmf_blk' not in result['loaded']
    assert '/updates/dkms/' in result['from']


def test_kernel_has_no_iommufd(outer):
    """Which is why there is no log."""
    config, = glob.glob(build('distro') + '/tree/boot/config-*')
    assert config.endswith(outer.call('distro.booted')['release'])
    assert iommufd(config) == 'n'
    assert not outer.call('distro.booted')['log_node']


def test_bind_says_why_there_is_no_log(outer):
    result = outer.call('distro.bound')
    assert len(result['made'].splitlines()) >= 2
    assert result['taken_by'] is None
    assert result['driver'] == 'lmf_vfio_pci'
    assert result['offered'] == 'no-kernel'
    for said in (result['bind'], result['list']):
        assert 'lacks CONFIG_IOMMUFD_DRIVER' in said
        assert 'enable-migration=on' in said


def test_default_is_refused_with_a_reason(outer):
    result = outer.call('distro.refused')
    reason, = result['reasons']
    assert 'support device and IOMMU dirty tracking' in reason
    assert reason in result['error']


def test_all_memory_is_sent_again(outer):
    """By the group back end, there being no other; however slow this machine
    is, one more pass is to be short enough.
    """
    result = outer.call('scenarios.dma_only', timeout=900,
                        vfio=',enable-migration=on',
                        parameters={'downtime-limit': 300000})
    assert_moved(result, but=["doesn't support device and IOMMU dirty"])
    total = result['source']['ram']['total'] // 4096
    assert 'vfio_device_dirty_tracking_start' not in result['trace']
    assert result['source']['ram']['normal'] + \
        result['source']['ram']['duplicate'] >= 2 * total
