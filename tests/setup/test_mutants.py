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


def entries():
    """Of each line that tells of a bug: its number, and mutants or -."""
    with open(TOP + '/tests/mutants/classes') as file:
        lines = file.read().splitlines()
    for line in lines:
        if line and not line.startswith('#'):
            entry = re.fullmatch(r'([\d.]+)[a-z]? ([\w -]+): \S.*', line)
            assert entry, line
            yield entry[1], entry[2].split()


def test_every_bug_has_its_class():
    names = {os.path.basename(patch)[:-len('.patch')] for patch in MUTANTS}
    found = set()
    for bug, mutants in entries():
        assert mutants == ['-'] or set(mutants) <= names, bug
        found.add(bug)
    assert found == set(BUGS)
