#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""intree.py TREE: lay the drivers into a Linux source tree.

Doing it again brings the tree up to date.
"""
import os
import pathlib
import re
import subprocess
import sys
import textwrap

import compat

TOP = pathlib.Path(__file__).resolve().parents[2]
SERIES = TOP / 'tests/series'

# room, its place in a tree, its option, its module
ROOMS = [
    ('core', 'drivers/misc/lmf', 'LMF', 'lmf'),
    ('vfio', 'drivers/vfio/pci/lmf', 'LMF_VFIO_PCI', 'lmf-vfio-pci'),
    ('guest', 'drivers/block/lmf', 'LMF_BLK', 'lmf_blk'),
]
CONTRACT = ['types', 'ids', 'vf', 'log', 'pf']
HEADERS = ['linux/lmf.h', 'uapi/linux/lmf_stream.h']
SPDX = '# SPDX-License-Identifier: GPL-2.0-only\n'


def write(path, text):
    """A new file in its place, because the old one may be a hard link."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + '.lmf')
    new.write_text(text)
    os.replace(new, path)


def hook(path, line, before):
    """Put a line in front of the last one that matches, unless it is there."""
    text = path.read_text()
    if line in text:
        return
    places = list(re.finditer(before, text, re.M))
    if not places:
        raise SystemExit(f'lmf: {path}: found no place for "{line.strip()}"')
    at = places[-1].start()
    write(path, text[:at] + line + text[at:])


def in_tree(text):
    """Our headers lie where the kernel's do."""
    return re.sub(r'#include "(lmf_(?:' + '|'.join(CONTRACT) + r')\.h)"',
                  r'#include <linux/\1>', text)


def lay_headers(tree):
    for name in HEADERS:
        write(tree / 'include' / name, (TOP / 'include' / name).read_text())
    for name in CONTRACT:
        text = (TOP / f'firmware-iface/lmf_{name}.h').read_text()
        text = compat.resolve(text, {'__KERNEL__'}, '__KERNEL__')
        write(tree / f'include/linux/lmf_{name}.h', in_tree(text))


def lay_sources(tree, room, place, have):
    source = TOP / 'src' / room
    header = (source / 'compat.h').read_text()
    laid = set()
    for path in sorted(source.glob('*.[ch]')):
        if path.name == 'compat.h':
            continue
        text = compat.without_compat(path.read_text(), header, have)
        write(tree / place / path.name, in_tree(text))
        laid.add(path.name)
    for path in (tree / place).glob('*.[ch]'):
        if path.name not in laid and not path.name.endswith('.mod.c'):
            path.unlink()


def makefile(room, option, module, there=None):
    """Of all the objects, or of those there are."""
    kbuild = (TOP / 'src' / room / 'Kbuild').read_text()
    objects = re.search(rf'^{module}-y := ((?:.*\\\n)*.*)\n', kbuild, re.M)[1]
    objects = [name for name in objects.replace('\\', '').split()
               if there is None or name in there]
    lines = textwrap.fill(' '.join(objects), 60).replace('\n', ' \\\n\t')
    text = f'{SPDX}obj-$(CONFIG_{option}) += {module}.o\n\n' \
           f'{module}-y := {lines}\n'
    if 'trace.o' in objects:
        text += '\n# define_trace.h includes trace.h again\n' \
                'CFLAGS_trace.o := -I$(src)\n'
    return text


def kconfig(option):
    blocks = re.split(r'^(?=config )', (TOP / 'Kconfig').read_text(),
                      flags=re.M)
    text = next(b for b in blocks if b.startswith(f'config {option}\n'))
    return SPDX + text.rstrip() + '\n'


def lay_build(tree, room, place, option, module):
    folder = os.path.dirname(place)
    write(tree / place / 'Makefile', makefile(room, option, module))
    write(tree / place / 'Kconfig', kconfig(option))
    hook(tree / folder / 'Makefile', f'obj-$(CONFIG_{option}) += lmf/\n',
         r'\Z')
    hook(tree / folder / 'Kconfig', f'source "{place}/Kconfig"\n',
         r'^\n*(endmenu|endif)\b.*\n*\Z')


def patch_bitmap(tree):
    """Unless the tree has what our patch brings."""
    if 'LMF_HAVE_BITMAP_FAULT' in compat.features(TOP / 'src/probe.sh', tree):
        return
    patch = SERIES / 'iova_bitmap.patch'
    for options in (['--dry-run'], []):
        done = subprocess.run(
            ['patch', '-d', tree, '-p1', '-s', '--no-backup-if-mismatch',
             *options, '-i', patch], check=False)
        if done.returncode:
            raise SystemExit(f'lmf: {patch.name} does not apply to {tree}')


def lay(tree):
    if not (tree / 'drivers/vfio/pci/Kconfig').exists():
        raise SystemExit(f'lmf: {tree} is no Linux source tree')
    patch_bitmap(tree)
    have = compat.features(TOP / 'src/probe.sh', tree)
    lay_headers(tree)
    for room, place, option, module in ROOMS:
        lay_sources(tree, room, place, have)
        lay_build(tree, room, place, option, module)


if __name__ == '__main__':
    if len(sys.argv) != 2:
        raise SystemExit('usage: intree.py TREE')
    lay(pathlib.Path(sys.argv[1]))
