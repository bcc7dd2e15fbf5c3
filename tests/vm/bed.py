# SPDX-License-Identifier: GPL-2.0-only
"""The outer machine, seen from outside: starts it, speaks to its agent.

Runs in the Debian 13 root (tests/vm/build/enter.sh). What the outer machine
gets to see is one folder that is put together here and mounted over 9p.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE + '/outer')
from qmp import Qmp, QmpError  # noqa: E402

# Anything of this in a kernel's log fails the run.
# What lockdep finds is a WARNING; and each checker says at boot that it is on.
BAD = re.compile(r'WARNING:|\bBUG\b|Oops|KASAN:|UBSAN:|general protection|'
                 r'DMA-API: (?!preallocated|debugging enabled)|Call Trace|'
                 r'INFO: task .* blocked|kmemleak: \d+ new|refcount_t:|'
                 r'unregister_netdevice|rcu_.* stall')


TCG = ['-accel', 'tcg,thread=multi', '-cpu', 'qemu64,+svm,+npt,+x2apic']
KVM = ['-accel', 'kvm,kernel-irqchip=split', '-cpu', 'host']


class BedError(Exception):
    pass


def build(step, *args):
    """Run a build step and return the folder that it prints."""
    result = subprocess.run([f'{HERE}/build/{step}.sh', *args],
                            stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        raise BedError(f'{step} cannot be built')
    return result.stdout.strip()


def artefacts(flavour='plain'):
    """Everything that a run needs, built or found in the cache. Guests have
    the plain kernel: on the other one twice, a migration takes minutes.
    """
    if flavour == 'distro':
        distro = build('distro')
        host = {'kernel': distro, 'image': distro, 'init': 'init-distro',
                'initrd': distro + '/initrd',
                'more': build('distro-lmf') + '/more.squashfs'}
    else:
        host = {'kernel': build('kernel', flavour), 'image': build('image'),
                'modules': build('modules', flavour), 'init': 'init',
                'uapi': build('uapi'), 'lmfctl': build('lmfctl')}
    return {'qemu': build('qemu'), 'guest_kernel': build('kernel', 'plain'),
            'guest': build('guest', 'plain'), **host}


def share(folder, parts):
    """Put together what the outer machine sees under /lmf."""
    os.makedirs(folder, exist_ok=True)
    for name in ('outer', 'modules', 'mods'):
        shutil.rmtree(f'{folder}/{name}', ignore_errors=True)
    shutil.copytree(f'{HERE}/outer', f'{folder}/outer',
                    ignore=shutil.ignore_patterns('__pycache__'))
    shutil.copy(f"{HERE}/outer/{parts['init']}", f'{folder}/init')
    shutil.copy(parts['guest_kernel'] + '/bzImage', folder)
    shutil.copy(parts['guest'] + '/guest.cpio', folder)
    if 'modules' not in parts:
        return
    shutil.copytree(parts['modules'], f'{folder}/modules')
    shutil.copytree(parts['kernel'] + '/mods', f'{folder}/mods',
                    symlinks=True,
                    ignore=shutil.ignore_patterns('build', 'source'))
    shutil.copy(parts['uapi'] + '/lmf-vfio-test', folder)
    shutil.copy(parts['lmfctl'] + '/lmfctl', folder)


def read_only(path, name):
    """A disk."""
    return ['-drive', f'file={path},format=raw,readonly=on,if=none,id={name}',
            '-device', f'virtio-blk-pci,drive={name}']


def hardware():
    """Does this machine claim to virtualize in hardware? Only trying tells."""
    with open('/proc/cpuinfo') as file:
        return bool(re.search(r'\b(vmx|svm)\b', file.read())) and \
            os.access('/dev/kvm', os.R_OK | os.W_OK)


def start(parts, **options):
    """An outer machine that guests run in: by hardware where that works."""
    if hardware():
        outer = None
        try:
            outer = Outer(parts, accel=KVM, **options)
            if outer.call('host.kvm_works'):
                return outer
        except BedError:
            pass
        if outer:
            outer.stop()
    return Outer(parts, **options)


def wire(path, end):
    """One of the two ends of a network cable between outer machines. End 0
    has to be there first, and outlives the other.
    """
    return ['-netdev', f"stream,id=net,server={'off' if end else 'on'},"
                       f'addr.type=unix,addr.path={path}',
            '-device', f'virtio-net-pci,netdev=net,mac=52:54:00:00:00:0{end}']


class Outer:
    """One outer machine, from start to stop."""

    def __init__(self, parts, devices=('id=lmf0',), memory='4G', append='',
                 folder=None, keep=False, accel=TCG, wire=(),
                 show=lambda **facts: None):
        self.folder = folder or tempfile.mkdtemp(prefix='lmf-bed-')
        self.keep = keep
        self.show = show
        share(f'{self.folder}/share', parts)
        self.console = f'{self.folder}/console'
        args = [parts['qemu'] + '/qemu-system-x86_64',
                '-L', '/usr/share/seabios', '-L', '/usr/share/qemu',
                '-L', '/usr/lib/ipxe/qemu',
                '-machine', 'q35', *accel, '-smp', '2', '-m', memory,
                '-nodefaults', '-no-user-config',
                '-no-reboot', '-display', 'none',
                # With eim the kernel ends interrupts by MSR writes. By MMIO
                # one gets lost in QEMU 10.0 now and then when a BAR moves,
                # as in each FLR, and its CPU stands still.
                '-device', 'intel-iommu,intremap=on,caching-mode=on,eim=on',
                '-kernel', parts['kernel'] + '/bzImage',
                '-append', 'console=ttyS0 root=/dev/vda ro '
                           'init=/lmf-init panic=-1 no_timer_check '
                           'watchdog_thresh=30 ' + append,
                *read_only(parts['image'] + '/image.squashfs', 'root'),
                '-virtfs', f'local,path={self.folder}/share,mount_tag=lmf,'
                           'security_model=none,readonly=on',
                '-device', 'virtio-serial-pci',
                '-chardev', f'socket,id=rpc,path={self.folder}/rpc,'
                            'server=on,wait=off',
                '-device', 'virtserialport,chardev=rpc,name=lmf',
                '-serial', f'file:{self.console}',
                '-qmp', f'unix:{self.folder}/qmp,server=on,wait=off']
        if 'initrd' in parts:
            args += ['-initrd', parts['initrd'],
                     *read_only(parts['more'], 'more')]
        for n, device in enumerate(devices):
            args += ['-device', f'pcie-root-port,id=rp{n},slot={n + 1},'
                                f'chassis={n + 1}',
                     '-device', f'lmf,bus=rp{n},{device}']
        args += wire
        self.answers = {}
        self.changed = threading.Condition()
        self.count = 0
        self.seen = 0
        self.dead = False
        self.stopped = None
        self.heard = lambda result: None
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL,
                                        stderr=open(f'{self.folder}/stderr',
                                                    'wb'))
        try:
            self._connect()
        except BaseException:
            self.process.kill()
            raise

    def _connect(self):
        deadline = time.monotonic() + 30
        while not os.path.exists(f'{self.folder}/qmp'):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise BedError('the outer QEMU does not start: ' +
                               open(f'{self.folder}/stderr').read())
            time.sleep(0.05)
        self.qmp = Qmp(f'{self.folder}/qmp')
        self.rpc = socket.socket(socket.AF_UNIX)
        self.rpc.connect(f'{self.folder}/rpc')
        threading.Thread(target=self._read, daemon=True).start()
        if self._answer(0, 600) != 'ready':
            raise BedError('the agent is not ready')

    def _read(self):
        try:
            for line in self.rpc.makefile('r'):
                message = json.loads(line)
                if 'up' in message:
                    self._up(message)
                    continue
                with self.changed:
                    self.answers[message['id']] = message
                    self.changed.notify_all()
        except OSError:
            pass
        with self.changed:
            self.dead = True
            self.changed.notify_all()

    def _up(self, message):
        """The agent asks for something that only the bed can do."""
        reply = {'up': message['up']}
        try:
            reply['result'] = {'fault': self.fault, 'stats': self.stats,
                               'show': self.show}[
                message['call']](**message['args'])
        except (QmpError, KeyError, TypeError) as error:
            reply['error'] = str(error)
        self.rpc.sendall((json.dumps(reply) + '\n').encode())

    def _answer(self, key, timeout):
        with self.changed:
            self.changed.wait_for(lambda: key in self.answers or self.dead,
                                  timeout)
            answer = self.answers.pop(key, None)
        if not answer:
            raise BedError(self._last_words(key))
        if 'error' in answer:
            raise BedError(answer['error'])
        return answer['result']

    def _ask(self, name, args):
        with self.changed:
            self.count += 1
            key = self.count
        self.rpc.sendall((json.dumps({'id': key, 'call': name,
                                      'args': args}) + '\n').encode())
        return key

    def call(self, name, timeout=300, **args):
        """Have the agent call a function, and return its result."""
        result = self._answer(self._ask(name, args), timeout)
        self.heard(result)
        return result

    def _last_words(self, key):
        """Why there is no answer. The machine is not used any more."""
        if self.dead:
            return f'the outer machine died ({self.process.wait(20)}, ' \
                f'{open(self.folder + "/stderr").read()!r}), the end of ' \
                f'its console:\n{self.console_text()[-3000:]}'
        hung = self._ask('host.stacks', {}) if key else None
        with self.changed:
            self.changed.wait_for(lambda: hung in self.answers, 30)
            stacks = self.answers.get(hung, {}).get('result')
        self.dead = True
        return 'no answer; ' + (f'what the agent and its children do:\n{stacks}'
                                if stacks else 'the agent does not speak')

    def fault(self, spec, device='lmf0'):
        """Set a fault hook of a device model; see firmware/fault.c."""
        self.qmp.cmd('qom-set', path=f'/machine/peripheral/{device}',
                     property='fault', value=spec)

    def plug(self, on):
        """Have this end of the network cable in its socket, or not."""
        self.qmp.cmd('set_link', name='net', up=on)

    def stats(self, device='lmf0'):
        """What the device model counted, a dictionary for each VF."""
        return json.loads(self.qmp.cmd(
            'qom-get', path=f'/machine/peripheral/{device}',
            property='stats'))

    def console_text(self):
        if self.stopped is not None:
            return self.stopped
        with open(self.console, errors='replace') as file:
            return file.read()

    def complaints(self):
        """Lines of the kernel's log, since the last call, that must not be."""
        text = self.console_text()
        new, self.seen = text[self.seen:], len(text)
        return [line for line in new.splitlines() if BAD.search(line)]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.stopped = self.console_text()
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
