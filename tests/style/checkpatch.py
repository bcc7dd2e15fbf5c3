#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""checkpatch.py CHECKOUT KERNEL CACHE: checkpatch --strict over all C files.

Prints what tests/style/exceptions does not justify, and which exceptions
justify nothing. What was said of a file is kept in CACHE until it changes.
"""
import fnmatch
import hashlib
import json
import os
import re
import subprocess
import sys

from checkout import files

TOP, KERNEL, CACHE = sys.argv[1:]
EXCEPTIONS = TOP + '/tests/style/exceptions'
HELPERS = 2
SAID = re.compile(r'([^:]+):\d+: \w+:(\w+): ')


def exceptions():
    with open(EXCEPTIONS, encoding='ascii') as lines:
        for line in lines:
            if line.strip() and not line.startswith('#'):
                yield tuple(line.split(None, 2)[:2])


def checkpatch(names):
    return subprocess.Popen(
        ['perl', KERNEL + '/scripts/checkpatch.pl', '--no-tree', '--strict',
         '--root=' + KERNEL, '--terse', '--show-types', '--no-summary', '-f',
         *names], cwd=TOP, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT)


def say(names):
    """What checkpatch says of these files, as {name: lines}."""
    names = sorted(names, key=lambda name: os.path.getsize(f'{TOP}/{name}'))
    running = [checkpatch(names[i::HELPERS])
               for i in range(HELPERS) if names[i::HELPERS]]
    said = {name: [] for name in names}
    for line in ''.join(p.communicate()[0] for p in running).splitlines():
        found = SAID.match(line)
        if not found or found[1] not in said:
            raise SystemExit(line)
        said[found[1]].append(line)
    return said


def digest(name):
    with open(f'{TOP}/{name}', 'rb') as file:
        return name + hashlib.sha256(KERNEL.encode() + file.read()).hexdigest()


def say_cached():
    keys = {name: digest(name) for name in files(TOP)
            if name.endswith(('.c', '.h'))}
    known = {}
    if os.path.exists(CACHE):
        with open(CACHE, encoding='ascii') as file:
            known = json.load(file)
    new = say([name for name, key in keys.items() if key not in known])
    known.update((keys[name], lines) for name, lines in new.items())
    known = {key: known[key] for key in keys.values()}
    with open(CACHE, 'w', encoding='ascii') as file:
        json.dump(known, file)
    return [line for lines in known.values() for line in lines]


def main():
    allowed, used = list(exceptions()), set()
    for line in say_cached():
        name, kind = SAID.match(line).groups()
        why = [(k, path) for k, path in allowed
               if k == kind and fnmatch.fnmatch(name, path)]
        used.update(why)
        if not why:
            print(line)
    for kind, path in allowed:
        if (kind, path) not in used:
            print(f'tests/style/exceptions: nothing needs {kind} {path}')


main()
