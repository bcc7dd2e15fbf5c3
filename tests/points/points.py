#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""points.py: write docs/points.md, from the table of points, the marks in the
tests and what suites.py noted of their last runs in build/results.json, or of
earlier ones is kept.

A mark is a comment on the line right above a test's first one:

    /* points: 6, 13 */
    static void states_test_faults(struct kunit *test)
"""
import os
import re
import sys

from table import POINTS

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.append(TOP + '/tests')
import history  # noqa: E402
PAGE = TOP + '/docs/points.md'

MARK = re.compile(r'\s*(?:/\*|#) points: *(.*?)(?: \*/)?$')

# Files with tests, how a test begins there, and a pattern for the names of its
# results: {0} and so on are the groups of both.
KINDS = [
    (r'tests/kunit/\w+_test\.c', r'static void (\w+)\(struct kunit \*test\)$',
     '{0}'),
    (r'tests/uapi/\w+_test\.c', r'TEST_F\w*\((\w+), (\w+)', r'{0}\.\w+\.{1}'),
    (r'tests/firmware/(test_\w+)\.c', r'static void (\w+)\(void\)$',
     r'{0}\.{1}'),
    (r'(tests)/(\w+)/(test_\w+)\.py', r'def (test_\w+)\(',
     r'{0}\.{1}\.{2}\.{3}'),
    (r'tests/style/run', r'check_(\w+)\(\)', '{0} -'),
    (r'tests/series/run', r'say "([^"$]+)"', '{0}'),
    (r'tests/model/run', r'.*echo "ok 1 ([\w ]+)', '{0}'),
    (r'tests/fuzz/run', r'fuzz \d+ (\w+)$', '{0}'),
]

# A kernel that warned may have done so in any test.
WARNED = re.compile(r'\d+ of \d+ suites ended')

OLDER = 'proved of older source'

HEAD = """\
# The 40 points

What a driver for the migration of VFs has to do, where this one does it, and
the tests that prove it. A point is `proved` if all its tests passed when they
ran last; a test that was skipped or not run proves nothing. It is `proved of
older source` if a driver, the contract or the device has changed since one of
them ran. `make points` writes this page, and so does `make check-full` at its
end. Which points a test proves is said above the test, and the rest in
tests/points/table.py.

| | what it demands | code | tests | |
|---|---|---|---|---|
"""


class Mark:
    """That a test proves points."""
    def __init__(self, path, number, text, test_line):
        self.path, self.where = path, f'{path}:{number}'
        listed = re.fullmatch(r'\d+(, \d+)*', text)
        self.points = [int(n) for n in text.split(', ')] if listed else []
        self.test = self.result = None
        for files, begins, name in KINDS:
            file = re.fullmatch(files, path)
            test = file and re.match(begins, test_line)
            if test:
                self.test = ' '.join(test.groups())
                self.result = re.compile(
                    name.format(*file.groups(), *test.groups()) + r'(?!\w)')

    def wrong(self):
        if not self.points:
            return f'{self.where}: a list of points is 1, 2, 3'
        unknown = [str(n) for n in self.points if n not in POINTS]
        if unknown:
            return f'{self.where}: there is no point {", ".join(unknown)}'
        return None if self.test else f'{self.where}: stands above no test'


def marks():
    found = []
    for folder, _, names in sorted(os.walk(TOP + '/tests')):
        for name in sorted(names):
            path = os.path.relpath(f'{folder}/{name}', TOP)
            if path.startswith('tests/points/') or path.endswith('.pyc'):
                continue
            with open(f'{TOP}/{path}', errors='replace') as file:
                lines = file.read().splitlines() + ['']
            for n, line in enumerate(lines):
                mark = MARK.match(line)
                if mark:
                    found.append(Mark(path, n + 1, mark[1],
                                      lines[n + 1].strip()))
    return found


def wrong_places():
    """Code of the table that is not there, or not at the top of its file."""
    for point, (_, places) in POINTS.items():
        for path, names in places.items():
            if not os.path.exists(f'{TOP}/{path}'):
                yield f'point {point}: there is no {path}'
                continue
            with open(f'{TOP}/{path}') as file:
                text = file.read()
            for name in names.split(', '):
                if not re.search(rf'^\w.*\b{name}\b|#define {name}\b', text,
                                 re.M):
                    yield f'point {point}: {path} has no {name}'


def outcomes(mark, results):
    return [outcome for suite in results.values()
            for name, outcome in suite['tests'].items()
            if mark.result.match(name)]


def status(proofs, results):
    if not proofs:
        return 'open: no test'
    missing = [m for m in proofs if not outcomes(m, results)]
    failed = [m.test for m in proofs
              if set(outcomes(m, results)) - {'passed'}]
    if failed:
        return f'open: not passed: {", ".join(failed)}'
    if missing:
        return f'open: {len(missing)} of {len(proofs)} tests not run'
    if any(history.is_older(name, suite['tree'])
           for name, suite in results.items() for mark in proofs
           if outcomes(mark, {name: suite})):
        return OLDER
    return 'proved'


def by_file(places):
    return '<br>'.join(f'{path}: {names}' for path, names in places.items())


def rows(found, results):
    """The table's cells, a list for each point; the last one is the status."""
    table = []
    for point, (text, code) in POINTS.items():
        proofs = [m for m in found if point in m.points and m.test]
        tests = {}
        for mark in proofs:
            tests.setdefault(mark.path, []).append(mark.test)
        tests = {path.removeprefix('tests/'): ', '.join(names)
                 for path, names in tests.items()}
        table.append([str(point), text, by_file(code), by_file(tests),
                      status(proofs, results)])
    return table


def load_results(found):
    """Of each run, the tests that prove something, which are kept."""
    results = history.recall('results.json')
    for suite in results.values():
        tests = suite['tests']
        if any(WARNED.match(name) for name in tests):
            tests = dict.fromkeys(tests, 'failed')
        suite['tests'] = {
            name: outcome for name, outcome in tests.items()
            if any(mark.test and mark.result.match(name) for mark in found)}
    history.keep('results.json', results)
    return results


def main():
    found = marks()
    wrong = [w for w in (m.wrong() for m in found) if w] + \
        list(wrong_places())
    if wrong:
        raise SystemExit('\n'.join(wrong))
    results = load_results(found)
    table = rows(found, results)
    proved, older = (sum(row[-1] == how for row in table)
                     for how in ('proved', OLDER))
    with open(PAGE, 'w') as file:
        file.write(HEAD)
        for row in table:
            file.write(f'| {" | ".join(row)} |\n')
        file.write(f'\n{proved} of {len(table)} are proved, {older} more of '
                   'older source, by these runs:\n')
        for name, suite in results.items():
            file.write(f'- {name}: {suite["date"]}, tree {suite["tree"]}' +
                       ' of older source' *
                       history.is_older(name, suite['tree']) + '\n')
    print(f'{os.path.relpath(PAGE)}: {proved} of {len(table)} points proved, '
          f'{older} more of older source')


if __name__ == '__main__':
    main()
