# SPDX-License-Identifier: GPL-2.0-only
"""What logging costs a guest that works on its VF: the bandwidth that fio gets
with and without it, in turn, and how long each report takes.

QEMU logs only while it migrates, which takes time of its own. So the log is
started beside it, on the file of the device that QEMU holds.
"""
import contextlib
import ctypes
import fcntl
import os
import re
import subprocess
import time

import host
from block import wait_until
from disk import Disk
from migration import pair

PIDFD_GETFD = 438
FEATURE = 0x3b75
GET, SET = 1 << 16, 1 << 17
START, STOP, REPORT = 6, 7, 8
PAGE = 4096
# Of any log at least: a ring, or a buffer that it is read into.
LOG_BYTES = 64 << 10

FIO = ('fio --name=load --filename=/dev/lmf0 --rw=randread --bs=16k '
       '--ioengine=libaio --direct=1 --iodepth=16 --time_based '
       '--runtime=3600 --output=/run/fio.out')


class Feature(ctypes.Structure):
    """struct vfio_device_feature, with what any of the three has behind it."""
    _fields_ = [('argsz', ctypes.c_uint32), ('flags', ctypes.c_uint32),
                ('data', ctypes.c_uint64 * 4)]


def device_of(pid):
    """The number of a process's open VFIO device."""
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            if os.readlink(f'/proc/{pid}/fd/{fd}') == \
                    'anon_inode:[vfio-device]':
                return int(fd)
        except FileNotFoundError:
            pass    # closed meanwhile
    raise RuntimeError(f'{pid} has no VFIO device')


class Log:
    """The log of the VF that a QEMU holds, over `size` bytes from 0 on."""

    def __init__(self, process, size):
        libc = ctypes.CDLL(None, use_errno=True)
        pidfd = os.pidfd_open(process.pid)
        self.fd = libc.syscall(PIDFD_GETFD, pidfd, device_of(process.pid), 0)
        os.close(pidfd)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), 'pidfd_getfd')
        self.size = size
        self.bitmap = ctypes.create_string_buffer(size // PAGE // 8)

    def close(self):
        os.close(self.fd)

    def _ask(self, flags, *data):
        feature = Feature(ctypes.sizeof(Feature), flags,
                          (ctypes.c_uint64 * 4)(*data))
        begin = time.perf_counter_ns()
        fcntl.ioctl(self.fd, FEATURE, feature)
        return time.perf_counter_ns() - begin

    def start(self):
        ranges = (ctypes.c_uint64 * 2)(0, self.size)
        self._ask(SET | START, PAGE, 1, ctypes.addressof(ranges))

    def stop(self):
        self._ask(SET | STOP)

    def report(self):
        """Returns how long it took, in ns, and how many pages it told."""
        ctypes.memset(self.bitmap, 0, len(self.bitmap))
        ns = self._ask(GET | REPORT, 0, self.size, PAGE,
                       ctypes.addressof(self.bitmap))
        return ns, int.from_bytes(self.bitmap.raw, 'little').bit_count()


def moved(guest):
    """Sectors that the guest's disk has read, and the guest's own time."""
    disk, uptime = guest.run('cat /sys/block/lmf0/stat /proc/uptime')\
        .strip().splitlines()
    return int(disk.split()[2]), float(uptime.split()[0])


def interval(guest, seconds, log=None, gap=0.2):
    """MiB a second, and the reports of a log that runs meanwhile."""
    reports = []
    sectors, begin = moved(guest)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(gap)
        if log:
            reports.append(log.report())
    last_sectors, last = moved(guest)
    if last_sectors == sectors:
        raise RuntimeError('fio reads nothing')
    return (last_sectors - sectors) / 2048 / (last - begin), reports


def logged(log, guest, name, result, seconds):
    log.start()
    used = host.counters(guest.bdf)['log_format']
    speed, reports = interval(guest, seconds, log)
    log.stop()
    if used != name:
        raise RuntimeError(f'the log is a {used}, no {name}')
    result['with'].append(speed)
    result['report_ns'] += [ns for ns, _ in reports]
    result['pages'] += [pages for _, pages in reports]


def compare(log, guest, name, result, log_first, seconds=2):
    """Both ways once, added to `result`; what comes first has no advantage."""
    host.choose_log_format(guest.bdf, name)
    if log_first:
        logged(log, guest, name, result, seconds)
    result['without'].append(interval(guest, seconds)[0])
    if not log_first:
        logged(log, guest, name, result, seconds)


@contextlib.contextmanager
def own_memory(group='/sys/fs/cgroup/lmf-log'):
    """This process in a memory cgroup of its own: a function that says how many
    bytes the kernel has allocated for it.
    """
    top = os.path.dirname(group)
    if not os.path.exists(top + '/cgroup.procs'):
        subprocess.run(['mount', '-t', 'cgroup2', 'none', top], check=True)
    host.write(top + '/cgroup.subtree_control', '+memory')
    os.makedirs(group, exist_ok=True)
    host.write(group + '/cgroup.procs', os.getpid())

    def used():
        return int(re.search(r'^kernel (\d+)$',
                             host.read(group + '/memory.stat'), re.M)[1])
    try:
        yield used
    finally:
        host.write(top + '/cgroup.procs', os.getpid())
        os.rmdir(group)


def charged(log_format, memory=512):
    """What who starts a log pays for it, until he stops it; the kernel sums up
    every two seconds.
    """
    with pair(name='charged', memory=memory) as both, own_memory() as used:
        host.choose_log_format(both.source.bdf, log_format)
        with contextlib.closing(Log(both.source.process,
                                    memory << 20)) as log:
            before = used()
            log.start()
            wait_until(lambda: used() >= before + LOG_BYTES, 60)
            most = used()
            log.stop()
            wait_until(lambda: used() <= most - LOG_BYTES, 60)
    return most - before


def chosen(choose, look, memory=512):
    """What `look` prints before a log is on, while it is, and afterwards."""
    def printed():
        return subprocess.run(look.replace('{}', both.source.bdf), shell=True,
                              check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()
    with pair(name='chosen', memory=memory) as both:
        subprocess.run(choose.replace('{}', both.source.bdf), shell=True,
                       check=True)
        with contextlib.closing(Log(both.source.process,
                                    memory << 20)) as log:
            result = [printed()]
            log.start()
            result.append(printed())
            log.stop()
            return [*result, printed()]


def measure(formats, rounds, memory=512):
    """For each format, rounds of: MiB a second without a log and then with
    one, ns of each report and the pages that it told.
    """
    result = {name: {'without': [], 'with': [], 'report_ns': [], 'pages': []}
              for name in formats}
    with pair(name='cost', memory=memory) as both:
        guest = both.source
        Disk(guest).tool(f'{FIO} >/dev/null 2>&1 & true')
        guest.run('while [ "$(cut -c1-30 /sys/block/lmf0/inflight)" = '
                  '"       0        0" ]; do usleep 10000; done')
        with contextlib.closing(Log(guest.process, memory << 20)) as log:
            for n in range(rounds):
                for name, one in result.items():
                    compare(log, guest, name, one, n % 2)
    return result
