# SPDX-License-Identifier: GPL-2.0-only
"""The build steps: what fails says so in one line, what is half is not used."""
import fcntl
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
    with open(f'{cache}.sh', 'w') as file:
        file.write(script)
    process = subprocess.Popen(
        ['bash', f'{cache}.sh'],
        env={**os.environ, 'LMF_CACHE': str(cache)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True)
    if not wait:
        return process
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def interrupted(cache, body):
    """Kill a step that has done that; returns what we saw mounted then."""
    process = step(cache, f'{body}; touch {cache}/begun; '
                   'read -r < <(sleep 60)', wait=False)
    while not (cache / 'begun').exists():
        assert process.poll() is None
        time.sleep(0.01)
    with open('/proc/self/mounts') as file:
        mounts = file.read()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return mounts


def test_builds_once(tmp_path):
    body = f'echo x >>{tmp_path}/count; echo built >"$OUT/result"'
    for _ in range(2):
        status, out, _ = step(tmp_path, body)
        assert (status, out) == (0, 'built\n')
    assert (tmp_path / 'count').read_text() == 'x\n'


def test_what_is_complete_waits_for_no_build(tmp_path):
    """Another checkout may be building the same thing otherwise."""
    assert step(tmp_path, 'echo built >"$OUT/result"')[0] == 0
    with open(tmp_path / 'thing.lock') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = step(tmp_path, 'false', wait=False)
        out, _ = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, 'built\n')


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
    interrupted(tmp_path, 'echo half >"$OUT/result"')
    assert step(tmp_path, 'echo whole >"$OUT/result"')[:2] == (0, 'whole\n')
    assert not list(tmp_path.glob('thing-*.partial'))


def test_interrupted_build_leaves_no_mount(tmp_path):
    """Else the next build would remove what is mounted there."""
    precious = tmp_path / 'precious'
    precious.mkdir()
    (precious / 'file').touch()
    mounts = interrupted(tmp_path, 'mkdir "$OUT/dir"; '
                         f'busybox mount -o bind {precious} "$OUT/dir"')
    assert str(tmp_path) not in mounts
    assert step(tmp_path, 'echo whole >"$OUT/result"')[:2] == (0, 'whole\n')
    assert (precious / 'file').exists()


def full_disk(cache, mib, body):
    """A step that needs 100 MiB, with its cache on a disk of `mib`."""
    script = (f'busybox mount -t tmpfs -o size={mib}m tmpfs {cache}; '
              f'. {STEPS}/lib.sh; build() {{ {body}; }}; '
              'cached thing 0123456789abcdef 100 1s build')
    return subprocess.run(
        ['unshare', '--mount', '--propagation', 'unchanged',
         'bash', '-c', script, STEPS + '/x.sh'],
        env={**os.environ, 'LMF_CACHE': str(cache)}, text=True,
        capture_output=True, check=False)


def test_full_disk(tmp_path):
    result = full_disk(tmp_path, 1, 'true')
    assert result.returncode
    assert len(result.stderr.splitlines()) == 1
    assert 'needs 100' in result.stderr and 'LMF_CACHE' in result.stderr


@pytest.mark.parametrize('body', [
    'dd if=/dev/zero of="$OUT/file" bs=1M',
    'echo "tar: file: Cannot write: No space left on device" >&2; false'])
def test_disk_that_becomes_full(tmp_path, body):
    """Nothing but that is said of it, not the end of a log."""
    result = full_disk(tmp_path, 110, body)
    assert result.returncode
    begun, told = result.stderr.splitlines()
    assert begun.startswith('lmf: building thing (')
    assert told.startswith('lmf: building thing failed: its disk is full: ')
    assert 'LMF_CACHE' in told


def in_place(folder, command):
    return subprocess.run(
        ['bash', '-c', f'. {STEPS}/lib.sh; in_place {folder}/tree '
         f'bash -c {command!r}', STEPS + '/x.sh'],
        env={**os.environ, 'LMF_CACHE': str(folder)}, text=True,
        capture_output=True, check=False)


def test_killed_compiler_is_not_trusted(tmp_path):
    """What lies there stays, but where somebody was killed in the middle."""
    (tmp_path / 'tree').mkdir()
    done = tmp_path / 'tree/a.o'
    done.touch()
    assert in_place(tmp_path, 'exit 3').returncode == 3
    assert in_place(tmp_path, 'true').returncode == 0 and done.exists()
    assert in_place(tmp_path, 'kill -9 $PPID').returncode == -signal.SIGKILL
    assert in_place(tmp_path, 'true').returncode == 0 and not done.exists()
    done.touch()
    assert in_place(tmp_path, 'true').returncode == 0 and done.exists()


def test_root_that_may_not_mount(tmp_path):
    """As in a container that was given nothing."""
    result = subprocess.run(
        ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin',
         'env', '-u', 'LMF_IN_ROOT', '-u', 'LMF_OWN_MOUNTS', 'bash',
         STEPS + '/root.sh'], env={**os.environ, 'LMF_CACHE': str(tmp_path)},
        text=True, capture_output=True, check=False)
    assert result.returncode
    assert result.stderr.startswith('lmf: may not mount here')
    assert len(result.stderr.splitlines()) == 1


def test_cache_that_cannot_be_written(tmp_path):
    (tmp_path / 'cache').touch()
    status, _, err = step(tmp_path / 'cache', 'true')
    assert status
    assert err.splitlines()[-1].startswith('lmf: cannot write to /')


def root_step(folder, *hidden, command=(), **fakes):
    """root.sh on a machine that lacks some programs and fakes others."""
    copy, tools = f'{folder}/tests/vm/build', f'{folder}/bin'
    shutil.copytree(STEPS, copy)
    os.mkdir(tools)
    for name in os.listdir('/usr/bin'):
        if name not in hidden and name not in fakes:
            os.symlink('/usr/bin/' + name, f'{tools}/{name}')
    for name, body in fakes.items():
        with open(f'{tools}/{name}', 'w') as file:
            file.write(f'#!/bin/sh\n{body}\n')
        os.chmod(f'{tools}/{name}', 0o755)
    return subprocess.run(
        [*command, '/usr/bin/env', '-u', 'LMF_IN_ROOT', 'PATH=' + tools,
         f'LMF_CACHE={folder}/cache', '/bin/bash', copy + '/root.sh'],
        text=True, capture_output=True, check=False)


@pytest.mark.parametrize('fakes, says', [
    ({'uname': 'echo riscv64'},
     'lmf: needs an x86_64 machine: this one is riscv64\n'),
    ({}, 'lmf: this is no Debian machine: install mmdebstrap and try again\n')],
    ids=['other-cpu', 'no-debian'])
def test_wrong_machine(tmp_path, fakes, says):
    result = root_step(tmp_path, 'mmdebstrap', 'apt-get', **fakes)
    assert result.returncode
    assert result.stderr == says


def test_failed_download(tmp_path):
    """apt knows a mirror, which does not answer."""
    result = root_step(
        tmp_path, **{'mmdebstrap': 'echo E: Failed to fetch it >&2; exit 100',
                     'apt-get': 'echo "Debian|http://mirror.invalid/debian"'})
    assert result.returncode and not result.stdout
    begun, told = result.stderr.splitlines()
    assert begun.startswith('lmf: building root (')
    assert told.startswith('lmf: building root failed: a download failed '
                           '(Failed to fetch it): is there a network?')
    assert told.endswith('type the same command to try again')
    assert not list((tmp_path / 'cache').glob('root-????????????????'))


def test_without_root():
    # The checkout itself may be where nobody else can read it.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        result = root_step(folder, command=(
            '/usr/bin/setpriv', '--reuid=65534', '--clear-groups'))
    assert result.returncode
    assert result.stderr == \
        'lmf: needs root for its chroot: type the same with sudo\n'
