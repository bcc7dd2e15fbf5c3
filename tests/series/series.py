#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""series.py OUT TREE: write the drivers as a patch series against that tree.

The author is whom git takes for one.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import intree

COVER = intree.SERIES / 'cover'
PATCHES = intree.SERIES / 'patches'
BITMAP = intree.SERIES / 'iova_bitmap.patch'
MAINTAINERS = '''\
LMF LIVE-MIGRATABLE PCI FUNCTIONS
M:\t{}
L:\tkvm@vger.kernel.org
S:\tMaintained
F:\tdrivers/block/lmf/
F:\tdrivers/misc/lmf/
F:\tdrivers/vfio/pci/lmf/
F:\tinclude/linux/lmf*.h
F:\tinclude/uapi/linux/lmf_stream.h

'''


def author():
    found = subprocess.run(['git', 'var', 'GIT_AUTHOR_IDENT'], check=False,
                           stdout=subprocess.PIPE, text=True)
    if found.returncode:
        raise SystemExit('lmf: set user.name and user.email of git: they '
                         'sign the series')
    return found.stdout.rsplit(' ', 2)[0]


def copy_base(tree, base):
    """Of the tree, what the series or src/probe.sh looks at."""
    places = [os.path.dirname(place) for _, place, _, _ in intree.ROOMS]
    names = [f'{place}/{name}' for place in places
             for name in ('Kconfig', 'Makefile')]
    names += re.findall(r'^--- a/(\S+)', BITMAP.read_text(), re.M)
    probes = (intree.TOP / 'src/probe.sh').read_text()
    names += ['include/linux/' + name for name in
              set(re.findall(r'^[A-Z\d_]+\t+(\S+\.h)\t', probes, re.M))]
    for name in names + ['MAINTAINERS']:
        if (tree / name).exists():
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tree / name, base / name)


def git(repo, *args, **kw):
    return subprocess.run(['git', '-C', repo, *args], check=True, text=True,
                          stdout=subprocess.PIPE, **kw).stdout


def braces(path):
    """As a shell has it: {a,b} is either."""
    found = re.search(r'\{([^}]*)\}', path)
    if not found:
        return [path]
    return [path[:found.start()] + word + path[found.end():]
            for word in found[1].split(',')]


def commit(repo, message):
    git(repo, 'commit', '-q', '-s', '-F', '-', input=message)


def take(repo, laid, path):
    """Take what matches from the laid tree."""
    names = [name for pattern in braces(path)
             for name in sorted(laid.glob(pattern)) if name.is_file()]
    for name in names:
        target = repo / name.relative_to(laid)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, target)


def take_hooks(repo, laid, folder):
    for name in ('Kconfig', 'Makefile'):
        shutil.copy(laid / folder / name, repo / folder / name)


def part_of_makefile(repo):
    """Of a folder that is not complete, the Makefile names what is there."""
    for room, place, option, module in intree.ROOMS:
        there = repo / place
        if there.exists() and not (there / 'Kconfig').exists():
            names = {name.stem + '.o' for name in there.glob('*.c')}
            text = intree.makefile(room, option, module, names)
            (there / 'Makefile').write_text(text)


def patches():
    sections = re.split(r'^=== ', PATCHES.read_text(), flags=re.M)[1:]
    for section in sections:
        paths, message = section.split('\n', 1)
        yield paths.split(), message.strip() + '\n'


def build(repo, laid, who):
    message = BITMAP.read_text().split('\n--- a/')[0]
    for name in re.findall(r'^--- a/(\S+)', BITMAP.read_text(), re.M):
        take(repo, laid, name)
    git(repo, 'add', '.')
    if git(repo, 'status', '--porcelain'):
        commit(repo, message)
    for paths, message in patches():
        for path in paths:
            if path == 'MAINTAINERS':
                intree.hook(repo / path, MAINTAINERS.format(who),
                            r'^LOCKDOWN SECURITY MODULE\n')
            elif path.startswith('+'):
                take_hooks(repo, laid, path[1:])
            else:
                take(repo, laid, path)
        part_of_makefile(repo)
        git(repo, 'add', '.')
        commit(repo, message)


def write_out(repo, out):
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob('*.patch'):
        old.unlink()
    git(repo, 'format-patch', '-q', '--cover-letter', '--root', '-o',
        out.resolve(), 'base..HEAD')
    subject, blurb = COVER.read_text().strip().split('\n\n', 1)
    letter = out / '0000-cover-letter.patch'
    text = letter.read_text().replace('*** SUBJECT HERE ***', subject)
    letter.write_text(text.replace('*** BLURB HERE ***', blurb))


def main(out, tree):
    who = author()
    with tempfile.TemporaryDirectory() as scratch:
        repo, laid = (pathlib.Path(scratch) / n for n in ('repo', 'laid'))
        copy_base(tree, repo)
        copy_base(tree, laid)
        intree.lay(laid)
        git(repo, 'init', '-q')
        git(repo, 'add', '.')
        git(repo, 'commit', '-q', '-m', 'base')
        git(repo, 'tag', 'base')
        build(repo, laid, who)
        write_out(repo, out)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        raise SystemExit('usage: series.py OUT TREE')
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
