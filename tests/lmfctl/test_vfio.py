# SPDX-License-Identifier: GPL-2.0-only
"""A VFIO device that cannot be opened, or moved, and what is said of it."""
import errno
import os
import signal
import subprocess

import pytest

from conftest import HERE, TOP
from host import typical

FORCED = ('probe', '-f', '01:10.0')
SECOND = 'lmfctl: 0000:01:10.2: may be unreadable now: unbind it, which ' \
    'scrubs it\n'


@pytest.fixture(name='played', scope='session')
def fixture_played():
    library = TOP + '/build/played.so'
    os.makedirs(TOP + '/build', exist_ok=True)
    subprocess.run(['gcc', '-shared', '-fPIC', '-Wall', '-Werror', '-o',
                    library, HERE + '/played.c'], check=True)
    return {'LD_PRELOAD': library,
            'ASAN_OPTIONS': 'verify_asan_link_order=0'}


@pytest.fixture(name='vfio')
def fixture_vfio(host, played):
    """A host whose VFIO is played, with nodes for both ways to a device."""
    typical(host)
    host.env.update(played)
    for node in ('/dev/iommu', '/dev/vfio/devices/vfio0',
                 '/dev/vfio/devices/vfio1'):
        host.put(node)
    return host


def says(host, *args, **env):
    host.env.update({name.upper(): str(value) for name, value in env.items()})
    status, out, err = host.run(*args)
    assert (status, out) == (1, '')
    return err


@pytest.mark.parametrize('error, words', [
    (errno.EINVAL, 'in use by another process: end that first'),
    (errno.EBUSY, 'in use by another process: end that first'),
    (errno.EPERM, 'another function of its IOMMU group 11 is in use'),
    (errno.ENOMEM, 'cannot be opened: Cannot allocate memory')])
def test_refused_by_its_node(vfio, error, words):
    err = says(vfio, *FORCED, played_bind=error)
    assert err.startswith('lmfctl: 0000:01:10.0: ' + words)
    assert err.count('\n') == 1


@pytest.mark.parametrize('env, words', [
    ({}, 'a function of its IOMMU group 11 has a driver of the host'),
    ({'played_viable': 1, 'played_bind': errno.EBUSY}, 'in use by another')])
def test_refused_by_its_group(vfio, env, words):
    vfio.unlink('/dev/iommu')
    for node in ('vfio', '11'):
        vfio.put('/dev/vfio/' + node)
    err = says(vfio, *FORCED, **env)
    assert err.startswith('lmfctl: 0000:01:10.0: ' + words)


def test_kernel_without_any_node(vfio):
    vfio.unlink('/dev/iommu')
    assert 'the kernel needs CONFIG_VFIO_DEVICE_CDEV' in says(vfio, *FORCED)


def move(vfio, tmp_path, **env):
    """Its errors, and the file that it was to save."""
    saved = tmp_path / 'saved'
    err = says(vfio, 'move', '-f', '--save', str(saved), '01:10.0', '01:10.2',
               **{'played_stream': '/etc/passwd', 'played_sink': '/dev/null',
                  **env})
    return err, saved


@pytest.mark.parametrize('env, words', [
    ({'played_stream': '/'}, '0000:01:10.0: cannot be read: Is a directory'),
    ({'played_sink': '/dev/full'},
     '0000:01:10.2: refuses the state of 0000:01:10.0: No space left')])
def test_move_that_breaks_off(vfio, tmp_path, env, words):
    """A part of a stream is none, and its destination may be half loaded."""
    err, saved = move(vfio, tmp_path, **env)
    assert err.startswith('lmfctl: ' + words) and err.endswith(SECOND)
    assert not saved.exists()


def test_move_that_is_refused_at_its_end(vfio, tmp_path):
    err, saved = move(vfio, tmp_path, played_stop=errno.EBADMSG)
    assert 'does not go to STOP' in err and err.endswith(SECOND)
    with open('/etc/passwd', 'rb') as file:
        assert saved.read_bytes() == file.read()


def test_move_over_a_file(vfio, tmp_path):
    (tmp_path / 'saved').write_text('old')
    err, saved = move(vfio, tmp_path)
    assert err == f'lmfctl: {saved}: File exists\n'
    assert saved.read_text() == 'old'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGHUP])
def test_move_that_is_interrupted(vfio, tmp_path, number):
    """It waits for its source, which gives nothing more."""
    ends = [tmp_path / 'stream', tmp_path / 'sink']
    for end in ends:
        os.mkfifo(end)
    vfio.env.update({'PLAYED_STREAM': str(ends[0]),
                     'PLAYED_SINK': str(ends[1])})
    process = vfio.start('move', '-f', '--save', str(tmp_path / 'saved'),
                         '01:10.0', '01:10.2')
    with open(ends[0], 'wb', 0) as stream, open(ends[1], 'rb', 0) as sink:
        stream.write(b'x')
        assert sink.read(1) == b'x'
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == 'lmfctl: 0000:01:10.0: interrupted\n' + SECOND
    assert not (tmp_path / 'saved').exists()
