#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""bed.py FOLDER: run the uAPI tests and some migrations on a kernel with gcov,
and leave in FOLDER what report.py reads. Prints TAP.
"""
import base64
import os
import shutil
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.append(TOP + '/tests/vm')
import bed  # noqa: E402
from conftest import LATE  # noqa: E402
from judge import assert_moved  # noqa: E402


def assert_passed(result):
    assert not result['bad'], result['bad']


# What runs, and what sees to it that it went well.
RUNS = [
    ('uapi.run', {'options': ['-V', 'group']}, assert_passed),
    ('scenarios.dma_only', {}, assert_moved),
    ('scenarios.dma_only', {'log_format': 'ranges'}, assert_moved),
    ('scenarios.dma_only', {'log_format': 'bitmap'}, assert_moved),
    ('disk.under_load', {}, assert_moved),
    ('failures.cancel', {}, assert_moved),
]


def run(outer):
    """How many of them did not go well."""
    failed = 0
    for n, (call, args, judge) in enumerate(RUNS, 1):
        verdict = 'ok'
        try:
            judge(outer.call(call, timeout=1800, **args))
        except (AssertionError, bed.BedError) as error:
            print(f'# {error}'.replace('\n', '\n# '))
            verdict = 'not ok'
            failed += 1
        print(f'{verdict} {n} {call} {args}', flush=True)
    return failed


def keep(folder, counts):
    for name, data in counts.items():
        with open(f'{folder}/{name}', 'wb') as file:
            file.write(base64.b64decode(data))


def main():
    folder = sys.argv[1]
    parts = bed.artefacts('gcov')
    shutil.copytree(parts['modules'] + '/gcno', folder)
    outer = bed.start(parts, devices=(LATE,), memory='6G')
    try:
        outer.call('gcov.follow')
        failed = run(outer)
        with open(folder + '/arcs.log', 'w') as log:
            log.write(outer.call('gcov.followed'))
        outer.call('host.unload')
        keep(folder, outer.call('gcov.counts'))
    finally:
        outer.stop()
    print(f'1..{len(RUNS)}')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
