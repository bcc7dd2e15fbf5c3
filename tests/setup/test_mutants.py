# SPDX-License-Identifier: GPL-2.0-only
"""Each mutant applies, so that it is seen at once when one does not any more,
and says whom it is for. Each bug that the drivers in the kernel have had is
of a class that some mutant puts into ours.
"""
import glob
import os
import re
import subprocess

import pytest

TOP = os.path.abspath(os.path.dirname(__file__) + '/../..')
MUTANTS = sorted(glob.glob(TOP + '/tests/mutants/*.patch'))

# So many bugs there are in the list: 4.1.1 to 4.1.10, and so on.
BUGS = [f'4.{driver}.{bug}'
        for driver, last in enumerate((10, 10, 5, 4, 4, 7, 4, 17), 1)
        for bug in range(1, last + 1)]


def test_there_are_enough():
    assert len(MUTANTS) >= 25


@pytest.mark.parametrize('patch', MUTANTS, ids=os.path.basename)
def test_applies(patch):
    with open(patch) as file:
        first, second = file.read().splitlines()[:2]
    assert first.endswith('.')
    assert re.fullmatch(r'(kunit|vm): \S+', second)
    done = subprocess.run(
        ['patch', '-p1', '-F0', '--dry-run', '-f', '-i', patch], cwd=TOP,
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def bugs():
    """Per bug of the list, what its lines name: mutants, or -."""
    found = {bug: [] for bug in BUGS}
    with open(TOP + '/tests/mutants/classes') as file:
        lines = file.read().splitlines()
    for line in lines:
        if not line or line.startswith('#'):
            continue
        entry = re.fullmatch(r'([\d.]+)[a-z]? ([\w -]+): \S.*', line)
        assert entry, line
        found[entry[1]] += entry[2].split()
    return found


def test_every_bug_has_its_class():
    names = {os.path.basename(patch)[:-len('.patch')] for patch in MUTANTS}
    for bug, mutants in bugs().items():
        assert mutants, bug
        assert mutants == ['-'] or set(mutants) <= names, bug
