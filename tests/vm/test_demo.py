# SPDX-License-Identifier: GPL-2.0-only
"""make demo does what the README says, and writes down what it measured."""
import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
REPORT = HERE + '/../../build/demo.json'

pytestmark = pytest.mark.full


def test_demo():
    done = subprocess.run([sys.executable, HERE + '/demo.py'],
                          capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    with open(REPORT) as file:
        report = json.load(file)
    result = report['result']
    assert result.keys() == report['sources'].keys()
    assert all(name in done.stdout for name in result)
    assert result['dma_only_pages_checked'] >= 32768
    assert result['dma_only_pages_stale'] == 0
    assert result['pages_reported'] >= 10000
    assert result['state_bytes_precopy'] > result['state_bytes_downtime'] > 0
    split = result['downtime_split_ms']
    assert all(part > 0 for part in split.values())
    # What the driver measured lies within what QEMU and the guest saw.
    assert sum(split.values()) < result['downtime_ms'] < result['total_ms']
    assert 'PRE_COPY ' in done.stdout
