# SPDX-License-Identifier: GPL-2.0-only
"""Each mutant applies, so that it is seen at once when one does not any more,
and says whom it is for.
"""
import glob
import os
import re
import subprocess

import pytest

TOP = os.path.abspath(os.path.dirname(__file__) + '/../..')
MUTANTS = sorted(glob.glob(TOP + '/tests/mutants/*.patch'))


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
