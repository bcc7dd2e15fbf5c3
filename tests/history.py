# SPDX-License-Identifier: GPL-2.0-only
"""How each suite ended when it ran last, here or elsewhere.

All of them together take longer than anybody waits. So what `make points` has
seen is kept in docs/results.json, which is committed, until the suite runs
again. Each run names its tree and its day.
"""
import functools
import json
import os
import subprocess

from suites import BUILD, FULL, QUICK, TOP

KEPT = TOP + '/docs/results.json'
LMFCTL = ('lmfctl', 'fuzz', 'style', 'distro', 'lmfctl-bed')
NAMES = [suite[0] for suite in QUICK + FULL]


def _read(path):
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        return json.load(file)


def recall(name):
    """The last run of each suite of today, out of build/NAME and what is kept.
    """
    runs = {}
    for suite, run in [*_read(KEPT).get(name, {}).items(),
                       *_read(f'{BUILD}/{name}').items()]:
        if suite in NAMES and \
                run['time'] >= runs.get(suite, run)['time']:
            runs[suite] = run
    return runs


@functools.cache
def is_older(suite, tree):
    """Has what runs in the kernel or in the device changed since that run? Or
    lmfctl, which is of no account but where it is tested?
    """
    git = ['git', '-c', 'safe.directory=*', 'diff', '--quiet']
    parts = ['src', 'include', 'firmware-iface']
    if suite not in LMFCTL:
        parts.append(':!src/lmfctl')
    return tree.endswith('-dirty') or subprocess.run(
        [*git, tree, 'HEAD', '--', *parts],
        cwd=TOP, stderr=subprocess.DEVNULL, check=False).returncode != 0


def keep(name, runs):
    kept = {**_read(KEPT), name: runs}
    with open(KEPT, 'w') as file:
        json.dump(kept, file, indent=1, sort_keys=True)
        file.write('\n')
