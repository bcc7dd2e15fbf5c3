# SPDX-License-Identifier: GPL-2.0-only
"""Which files are the checkout's own."""
import fnmatch
import os
import subprocess


def ignores(pattern, parts):
    """As far as our .gitignore goes: /name is in the top folder only."""
    if pattern.startswith('/'):
        parts = parts[:1]
    return any(fnmatch.fnmatch(part, pattern.strip('/')) for part in parts)


def files(top):
    """What git has or would take, or in a copy what .gitignore lets pass."""
    git = subprocess.run(
        ['git', '-c', 'safe.directory=*', 'ls-files', '-co', '-z',
         '--exclude-standard'], cwd=top, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if git.returncode == 0:
        names = git.stdout.split('\0')
    else:
        names = [os.path.relpath(f'{where}/{name}', top)
                 for where, _, found in os.walk(top) for name in found]
        with open(top + '/.gitignore', encoding='ascii') as lines:
            ignored = ['.git'] + lines.read().split()
        names = [name for name in names
                 if not any(ignores(pattern, name.split('/'))
                            for pattern in ignored)]
    return sorted(name for name in names if name
                  and os.path.isfile(f'{top}/{name}'))
