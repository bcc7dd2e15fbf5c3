# SPDX-License-Identifier: GPL-2.0-only
"""The KUnit suites on the kernel with KASAN, lockdep and DMA-API checks. The
outer fixture fails on any report.
"""
import pytest

from test_kunit import (APPEND, assert_same_as_uml,  # noqa: F401, fixtures
                        on_uml)

FLAVOUR = 'debug'
pytestmark = pytest.mark.full


def test_kunit_on_the_debug_kernel(assert_same_as_uml):  # noqa: F811
    assert_same_as_uml('debug')
