# SPDX-License-Identifier: GPL-2.0-only
"""Which suites a tier, or a list of names, stands for."""
import os
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.append(TOP + '/tests')
import suites  # noqa: E402


def names(tier):
    return [suite[0] for suite in suites.chosen(tier)]


def test_tiers():
    assert names('quick') == [suite[0] for suite in suites.QUICK]
    assert names('full') == names('ci')
    assert set(names('quick')) < set(names('full'))


def test_some():
    assert names('uapi,kunit') == ['kunit', 'uapi']


@pytest.mark.parametrize('tier', ['', 'kunitt', 'kunit,'])
def test_unknown(tier):
    done = subprocess.run([TOP + '/tests/suites.py', tier], text=True,
                          capture_output=True, check=False)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith('no suite ')
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize('args', [[], ['quik'], ['suite'], ['quick', 'kunit'],
                                  ['suite', 'kunit', 'uapi']])
def test_usage(args):
    """What is not understood is not left out."""
    done = subprocess.run([TOP + '/tests/run', *args], text=True,
                          capture_output=True, check=False)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith('usage: tests/run ')
    assert len(done.stderr.splitlines()) == 1
