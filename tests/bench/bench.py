#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""bench.py: run the benchmarks of this folder, on User-Mode Linux and in the
bed, write build/bench.json, print a table of it and which targets are met.

The status is 1 if one is missed, or if a benchmark did not run to its end.
"""
import json
import os
import re
import statistics
import subprocess
import sys

import bed_bench

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
RESULT = TOP + '/build/bench.json'

FORMATS = {'ring': 'ours', 'ranges': 'ours_ranges', 'bitmap': 'ours_bitmap'}

# name: (least ratio to the baseline, most times the floor or None, in words,
#        formats)
TARGETS = {
    'report_random_1t_1m': (300, None, '300 times faster than per page',
                            ('ring',)),
    'report_dense': (50, 3, '50 times faster than per page, '
                            'within 3 times the floor', tuple(FORMATS)),
    'report_clean_1t': (100, None, '100 times faster than the whole bitmap',
                        tuple(FORMATS)),
    'report_ascending': (1 / 1.6, None, '1.6 times the time of per page',
                         ('ring',)),
    'save': (0.8, None, '80 % of the speed of copies and CRC', (None,)),
    'resume': (0.8, None, '80 % of the speed of copies and CRC', (None,)),
}

# Where nothing is logged there is nothing to be set page by page.
BASELINES = {'report_clean_1t': 'whole_bitmap',
             'report_clean_1t_1g': 'whole_bitmap',
             'save': 'copy_and_crc', 'resume': 'copy_and_crc'}


def measure():
    """What the kernel printed, and whether all went well."""
    uml = subprocess.run(
        [TOP + '/tests/vm/build/uml.sh', 'plain', 'bench'],
        stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    process = subprocess.Popen(
        [uml + '/linux', 'mem=1G', 'console=tty', 'kunit_shutdown=halt'],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors='replace')
    lines, suites, bad = [], 0, False
    for line in process.stdout:
        if match := re.search(r'bench: (\{.*\})', line):
            lines.append(json.loads(match[1]))
        elif re.match(r' *(not )?ok \d|.*(BUG|WARNING):|\s+# .*ASSERT|'
                      r'.*EXPECT', line):
            print(line, end='', flush=True)
        suites += bool(re.match(r'ok \d', line))
        bad = bad or bool(re.match(r' *not ok|.*(BUG|WARNING|panic):', line))
    process.wait()
    return lines, suites == 2 and not bad


def times(lines, name):
    """Of each way, run by run, scaled to the whole where only a sample was
    measured.
    """
    runs = {}
    for line in lines:
        if line['name'] == name and 'way' in line:
            scale = line['of'] / line['entries'] if line.get('entries') else 1
            runs.setdefault(line['way'], []).append(line['ns'] * scale)
    return runs


def ratio(some, others):
    """This machine gets slower and faster: so of those that ran in turn."""
    return statistics.median(a / b for a, b in zip(some, others))


def sampled(lines, name):
    for line in lines:
        if line['name'] == name and line.get('entries') != line.get('of'):
            return f"{line['entries']} of {line['of']} entries"
    return None


def row(lines, name, workload, log_format=None):
    runs = times(lines, name)
    ours = FORMATS.get(log_format, 'ours')
    baseline = BASELINES.get(name, 'per_page')
    ways = {way: statistics.median(ns) / 1e3 for way, ns in runs.items()}
    one = {
        'name': name, 'workload': workload, 'format': log_format, 'unit': 'us',
        'n': len(runs[ours]), 'baseline_is': baseline,
        'sampled': sampled(lines, name), 'ours': ways[ours],
        'baseline': ways[baseline], 'floor': ways.get('floor'),
        'ratio': ratio(runs[baseline], runs[ours]), 'ways': ways,
    }
    if name in TARGETS and log_format in TARGETS[name][3]:
        least, most, one['target'], _ = TARGETS[name]
        one['met'] = one['ratio'] >= least and (
            not most or ratio(runs[ours], runs['floor']) <= most)
    return one


def memory_row(line, workload):
    return {
        'name': line['name'].replace('report_', 'memory_'),
        'workload': workload, 'format': 'ring', 'unit': 'bytes', 'n': 1,
        'baseline_is': 'two whole bitmaps', 'ours': line['memory'],
        'baseline': 2 * line['tracked'] // 4096 // 8, 'floor': None,
        'ratio': 2 * line['tracked'] / 4096 / 8 / line['memory'],
        'target': f"{line['limit']} bytes",
        'met': line['memory'] <= line['limit'],
    }


def rows(lines):
    result = []
    for line in lines:
        if 'memory' in line:
            workload = (f"{line['tracked'] >> 30} GiB tracked, windows of "
                        f"{line['window'] >> 30} GiB")
            result += [row(lines, line['name'], workload, log_format)
                       for log_format in FORMATS]
            result.append(memory_row(line, workload))
    for name in ('save', 'resume'):
        some = [line for line in lines if line['name'] == name]
        if some:
            result.append(row(lines, name, f"{some[0]['bytes'] >> 20} MiB"))
    return result


def show(result):
    for one in result:
        floor = f"{one['floor']:12.1f}" if one['floor'] else ' ' * 12
        met = {True: 'met', False: 'MISSED'}.get(one.get('met'), '')
        print(f"{one['name']:24}{one['format'] or '':8}{one['ours']:12.1f}{one['baseline']:14.1f}"
              f"{floor} {one['unit']:5} {one['ratio']:10.2f} {met}")
    for one in result:
        if 'met' in one and not one['met']:
            print(f"missed: {one['name']} {one['format'] or ''}, "
                  f"{one['target']}")


def absent(result):
    """Targets that nothing was measured for."""
    judged = {(one['name'], one['format']) for one in result if 'met' in one}
    return [f'{name} {log_format or ""}'
            for name, (*_, formats) in TARGETS.items()
            for log_format in formats if (name, log_format) not in judged]


def main():
    lines, complete = measure()
    result = rows(lines)
    try:
        result += bed_bench.rows(FORMATS)
    except bed_bench.bed.BedError as error:
        print(error)
        complete = False
    os.makedirs(os.path.dirname(RESULT), exist_ok=True)
    with open(RESULT, 'w', encoding='utf-8') as f:
        json.dump(result, f, indent=1)
    show(result)
    for name in absent(result):
        print(f'not measured: {name}')
        complete = False
    if not complete:
        print('a benchmark failed')
    return 0 if complete and all(o.get('met', True) for o in result) else 1


if __name__ == '__main__':
    sys.exit(main())
