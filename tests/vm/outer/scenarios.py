# SPDX-License-Identifier: GPL-2.0-only
"""Migrations that succeed, told as facts for the tests to judge."""
import time

import host
from disk import Disk
from guest import DmaCheck
from migration import (HARDWARE, SAVE_READ, fault, pair, slow, stats,
                       wait_first_pass)
from qmp import QmpError


def dma_only(faults=(), hardware=HARDWARE, log_format='best', **options):
    """Migrate while only the VF writes the memory that is checked after.

    A burst of reads is made once QEMU has sent all memory for the first time,
    and those pages are not touched again: only the device's log can tell of
    them. Until then the migration is held in pre-copy.
    """
    with pair(name='dma', hardware=hardware, **options) as both:
        host.choose_log_format(both.source.bdf, log_format)
        check = DmaCheck(both.source)
        result = {'filled': check.ask('fill'), 'where': check.ask('where')}
        for spec in faults:
            fault(spec)
        with slow(SAVE_READ):
            both.start(hold=True)
            wait_first_pass(both.source)
            result['burst'] = check.ask('burst 12288')
        if faults:
            # A completion that got lost would keep the check from its work.
            check.ask('stop')
        both.release()
        result.update(both.end(check))
        both.source.quit()
        log = host.counters(both.source.bdf)['log_format']
        return {**result, 'log_after_close': log}


def silent():
    """A destination that was told to wait: QEMU has loaded the VF's config,
    bus mastering and interrupts are on, and the VF is still RESUMING with
    requests parked in it.
    """
    with pair(name='silent') as both:
        check = DmaCheck(both.source)
        check.ask('fill')
        fault('io-delay=0:2000000')
        both.start(qemu_args=('-S',))
        status = both.source.wait_migration()
        both.dest.wait_migration()
        bdf = both.dest.bdf
        result = {'state': host.counters(bdf)['state'],
                  'command': host.command(bdf), 'work': observed_work(bdf),
                  'parked': stats()[1]['requests']}
        both.dest.qmp.cmd('cont')
        return {**result, **both.end(check, status)}


def observed_work(bdf, seconds=0.5):
    """What a VF writes and signals in that time, which is many times what a
    request takes.
    """
    def work():
        now = stats()[host.location(bdf)[0]]
        return now['dma_write_bytes'] + now['irqs']
    first, end = work(), time.monotonic() + seconds
    while time.monotonic() < end and work() == first:
        pass
    return work() - first


def migration_state(guest):
    """What QEMU heard of its VF's state, and what the driver says."""
    counters = host.counters(guest.bdf)
    return guest.states(), [counters['state'], counters['log_format'],
                            counters['last_error']]


def poked():
    """The guest looks for migration in its VF, and writes junk all over it."""
    with pair(name='poke') as both:
        check = DmaCheck(both.source)
        check.ask('fill')
        check.ask('stop')
        before = both.source.run('vf_poke dump')
        with slow(SAVE_READ):
            both.start(hold=True)
            wait_first_pass(both.source)
            after = both.source.run('vf_poke dump')
            states, told = migration_state(both.source)
            both.source.run('vf_poke junk')
            result = {'before': before, 'after': after,
                      'burst': check.ask('burst 12288'),
                      'unmoved': migration_state(both.source) ==
                      (states, told), 'told': told}
        both.release()
        return {**result, **both.end(check)}


def paused():
    """A paused guest: no pre-copy, the log starts in STOP."""
    with pair(name='paused') as both:
        check = DmaCheck(both.source)
        check.ask('fill')
        both.source.qmp.cmd('stop')
        both.start()
        status = both.source.wait_migration()
        both.dest.qmp.cmd('cont')
        return both.end(check, status)


def plain_vf():
    """A guest on a VF whose device does not offer migration."""
    with pair(name='plain', source_place=(0, 1)) as both:
        disk = Disk(both.source)
        disk.make()
        try:
            both.source.qmp.cmd('migrate', uri='unix:/run/plain.migrate')
            refusal = None
        except QmpError as error:
            refusal = str(error)
        return {'refusal': refusal, 'counters': host.counters(both.source.bdf),
                'driver': host.driver(both.source.bdf), 'fsck': disk.close()}


def without_vf():
    """The same guest without a VF, to compare with."""
    with pair(name='bare', source_place=None, dest_place=None) as both:
        both.start()
        return {'status': both.finish(), 'source': both.source.migration(),
                'says': both.dest.run('echo here')}
