# SPDX-License-Identifier: GPL-2.0-only
"""A guest under stock QEMU in the outer machine."""
import json
import os
import re
import socket
import subprocess
import threading
import time

from patience import FACTOR, GUEST_APPEND, SWEEP_US
from qmp import Qmp, QmpError

# How the VF of a destination gets there, without a reset on the way.
LAST_STATES = ['resuming', 'running-p2p', 'running']
CAPABILITIES = ('return-path', 'events', 'switchover-ack')


class Console:
    """The guest's command port: a line goes in, its output comes back."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.data = b''

    def _until(self, pattern, timeout):
        deadline = time.monotonic() + timeout * FACTOR
        while True:
            match = re.search(pattern, self.data)
            if match:
                text = self.data[:match.start()]
                self.data = self.data[match.end():]
                return text.decode(errors='replace'), match
            self.sock.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                raise TimeoutError(f'the guest says only {self.data[-500:]}') \
                    from None
            if not data:
                raise RuntimeError('the guest is gone')
            self.data += data

    def wait_up(self, timeout=120):
        self._until(rb'@up\r?\n', timeout)

    def run(self, line, timeout=120, check=True):
        self.sock.sendall(line.encode() + b'\n')
        text, match = self._until(rb'@done (\d+)\r?\n', timeout)
        status = int(match.group(1))
        if check and status:
            raise RuntimeError(f'in the guest, {line}: {status}: {text}')
        return text.replace('\r', '')


# Where a guest finds its VFs.
SLOTS = ('0000:00:10.0', '0000:00:11.0')


class Guest:
    """One QEMU process. With `incoming` it is a destination."""

    def __init__(self, name, bdf=None, incoming=None, memory=512, vfio='',
                 iommufd=False, cpus=2, append='', qemu_args=(), oob=False,
                 second=None):
        self.name = name
        self.bdf = bdf
        self.second = second
        base = f'/run/{name}'
        self.paths = {k: f'{base}.{k}' for k in
                      ('qmp', 'cmd', 'beat', 'console', 'trace', 'stderr')}
        args = ['qemu-system-x86_64', '-machine', 'q35', '-accel', 'kvm',
                '-cpu', 'host', '-smp', str(cpus), '-m', f'{memory}M',
                '-nodefaults', '-no-user-config', '-display', 'none',
                '-action', 'reboot=shutdown',
                '-kernel', '/lmf/bzImage', '-initrd', '/lmf/guest.cpio',
                '-append', f'console=ttyS0 panic=-1 quiet unknown_nmi_panic '
                           f'panic_print=0x41 {GUEST_APPEND} {append}',
                '-drive', 'file=/dev/vda,format=raw,readonly=on,if=none,'
                          'id=tools,file.locking=off',
                '-device', 'virtio-blk-pci,drive=tools',
                '-serial', f"file:{self.paths['console']}",
                '-serial', f"unix:{self.paths['cmd']},server=on,wait=off",
                '-serial', f"unix:{self.paths['beat']},server=on,wait=off",
                '-qmp', f"unix:{self.paths['qmp']},server=on,wait=off",
                '-D', self.paths['trace'],
                '-trace', 'vfio_device_dirty_tracking_*',
                '-trace', 'vfio_migration_*',
                '-trace', 'vfio_state_pending_exact',
                '-trace', 'vmstate_downtime_checkpoint']
        if bdf and iommufd:
            args += ['-object', 'iommufd,id=iommufd0']
            vfio += ',iommufd=iommufd0'
        for n, vf in enumerate(filter(None, (bdf, second))):
            args += ['-device', f'vfio-pci,host={vf},id=vf{n},'
                                f'addr={SLOTS[n][8:10]},'
                                f'x-pre-copy-dirty-page-tracking=on,'
                                f'migration-events=on{vfio}']
        if incoming:
            args += ['-incoming', incoming]
        args += qemu_args
        for path in self.paths.values():
            if os.path.exists(path):
                os.unlink(path)
        self.process = subprocess.Popen(
            args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.paths['stderr'], 'wb'))
        self.alive_or_die()
        self.qmp = Qmp(self.paths['qmp'], oob=oob)
        self.console = Console(self.paths['cmd'])
        for capability in CAPABILITIES:
            self.set_capability(capability, True)

    def alive_or_die(self):
        """Wait for QEMU to listen; a QEMU that ends says why."""
        deadline = time.monotonic() + 60 * FACTOR
        while not os.path.exists(self.paths['qmp']):
            if self.process.poll() is not None:
                raise RuntimeError(f'{self.name}: QEMU ends: {self.stderr()}')
            if time.monotonic() > deadline:
                raise RuntimeError(f'{self.name}: QEMU does not come up')
            time.sleep(0.05)

    def set_capability(self, name, state):
        self.qmp.cmd('migrate-set-capabilities',
                     capabilities=[{'capability': name, 'state': state}])

    def status(self):
        """Of the virtual machine, or how its QEMU ended."""
        if self.process.poll() is not None:
            return f'QEMU ended with {self.process.returncode}'
        try:
            return self.qmp.cmd('query-status', timeout=5)['status']
        except QmpError as error:
            return str(error)

    def post_mortem(self):
        """What its CPUs stand at. Ends the guest, with a trace of it all on
        its console, if it is able to do that.
        """
        if self.process.poll() is not None:
            return 'none'
        try:
            text = ''.join(self.qmp.cmd('human-monitor-command', timeout=10,
                                        command_line=line)
                           for line in ('info registers -a', 'info lapic 0',
                                        'info lapic 1', 'info pic'))
            self.qmp.cmd('inject-nmi', timeout=10)
            self.qmp.wait_event(lambda e: e['event'] == 'SHUTDOWN', 10)
            return text
        except QmpError as error:
            return str(error)

    def stderr(self):
        with open(self.paths['stderr'], errors='replace') as file:
            return file.read()

    def text(self, kind):
        with open(self.paths[kind], errors='replace') as file:
            return file.read()

    def run(self, line, **args):
        return self.console.run(line, **args)

    def migration(self):
        return self.qmp.cmd('query-migrate')

    def told(self):
        """The migration states that QEMU told, in order: (VF, state)."""
        return [(int(e['data']['device-id'][2:]), e['data']['device-state'])
                for e in self.qmp.events if e['event'] == 'VFIO_MIGRATION']

    def states(self, vf=0):
        """Of one of its VFs."""
        return [state for which, state in self.told() if which == vf]

    def wait_migration(self, *wanted, timeout=180):
        """Wait for a final or a wanted status; returns the last one."""
        final = set(wanted) | {'completed', 'failed', 'cancelled'}
        event = self.qmp.wait_event(
            lambda e: e['event'] == 'MIGRATION' and
            e['data']['status'] in final and not e.get('seen'), timeout)
        if not event:
            raise RuntimeError(f'migration hangs: {self.migration()}')
        event['seen'] = True
        return event['data']['status']

    def wait_arrived(self, timeout=180):
        """As a destination: wait until the guest runs, and all has been said,
        since it may be the next source.
        """
        self.wait_migration(timeout=timeout)
        if not self.qmp.wait_event(lambda e: e['event'] == 'RESUME', 60):
            raise RuntimeError('the destination does not run')
        if self.bdf and self.states()[-3:] != LAST_STATES:
            raise RuntimeError(f'its VF: {self.states()}')

    def quit(self):
        if self.process.poll() is None:
            try:
                self.qmp.cmd('quit')
            except QmpError:
                pass
            try:
                self.process.wait(20 * FACTOR)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(60)
        self.qmp.close()
        self.console.sock.close()


class DmaCheck:
    """The program that fills memory by the VF's DMA alone, in a guest."""

    def __init__(self, guest, number=0, **env):
        self.guest = guest
        self.pipe = f'/run/dma{number}'
        env.setdefault('SWEEP_US', SWEEP_US)
        settings = ' '.join(f'{k}={v}' for k, v in env.items())
        guest.run(f'mkfifo {self.pipe}.in {self.pipe}.out 2>/dev/null; '
                  f'{settings} setsid dma_check 0<>{self.pipe}.in '
                  f'1<>{self.pipe}.out & true')
        self.ready = self._answer()

    @classmethod
    def arrived(cls, guest):
        """The program in a guest that came from another host."""
        check = cls.__new__(cls)
        check.guest = guest
        check.pipe = '/run/dma0'
        return check

    def _answer(self, timeout=240):
        text = self.guest.run(f'busybox head -n 1 {self.pipe}.out',
                              timeout=timeout)
        answer = json.loads(text)
        if 'fatal' in answer:
            raise RuntimeError(f"dma_check: {answer['fatal']}")
        return answer

    def ask(self, line):
        self.guest.run(f'echo {line} >{self.pipe}.in')
        return self._answer()

    def quit(self):
        """End it, and wait until it holds no file any more: a thread of it
        may be longer about that than the first one.
        """
        self.guest.run('kill $(pidof dma_check); while pidof dma_check '
                       '>/dev/null; do usleep 10000; done')

    def moved_to(self, guest):
        """The same program, now reached through the destination's port."""
        self.guest = guest
        return self


class Beats:
    """Listens to the beats of a guest's I/O, on both sides of a move."""

    def __init__(self, *guests):
        self.times = [time.monotonic()]
        for guest in guests:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(guest.paths['beat'])
            threading.Thread(target=self._listen, args=(sock,),
                             daemon=True).start()

    def _listen(self, sock):
        try:
            while sock.recv(4096):
                self.times.append(time.monotonic())
        except OSError:
            pass

    def longest_ms(self):
        times = sorted(self.times)
        return max(b - a for a, b in zip(times, times[1:])) * 1000
