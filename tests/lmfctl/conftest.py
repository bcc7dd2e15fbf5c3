# SPDX-License-Identifier: GPL-2.0-only
"""lmfctl, built once and with sanitizers, on a host of files."""
import os
import subprocess
import sys

import pytest

from host import Host, typical

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.append(TOP + '/tests')
from expected import assert_expected  # noqa: E402


@pytest.fixture(scope='session')
def binary():
    folder = TOP + '/build/lmfctl-checked'
    subprocess.run(['make', '-s', '-C', TOP + '/src/lmfctl', 'O=' + folder,
                    'CFLAGS=-O1 -g -fsanitize=address,undefined '
                    '-fno-sanitize-recover=all'], check=True)
    return folder + '/lmfctl'


@pytest.fixture
def host(tmp_path, binary):
    host = Host(tmp_path, binary)
    yield host
    host.close()


@pytest.fixture
def vfs(host):
    """Those of a typical host."""
    return typical(host)


@pytest.fixture
def golden():
    return assert_expected
