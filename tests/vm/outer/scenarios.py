# SPDX-License-Identifier: GPL-2.0-only
"""Migrations that succeed, told as facts for the tests to judge."""
from guest import DmaCheck, Guest
from migration import (PARAMETERS, SAVE_READ, fault, pair, slow,
                       wait_first_pass)


def dma_only(faults=(), **options):
    """Migrate while only the VF writes the memory that is checked after.

    A burst of reads is made once QEMU has sent all memory for the first time,
    and those pages are not touched again: only the device's log can tell of
    them. Until then the migration is held in pre-copy.
    """
    with pair(name='dma', **options) as both:
        check = DmaCheck(both.source)
        result = {'filled': check.ask('fill')}
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
        result['status'] = both.finish()
        if result['status'] == 'completed':
            result['verify'] = check.moved_to(both.dest).ask('verify')
        return {**result, **both.facts()}


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
            states = both.source.states()
            both.source.run('vf_poke junk')
            result = {'before': before, 'after': after,
                      'burst': check.ask('burst 12288'),
                      'unmoved': both.source.states() == states}
        both.release()
        result['status'] = both.finish()
        if result['status'] == 'completed':
            result['verify'] = check.moved_to(both.dest).ask('verify')
        return {**result, **both.facts()}


def paused():
    """A paused guest: no pre-copy, the log starts in STOP."""
    with pair(name='paused') as both:
        check = DmaCheck(both.source)
        check.ask('fill')
        both.source.qmp.cmd('stop')
        both.start()
        result = {'status': both.source.wait_migration()}
        both.dest.qmp.cmd('cont')
        result['verify'] = check.moved_to(both.dest).ask('verify')
        return {**result, **both.facts()}


def to_and_fro(times=20, name='fro'):
    """One guest, moved between two VFs again and again under DMA."""
    with pair(name=name) as both:
        check = DmaCheck(both.source, PAGES=8192, BURST_PAGES=1024)
        check.ask('fill')
        downtimes = []
        for _ in range(times):
            both.start()
            status = both.finish()
            facts = both.facts()
            if status != 'completed' or facts['dest_stderr'].strip() or \
                    facts['dest_states'][-2:] != ['running-p2p', 'running']:
                return {'status': status, **facts}
            downtimes.append(facts['source']['downtime'])
            check.moved_to(both.dest)
            both.swap()
        return {'status': 'completed', 'downtimes': downtimes,
                'verify': check.ask('verify')}


def without_vf(name='bare'):
    """The same guest without a VF, to compare with."""
    source = Guest(f'{name}-src')
    dest = None
    try:
        source.console.wait_up()
        dest = Guest(f'{name}-dst', incoming='defer')
        uri = f'unix:/run/{name}.migrate'
        dest.qmp.cmd('migrate-incoming', uri=uri)
        source.qmp.cmd('migrate-set-parameters', **PARAMETERS)
        source.qmp.cmd('migrate', uri=uri)
        return {'status': source.wait_migration(),
                'source': source.migration(), 'says': dest.run('echo here')}
    finally:
        source.quit()
        if dest:
            dest.quit()
