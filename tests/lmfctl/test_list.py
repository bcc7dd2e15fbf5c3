# SPDX-License-Identifier: GPL-2.0-only
"""list: functions, and whether they can migrate."""
import json

import pytest

from host import DEVICES, typical


def migratable(host, bdf):
    status, out, err = host.run('list', '--json', bdf)
    assert (status, err) == (0, '')
    function = json.loads(out)['result']['functions'][0]
    return function['migratable'], function['why'] or ''


def test_text(host, golden):
    typical(host)
    status, out, err = host.run('list')
    assert (status, err) == (0, '')
    golden('list.txt', out)


def test_all_as_json(host, golden):
    typical(host)
    status, out, err = host.run('list', '--all', '--json')
    assert (status, err) == (0, '')
    golden('list.json', out)


def test_nothing_to_show(host):
    host.function('0000:00:02.0')
    status, out, _ = host.run('list')
    assert status == 0
    assert out.startswith('no function with SR-IOV or VFIO')


def test_short_address(host):
    vfs = typical(host)
    assert host.run('list', vfs[0][5:])[1] == host.run('list', vfs[0])[1]


def test_no_such_function(host):
    typical(host)
    status, out, err = host.run('list', '0000:01:1f.7')
    assert (status, out) == (1, '')
    assert err == ("lmfctl: 0000:01:1f.7: no such function: "
                   "see 'lmfctl list --all'\n")


@pytest.mark.parametrize('name', ['', '1', '01:10', '01:20.0', '01:10.8',
                                  '0000:01:10.0x', 'zz:10.0', '../01:10.0'])
def test_bad_address(host, name):
    typical(host)
    status, out, err = host.run('list', name)
    assert (status, out) == (2, '')
    assert err.count('\n') == 1 and 'no address of a PCI function' in err


def test_other_variant_driver(host):
    """One that shows nothing, and one of a kernel with debugfs."""
    host.function('0000:05:00.1', driver='mlx5_vfio_pci', group=3)
    host.vfio('0000:05:00.1')
    assert migratable(host, '05:00.1')[0] == 'unknown'
    host.put('/sys/kernel/debug/vfio/0000:05:00.1/migration/state', '')
    assert migratable(host, '05:00.1') == ('yes', '')


def test_ours_without_its_pf(host):
    vfs = typical(host)
    host.link(DEVICES + '0000:01:00.0/driver', '../../drivers/vfio-pci')
    host.unlink(DEVICES + vfs[0] + '/migration/state')
    assert migratable(host, vfs[0]) == (
        'no', "its PF is not bound to lmf: 'lmfctl vfs 0000:01:00.0 0', "
        "'lmfctl bind -d lmf 0000:01:00.0', and make and bind VFs anew")


def test_device_without_migration(host):
    vfs = typical(host)
    host.unlink(DEVICES + vfs[0] + '/migration/state')
    assert migratable(host, vfs[0]) == (
        'no', 'the device offers no migration')


@pytest.mark.parametrize('offered, words', [
    ('no-kernel', 'lacks CONFIG_IOMMUFD_DRIVER'), ('no-device', 'has none')])
def test_no_log(host, offered, words):
    vfs = typical(host)
    host.counters(vfs[0], log_offered=offered)
    answer, why = migratable(host, vfs[0])
    assert answer == 'yes'
    assert words in why and 'enable-migration=on' in why


def test_driver_that_says_nothing_of_a_log(host):
    vfs = typical(host)
    host.unlink(DEVICES + vfs[0] + '/migration/log_offered')
    assert migratable(host, vfs[0]) == ('yes', '')


def test_no_iommu(host):
    host.function('0000:00:02.0')
    answer, why = migratable(host, '00:02.0')
    assert answer == 'no' and why.startswith('no IOMMU')
