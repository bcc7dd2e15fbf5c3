# SPDX-License-Identifier: GPL-2.0-only
"""One guest under fio, moved to and fro, while this and that goes wrong. All
that is random comes from a seed, so that a round can be made again.
"""
import contextlib
import random
import subprocess
import sys

import host
from disk import Disk, disk_facts, reset_vf
from guest import DmaCheck
from migration import (LOAD_WRITE, SAVE_READ, churn, fault, pair, slow,
                       wait_first_pass, wait_state)

FORMATS = ('ring', 'ranges', 'bitmap')
PRESSURE = '''
import sys
open("/proc/self/oom_score_adj", "w").write("1000")
free = int(next(line for line in open("/proc/meminfo")
                if line.startswith("MemAvailable")).split()[1])
hog = bytearray(max(0, free - 200 * 1024) * 1024)
for at in range(0, len(hog), 4096):
    hog[at] = 1
print("up", flush=True)
sys.stdin.read()
'''


def move(both, _):
    both.start()
    return both.finish()


def cancelled(both, chance):
    """In the first pass, or later when nothing is short enough to end it."""
    with slow(SAVE_READ):
        both.start(hold=True)
        wait_first_pass(both.source, share=chance.uniform(0.05, 1))
        both.source.qmp.cmd('migrate_cancel')
        both.source.wait_migration()
    both.drop_dest()
    return move(both, chance)


def guest_resets(both, chance):
    """The guest resets its VF: that migration ends, and its I/O goes on."""
    before = both.unexpected_resets()
    both.start(hold=True)
    wait_state(both.source, 'pre-copy')
    reset_vf(both.source)
    status = both.source.wait_migration()
    if status != 'failed' or both.unexpected_resets() == before:
        raise RuntimeError(f'not reset in a migration: {status}')
    both.drop_dest()
    return move(both, chance)


def with_fault(*specs):
    def event(both, chance):
        for spec in specs:
            fault(spec)
        try:
            return move(both, chance)
        finally:
            both.no_fault()
    return event


def under_pressure(both, chance):
    """There is hardly any memory left on the host."""
    hog = subprocess.Popen([sys.executable, '-c', PRESSURE],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with contextlib.ExitStack() as stack:
        stack.callback(hog.communicate)
        hog.stdout.readline()
        return move(both, chance)


# Twice what happens most.
EVENTS = {
    'move': move, 'move again': move, 'cancel': cancelled,
    'reset by the guest': guest_resets, 'memory pressure': under_pressure,
    'slow device': with_fault(f'admin-delay={SAVE_READ}:20000',
                              f'admin-delay={LOAD_WRITE}:20000'),
    'small log': with_fault('log-entries=16'),
    'late log': with_fault('log-delay-us=20000'),
    'lost events': with_fault('event-lost'),
    'late I/O': with_fault('io-delay=*:20000'),
}


def session(seed, moves):
    """So many moves of one guest, and what it says of its disk and memory."""
    chance = random.Random(seed)
    done = []
    with pair(name='soak', memory=256) as both:
        disk = Disk(both.source)
        disk.make()
        check = DmaCheck(both.source, FILE='/mnt/mnt/blocks', PAGES=4096,
                         BURST_PAGES=1024)
        check.ask('fill')
        disk.start_fio()
        churn(both.source)
        for _ in range(moves):
            name = chance.choice(list(EVENTS))
            log_format = chance.choice(FORMATS)
            host.choose_log_format(both.source.bdf, log_format)
            status = EVENTS[name](both, chance)
            counters = host.counters(both.source.bdf)
            done.append({'event': name, 'log': log_format, 'status': status,
                         'downtime_ms': both.source.migration().get(
                             'downtime'),
                         'unexpected_resets': both.unexpected_resets(),
                         'overflows': counters['log_overflows']})
            if status != 'completed':
                return {'moves': done, **both.facts()}
            disk.guest = check.guest = both.dest
            both.swap()
        return {'moves': done, **disk_facts(disk, check),
                'guest_log': both.guest_log(),
                'unreclaimable_kib': host.unreclaimable()}
