# SPDX-License-Identifier: GPL-2.0-only
"""What the documents say to install can be installed."""
import os
import subprocess

TOP = os.path.abspath(os.path.dirname(__file__) + '/../..')


def test_conformance_test(tmp_path):
    linux = subprocess.run([TOP + '/tests/vm/build/source.sh', 'linux'],
                           stdout=subprocess.PIPE, text=True,
                           check=True).stdout.strip() + '/tree'
    subprocess.run(
        ['make', '-s', '-C', TOP + '/tests/uapi', f'O={tmp_path}/build',
         f'KSELFTEST={linux}/tools/testing/selftests', f'DESTDIR={tmp_path}',
         'install'], check=True)
    done = subprocess.run([tmp_path / 'usr/local/sbin/lmf-vfio-test'],
                          capture_output=True, text=True, check=False)
    assert done.returncode
    assert 'BDF' in done.stdout + done.stderr
