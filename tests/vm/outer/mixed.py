# SPDX-License-Identifier: GPL-2.0-only
"""Guests with more than one VF, and more than one guest at a time."""
import contextlib

import host
from guest import SLOTS, DmaCheck
from migration import SAVE_READ, fault, pair, slow, wait_first_pass


def two_vfs(source=((0, 0), (2, 0)), dest=((1, 0), (3, 0)), hold=True,
            **options):
    """A guest whose two VFs write its memory at the same time."""
    with pair(name='two', source_place=source[0], dest_place=dest[0],
              second=(source[1], dest[1]), vfs=4, **options) as both:
        checks = [DmaCheck(both.source, number, VF=SLOTS[number], PAGES=16384)
                  for number in (0, 1)]
        for check in checks:
            check.ask('fill')
        with slow(SAVE_READ):
            both.start(hold=hold)
            wait_first_pass(both.source)
            bursts = [check.ask('burst 4096')['burst'] for check in checks]
        both.release()
        result = both.end(checks[0])
        if result['status'] == 'completed':
            result['verify_second'] = \
                checks[1].moved_to(both.dest).ask('verify')
        return {**result, 'bursts': bursts, 'told': both.source.told(),
                'dest_second': both.dest.states(1),
                'second_counters': host.counters(both.source.second)}


def at_once(guests):
    """So many migrations at a time, all by VFs of one PF."""
    with contextlib.ExitStack() as stack:
        pairs = [stack.enter_context(
            pair(name=f'once{n}', source_place=(2 * n, 0),
                 dest_place=(2 * n + 1, 0), vfs=2 * guests, memory=256,
                 cpus=1)) for n in range(guests)]
        checks = [DmaCheck(both.source, PAGES=8192, BURST_PAGES=4096,
                           SWEEP_US=20000) for both in pairs]
        for check in checks:
            check.ask('fill')
        fault(f'admin-delay={SAVE_READ}:20000')
        for both in pairs:
            both.start(hold=True)
        for both in pairs:
            wait_first_pass(both.source)
        together = [host.counters(both.source.bdf)['state'] for both in pairs]
        for both, check in zip(pairs, checks):
            check.ask('burst 4096')
            both.release()
        return {'together': together,
                'results': [both.end(check)
                            for both, check in zip(pairs, checks)]}
