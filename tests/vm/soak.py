#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""soak.py HOURS: rounds of migrations with random faults, one after the other,
as long as that; then docs/soak.md. It may be killed at any time: what was done
is in build/soak.json, and the next one goes on from there.
"""
import json
import os
import sys
import time

import bed
sys.path.insert(0, bed.TOP + '/tests')
from suites import tree  # noqa: E402
from conftest import LATE
from judge import assert_disk

STATE = bed.TOP + '/build/soak.json'
PAGE = bed.TOP + '/docs/soak.md'
MOVES = 20
STEPS_MS = (200, 300, 400, 500, 700, 1000, 1500, 2500, 5000)

HEAD = """# Soak

    make soak HOURS=8

A guest under fio is moved between two VFs of one host, {moves} times a round,
and each time something else may happen: what and when comes from the number of
the round. The log's format is another one each time. At the end of a round all
that fio and the check of DMA wrote is compared, and the file system is checked.
Written by that command.

"""


def load():
    if not os.path.exists(STATE):
        return []
    with open(STATE) as file:
        return json.load(file)


def save(rounds):
    with open(STATE + '.new', 'w') as file:
        json.dump(rounds, file, indent=1)
    os.rename(STATE + '.new', STATE)


def judge(result, complaints):
    """A reset by the guest in a migration is one that nobody expected."""
    resets = 0
    for move in result['moves']:
        assert move['status'] == 'completed', move
        resets += move['event'] == 'reset by the guest'
        assert move['unexpected_resets'] <= resets, move
    assert result['verify']['stale'] == 0, result['verify']
    # The guest's driver finds what a reset has dropped.
    assert_disk({**result, 'recovered': 0, 'recoveries': 0} if resets
                else result)
    assert not bed.BAD.findall(result['guest_log']), result['guest_log']
    assert not complaints, complaints


def oom_kills(outer):
    return outer.console_text().count('invoked oom-killer')


def but_for_oom(complaints, kills):
    """The kernel shows a trace of who asked for memory in vain: each time one
    process has to go, which is what takes the memory.
    """
    traces = [line for line in complaints if 'Call Trace' in line]
    return [line for line in complaints if line not in traces] + traces[kills:]


def one_round(outer, number):
    """What is kept of a round, and whether the machine is to be kept, too."""
    start = time.monotonic()
    entry = {'round': number, 'date': time.strftime('%F'), 'tree': tree()}
    killed = oom_kills(outer)
    try:
        result = outer.call('soak.session', seed=number, moves=MOVES,
                            timeout=3600)
        entry.update(moves=result['moves'],
                     kib=result.get('unreclaimable_kib'))
        entry['oom_kills'] = oom_kills(outer) - killed
        judge(result, but_for_oom(outer.complaints(), entry['oom_kills']))
    except (bed.BedError, AssertionError, KeyError) as error:
        entry['error'] = f'{type(error).__name__}: {error}'[-20000:]
    entry['seconds'] = round(time.monotonic() - start)
    return entry


def soak(hours):
    rounds = load()
    end = time.monotonic() + hours * 3600
    outer = None
    while time.monotonic() < end:
        if not outer:
            outer = bed.start(bed.artefacts(), devices=(LATE,), memory='4G')
        rounds.append(one_round(outer, len(rounds)))
        save(rounds)
        last = rounds[-1]
        print(f"round {last['round']}: {len(last.get('moves', []))} moves in "
              f"{last['seconds']} s, {last.get('error', 'all well')[:200]}",
              flush=True)
        if 'error' in last:
            outer.stop()
            outer = None
    if outer:
        outer.stop()
    return rounds


def histogram(downtimes):
    rows, below = '', 0
    for step in (*STEPS_MS, None):
        count = len([d for d in downtimes
                     if below <= d and (step is None or d < step)])
        name = f'{below} to {step}' if step else f'{below} and more'
        bar = '#' * round(40 * count / max(1, len(downtimes)))
        rows += f'| {name} | {count} | {bar} |\n'
        below = step
    return '| downtime in ms | migrations | |\n|---|---|---|\n' + rows


def write_page(rounds):
    moves = [m for r in rounds for m in r.get('moves', [])
             if m['status'] == 'completed']
    text = HEAD.format(moves=MOVES)
    bad = [r for r in rounds if 'error' in r]
    text += (f"{len(moves)} migrations in {len(rounds)} rounds, "
             f"{sum(r['seconds'] for r in rounds) / 3600:.1f} hours, from "
             f"{rounds[0]['date']} to {rounds[-1]['date']}, on "
             f"{', '.join(sorted({r['tree'] for r in rounds}))}. Rounds that "
             f"went wrong: {len(bad)}.\n\n")
    for entry in bad:
        text += f"- round {entry['round']}: `{entry['error'][:200]}`\n"
    text += '\n| what happened | times | slowest downtime in ms |\n' \
        '|---|---|---|\n'
    for name in sorted({m['event'] for m in moves}):
        some = [m['downtime_ms'] for m in moves if m['event'] == name]
        text += f'| {name} | {len(some)} | {max(some)} |\n'
    text += '\n' + histogram([m['downtime_ms'] for m in moves])
    kept = [r['kib'] for r in rounds if r.get('kib')]
    if kept:
        text += '\nUnreclaimable memory of the host after a round: ' \
            f'{min(kept)} to {max(kept)} KiB, {kept[-1]} after the last.\n'
    with open(PAGE, 'w') as file:
        file.write(text)


def main():
    try:
        hours = float(sys.argv[1])
    except (IndexError, ValueError):
        sys.exit('usage: make soak HOURS=n')
    os.makedirs(bed.TOP + '/build', exist_ok=True)
    rounds = soak(hours)
    if not any(r.get('moves') for r in rounds):
        sys.exit('nothing was moved')
    write_page(rounds)
    return 1 if any('error' in r for r in rounds) else 0


if __name__ == '__main__':
    sys.exit(main())
