# SPDX-License-Identifier: GPL-2.0-only
"""The demo's part in the outer machine: one migration, shown as it happens."""
import platform
import threading
import time

import agent
import host
import scenarios
from disk import Disk, disk_facts
from guest import Beats, DmaCheck
from migration import SAVE_READ, pair, slow, wait_first_pass


def show(**facts):
    agent.link.up('show', **facts)


def sample(both):
    """One line of the live display, each value from where it is true."""
    migration = both.source.migration()
    counters = host.counters(both.source.bdf)
    ram = migration.get('ram', {})
    return {'status': migration.get('status', 'none'),
            'state': counters['state'],
            'initial_bytes': counters['initial_bytes'],
            'dirty_bytes': counters['dirty_bytes'],
            'pages_reported': counters['pages_reported'],
            'ram_remaining': ram.get('remaining', 0),
            'time': time.monotonic()}


class Display:
    """Samples while a migration goes on, about four times a second, with the
    rate at which the device logged pages in between.
    """

    def __init__(self, both):
        self.both = both
        self.last = sample(both)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over.wait(0.25):
            self._show()

    def _show(self):
        now, last = sample(self.both), self.last
        rate = (now['pages_reported'] - last['pages_reported']) / \
            (now['time'] - last['time'])
        show(sample={**now, 'pages_per_second': round(rate)})
        self.last = now

    def stop(self):
        self.over.set()
        self.thread.join()
        self._show()


def table(both, check, gap_ms, bare):
    facts = both.facts()
    source, dest = facts['source_counters'], facts['dest_counters']
    qmp = facts['source']
    ms = 1e6
    return {
        'status': qmp['status'],
        'total_ms': qmp['total-time'],
        'downtime_ms': qmp['downtime'],
        'io_gap_ms': round(gap_ms),
        'downtime_ms_without_vf': bare['source']['downtime'],
        'downtime_split_ms': {
            'quiesce': round((source['p2p_done_ns'] -
                              source['p2p_start_ns'] +
                              source['stop_done_ns'] -
                              source['stop_start_ns']) / ms, 1),
            'last_report': round(source['stopped_report_time_ns'] / ms, 1),
            'trailer': round(source['stop_copy_read_time_ns'] / ms, 1),
            'load': round((dest['load_done_ns'] -
                           source['stop_copy_last_byte_ns']) / ms, 1)},
        'state_bytes_precopy': source['bytes_saved_precopy'],
        'state_bytes_downtime': source['bytes_saved_stop_copy'],
        'ram_bytes': qmp['ram']['precopy-bytes'] +
        qmp['ram']['downtime-bytes'],
        'pages_reported': source['pages_reported'],
        'dma_only_pages_checked': check['checked'],
        'dma_only_pages_stale': check['stale'],
        'unexpected_resets': facts['unexpected_resets'],
        'qemu': both.source.qmp.cmd('query-version')['package'],
        'kernel': platform.release(),
    }


def run():
    show(step='the same guest without a VF, to compare with')
    bare = scenarios.without_vf()
    show(step='enable two VFs, bind them by driver_override')
    for function, driver in host.prepare().items():
        show(line=f'{function} is bound to {driver}')
    show(step='boot a guest with VF 0')
    with pair(name='demo') as both:
        show(step='mkfs.ext4 and mount /dev/lmf0 in the guest, start fio')
        disk = Disk(both.source)
        disk.make()
        check = DmaCheck(both.source, FILE='/mnt/mnt/blocks',
                         BEAT='/dev/ttyS2')
        check.ask('fill')
        disk.start_fio()
        show(step='live-migrate to a second QEMU with VF 1')
        with slow(SAVE_READ, 100):
            both.start(hold=True)
            beats = Beats(both.source, both.dest)
            display = Display(both)
            wait_first_pass(both.source)
            check.ask('burst 12288')
        both.release()
        status = both.finish()
        display.stop()
        if status != 'completed':
            raise RuntimeError(f'the migration {status}: {both.facts()}')
        show(step='the guest works on, now on VF 1')
        disk.guest = both.dest
        check.moved_to(both.dest)
        show(line=f"transfers by then: {check.ask('status')['transfers']}")
        gap = beats.longest_ms()
        facts = disk_facts(disk, check)
        fio, fsck = facts['fio'], facts['fsck'].strip().splitlines()[-1]
        show(line=f"fio: {fio['read']} reads and {fio['written']} writes, "
                  f"verify error {fio['error']}")
        show(line=f'fsck: {fsck}')
        result = table(both, facts['verify'], gap, bare)
        result['fio_error'] = fio['error']
        result['fsck'] = fsck
        result['guest_complaints'] = facts['complaints'].strip()
        return result
