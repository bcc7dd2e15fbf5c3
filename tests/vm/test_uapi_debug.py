# SPDX-License-Identifier: GPL-2.0-only
"""The uAPI tests on the kernel that looks for memory used after it was freed,
for lock orders and for sleeping where one must not. The outer fixture fails on
any report.
"""
import pytest

from test_uapi import FIXTURES, SLOW, assert_passes  # noqa: F401, a fixture

FLAVOUR = 'debug'
pytestmark = pytest.mark.full


@pytest.mark.parametrize('fixture', SLOW + FIXTURES)
# points: 7, 8, 36
def test_uapi_on_the_debug_kernel(assert_passes, fixture):  # noqa: F811
    assert_passes('-V', 'group', '-f', fixture)
