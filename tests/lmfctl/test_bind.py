# SPDX-License-Identifier: GPL-2.0-only
"""bind, unbind, scrub, vfs: what changes a function, and what is undone."""
import json
import os

import pytest

from host import DEVICES, PCI

VF = '0000:01:10.4'
PROBE = PCI + 'drivers_probe'


def takes(host, *drivers):
    """The kernel, with drivers that take what driver_override says."""
    def probe(bdf):
        wanted = host.get(DEVICES + bdf + '/driver_override')
        if wanted in drivers:
            if wanted == 'lmf_vfio_pci':
                host.counters(bdf)
            if 'vfio' in wanted:
                host.vfio(bdf)
            host.bound(bdf, wanted)
    host.kernel(PROBE, probe)
    for name in os.listdir(host.root + PCI + 'drivers'):
        host.kernel(PCI + f'drivers/{name}/unbind',
                    lambda bdf: host.bound(bdf, ''))
    return probe


def override(host, bdf):
    return host.get(DEVICES + bdf + '/driver_override')


def bound_to(host, bdf):
    path = host.root + DEVICES + bdf + '/driver'
    return os.path.basename(os.readlink(path)) if os.path.lexists(path) else ''


def test_binds_to_our_driver(host, vfs, golden):
    takes(host, 'lmf_vfio_pci')
    status, out, err = host.run('bind', VF)
    assert (status, err) == (0, '')
    assert bound_to(host, VF) == 'lmf_vfio_pci'
    assert override(host, VF) == 'lmf_vfio_pci'
    golden('bind.txt', out)


def test_json(host, vfs):
    takes(host, 'lmf_vfio_pci')
    status, out, _ = host.run('bind', '--json', VF)
    result = json.loads(out)['result']
    assert status == 0 and result['changed']
    assert result['function']['driver'] == 'lmf_vfio_pci'
    assert result['persist'] == f'driverctl set-override {VF} lmf_vfio_pci'


def test_several(host, vfs):
    """What was done before one that fails stays, and is told."""
    takes(host, 'lmf_vfio_pci')
    status, out, err = host.run('bind', '--json', VF, '07:07.7', vfs[1])
    assert status == 1 and '07:07.7' in err
    assert [json.loads(line)['result']['function']['bdf']
            for line in out.splitlines()] == [VF]
    assert bound_to(host, VF) == 'lmf_vfio_pci'
    assert bound_to(host, vfs[1]) != 'lmf_vfio_pci'


def test_takes_it_from_another_driver(host, vfs):
    takes(host, 'lmf_vfio_pci')
    assert host.run('bind', vfs[1])[0] == 0
    assert bound_to(host, vfs[1]) == 'lmf_vfio_pci'


def test_bound_already(host, vfs):
    status, out, _ = host.run('bind', vfs[0])
    assert status == 0 and 'already bound to lmf_vfio_pci' in out


def test_driver_that_refuses_is_undone(host, vfs):
    takes(host, 'vfio-pci')
    host.put(DEVICES + vfs[1] + '/driver_override', 'vfio-pci')
    status, out, err = host.run('bind', vfs[1])
    assert (status, out) == (1, '')
    assert 'lmf_vfio_pci did not take it' in err
    assert 'given back to vfio-pci' in err
    assert override(host, vfs[1]) == 'vfio-pci'
    assert bound_to(host, vfs[1]) == 'vfio-pci'


def test_undo_that_fails_is_told(host, vfs):
    takes(host)
    status, _, err = host.run('bind', vfs[1])
    assert status == 1
    assert 'cannot be given back to vfio-pci' in err


def test_driver_is_not_loaded(host, vfs):
    status, _, err = host.run('bind', '-d', 'nonesuch', VF)
    assert status == 1
    assert err == (f"lmfctl: {VF}: driver nonesuch is not loaded: "
                   "'modprobe nonesuch', and try again\n")


@pytest.mark.parametrize('driver', ['', '..', '../../x', 'a/b'])
def test_no_name_of_a_driver(host, vfs, driver):
    status, _, err = host.run('bind', '-d', driver, VF)
    assert status == 2 and 'no name of a driver' in err


def test_module_made_for_the_device(host):
    host.function('0000:05:00.1', 0x1018, 0x15b3, 0x0200, group=4)
    host.driver('mlx5_vfio_pci')
    host.put(DEVICES + '0000:05:00.1/modalias',
             'pci:v000015B3d00001018sv00000000sd00000000bc02sc00i00')
    host.put(f'/lib/modules/{os.uname().release}/modules.alias',
             'alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n'
             'alias vfio_pci:v000015B3d00001019sv*sd*bc*sc*i* other\n'
             'alias vfio_pci:v000015B3d00001018sv*sd*bc*sc*i* mlx5_vfio_pci')
    takes(host, 'mlx5_vfio_pci')
    assert host.run('bind', '05:00.1')[0] == 0
    assert bound_to(host, '0000:05:00.1') == 'mlx5_vfio_pci'


def test_no_module_made_for_it(host):
    host.function('0000:05:00.1', 0x1018, 0x15b3, 0x0200, group=4)
    host.driver('vfio-pci')
    takes(host, 'vfio-pci')
    assert host.run('bind', '05:00.1')[0] == 0
    assert bound_to(host, '0000:05:00.1') == 'vfio-pci'


def test_bridge_and_no_iommu(host, vfs):
    host.function('0000:00:03.0')
    assert host.run('bind', '00:01.0')[0] == 1
    status, _, err = host.run('bind', '00:03.0')
    assert status == 1 and 'switch the IOMMU on' in err


def refused(host, *args):
    status, out, err = host.run(*args)
    assert (status, out) == (1, '')
    assert err.count('\n') == 1
    return err


@pytest.mark.parametrize('file', ['/dev/vfio/devices/vfio0', '/dev/vfio/11'])
def test_in_use_by_a_vmm(host, vfs, file):
    host.process(77, 'bash', '/dev/tty')
    host.process(78, 'qemu-system-x86', '/dev/null', file)
    for args in (('unbind', vfs[0]), ('bind', '-d', 'vfio-pci', vfs[0]),
                 ('vfs', '01:00.0', '0'), ('probe', '-f', vfs[0]),
                 ('move', '-f', vfs[0], vfs[1])):
        assert refused(host, *args) == (
            f'lmfctl: {vfs[0]}: in use: qemu-system-x86 (process 78) has it '
            'open; end that first\n')
    assert bound_to(host, vfs[0]) == 'lmf_vfio_pci'


def disk(host, bdf, kind='block'):
    folder = DEVICES + bdf + '/nvme/nvme0/nvme0n1'
    host.put(folder + '/dev', '259:0')
    host.link(folder + '/subsystem', f'../../../../../../class/{kind}')
    return folder


def test_mounted_disk(host, vfs):
    host.put(disk(host, '0000:00:02.0') + '/nvme0n1p1/dev', '259:1')
    host.link(DEVICES + '0000:00:02.0/nvme/nvme0/nvme0n1/nvme0n1p1/subsystem',
              '/class/block')
    host.put('/proc/self/mountinfo',
             '20 1 8:1 / / rw - ext4 /dev/sda1 rw\n'
             '21 20 259:1 / /srv rw - ext4 /dev/nvme0n1p1 rw')
    err = refused(host, 'bind', '-d', 'vfio-pci', '00:02.0')
    assert 'nvme0n1p1 is mounted on /srv' in err


def test_swap_and_stacked_disk(host, vfs):
    folder = disk(host, '0000:00:02.0')
    host.put('/proc/swaps', 'Filename Type\n/dev/nvme0n1 partition 1 0 -2')
    err = refused(host, 'bind', '-d', 'vfio-pci', '00:02.0')
    assert 'nvme0n1 is used as swap' in err
    host.put('/proc/swaps', '')
    host.put(folder + '/holders/dm-0')
    err = refused(host, 'bind', '-d', 'vfio-pci', '00:02.0')
    assert 'nvme0n1 is a part of dm-0' in err


def test_interface_that_is_up(host, vfs):
    folder = DEVICES + '0000:00:02.0/net/eth0'
    host.link(folder + '/subsystem', '../../../../class/net')
    host.put(folder + '/flags', '0x1003')
    err = refused(host, 'bind', '-d', 'vfio-pci', '00:02.0')
    assert 'network interface eth0 is up' in err


def test_disk_behind_many_folders(host, vfs):
    folder = DEVICES + '0000:00:02.0' + '/x' * 12 + '/sda'
    host.put(folder + '/dev', '8:0')
    host.link(folder + '/subsystem', '/class/block')
    host.put('/proc/self/mountinfo', '20 1 8:0 / /srv rw - ext4 /dev/sda rw')
    err = refused(host, 'bind', '-d', 'vfio-pci', '00:02.0')
    assert 'sda is mounted on /srv' in err


def test_disk_that_a_process_has_open(host, vfs):
    disk(host, '0000:00:02.0')
    host.process(80, 'dd', '/dev/nvme0n1')
    err = refused(host, 'bind', '-d', 'vfio-pci', '00:02.0')
    assert 'dd (process 80) has it open' in err


def test_pf_with_vfs_keeps_its_driver(host, vfs):
    """Its VFs would go with it, whoever has them."""
    takes(host, 'vfio-pci')
    err = refused(host, 'bind', '01:00.0')
    assert 'say with --driver' in err
    err = refused(host, 'bind', '-d', 'vfio-pci', '01:00.0')
    assert "has 3 VFs: 'lmfctl vfs 0000:01:00.0 0' first" in err
    host.bound('0000:01:00.0', 'vfio-pci')
    host.vfio('0000:01:00.0', 'vfio9')
    err = refused(host, 'unbind', '01:00.0')
    assert 'has 3 VFs' in err


@pytest.mark.parametrize('args', [('status',), ('watch',), ('probe', '-f')])
def test_no_advice_to_bind_a_pf(host, vfs, args):
    assert 'name one of its VFs' in refused(host, *args, '01:00.0')
    assert 'a bridge' in refused(host, *args, '00:01.0')


def test_no_advice_to_bind_what_the_host_uses(host, vfs):
    out = host.run('list', '00:02.0')[1]
    assert 'bound to nvme' in out and 'lmfctl bind' not in out


def test_no_permission_is_one_line(host, vfs):
    """The file is a folder: nobody can write it, root included."""
    for bdf in (vfs[1], VF):
        path = host.root + DEVICES + bdf + '/driver_override'
        os.unlink(path)
        os.mkdir(path)
        err = refused(host, 'bind', '-d', 'lmf_vfio_pci', bdf)
        assert 'cannot be bound to lmf_vfio_pci' in err


def test_unbind_without_driver(host, vfs):
    """What it holds may be wanted: only who says scrub loses it."""
    seen = []
    host.kernel(DEVICES + '0000:01:00.0/scrub_vf', seen.append)
    err = refused(host, 'unbind', VF)
    assert f"has no driver: 'lmfctl scrub {VF}' scrubs it" in err
    host.close()
    assert not seen


def test_vfs_that_cannot_be_made(host, vfs):
    host.pf('0000:01:00.0', 8, [])
    number = host.root + DEVICES + '0000:01:00.0/sriov_numvfs'
    os.unlink(number)
    os.symlink('/dev/full', number)
    err = refused(host, 'vfs', '01:00.0', '2')
    assert 'No space left on device; it has 0 now' in err


def test_pf_without_a_driver(host, vfs):
    host.function('0000:06:00.0', 0x4c50)
    host.put(DEVICES + '0000:06:00.0/sriov_totalvfs', 8)
    assert "'modprobe lmf' if it is ours" in refused(host, 'vfs', '06:00.0',
                                                    '2')


def test_unbind_scrubs(host, vfs):
    takes(host)
    seen = []
    host.kernel(DEVICES + '0000:01:00.0/scrub_vf', seen.append)
    host.put(DEVICES + vfs[1] + '/driver_override', 'vfio-pci')
    status, out, err = host.run('unbind', vfs[1])
    assert (status, err) == (0, '')
    assert out == f'{vfs[1]}: has no driver, and was scrubbed\n'
    assert (bound_to(host, vfs[1]), override(host, vfs[1])) == ('', '')
    host.close()
    assert seen == ['1']


def test_unbind_without_scrub(host, vfs):
    takes(host)
    host.put(DEVICES + '0000:01:00.0/scrub_vf', 'not touched')
    status, out, _ = host.run('unbind', '--no-scrub', '--json', vfs[1])
    assert status == 0 and not json.loads(out)['result']['scrubbed']
    assert host.get(DEVICES + '0000:01:00.0/scrub_vf') == 'not touched'


def test_unbind_leaves_drivers_of_the_host(host, vfs):
    assert 'no VFIO driver' in refused(host, 'unbind', '00:02.0')
    assert bound_to(host, '0000:00:02.0') == 'nvme'


def test_scrub(host, vfs):
    seen = []
    host.kernel(DEVICES + '0000:01:00.0/scrub_vf', seen.append)
    assert host.run('scrub', VF) == (0, f'{VF}: scrubbed\n', '')
    host.close()
    assert seen == ['2']


def test_scrub_is_refused(host, vfs):
    assert 'offers no scrub' in refused(host, 'scrub', VF)
    host.put(DEVICES + '0000:01:00.0/scrub_vf')
    assert 'bound to lmf_vfio_pci' in refused(host, 'scrub', vfs[0])
    assert 'no VF' in refused(host, 'scrub', '00:02.0')


def test_vfs(host, vfs):
    """What is written, in order; the number reads back what it was told."""
    number = DEVICES + '0000:01:00.0/sriov_numvfs'
    status, out, _ = host.run('vfs', '01:00.0', '3')
    assert status == 0 and out.split() == vfs
    status, out, _ = host.run('vfs', '--json', '01:00.0', '1')
    assert json.loads(out)['result']['vfs'] == vfs[:1]
    assert (status, host.get(number)) == (0, '1')
    assert host.run('vfs', '01:00.0', '0') == (0, '', '')


@pytest.mark.parametrize('number', ['', '-1', '1x', '65536', 'all'])
def test_no_number_of_vfs(host, vfs, number):
    status, _, err = host.run('vfs', '--', '01:00.0', number)
    assert status == 2 and 'no number of VFs' in err


def test_vfs_refused(host, vfs):
    assert 'has 8 VFs at most' in refused(host, 'vfs', '01:00.0', '9')
    assert 'no PF with SR-IOV' in refused(host, 'vfs', vfs[0], '1')
