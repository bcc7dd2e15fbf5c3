# SPDX-License-Identifier: GPL-2.0-only
"""This host under libvirt: its daemon, its modules where an installation puts
them, and a domain with a VF. What is typed comes from the operator's guide.
"""
import glob
import os
import re
import shutil
import socket
import subprocess
import time

import far
import host
from guest import Console, DmaCheck
from migration import SAVE_READ, fault

NAME = 'guest'
# Where the guide's files are, and what QEMU tells of the VF's states.
FOLDER = '/run/operator'
TRACE = '/run/guest.trace'
MODULES = '/lib/modules/' + os.uname().release
ALIASES = MODULES + '/modules.alias'
TOLD = 'vfio_migration_set_device_state'
STATE = re.compile(rf'^(?:\S*:)?{TOLD} +\(\S+\) state (\w+)$', re.M)

# Not where everybody may write, which sshd would not have.
TRUSTED = '/etc/ssh/authorized_keys'
# No cgroups, name spaces, seccomp or security modules: the machine has none.
QEMU_CONF = '''user = "root"
group = "root"
dynamic_ownership = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
seccomp_sandbox = 0
stdio_handler = "file"
'''
SSH_CONF = '''Host *
IdentityFile /run/key
UserKnownHostsFile /run/known_hosts
StrictHostKeyChecking accept-new
'''
DOMAIN = '''<domain type='kvm'
    xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name>
  <uuid>4c4d4600-0000-4000-8000-000000000001</uuid>
  <memory unit='MiB'>512</memory>
  <vcpu>2</vcpu>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>/lmf/bzImage</kernel>
    <initrd>/lmf/guest.cpio</initrd>
    <cmdline>console=ttyS0 panic=-1 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough'/>
  <on_reboot>destroy</on_reboot>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <serial type='file'>
      <source path='/run/guest.console'/><target port='0'/>
    </serial>
    <serial type='unix'>
      <source mode='bind' path='/run/guest.cmd'/><target port='1'/>
    </serial>
    {hostdev}
  </devices>
  <qemu:commandline>
    <qemu:arg value='-D'/><qemu:arg value='{trace}'/>
    <qemu:arg value='-trace'/><qemu:arg value='{told}'/>
  </qemu:commandline>
</domain>
'''


class Here:
    """What this host has of it."""
    guest = None
    check = None
    move = None


class Domain:
    """The guest's command port."""

    def __init__(self):
        self.console = Console('/run/guest.cmd')

    def run(self, line, **args):
        return self.console.run(line, **args)


def writable(folder):
    """What is written there is kept in memory: the root is read-only."""
    upper, work = f'/run/over{folder}/upper', f'/run/over{folder}/work'
    os.makedirs(upper)
    os.makedirs(work)
    subprocess.run(['mount', '-t', 'overlay', 'overlay', '-o',
                    f'lowerdir={folder},upperdir={upper},workdir={work}',
                    folder], check=True)


def up(number):
    """Be host number so, with what a distribution would start there."""
    socket.sethostname(f'host{number + 1}')
    for folder in ('/etc', '/var', '/usr/lib'):
        writable(folder)
    host.write('/etc/hosts', ''.join(f'{far.address(n)} host{n + 1}\n'
                                     for n in (0, 1)))
    os.makedirs(FOLDER)
    install()
    start_ssh()
    host.write('/etc/libvirt/qemu.conf', QEMU_CONF)
    host.write('/etc/libvirt/libvirtd.conf',
               f'host_uuid = "4c4d4600-0000-4000-8000-0000000001{number:02}"\n')
    subprocess.run(['libvirtd', '--daemon'], check=True)


def start_ssh():
    host.write('/etc/ssh/ssh_config.d/lmf.conf', SSH_CONF)
    subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '',
                    '-f', '/run/key'], check=True)
    os.makedirs('/run/sshd')
    subprocess.run(['/usr/sbin/sshd', '-o', 'UsePAM=no', '-o',
                    'AuthorizedKeysFile=' + TRUSTED], check=True)


def key():
    return host.read('/run/key.pub')


def trust(other):
    host.write(TRUSTED, other)


def install():
    """As modules_install leaves it."""
    if not os.path.exists(MODULES):
        shutil.copytree('/lmf/mods' + MODULES, MODULES)
    os.makedirs(MODULES + '/updates')
    for module in glob.glob('/lmf/modules/lmf*.ko'):
        shutil.copy(module, MODULES + '/updates')


def fresh(alias):
    """VFs that nobody had. Their driver is not loaded, and depmod has found
    it or not.
    """
    host.set_vfs(0)
    for line in ('depmod -a', 'modprobe -r lmf_vfio_pci', 'modprobe lmf'):
        subprocess.run(line.split(), check=True)
    if not alias:
        lines = host.read(ALIASES).splitlines(keepends=True)
        host.write(ALIASES, ''.join(line for line in lines
                                    if 'lmf_vfio_pci' not in line))
    host.set_vfs(2)
    return [host.driver(host.virtual_function(n)) for n in (0, 1)]


def typed(line):
    """Of a command: its status, what it printed, and what it complained."""
    path = os.environ['PATH'] + ':/lmf'
    done = subprocess.run(['sh', '-c', line], cwd=FOLDER, check=False,
                          env={**os.environ, 'PATH': path},
                          capture_output=True, text=True)
    return {'status': done.returncode, 'out': done.stdout, 'err': done.stderr}


def must(line):
    done = typed(line)
    if done['status']:
        raise RuntimeError(f"{line}: {done['err']}")
    return done['out']


def define(line, hostdev):
    host.write(f'{FOLDER}/{NAME}.xml',
               DOMAIN.format(name=NAME, hostdev=hostdev, trace=TRACE,
                             told=TOLD))
    return must(line)


def other_vf(path):
    """Edit a domain's XML, so that it takes VF 1 where it had VF 0."""
    (old, new) = (f"function='0x{host.virtual_function(n)[-1]}'"
                  for n in (0, 1))
    text = host.read(f'{FOLDER}/{path}')
    text, count = re.subn(rf"(<source>\s*<address [^>]*){old}", rf'\1{new}',
                          text)
    if count != 1:
        raise RuntimeError(f'not the XML of a domain with VF 0: {text}')
    host.write(f'{FOLDER}/{path}', text)


def begin(line):
    """A guest with memory that only its VF writes."""
    must(line)
    Here.guest = Domain()
    Here.guest.console.wait_up()
    Here.check = DmaCheck(Here.guest)
    return Here.check.ask('fill')


def hold():
    """No migration ends: the device is slow, and a downtime too short."""
    must(f'virsh migrate-setmaxdowntime {NAME} 1')
    fault(f'admin-delay={SAVE_READ}:100000')


def release():
    fault('none')


def migrate(line):
    """Begin to move, and let others do what they do meanwhile."""
    Here.move = subprocess.Popen(
        ['sh', '-c', 'exec ' + line], cwd=FOLDER, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def migrated(timeout=300):
    out, err = Here.move.communicate(timeout=timeout)
    return {'status': Here.move.returncode, 'out': out, 'err': err}


def job():
    """The numbers of the job under way."""
    text = must(f'virsh domjobinfo --rawstats {NAME}')
    return {name: int(value) for name, value in
            re.findall(r'^(\w+): (\d+)$', text, re.M)}


def wait_job(wanted, timeout=240):
    """Until the numbers of the job are so, of which no event tells."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and Here.move.poll() is None:
        now = job()
        if wanted(now):
            return now
    raise RuntimeError(f'the migration does not get on: {job()}')


def sent(above=None):
    """How much of memory and VF was sent, once that is more than before."""
    names = 'memory_processed', 'vfio_data_transferred'
    above = above or dict.fromkeys(names, 0)
    now = wait_job(lambda now: all(now.get(name, 0) > above[name]
                                   for name in names))
    return {name: now[name] for name in names}


def burst(pages=12288):
    """Once all memory was sent, the VF writes what it then leaves alone."""
    wait_job(lambda now: 'memory_normal' in now and 4096 * (
        now['memory_normal'] + now['memory_constant']) >= now['memory_total'])
    return Here.check.ask(f'burst {pages}')


def transfers():
    return Here.check.ask('status')['transfers']


def came(vf):
    """What this host knows once the guest runs here."""
    Here.guest = Domain()
    Here.check = DmaCheck.arrived(Here.guest)
    return {'verify': Here.check.ask('verify'), **facts(vf),
            'guest_log': Here.guest.run('dmesg')}


def facts(vf):
    bdf = host.virtual_function(vf)
    return {'driver': host.driver(bdf), 'counters': host.counters(bdf),
            'states': states(), 'stderr': stderr()}


def states():
    """Of the VF, as QEMU set them: one that it had to reset has none."""
    if not os.path.exists(TRACE):
        return []
    return [state.lower().replace('_', '-')
            for state in STATE.findall(host.read(TRACE))]


def stderr():
    """What QEMU said, but for how libvirt ends it; its own lines are around."""
    path = f'/var/log/libvirt/qemu/{NAME}.log'
    if not os.path.exists(path):
        return ''
    return ''.join(line + '\n' for line in host.read(path).splitlines()
                   if 'qemu-system-x86_64: ' in line and
                   'terminating on signal 15' not in line)


def leave():
    """Nothing is left of a guest, if there was one."""
    fault('none')
    typed(f'virsh destroy {NAME}')
    typed(f'virsh undefine {NAME}')
    Here.guest = Here.check = Here.move = None
    for path in (TRACE, f'/var/log/libvirt/qemu/{NAME}.log'):
        if os.path.exists(path):
            os.unlink(path)
