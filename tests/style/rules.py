#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""rules.py CHECKOUT: what the architecture says of files and folders.

Prints what breaks a rule, one line each.
"""
import os
import re
import sys

from checkout import files

TOP = sys.argv[1]

# Who may know whom: which headers a room may include beside its own files and
# the system's. A folder stands for all headers right in it.
CONTRACT = ['firmware-iface']
FIRMWARE = ['firmware-iface/firmware']
IDS = 'firmware-iface/lmf_ids.h'
ROOMS = {
    'src/vfio': ['include/linux/lmf.h', 'firmware-iface/lmf_log.h', IDS,
                 'include/uapi/linux/lmf_stream.h'],
    'src/core': ['include/linux/lmf.h', 'firmware-iface/lmf_pf.h'],
    'src/guest': ['firmware-iface/lmf_vf.h'],
    'src/lmfctl': ['include/uapi/linux/lmf_stream.h', IDS],
    'include': [],
    'firmware-iface': [],
    'firmware-iface/firmware': [
        f'firmware-iface/lmf_{name}.h' for name in ('pf', 'vf', 'log')],
    'firmware-iface/qemu': FIRMWARE,
    # Tests know what they test.
    'tests/kunit': ['src/core', 'src/vfio', 'include'] + CONTRACT + FIRMWARE,
    'tests/firmware': CONTRACT + FIRMWARE,
    'tests/spec': CONTRACT + FIRMWARE,
    'tests/fuzz': ['src/vfio', 'src/lmfctl', 'include'] + CONTRACT +
                  FIRMWARE,
    'tests/bench': ['src/vfio', 'include'] + CONTRACT + FIRMWARE,
    'tests/lmfctl': ['src/lmfctl', 'include/uapi/linux/lmf_stream.h'],
    # These see a device as a program or a guest does.
    'tests/uapi': ['firmware-iface/lmf_vf.h',
                   'include/uapi/linux/lmf_stream.h'],
    'tests/vm': ['firmware-iface/lmf_vf.h',
                 'include/uapi/linux/lmf_stream.h'],
}

# Freestanding C and what memcpy() needs; in the kernel, the same from there.
FIRMWARE_SYSTEM = {'stddef.h', 'stdint.h', 'stdbool.h', 'string.h',
                   'linux/types.h', 'linux/stddef.h', 'linux/string.h',
                   'asm/byteorder.h'}

# Debian's tools look for debian/ there and nowhere else.
TOP_FOLDER = {'.ci', '.gitignore', 'debian', 'docs', 'firmware-iface',
              'include', 'src', 'tests', 'Makefile', 'Kconfig', 'LICENSE',
              'README.md'}

# Files that others may reach from their room without being part of it.
GENERATED = {'examples.h', 'kselftest_harness.h'}

CODE = ('.c', '.h', '.py', '.sh')
COLUMNS = 80
# What a user reads is not broken, so that it can be searched for.
STRING = re.compile(r'"(?:[^"\\]|\\.)*"[\s),;}\\]*$')

# Words that only one machine or one network knows. The project's own site,
# which a form of Debian's names, is no mirror.
MACHINE = re.compile(
    r'/(?:root|home|work|tmp/[a-z]+[0-9a-z]*/[a-z])/[\w.]|'
    r'https?://(?:\d+\.\d+\.\d+\.\d+|(?!www\.debian\.org/)'
    r'[\w.-]*\bdeb(?:ian)?\.(?:org|net))|'
    r'\b\d+\.\d+\.\d+\.\d+:\d+\b')

def room_of(name):
    """The innermost room that the file is in."""
    fits = [room for room in ROOMS if name.startswith(room + '/')]
    return max(fits, key=len, default=None)


def may_include(room, header):
    allowed = ROOMS[room]
    return (room_of(header) == room or header in allowed
            or os.path.dirname(header) in allowed
            or any(header.startswith(f'{a}/') for a in allowed
                   if a == 'include'))


def owners(name, opening, target, headers):
    """Which of our headers that line may mean, those of its room first."""
    if opening == '<':
        return [h for h in headers
                if h in ('include/' + target, 'include/uapi/' + target)]
    path = os.path.normpath(os.path.join(os.path.dirname(name), target))
    if path in headers:
        return [path]
    fits = [h for h in headers if h.endswith('/' + target)]
    return ([h for h in fits if room_of(h) == room_of(name)] or fits)


def check_include(name, opening, target, headers):
    room = room_of(name)
    if not room:
        return 'belongs to no room'
    ours = owners(name, opening, target, headers)
    if ours:
        if not any(may_include(room, header) for header in ours):
            return f'{room} may not know {target}'
    elif room == 'firmware-iface/firmware' and target not in FIRMWARE_SYSTEM:
        return f'firmware may not use {target} of the system'
    elif opening == '"' and room != 'firmware-iface/qemu' \
            and target not in GENERATED:
        return f'there is no {target}'
    return None


def check_includes(name, text, headers):
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        wrong = found and check_include(name, found[1], found[2], headers)
        if wrong:
            yield f'{name}:{number}: {wrong}'


def check_lines(name, text):
    for number, line in enumerate(text.splitlines(), 1):
        if len(line.expandtabs(8)) > COLUMNS and not STRING.search(line):
            yield f'{name}:{number}: over {COLUMNS} columns'
        if line != line.rstrip():
            yield f'{name}:{number}: space at the end'


def check_machine(name, text):
    for number, line in enumerate(text.splitlines(), 1):
        found = MACHINE.search(line)
        if found:
            yield f'{name}:{number}: of one machine only: {found[0]}'


def check_exports(name, text):
    """What src/core gives to others is for those who import LMF."""
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'EXPORT_(?:\w*SYMBOL)\w*', line)
        if found and found[0] != 'EXPORT_SYMBOL_LMF':
            yield f'{name}:{number}: {found[0]} is for all modules'


def check_licence(name, text):
    want = 'SPDX-License-Identifier: GPL-2.0-only'
    if name.startswith('firmware-iface/'):
        want += ' OR MIT'
    # The first line may be #!.
    if want not in '\n'.join(text.splitlines()[:2]):
        yield f'{name}: lacks "{want}"'


def is_code(name, text):
    return name.endswith(CODE) or text.startswith('#!') or \
        os.path.basename(name) in ('Makefile', 'Kbuild', 'Kconfig')


def check(name, text, headers):
    yield from check_machine(name, text)
    if name.endswith(('.c', '.h')):
        yield from check_includes(name, text, headers)
    if name.startswith('src/'):
        yield from check_exports(name, text)
    if is_code(name, text):
        yield from check_lines(name, text)
        yield from check_licence(name, text)


def main():
    names = files(TOP)
    headers = [name for name in names if name.endswith(('.h', '.c'))]
    for entry in sorted({name.split('/')[0] for name in names} - TOP_FOLDER):
        print(f'{entry}: does not belong into the top folder')
    for name in names:
        with open(f'{TOP}/{name}', 'rb') as file:
            data = file.read()
        if b'\0' in data:
            continue
        for wrong in check(name, data.decode(errors='replace'), headers):
            print(wrong)


main()
