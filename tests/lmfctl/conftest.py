# SPDX-License-Identifier: GPL-2.0-only
"""lmfctl, built once and with sanitizers, on a host of files. LMF_GOLDEN=write
writes what is expected anew, to be looked at with git diff.
"""
import os
import subprocess

import pytest

from host import Host

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


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
def golden():
    def compare(name, text):
        path = f'{HERE}/golden/{name}'
        if os.environ.get('LMF_GOLDEN') == 'write':
            with open(path, 'w') as file:
                file.write(text)
        with open(path) as file:
            assert text == file.read()
    return compare
