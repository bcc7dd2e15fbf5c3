# SPDX-License-Identifier: GPL-2.0-only
"""Who has a node of a function open is found, whatever its path is to him.

On a host of files a process has /dev/null open, and the node has its number.
"""
import os

import pytest

from host import DEVICES
from test_bind import refused, takes

NULL = '1:3'
OTHER = '0000:00:05.0'


@pytest.fixture(name='other')
def fixture_other(host, vfs):
    """A function with a driver of the host, to be bound to vfio-pci."""
    host.function(OTHER, driver='uio_pci_generic', group=9)
    takes(host, 'vfio-pci')
    return OTHER


def assert_held(host, *args):
    assert 'in use: vmm (process 78) has it open; end that first\n' in \
        refused(host, *args)


@pytest.mark.parametrize('node', [
    DEVICES + '0000:01:10.0/vfio-dev/vfio0', '/sys/class/vfio/11',
    '/sys/class/vfio/noiommu-11'])
def test_vfio_by_its_number(host, vfs, node):
    host.put(node + '/dev', NULL)
    host.process(78, 'vmm', '/dev/zero', '/dev/null')
    assert_held(host, 'unbind', vfs[0])


def test_vfio_without_an_iommu(host, vfs):
    host.process(78, 'vmm', '/dev/vfio/noiommu-11')
    assert_held(host, 'unbind', vfs[0])


def test_other_number(host, vfs):
    host.put('/sys/class/vfio/11/dev', '1:33')
    host.process(78, 'vmm', '/dev/null')
    takes(host)
    assert host.run('unbind', '--no-scrub', vfs[0])[0] == 0


def test_number_of_a_block_device(host, other):
    """They have numbers of their own."""
    folder = DEVICES + other + '/host0/sda'
    host.put(folder + '/dev', NULL)
    host.link(folder + '/subsystem', '/class/block')
    host.process(78, 'vmm', '/dev/null')
    assert host.run('bind', '-d', 'vfio-pci', other)[0] == 0


@pytest.mark.parametrize('file, number', [('/dev/uio0', '240:0'),
                                          ('/dev/null', NULL)])
def test_character_device(host, other, file, number):
    folder = DEVICES + other + '/uio/uio0'
    host.put(folder + '/dev', number)
    host.link(folder + '/subsystem', '/class/uio')
    host.process(78, 'vmm', file)
    assert_held(host, 'bind', '-d', 'vfio-pci', other)


def test_interface_of_a_container(host, other):
    os.mkdir(host.root + DEVICES + other + '/net')
    assert 'in another network namespace' in \
        refused(host, 'bind', '-d', 'vfio-pci', other)
