#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""report.py CHECKOUT STATUS FOLDER...: what the runs that left FOLDERs ran.

A line counts as run if any copy of it was, in whatever object and kernel.
STATUS is that of the suites: what fails may have run less than it should.
"""
import collections
import fnmatch
import json
import os
import re
import subprocess
import sys

ROOMS = ('src/core', 'src/vfio')
GOAL = 90
ARC = re.compile(r'LMF_ARC\((\w+), (\w+)\)')
TAKEN = re.compile(r'lmf_vfio_arc: .*?: (\w+) -> (\w+) err 0')


def sources(top):
    return {f'{room}/{name}' for room in ROOMS
            for name in os.listdir(f'{top}/{room}') if name.endswith('.c')}


def data(folder):
    return [os.path.join(path, name) for path, _, names in os.walk(folder)
            for name in names if name.endswith('.gcda')]


def objects(folders):
    """The sources of what was linked; one may have no line that is run."""
    return {os.path.relpath(name, folder)[:-len('gcda')] + 'c'
            for folder in folders for name in data(folder)}


def gcov(folder):
    """What gcov says of all objects in @folder, file by file."""
    names = data(folder)
    if not names:
        raise SystemExit(f'{folder}: no .gcda')
    said = subprocess.run(['gcov', '--json-format', '--stdout', *names],
                          stdout=subprocess.PIPE, check=True, text=True,
                          cwd=folder).stdout
    for line in said.splitlines():
        yield from json.loads(line)['files'] if line else ()


def count(folders):
    """{file: {line: times}}, of our files."""
    lines = collections.defaultdict(collections.Counter)
    for folder in folders:
        for file in gcov(folder):
            name = os.path.normpath(file['file'])
            found = re.search(r'(?:^|/)(src/\w+/[\w.]+)$', name)
            if not found or os.path.dirname(found[1]) not in ROOMS:
                continue
            for line in file['lines']:
                lines[found[1]][line['line_number']] += line['count']
    return lines


def read(top, name):
    with open(f'{top}/{name}', encoding='utf-8') as file:
        return file.read()


class Exceptions:
    """Lines that need not be run: file, a pattern of the line's text, why."""

    def __init__(self, top):
        self.entries = []
        self.used = set()
        for line in read(top, 'tests/coverage/exceptions').splitlines():
            if line.strip() and not line.startswith('#'):
                name, pattern, why = (part.strip() for part in
                                      line.split('\t') if part)
                self.entries.append((name, pattern, why))

    def why(self, name, text):
        for entry in self.entries:
            if entry[0] == name and fnmatch.fnmatchcase(text, entry[1]):
                self.used.add(entry)
                return entry[2]
        return None

    def stale(self):
        return [e for e in self.entries if e not in self.used]


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def say(self, ok, what, details=()):
        self.count += 1
        self.failed += not ok
        for line in details:
            print(f'# {line}')
        print(f'{"ok" if ok else "not ok"} {self.count} {what}')

    def end(self):
        print(f'1..{self.count}')
        return self.failed > 0


def report_lines(top, lines, exceptions):
    """Per file what was run, what not, and why not."""
    files = {}
    for name in sorted(lines):
        text = read(top, name).splitlines()
        missed = [{'line': n, 'text': text[n - 1].strip()}
                  for n in sorted(lines[name]) if not lines[name][n]]
        for line in missed:
            line['why'] = exceptions.why(name, line['text'])
        files[name] = {'lines': len(lines[name]),
                       'run': len(lines[name]) - len(missed),
                       'missed': missed}
    return files


def report_arcs(top, folders):
    """How often each arc that migration.c knows was taken."""
    code = read(top, 'src/vfio/migration.c')
    arcs = {f'{a} -> {b}': 0 for a, b in ARC.findall(code) if a != 'from'}
    for folder in folders:
        for name in os.listdir(folder):
            if not name.endswith('.log'):
                continue
            with open(f'{folder}/{name}', errors='replace') as log:
                for a, b in TAKEN.findall(log.read()):
                    if f'{a} -> {b}' in arcs:
                        arcs[f'{a} -> {b}'] += 1
    return arcs


def percent(run, lines):
    return 100 * run / max(lines, 1)


def print_shares(folders):
    """What each of the kernels ran, for itself."""
    for folder in folders:
        lines = [times for file in count([folder]).values()
                 for times in file.values()]
        run = sum(times > 0 for times in lines)
        print(f'# {os.path.basename(folder)}: {run} of {len(lines)} lines, '
              f'{percent(run, len(lines)):.1f} %')


def print_table(files):
    for name, file in files.items():
        print(f'# {name:28} {file["run"]:5} of {file["lines"]:5} '
              f'{percent(file["run"], file["lines"]):6.1f} %')
        for line in file['missed']:
            print(f'#     {line["line"]:4}: {line["text"]}')
            if line['why']:
                print(f'#           {line["why"]}')


def judge(top, tap, folders, files, arcs, exceptions):
    run = sum(file['run'] for file in files.values())
    total = sum(file['lines'] for file in files.values())
    absent = sorted(sources(top) - set(files) - objects(folders))
    tap.say(not absent, 'every file is compiled', absent)
    tap.say(percent(run, total) > GOAL,
            f'{run} of {total} lines are run, that is '
            f'{percent(run, total):.1f} %: over {GOAL} %')
    tap.say(all(arcs.values()), 'every arc is taken',
            [f'{arc}: {times}' for arc, times in arcs.items()])
    tap.say(not any(not line['why'] for file in files.values()
                    for line in file['missed']),
            'what is not run is in tests/coverage/exceptions',
            [f'{name}:{line["line"]}: {line["text"]}'
             for name, file in files.items() for line in file['missed']
             if not line['why']])
    tap.say(not exceptions.stale(), 'and nothing else is in there',
            [' '.join(entry) for entry in exceptions.stale()])


def main():
    top, status, *folders = sys.argv[1:]
    tap = Tap()
    exceptions = Exceptions(top)
    files = report_lines(top, count(folders), exceptions)
    arcs = report_arcs(top, folders)
    print_shares(folders)
    print_table(files)
    tap.say(status == '0', 'all suites pass')
    judge(top, tap, folders, files, arcs, exceptions)
    with open(f'{top}/build/coverage.json', 'w', encoding='utf-8') as out:
        json.dump({'lines': sum(f['lines'] for f in files.values()),
                   'run': sum(f['run'] for f in files.values()),
                   'arcs': arcs, 'files': files}, out, indent=1)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
