#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""table.py: docs/check-full.md, one table of what was run, from
build/check-full.json and what is kept of earlier runs.

A suite that was not run is a row that says so. Prints how many passed.
"""
import history
from suites import TOP

HEAD = """# What `make check-full` has shown

Made by `make points` from the last run of each suite, on the project's own
small machine, where all is emulated. `of older source` was run before the last
change of a driver, of the contract or of the device. The downtime is the
longest that QEMU told in that test.

| suite | test | result | time | downtime |
|---|---|---|---|---|
"""


def suite_row(name, run):
    if not run:
        return f'| {name} | | not run | | |\n'
    result = f"{run['passed']} passed"
    for bad in ('failed', 'skipped'):
        if run[bad]:
            result += f', {run[bad]} {bad}'
    older = ' of older source' if history.is_older(name, run['tree']) else ''
    return f"| {name} | | {result} ({run['tree']}, {run['date']}{older}) " \
        f"| {run['seconds']} s | |\n"


def test_row(test):
    downtime = test['downtime_ms']
    return f"| | {test['test']} | {test['outcome']} | {test['seconds']} s " \
        f"| {'' if downtime is None else f'{downtime} ms'} |\n"


def tells(test):
    """Of what neither migrated nor failed the suite's row says enough."""
    return test['downtime_ms'] is not None or test['outcome'] == 'failed'


def main():
    runs = history.recall('check-full.json')
    for run in runs.values():
        run['scenarios'] = [test for test in run['scenarios'] if tells(test)]
    history.keep('check-full.json', runs)
    text, good = HEAD, 0
    for name in history.NAMES:
        run = runs.get(name)
        good += bool(run and run['passed'] and not run['failed'])
        text += suite_row(name, run)
        for test in run['scenarios'] if run else ():
            text += test_row(test)
    with open(TOP + '/docs/check-full.md', 'w') as file:
        file.write(text)
    print(f'docs/check-full.md: {good} of {len(history.NAMES)} suites passed')


if __name__ == '__main__':
    main()
