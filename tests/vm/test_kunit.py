# SPDX-License-Identifier: GPL-2.0-only
"""The KUnit suites on x86, as a module and with two processors:
all that pass on User-Mode Linux pass there, too.
"""
import re
import shutil
import subprocess

import pytest

import bed

# Not one line of it may get lost.
APPEND = 'log_buf_len=8M'
JUDGE = bed.TOP + '/tests/kunit/judge.awk'
pytestmark = pytest.mark.full


@pytest.fixture(scope='module')
def on_uml():
    """All test cases there are, as suite.case."""
    linux = bed.build('uml', 'debug') + '/linux'
    told = subprocess.run([linux, 'mem=1G', 'console=tty',
                           'kunit_shutdown=halt', 'kunit.action=list'],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True, errors='replace', check=False).stdout
    return set(re.findall(r'^([\w-]+\.\w+)\r?$', told, re.M))


def passed(tap):
    """The test cases that did, as suite.case: neither failed nor skipped."""
    suite, found = None, set()
    for line in tap.splitlines():
        match = re.match(r' {4}# Subtest: (.*)| {4}ok \d+ (\w+)$', line)
        if match and match[1]:
            suite = match[1]
        elif match:
            found.add(f'{suite}.{match[2]}')
    return found


def judged(said):
    """The KTAP of all that the kernel said, and is it good?"""
    judge = subprocess.run(['awk', '-f', JUDGE], input=said, text=True,
                           stdout=subprocess.PIPE, check=False)
    return judge.stdout, judge.returncode == 0


@pytest.fixture
def assert_same_as_uml(outer, on_uml, record_property):
    """Runs them. How each ended is kept for suites.py."""
    def run(flavour):
        shutil.copy(bed.build('kunit', flavour) + '/lmf_kunit.ko',
                    outer.folder + '/share')
        tap, good = judged(outer.call('kunit.run', timeout=3600))
        record_property('tap', tap)
        assert good, tap
        assert on_uml and passed(tap) == on_uml, tap
    return run


def test_kunit_on_x86(assert_same_as_uml):
    assert_same_as_uml('plain')
