# SPDX-License-Identifier: GPL-2.0-only
"""decode: every record, and of everything that is wrong the first."""
import json
import os
import re
import subprocess

import pytest

from stream import (END, HEAD, OPTIONAL, STATE, end, head, record, stream)

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
CHUNKS = (b'identity', bytes(range(16)), b'x' * 4096)
TAIL = end(2, 1, 4)


def recorded():
    """The stream of version 1.0 that the driver's own tests keep."""
    with open(TOP + '/tests/kunit/stream_test.c') as file:
        body = re.search(r'golden\[\] = \{(.*?)\};', file.read(), re.S)[1]
    return bytes(int(x, 16) for x in re.findall(r'0x([0-9a-f]{2})', body))


def decode(binary, tmp_path, data, *options):
    path = tmp_path / 'stream'
    path.write_bytes(data)
    process = subprocess.run([binary, 'decode', *options, 'stream'],
                             cwd=tmp_path, capture_output=True, text=True,
                             timeout=60, check=False)
    return process.returncode, process.stdout, process.stderr


def test_recorded_stream(binary, tmp_path, golden):
    status, out, err = decode(binary, tmp_path, recorded())
    assert (status, err) == (0, '')
    golden('decode.txt', out)


def test_release(binary, tmp_path, golden):
    """What a driver has written with a device behind it."""
    with open(TOP + '/tests/golden/stream-1.0.bin', 'rb') as file:
        data = file.read()
    status, out, err = decode(binary, tmp_path, data)
    assert (status, err) == (0, '')
    golden('stream-1.0.txt', out)
    assert decode(binary, tmp_path, data[:-1])[0] == 1


def test_json(binary, tmp_path, golden):
    status, out, err = decode(binary, tmp_path, recorded(), '--json')
    assert (status, err) == (0, '')
    json.loads(out)
    golden('decode.json', out)


def test_standard_input(binary):
    process = subprocess.run([binary, 'decode', '-'], input=stream(*CHUNKS),
                             capture_output=True, check=False)
    assert process.returncode == 0
    assert process.stdout.count(b'STATE') == 3


def test_longer_than_one_read(binary, tmp_path):
    chunks = [bytes([n]) * 4096 for n in range(40)]
    status, out, _ = decode(binary, tmp_path, stream(*chunks), '--json')
    result = json.loads(out)['result']
    assert status == 0 and result['complete']
    assert (result['chunks'], result['bytes']) == (40, 40 * 4096)
    assert len(result['records']) == 42


def test_newer_minor_version(binary, tmp_path):
    data = head(minor=7, more=b'new') + \
        record(9, 1, b'what is this', flags=OPTIONAL) + \
        record(STATE, 2, b'abcd') + end(3, 1, 4, more=b'new')
    status, out, _ = decode(binary, tmp_path, data)
    assert status == 0
    assert 'version 1.7' in out and 'type 9, optional' in out


ONE = head() + record(STATE, 1, b'abcd')
BAD = {
    'empty': (b'', 'cut off before its END', 0),
    'text': (b'#!/bin/sh\nexec something else\n', 'record number', 0),
    'zeroes': (bytes(64), 'begins with type 0, not with a HEAD', 0),
    'magic': (head(magic=1), 'wrong magic', 0),
    'major': (head(major=2), 'version 2.0, only 1.x is known', 0),
    'head-long': (head(more=b'x'), 'longer than its version', 0),
    'head-reserved': (head(reserved=1), 'longer than its version', 0),
    'head-short': (record(HEAD, 0, b'x' * 23), 'with 23 bytes', 0),
    'chunk-max-0': (head(chunk_max=0), 'chunk_max is 0', 0),
    'chunk-max': (head(chunk_max=(16 << 20) + 1), 'chunk_max is 16777217', 0),
    'second-head': (head() + record(HEAD, 1, bytes(24)), 'a second HEAD', 48),
    'seq': (head() + record(STATE, 2, b'abcd'), 'number 2, expected 1', 48),
    'reserved': (head() + record(STATE, 1, b'abcd', reserved=1),
                 'reserved field', 48),
    'flags': (head() + record(STATE, 1, b'abcd', flags=OPTIONAL),
              'flags 0x1 in a record of type 2', 48),
    'flags-unknown': (head() + record(9, 1, b'', flags=2), 'flags 0x2', 48),
    'type': (head() + record(9, 1, b''), 'type 9 is not known', 48),
    'no-chunk': (head() + record(STATE, 1, b''), 'a chunk of 0 bytes', 48),
    'chunk': (head() + record(STATE, 1, b'x' * 4097),
              'a chunk of 4097 bytes, chunk_max is 4096', 48),
    'length': (head() + record(9, 1, b'', flags=OPTIONAL, length=0xffffffff),
               '4294967295 bytes of payload', 48),
    'crc': (ONE + record(STATE, 2, b'abcd', crc=5), 'CRC 0x00000005', 76),
    'end-long': (ONE + end(2, 1, 4, more=b'x'), 'END with 17 bytes', 76),
    'end-chunks': (ONE + end(2, 2, 4), 'tells of 2 chunks, 4 bytes; there '
                   'were 1, 4', 76),
    'end-bytes': (ONE + end(2, 1, 5), 'tells of 1 chunks, 5 bytes', 76),
    'no-end': (ONE, 'cut off before its END', 76),
    'cut-header': (ONE + TAIL[:10], 'cut off in the middle', 76),
    'cut-payload': (ONE + TAIL[:-1], 'cut off in the middle', 76),
    'more': (ONE + TAIL + b'x', 'more bytes behind the END', 116),
}


@pytest.mark.parametrize('name', BAD)
def test_first_error(binary, tmp_path, name):
    data, what, offset = BAD[name]
    status, out, err = decode(binary, tmp_path, data, '--json')
    result = json.loads(out)['result']
    assert status == 1 and not result['complete']
    assert what in result['error']['what']
    assert result['error']['offset'] == offset
    assert result['error']['seq'] == len(result['records'])
    assert err == (f"lmfctl: stream: record {result['error']['seq']} at byte "
                   f"{offset}: {result['error']['what']}\n")
    assert decode(binary, tmp_path, data)[0::2] == (1, err)


def test_every_cut_and_every_flipped_byte(binary, tmp_path):
    """None is taken for whole; not even by chance, as there is a CRC."""
    data = recorded()
    for at in range(len(data)):
        assert decode(binary, tmp_path, data[:at])[0] == 1
        flipped = data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1:]
        assert decode(binary, tmp_path, flipped)[0] == 1


def test_folder(binary, tmp_path):
    process = subprocess.run([binary, 'decode', '--json', tmp_path], text=True,
                             capture_output=True, check=False)
    result = json.loads(process.stdout)['result']
    assert process.returncode == 1
    assert result['error']['what'] == 'Is a directory'
    assert process.stderr.count('\n') == 1


def test_no_such_file(binary):
    process = subprocess.run([binary, 'decode', '/nonesuch'], text=True,
                             capture_output=True, check=False)
    assert process.returncode == 1
    assert process.stderr == ('lmfctl: /nonesuch: No such file or '
                              'directory\n')
