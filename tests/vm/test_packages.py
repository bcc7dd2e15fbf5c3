# SPDX-License-Identifier: GPL-2.0-only
"""The packages, installed, upgraded and removed in a Debian 13 system with its
stock kernel, which is not booted here; test_distro.py does that.
"""
import filecmp
import glob
import os
import re
import shutil
import stat
import subprocess

import pytest

from bed import HERE, TOP, build

pytestmark = pytest.mark.full

MODULES = ('lmf', 'lmf-vfio-pci', 'lmf_blk')
# What dpkg keeps of all that it did.
KEPT = re.compile(r'var/log/|var/lib/dpkg/(status|diversions|statoverride)-old')


class System:
    """A Debian system; what changes in it is in `upper`."""

    def __init__(self, folder):
        self.tree = build('distro') + '/tree'
        self.folder = str(folder)
        self.upper = self.folder + '/upper'
        self.release, = os.listdir(self.tree + '/lib/modules')

    def run(self, *command, check=True):
        done = subprocess.run(
            [HERE + '/build/over.sh', self.tree, self.folder, *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
        assert done.returncode == 0 or not check, done.stdout
        return done.stdout

    def install(self, packages):
        names = [os.path.basename(shutil.copy(deb, self.folder))
                 for deb in glob.glob(packages + '/*.deb')]
        return self.run('dpkg', '-i', *(f'/mnt/{name}' for name in names))

    def status(self):
        return self.run('dkms', 'status').splitlines()

    def modinfo(self, module, field):
        return self.run('modinfo', '-k', self.release, '-F', field,
                        module).strip()

    def resolve(self, alias):
        return self.run('modprobe', '-S', self.release, '-R', alias,
                        check=False).split()

    def loads(self, alias):
        """The modules that udev would load for it, in order."""
        said = self.run('modprobe', '-S', self.release, '-b', '-n', '-v',
                        alias, check=False)
        return re.findall(r'^insmod \S*/([\w-]+)\.ko', said, re.M)

    def changes(self):
        """What is not as it was, as far as somebody could trip over it."""
        for where, folders, files in os.walk(self.upper):
            for name in folders + files:
                path = f'{where}/{name}'
                place = os.path.relpath(path, self.upper)
                if not KEPT.match(place) and \
                        self.differs(path, f'{self.tree}/{place}'):
                    yield place

    @staticmethod
    def differs(new, old):
        mode = os.lstat(new).st_mode
        if stat.S_ISCHR(mode):
            # That is how an overlay says that it is gone.
            return os.path.lexists(old)
        if not os.path.lexists(old) or mode != os.lstat(old).st_mode:
            return True
        if stat.S_ISLNK(mode):
            return os.readlink(new) != os.readlink(old)
        return stat.S_ISREG(mode) and not filecmp.cmp(new, old, shallow=False)


@pytest.fixture(scope='module', name='system')
def fixture_system(tmp_path_factory):
    system = System(tmp_path_factory.mktemp('system'))
    system.install(build('deb'))
    return system


def versions(packages):
    return {re.match(r'.*_(.*)_', name)[1]
            for name in glob.glob(packages + '/*.deb')}


def test_make_deb():
    subprocess.run(['make', '-s', '-C', TOP, 'deb'], check=True)
    names = {re.sub('_.*_', ' ', os.path.basename(name))
             for name in glob.glob(TOP + '/build/deb/*.deb')}
    assert names == {'lmf-dkms all.deb', 'lmfctl amd64.deb'}


def test_lintian_is_silent():
    """It shows all but what it calls pedantic or an experiment."""
    changes, = glob.glob(build('deb') + '/*.changes')
    done = subprocess.run(
        ['lintian', '--allow-root', '--display-info', '--show-overrides',
         changes], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_modules_are_built_for_the_kernel(system):
    version, = versions(build('deb'))
    assert system.status() == [
        f'lmf/{version}, {system.release}, x86_64: installed']
    for module in MODULES:
        assert '/updates/dkms/' in system.modinfo(module, 'filename')
        assert system.modinfo(module, 'vermagic').split()[0] == \
            system.release


def test_aliases(system):
    """udev looks for a function, libvirt for what VFIO has for a VF. With the
    PF's driver comes that for its VFs, and never that of a guest.
    """
    rest = 'sv00001AF4sd00001100bc01sc80i00'
    loads = system.loads('pci:v00001234d00004C50' + rest)
    assert loads[-1] == 'lmf-vfio-pci' and 'lmf' in loads
    assert system.loads('pci:v00001234d00004C56' + rest) == []
    assert 'lmf_vfio_pci' in \
        system.resolve('vfio_pci:v00001234d00004C56' + rest)


def test_tool(system):
    assert 'bind' in system.run('lmfctl', '--help')
    completion = '/usr/share/bash-completion/completions/lmfctl'
    assert '_lmfctl' in system.run('bash', '-c', f'. {completion}; '
                                                 'complete -p lmfctl')
    page = system.run('zcat', '/usr/share/man/man8/lmfctl.8.gz')
    assert '.SH COMMANDS' in page


# What would tell of, or change, the kernel that runs here.
INSTEAD = {
    'uname': '[ "$*" = -r ] && echo {release} || exec /usr/bin/uname "$@"',
    'depmod': 'exec /usr/sbin/depmod "$@" {release}',
    'modprobe': 'exec /usr/sbin/modprobe -n -S {release} "$@"'}
APT = 'APT::Get::Assume-Yes "true"; APT::Sandbox::User "root";'


def test_guide_installs_from_source(tmp_path):
    """Line by line, as it stands there."""
    system = System(tmp_path)
    with open(TOP + '/docs/operators.md') as file:
        block = re.search(r'^## Install\n.*?\n((?: {4}[^\n]*\n)+)',
                          file.read(), re.M | re.S)
    lines = [line.strip() for line in block[1].splitlines()]
    assert len(lines) == 5
    (tmp_path / 'bin').mkdir()
    for name, text in INSTEAD.items():
        path = tmp_path / 'bin' / name
        path.write_text('#!/bin/sh\n' + text.format(release=system.release) +
                        '\n')
        path.chmod(0o755)
    for part in ('src', 'include', 'firmware-iface'):
        shutil.copytree(f'{TOP}/{part}', tmp_path / 'tree' / part)
    shutil.copy(TOP + '/Makefile', tmp_path / 'tree')
    system.run('sh', '-ec', f"echo '{APT}' >/etc/apt/apt.conf.d/00test; "
                            'apt-get -qq update')
    for line in lines:
        system.run('sh', '-ec', f'cd /mnt/tree; PATH=/mnt/bin:$PATH; {line}')
    for module in MODULES:
        assert '/updates/' in system.modinfo(module, 'filename')
    assert 'bind' in system.run('/usr/local/sbin/lmfctl', '--help')


def test_upgrade_and_purge_leave_nothing(tmp_path):
    system = System(tmp_path)
    system.install(build('deb', '0.9'))
    assert [line.split(',')[0] for line in system.status()] == ['lmf/0.9']
    system.install(build('deb'))
    version, = versions(build('deb'))
    assert [line.split(',')[0] for line in system.status()] == \
        [f'lmf/{version}']
    assert not [place for place in system.changes() if '0.9' in place]
    system.run('dpkg', '--purge', 'lmf-dkms', 'lmfctl')
    assert not list(system.changes())


def iommufd(config):
    """y, m or n, of a kernel's configuration."""
    with open(config) as file:
        found = re.search(r'^CONFIG_IOMMUFD=(\w)$', file.read(), re.M)
    return found[1] if found else 'n'


@pytest.mark.parametrize('name, headers', [
    ('Debian 13', 'stable'), ('Debian 13, backports', 'backports')])
def test_kernels_of_the_guide(name, headers):
    """What the guide says of distributions is what their packages have."""
    with open(TOP + '/docs/operators.md') as file:
        said = re.search(rf'^\| {name} \| (on|off) \|', file.read(), re.M)
    config = build('headers', headers) + '/.config'
    assert said[1] == ('off' if iommufd(config) == 'n' else 'on')
