# SPDX-License-Identifier: GPL-2.0-only
"""How each suite ended when it ran last, here or elsewhere.

All of them together take longer than anybody waits. So what `make points` has
seen is kept in docs/results.json, which is committed, until the suite runs
again. Each run names its tree and its day.
"""
import json
import os

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = TOP + '/build'
KEPT = TOP + '/docs/results.json'


def _read(path):
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        return json.load(file)


def recall(name):
    """Runs by suite: those of build/NAME, and of other suites what is kept."""
    return {**_read(KEPT).get(name, {}), **_read(f'{BUILD}/{name}')}


def keep(name, runs):
    kept = {**_read(KEPT), name: runs}
    with open(KEPT, 'w') as file:
        json.dump(kept, file, indent=1, sort_keys=True)
        file.write('\n')
