# SPDX-License-Identifier: GPL-2.0-only
"""The build steps: what fails says so in one line, what is half is not used."""
import os
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

STEPS = os.path.dirname(os.path.abspath(__file__)) + '/../vm/build'


def step(cache, body, wait=True):
    """Run a step whose build function is `body`, with a cache of its own."""
    script = (f'. {STEPS}/lib.sh\n'
              f'build() {{\n{body}\n}}\n'
              'cached thing 0123456789abcdef 1 "1 s" build\n'
              'cat "$cache/thing-0123456789abcdef/result"\n')
    process = subprocess.Popen(
        ['bash', '-c', script, STEPS + '/x.sh'],
        env={**os.environ, 'LMF_CACHE': str(cache)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True)
    if not wait:
        return process
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_builds_once(tmp_path):
    body = f'echo x >>{tmp_path}/count; echo built >"$OUT/result"'
    for _ in range(2):
        status, out, _ = step(tmp_path, body)
        assert (status, out) == (0, 'built\n')
    assert (tmp_path / 'count').read_text() == 'x\n'


@pytest.mark.parametrize('body', [
    'false', 'false\ntouch "$OUT/result"', 'exit 3',
    'touch "$OUT/result"\nno-such-command'])
def test_failure_is_told_and_not_kept(tmp_path, body):
    status, out, err = step(tmp_path, body)
    assert status and not out
    assert 'lmf: building thing failed' in err.splitlines()[-1]
    assert 'type the same command' in err.splitlines()[-1]
    assert not (tmp_path / 'thing-0123456789abcdef').exists()
    assert step(tmp_path, 'echo now >"$OUT/result"')[:2] == (0, 'now\n')


def test_interrupted_build_is_not_trusted(tmp_path):
    process = step(tmp_path, 'echo half >"$OUT/result"; '
                   f'touch {tmp_path}/begun; read -r < <(sleep 60)',
                   wait=False)
    while not (tmp_path / 'begun').exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert step(tmp_path, 'echo whole >"$OUT/result"')[:2] == (0, 'whole\n')
    assert not list(tmp_path.glob('thing-*.partial'))


def test_full_disk(tmp_path):
    script = (f'busybox mount -t tmpfs -o size=512k tmpfs {tmp_path}; '
              f'. {STEPS}/lib.sh; cached thing 0123456789abcdef 100 1s true')
    result = subprocess.run(
        ['unshare', '--mount', '--propagation', 'unchanged',
         'bash', '-c', script, STEPS + '/x.sh'],
        env={**os.environ, 'LMF_CACHE': str(tmp_path)}, text=True,
        capture_output=True, check=False)
    assert result.returncode
    assert len(result.stderr.splitlines()) == 1
    assert 'needs 100' in result.stderr and 'LMF_CACHE' in result.stderr


def test_cache_that_cannot_be_written():
    status, _, err = step('/proc/nowhere', 'true')
    assert status
    assert err.splitlines()[-1].startswith('lmf: cannot write to /proc')


def test_without_root():
    # The checkout itself may be where nobody else can read it.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = folder + '/tests/vm/build'
        shutil.copytree(STEPS, copy)
        result = subprocess.run(
            ['setpriv', '--reuid=65534', '--clear-groups', 'env', '-u',
             'LMF_IN_ROOT', f'LMF_CACHE={folder}/cache', 'bash',
             copy + '/root.sh'], text=True, capture_output=True, check=False)
    assert result.returncode
    assert result.stderr == \
        'lmf: needs root for its chroot: type the same with sudo\n'
