# SPDX-License-Identifier: GPL-2.0-only
"""The VF as a disk: our guest driver, ext4 and fio on it."""
import contextlib
import json
import time

from guest import DmaCheck
import host
from migration import (SAVE_READ, churn, fault, pair, slow, stats,
                       wait_first_pass, wait_state)
from patience import FACTOR, FIO_RATE
import tracing

FIO = ('fio --name=verify --filename=/mnt/fio --size=16M --rw=randrw '
       '--bsrange=4k-64k --ioengine=libaio --direct=1 --iodepth=8 '
       '--verify=crc32c --verify_backlog=64 --verify_fatal=1 --numjobs={jobs} '
       '--time_based --runtime={seconds} --output-format=json '
       '--output=/run/fio.json {rate}')


class Disk:
    """A guest whose VF carries an ext4 file system. Debian's tools come from
    the tools image, entered by chroot.
    """

    def __init__(self, guest):
        self.guest = guest
        for line in ('insmod /lib/modules/lmf_blk.ko',
                     'mount -t squashfs -o ro /dev/vda /mnt',
                     'for d in dev proc sys run; do mount -o bind /$d /mnt/$d; '
                     'done',
                     'while ! [ -b /dev/lmf0 ]; do usleep 10000; done'):
            guest.run(line)

    def tool(self, line, **args):
        return self.guest.run(f"chroot /mnt /bin/sh -c '{line}'", **args)

    def make(self):
        self.tool('mkfs.ext4 -q -F /dev/lmf0 && '
                  'mount /dev/lmf0 /mnt')

    def start_fio(self, jobs=1):
        fio = FIO.format(jobs=jobs, seconds=600 * FACTOR, rate=FIO_RATE)
        self.tool(f'{fio} >/run/fio.out 2>&1 & true')

    def stop_fio(self):
        """End fio as Ctrl-C does, and return what it says of itself."""
        self.tool('pkill -INT -x fio; while pgrep -x fio >/dev/null; '
                  'do sleep 0.1; done')
        text = self.guest.run('cat /run/fio.json /run/fio.out')
        start = text.index('{')
        report, end = json.JSONDecoder().raw_decode(text[start:])
        job = report['jobs'][0]
        return {'error': job['error'], 'read': job['read']['total_ios'],
                'written': job['write']['total_ios'],
                'says': (text[:start] + text[start + end:]).strip()}

    def close(self):
        """Unmount and check: fsck's output, and 0 if it found nothing."""
        self.tool('umount /mnt')
        return self.guest.run("chroot /mnt /bin/sh -c 'fsck.ext4 -fn "
                              "/dev/lmf0 2>&1; echo status $?'")

    def recovered_interrupts(self):
        """How often the driver found a completion that no interrupt told."""
        return int(self.guest.run('cat /sys/block/lmf0/irq_recovered'))

    def bounced(self):
        """The most memory that the guest's bounce buffers ever took."""
        return int(self.guest.run(
            'mount -t debugfs none /sys/kernel/debug && '
            'cat /sys/kernel/debug/swiotlb/io_tlb_used_hiwater'))

    def checksum(self):
        """Of the whole disk, read past the page cache, and how many MiB dd says
        that is.
        """
        return self.guest.run('dd if=/dev/lmf0 bs=1M iflag=direct 2>/run/dd '
                              '| sha256sum && tail -n 1 /run/dd',
                              timeout=300).split()[0:3:2]

    def complaints(self):
        return self.guest.run(
            'dmesg | grep -E "I/O error|EXT4-fs error|WARNING:|BUG:|'
            'lmf.*(timeout|timed out|fail|stuck|lost|no command)" || true')

    def recoveries(self):
        """How often the driver had to reset a queue of the VF."""
        return int(self.guest.run('cat /sys/block/lmf0/recoveries'))


def under_load(io_delay_us=0, **options):
    """Migrate under fio, with memory that only direct I/O fills."""
    with pair(name='disk', **options) as both:
        disk = Disk(both.source)
        disk.make()
        check = DmaCheck(both.source, FILE='/mnt/mnt/blocks')
        result = {'filled': check.ask('fill')}
        disk.start_fio()
        if io_delay_us:
            fault(f'io-delay=*:{io_delay_us}')
        with slow(SAVE_READ):
            both.start(hold=True)
            wait_first_pass(both.source)
            result['burst'] = check.ask('burst 12288')
        if io_delay_us:
            # Longer than QEMU takes to stop its CPUs before the VF.
            fault(f'io-delay=*:{10 * io_delay_us}')
        both.release()
        result['status'] = both.finish()
        both.no_fault()
        if result['status'] == 'completed':
            disk.guest = both.dest
            check.moved_to(both.dest)
            result['status_after'] = check.ask('status')
            result.update(disk_facts(disk, check))
            if 'swiotlb=force' in options.get('append', ''):
                result['bounced'] = disk.bounced()
            result['parked'] = stats()[0]['requests']
        return {**result, **both.facts()}


def disk_facts(disk, check=None):
    """What the guest says of its disk and its memory, once all has ended."""
    result = {}
    if check:
        result['verify'] = check.ask('verify')
        check.quit()
        disk.guest.run('rm -f /mnt/mnt/blocks')
    return {**result, 'fio': disk.stop_fio(), 'fsck': disk.close(),
            'complaints': disk.complaints(),
            'recovered': disk.recovered_interrupts(),
            'recoveries': disk.recoveries()}


def lone_request():
    """One request is in the VF at the cut-over, and no other follows it."""
    with pair(name='lone') as both:
        disk = Disk(both.source)
        churn(both.source)
        both.start(hold=True)
        wait_first_pass(both.source)
        fault('io-delay=0:20000000')
        both.source.run('(dd if=/dev/lmf0 of=/dev/null bs=4k count=1 '
                        'iflag=direct 2>/dev/null; echo $? >/run/lone) & true')
        wait_requests(1)
        both.release()
        result = {'status': both.finish(), 'parked': stats()[0]['requests']}
        if result['status'] == 'completed':
            disk.guest = both.dest
            both.dest.run('while ! [ -s /run/lone ]; do usleep 10000; done')
            result['dd'] = both.dest.run('cat /run/lone').strip()
            result['recovered'] = disk.recovered_interrupts()
            result['recoveries'] = disk.recoveries()
        return {**result, **both.facts()}


def wait_requests(count, timeout=60):
    """Until the device has that many of them from VF 0; no event tells."""
    deadline = time.monotonic() + timeout * FACTOR
    while stats()[0]['requests'] < count:
        if time.monotonic() > deadline:
            raise RuntimeError('no request comes')


def fill(disk, mebibytes):
    disk.tool('dd if=/dev/urandom of=/dev/lmf0 bs=1M '
              f'count={mebibytes} oflag=direct 2>/dev/null', timeout=600)


def idle_media(mebibytes, **options):
    """Migrate a disk that is full of random bytes and at rest."""
    with pair(name='idle', **options) as both:
        disk = Disk(both.source)
        fill(disk, mebibytes)
        before = disk.checksum()
        both.start()
        result = {'status': both.finish(), 'before': before}
        if result['status'] == 'completed':
            disk.guest = both.dest
            result['after'] = disk.checksum()
        return {**result, **both.facts()}


def traced(mebibytes):
    """The same, on a device that takes its time: when was each chunk asked for,
    and when did it come?
    """
    with pair(name='traced') as both:
        fill(Disk(both.source), mebibytes)
        with tracing.saving() as chunks, slow(SAVE_READ, 5):
            both.start()
            status = both.finish()
        return {'status': status, 'chunks': chunks, **both.facts()}


def downtimes(sizes, rounds):
    """Idle guests with full media of these sizes in MiB, one PF each, moved
    to and fro in turn: downtime in ms and shares of the state, by size.
    """
    result = {str(size): [] for size in sizes}
    with contextlib.ExitStack() as stack:
        pairs = []
        for pf, size in enumerate(sizes):
            both = stack.enter_context(pair(
                name=f'size{size}', source_place=(0, pf),
                dest_place=(1, pf), memory=256,
                parameters={'downtime-limit': 30}))
            fill(Disk(both.source), size)
            pairs.append((size, both))
        for _ in range(rounds):
            for size, both in pairs:
                both.start()
                status = both.finish()
                if status != 'completed' or both.unexpected_resets():
                    raise RuntimeError(f'{size} MiB: {both.facts()}')
                counters = host.counters(both.source.bdf)
                result[str(size)].append(
                    {'downtime_ms': both.source.migration()['downtime'],
                     'precopy': counters['bytes_saved_precopy'],
                     'stop_copy': counters['bytes_saved_stop_copy']})
                both.swap()
    return result


def to_and_fro(times, jobs=4, **options):
    """One guest under fio, moved between two VFs again and again."""
    with pair(name='fro', cpus=4, **options) as both:
        disk = Disk(both.source)
        queues = both.source.run('ls /sys/block/lmf0/mq | wc -l')
        disk.make()
        check = DmaCheck(both.source, FILE='/mnt/mnt/blocks')
        check.ask('fill')
        disk.start_fio(jobs)
        downtimes = []
        for _ in range(times):
            both.start()
            status = both.finish()
            if status != 'completed':
                return {'status': status, **both.facts()}
            downtimes.append(both.source.migration()['downtime'])
            disk.guest = check.guest = both.dest
            if len(downtimes) < times:
                both.swap()
        return {'status': status, 'downtimes': downtimes,
                'queues': int(queues),
                **disk_facts(disk, check), **both.facts()}


def write_load():
    """The estimate of dirty state under writes, and then without them."""
    with pair(name='load') as both:
        disk = Disk(both.source)
        bdf = both.source.bdf

        def sample(until, timeout=90):
            deadline = time.monotonic() + timeout * FACTOR
            while time.monotonic() < deadline:
                value = host.counters(bdf)['dirty_bytes']
                if until(value):
                    return value
                time.sleep(0.02)
            raise RuntimeError(f'dirty_bytes stays at {value}')
        with slow(SAVE_READ, 200):
            both.start(hold=True)
            wait_state(both.source, 'pre-copy')
            disk.tool('dd if=/dev/urandom of=/dev/lmf0 bs=1M count=16 '
                      'oflag=direct 2>/dev/null')
            peak = sample(lambda value: value > 1 << 20)
        low = sample(lambda value: value < 1 << 16)
        both.release()
        return {'peak': peak, 'low': low, 'status': both.finish(),
                **both.facts()}


def reset_vf(guest):
    """By the guest itself."""
    guest.run('for d in /sys/bus/pci/devices/*; do '
              '[ "$(cat $d/vendor $d/device | tr -d "\\n")" = '
              '0x12340x4c56 ] && echo 1 >$d/reset; done; true')


def guest_reset():
    """The guest resets its VF in pre-copy: that migration ends, no other."""
    with pair(name='flr') as both:
        disk = Disk(both.source)
        disk.make()
        disk.start_fio()
        both.start(hold=True)
        wait_state(both.source, 'pre-copy')
        reset_vf(both.source)
        result = {'first': both.source.wait_migration(),
                  'stderr': both.source.stderr()}
        both.drop_dest()
        both.start()
        result['status'] = both.finish()
        if result['status'] == 'completed':
            disk.guest = both.dest
        result['fio'] = disk.stop_fio()
        result['fsck'] = disk.close()
        return {**result, **both.facts()}
