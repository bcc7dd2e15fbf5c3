#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""suites.py quick|full|ci|NAME,NAME... [SECONDS]: run the suites of a tier, or
those of these names, one after the other, and close with one count.

A suite prints TAP (or KTAP), or is pytest. A suite that ends badly without a
failed test counts as one: a crash is no pass.

ci is the quick tier and then as much of the full one as is done by 75 minutes
after a start that lies SECONDS in the past; it tells what it leaves out.

How each test ended is noted in build/results.json, for tests/points; and how
long each took, with the downtime of its migration, in build/check-full.json,
for tests/table.py.
"""
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = TOP + '/build'

CI_LIMIT = 75 * 60

# name, kind, command
QUICK = [
    ('setup', 'pytest', ['tests/setup']),
    ('contract', 'pytest', ['tests/spec']),
    ('points', 'pytest', ['tests/points']),
    ('firmware', 'tap', ['tests/firmware/run', BUILD + '/firmware']),
    ('lmfctl', 'pytest', ['tests/lmfctl']),
    ('fuzz', 'tap', ['tests/fuzz/run', '10']),
    ('model', 'tap', ['tests/model/run']),
    ('kunit', 'tap', ['tests/kunit/run']),
    ('device', 'pytest', ['tests/qtest']),
    ('bed', 'pytest', ['tests/vm', '-m', 'not full']),
]


def bed(*names):
    return ['-m', 'full', *(f'tests/vm/test_{name}.py' for name in names)]


# and about how many minutes it takes, the building of what it alone needs
# included. None: CI leaves it out, as it was not seen green as it stands, or
# measures what needs a quiet machine (precopy: 3), or takes too long for what
# else is to come (uapi: 8, to-and-fro-debug: 26).
FULL = [
    ('style', 'tap', ['tests/style/run'], 5),
    ('sweep', 'tap', ['env', 'LMF_UML_ARGS=sweep_test.stride=1',
                      'tests/kunit/run', 'lmf-sweep'], 2),
    ('logs', 'tap', ['env', 'LMF_UML=patched', 'LMF_UML_SECONDS=1800',
                     'LMF_UML_ARGS=format_test.turns=1000000 '
                     'format_test.faults=1',
                     'tests/kunit/run', 'lmf-[ft]*'], None),
    ('kunit-x86', 'pytest', bed('kunit'), None),
    ('kunit-debug', 'pytest', bed('kunit_debug'), None),
    ('cross', 'tap', ['tests/kunit/cross'], None),
    ('coverage', 'tap', ['tests/coverage/run'], None),
    ('series', 'tap', ['tests/series/run'], 5),
    ('bed-more', 'pytest', bed('disk', 'dma_log', 'failures', 'paths'), 9),
    ('to-and-fro', 'pytest', bed('to_and_fro'), 9),
    ('baseline', 'pytest', bed('baseline'), 4),
    ('formats', 'pytest', bed('formats'), 5),
    ('two-hosts', 'pytest', bed('two_hosts'), 6),
    ('mixed', 'pytest', bed('mixed'), 5),
    ('large', 'pytest', bed('large'), None),
    ('distro', 'pytest', bed('packages', 'distro'), None),
    ('demo', 'pytest', bed('demo'), 4),
    ('mutants', 'tap', ['tests/mutants/run'], None),
    ('precopy', 'pytest', bed('precopy'), None),
    ('debug', 'pytest', bed('debug'), None),
    ('swiotlb', 'pytest', bed('swiotlb'), None),
    ('to-and-fro-debug', 'pytest', bed('to_and_fro_debug'), None),
    ('uapi', 'pytest', bed('uapi'), None),
    ('uapi-debug', 'pytest', bed('uapi_debug'), None),
    ('lmfctl-bed', 'pytest', bed('lmfctl'), None),
]


RESULT = re.compile(r'( *)(not )?ok \d+(?: -)?(.*)')


def note(tests, name, outcome):
    """A test that ran more than once is no better than its worst run."""
    order = ['passed', 'skipped', 'failed']
    tests[name] = max(tests.get(name, 'passed'), outcome, key=order.index)


def note_tap(tests, match):
    name, _, directive = match[3].partition('#')
    note(tests, name.strip(), 'failed' if match[2] else
         'skipped' if 'SKIP' in directive.upper() else 'passed')


def note_junit(tests, rows, case):
    bad = case.find('failure') is not None or case.find('error') is not None
    outcome = 'failed' if bad else \
        'skipped' if case.find('skipped') is not None else 'passed'
    note(tests, f"{case.attrib['classname']}.{case.attrib['name']}", outcome)
    downtimes = [int(part.attrib['value']) for part in
                 case.iterfind('.//property[@name="downtime_ms"]')]
    rows.append({'test': case.attrib['name'], 'outcome': outcome,
                 'seconds': round(float(case.attrib['time'])),
                 'downtime_ms': max(downtimes, default=None)})
    for part in case.iterfind('.//property[@name="tap"]'):
        for match in map(RESULT.match, part.attrib['value'].splitlines()):
            if match:
                note_tap(tests, match)


def tree():
    return subprocess.run(
        ['git', '-c', 'safe.directory=*', 'describe', '--always', '--dirty',
         '--exclude=*'], cwd=TOP, stdout=subprocess.PIPE, text=True,
        check=False).stdout.strip()


def record(file_name, suite, **facts):
    """What is known of a suite's last run, beside that of the others."""
    path = f'{BUILD}/{file_name}'
    results = {}
    if os.path.exists(path):
        with open(path) as file:
            results = json.load(file)
    results[suite] = {'date': time.strftime('%F'), 'time': int(time.time()),
                      **facts}
    with open(path, 'w') as file:
        json.dump(results, file, indent=1)


def run_pytest(name, args, tests, rows):
    report = f'{BUILD}/{name}.xml'
    if os.path.exists(report):
        os.unlink(report)
    status = subprocess.run(
        ['python3', '-m', 'pytest', '-v', '-rsP', '-p', 'no:cacheprovider',
         '--tb=short', '--show-capture=all', f'--junitxml={report}', *args],
        cwd=TOP, check=False).returncode
    count = [0, 0, 0]
    if os.path.exists(report):
        parsed = xml.parse(report)
        for case in parsed.iter('testcase'):
            note_junit(tests, rows, case)
        suite = next(parsed.iter('testsuite')).attrib
        failed = int(suite['failures']) + int(suite['errors'])
        skipped = int(suite['skipped'])
        count = [int(suite['tests']) - failed - skipped, failed, skipped]
    return status, count


def run_tap(_name, command, tests, _rows):
    """Count leaves only: a result that follows deeper ones sums those up."""
    process = subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE,
                               text=True, errors='replace')
    count, last, failed_below = [0, 0, 0], 0, False
    for line in process.stdout:
        sys.stdout.write(line)
        match = RESULT.match(line)
        if not match:
            continue
        note_tap(tests, match)
        depth, bad = len(match[1]), bool(match[2])
        if depth < last and (not bad or failed_below):
            last = depth
            failed_below = failed_below and depth > 0
            continue
        last = depth
        failed_below = failed_below or bad
        count[2 if '# SKIP' in match[3].upper() else 1 if bad else 0] += 1
    return process.wait(), count


def run_suite(name, kind, command):
    print(f'\n=== {name}', flush=True)
    start, of = time.monotonic(), tree()
    tests, rows = {}, []
    status, count = (run_pytest if kind == 'pytest' else run_tap)(
        name, command, tests, rows)
    record('results.json', name, tree=of, tests=tests)
    if not sum(count) or (status and not count[1]):
        print(f'{name}: ended with status {status}')
        count[1] += 1
    seconds = round(time.monotonic() - start)
    print(f'=== {name}: {count[0]} passed, {count[1]} failed, '
          f'{count[2]} skipped in {seconds} s', flush=True)
    record('check-full.json', name, tree=of, seconds=seconds,
           passed=count[0], failed=count[1], skipped=count[2],
           scenarios=rows)
    return count


def chosen(tier):
    """The suites, each with the minutes that CI has to have left for it."""
    suites = [(*suite, 0) for suite in QUICK]
    if tier == 'quick':
        return suites
    suites += FULL
    if tier in ('full', 'ci'):
        return suites
    names = tier.split(',')
    unknown = set(names) - {suite[0] for suite in suites}
    if unknown:
        raise SystemExit(f'no suite {", ".join(sorted(unknown))}; there are '
                         + ", ".join(suite[0] for suite in suites))
    return [suite for suite in suites if suite[0] in names]


def main():
    tier = sys.argv[1]
    suites = chosen(tier)
    start = time.monotonic() - int((sys.argv[2:] or ['0'])[0])
    total, left_out = [0, 0, 0], []
    os.makedirs(BUILD, exist_ok=True)
    os.environ['LMF_QEMU'] = subprocess.run(
        [TOP + '/tests/vm/build/qemu.sh'], stdout=subprocess.PIPE, text=True,
        check=True).stdout.strip() + '/qemu-system-x86_64'
    for *suite, minutes in suites:
        late = minutes and time.monotonic() - start + 60 * minutes > CI_LIMIT
        if tier == 'ci' and (late or minutes is None):
            left_out.append(suite[0])
            continue
        total = [a + b for a, b in zip(total, run_suite(*suite))]
    if left_out:
        print('\nleft out:', ', '.join(left_out))
    print('\n{} passed, {} failed, {} skipped'.format(*total))
    return 1 if total[1] or not total[0] else 0


if __name__ == '__main__':
    sys.exit(main())
