#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run the suites of a tier one after the other, and close with one count.

A suite prints TAP (or KTAP), or is pytest. A suite that ends badly without a
failed test counts as one: a crash is no pass.
"""
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = TOP + '/build'

# name, kind, command, tier
SUITES = [
    ('setup', 'pytest', ['tests/setup'], 'quick'),
    ('contract', 'pytest', ['tests/spec'], 'quick'),
    ('firmware', 'tap', ['tests/firmware/run', BUILD + '/firmware'], 'quick'),
    ('kunit', 'tap', ['tests/kunit/run'], 'quick'),
    ('device', 'pytest', ['tests/qtest'], 'quick'),
    ('bed', 'pytest', ['tests/vm', '-m', 'not full'], 'quick'),
    ('mutants', 'tap', ['tests/mutants/run'], 'full'),
    ('bed-full', 'pytest', ['tests/vm', '-m', 'full'], 'full'),
]


def run_pytest(name, args):
    report = f'{BUILD}/{name}.xml'
    if os.path.exists(report):
        os.unlink(report)
    status = subprocess.run(
        ['python3', '-m', 'pytest', '-v', '-rs', '-p', 'no:cacheprovider',
         '--tb=short', '--show-capture=all', f'--junitxml={report}', *args],
        cwd=TOP, check=False).returncode
    count = [0, 0, 0]
    if os.path.exists(report):
        suite = next(xml.parse(report).iter('testsuite')).attrib
        failed = int(suite['failures']) + int(suite['errors'])
        skipped = int(suite['skipped'])
        count = [int(suite['tests']) - failed - skipped, failed, skipped]
    return status, count


def run_tap(name, command):
    """Count leaves only: a result that follows deeper ones sums those up."""
    process = subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE,
                               text=True, errors='replace')
    count, last, failed_below = [0, 0, 0], 0, False
    for line in process.stdout:
        sys.stdout.write(line)
        match = re.match(r'( *)(not )?ok \d+(.*)', line)
        if not match:
            continue
        depth, bad = len(match[1]), bool(match[2])
        if depth < last and (not bad or failed_below):
            last = depth
            failed_below = failed_below and depth > 0
            continue
        last = depth
        failed_below = failed_below or bad
        count[2 if '# SKIP' in match[3].upper() else 1 if bad else 0] += 1
    return process.wait(), count


def main():
    tier = sys.argv[1]
    total = [0, 0, 0]
    os.makedirs(BUILD, exist_ok=True)
    os.environ['LMF_QEMU'] = subprocess.run(
        [TOP + '/tests/vm/build/qemu.sh'], stdout=subprocess.PIPE, text=True,
        check=True).stdout.strip() + '/qemu-system-x86_64'
    for name, kind, command, where in SUITES:
        if where == 'full' and tier != 'full':
            continue
        print(f'\n=== {name}', flush=True)
        start = time.monotonic()
        status, count = (run_pytest if kind == 'pytest' else run_tap)(
            name, command)
        if not sum(count) or (status and not count[1]):
            print(f'{name}: ended with status {status}')
            count[1] += 1
        total = [a + b for a, b in zip(total, count)]
        print(f'=== {name}: {count[0]} passed, {count[1]} failed, '
              f'{count[2]} skipped in {time.monotonic() - start:.0f} s',
              flush=True)
    print('\n{} passed, {} failed, {} skipped'.format(*total))
    return 1 if total[1] or not total[0] else 0


if __name__ == '__main__':
    sys.exit(main())
