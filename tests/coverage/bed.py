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

# What runs, and how one sees that it went well.
RUNS = [
    ('uapi.run', {'options': ['-V', 'group']}, lambda r: not r['bad']),
    ('scenarios.dma_only', {}, lambda r: r['source'] == 'completed'),
    ('scenarios.dma_only', {'log_format': 'ranges'},
     lambda r: r['source'] == 'completed'),
    ('scenarios.dma_only', {'log_format': 'bitmap'},
     lambda r: r['source'] == 'completed'),
    ('disk.under_load', {}, lambda r: r['source'] == 'completed'),
    ('failures.cancel', {}, lambda r: r['first'] == 'cancelled'),
]


def run(outer):
    """How many of them did not go well."""
    failed = 0
    for n, (call, args, good) in enumerate(RUNS, 1):
        result = outer.call(call, timeout=1800, **args)
        failed += not good(result)
        print(f'{"ok" if good(result) else "not ok"} {n} {call} {args}',
              flush=True)
    return failed


def keep(folder, counts):
    for name, data in counts.items():
        with open(f'{folder}/{name}', 'wb') as file:
            file.write(base64.b64decode(data))


def main():
    folder = sys.argv[1]
    parts = bed.artefacts('gcov')
    shutil.copytree(parts['modules'] + '/gcno', folder)
    outer = bed.start(parts, devices=('id=lmf0,log-post-delay=200',),
                      memory='6G')
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
