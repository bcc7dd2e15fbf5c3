# SPDX-License-Identifier: GPL-2.0-only
"""lmf_blk on a VF of the outer machine itself: no guest, no migration."""
import contextlib
import errno
import hashlib
import os
import subprocess
import time

import host
from migration import fault

MODULE = '/lmf/modules/lmf_blk.ko'
NODE = '/dev/lmf0'
TIMEOUT_MS = 500
LONG_US = 600 * 1000 * 1000
FIO = ['fio', '--name=verify', f'--filename={NODE}', '--direct=1',
       '--ioengine=libaio', '--iodepth=32', '--rw=randrw',
       '--bsrange=512-256k', '--blockalign=512', '--verify=crc32c',
       '--verify_fatal=1', '--verify_state_save=0', '--minimal']


def wait_until(true, seconds=30):
    """Of state in sysfs, which tells of no event."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError('it did not happen')
        time.sleep(0.01)


class Block:
    """VF 0 as a disk that loses patience soon."""

    def __init__(self):
        host.set_vfs(1)
        self.bdf = host.virtual_function(0)
        if not os.path.exists('/sys/module/lmf_blk'):
            subprocess.run(['insmod', MODULE], check=True)
        host.bind(self.bdf, 'lmf_blk')
        wait_until(lambda: os.path.exists(NODE))
        host.write('/sys/block/lmf0/queue/io_timeout', TIMEOUT_MS)

    def count(self, name):
        return int(host.read('/sys/block/lmf0/' + name))

    def facts(self):
        return {name: self.count(name)
                for name in ('irq_recovered', 'recoveries')}

    def in_flight(self):
        return sum(map(int, host.read('/sys/block/lmf0/inflight').split()))

    def read(self, blocks=1):
        """Read past the page cache; what that says, or None."""
        done = subprocess.run(['dd', f'if={NODE}', 'of=/dev/null', 'bs=4k',
                               f'count={blocks}', 'iflag=direct'],
                              capture_output=True, text=True, check=False)
        return done.stderr.splitlines()[0] if done.returncode else None

    def fio(self, *options):
        return subprocess.Popen([*FIO, *options], cwd='/run',
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def mask(self, on):
        """Of all of the VF's interrupts: they stay pending in the device."""
        subprocess.run(['setpci', '-s', self.bdf, 'CAP_MSIX+2.W=' +
                        ('4000:4000' if on else '0:4000')], check=True)


@contextlib.contextmanager
def block():
    disk = Block()
    try:
        yield disk
    finally:
        fault('none')
        host.bind(disk.bdf, '')


def verified():
    """All sizes and both directions, as a file system would not ask for."""
    with block() as disk:
        fio = disk.fio('--size=32M', '--numjobs=2', '--offset_increment=32M',
                       '--fsync=50')
        says = fio.communicate()[0]
        return {'fio': fio.returncode, 'says': says, **disk.facts()}


def zeroes():
    """A part of what was written is zeroed through the block layer."""
    size, first, length = 1 << 20, 300 << 10, 200 << 10
    with block() as disk:
        data = bytearray(os.urandom(size))
        with open(NODE, 'r+b', buffering=0) as file:
            file.write(data)
            os.fsync(file)
        subprocess.run(['blkdiscard', '-z', '-o', str(first), '-l',
                        str(length), NODE], check=True)
        done = subprocess.run(['dd', f'if={NODE}', 'bs=1M', 'count=1',
                               'iflag=direct'], capture_output=True,
                              check=True)
        data[first:first + length] = bytes(length)
        return {'offered': int(host.read('/sys/block/lmf0/queue/'
                                         'write_zeroes_max_bytes')),
                'zeroed': hashlib.sha256(done.stdout).hexdigest(),
                'wanted': hashlib.sha256(data).hexdigest()}


def file_system():
    with block():
        done = subprocess.run(
            ['/bin/sh', '-ec', f'mkfs.ext4 -q -F {NODE}; mount {NODE} /mnt; '
             'cp -r /usr/bin/[a-f]* /mnt; umount /mnt; fsck.ext4 -fn ' + NODE],
            capture_output=True, text=True, check=False)
        return {'status': done.returncode, 'says': done.stdout + done.stderr}


def lost_completion():
    with block() as disk:
        fault('io-drop=0:1')
        return {'read': disk.read(), **disk.facts()}


def lost_interrupts(blocks):
    with block() as disk:
        disk.mask(True)
        result = disk.read(blocks)
        disk.mask(False)
        return {'read': result, **disk.facts()}


def unseen_reset():
    """The device forgets a request without a word."""
    with block() as disk:
        fault(f'io-delay=0:{LONG_US}')
        fio = disk.fio('--size=4k', '--bs=4k')
        wait_until(disk.in_flight)
        fault('none')
        fault('reset-vf=0')
        says = fio.communicate()[0]
        return {'fio': fio.returncode, 'says': says, **disk.facts()}


def resets_under_load(resets):
    """The delay is so long that each reset finds requests in the device."""
    with block() as disk:
        fault('io-delay=0:100000')
        fio = disk.fio('--size=32M', '--time_based', '--runtime=600')
        for _ in range(resets):
            wait_until(disk.in_flight)
            host.write(host.DEVICES + disk.bdf + '/reset', 1)
        fio.terminate()
        says = fio.communicate()[0]
        return {'errors': 'io_u error' in says, 'says': says,
                'read': disk.read(), **disk.facts()}


def errors():
    """What an I/O gives for each status of the contract."""
    with block() as disk:
        result = {}
        for status in range(1, 6):
            fault(f'io-fail=0:1:{status}')
            says = disk.read() or ''
            result[status] = next((name for code, name in
                                   errno.errorcode.items()
                                   if says.endswith(os.strerror(code))), says)
        return result


def unbound_under_load():
    with block() as disk:
        fault('io-delay=0:20000')
        fio = disk.fio('--size=32M', '--time_based', '--runtime=600')
        wait_until(disk.in_flight)
        host.bind(disk.bdf, '')
        fio.communicate()
        result = {'fio': fio.returncode, 'gone': not os.path.exists(NODE)}
        fault('none')
        host.bind(disk.bdf, 'lmf_blk')
        wait_until(lambda: os.path.exists(NODE))
        return {**result, 'read': disk.read(1024)}


def never_answered():
    with block() as disk:
        fault(f'io-delay=0:{LONG_US}')
        result = {'slow': disk.read()}
        fault('none')
        return {**result, 'read': disk.read(), **disk.facts()}
