# SPDX-License-Identifier: GPL-2.0-only
"""The same on a kernel with KASAN and lockdep, and nothing leaks."""
import pytest

from test_to_and_fro import assert_to_and_fro

FLAVOUR = 'debug'
pytestmark = pytest.mark.full


def test_twenty_times_without_a_leak(outer):
    # A migration takes about 70 s even so.
    assert_to_and_fro(outer, timeout=3000, jobs=1, memory=256)
    leaks = outer.call('host.leaks', timeout=300)
    assert not leaks, leaks
