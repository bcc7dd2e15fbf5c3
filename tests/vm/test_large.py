# SPDX-License-Identifier: GPL-2.0-only
"""A guest with memory above 4 GiB, and the VF writes there."""
import pytest

from judge import assert_moved

MEMORY = '13G'
pytestmark = pytest.mark.full


def test_above_4_gib(outer):
    result = outer.call('scenarios.dma_only', memory=5120, timeout=900)
    assert_moved(result)
    assert result['burst']['burst'] >= 10000
    assert result['where']['highest'] >= 4 << 30
