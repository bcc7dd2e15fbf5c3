#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""seeds.py FOLDER: streams for the fuzzer to begin with."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + '/../lmfctl')
from stream import OPTIONAL, STATE, end, head, record, stream  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def recorded(name):
    with open(f'{TOP}/tests/golden/{name}', 'rb') as file:
        return file.read()


SEEDS = {
    'recorded': recorded('stream-1.0.bin'),
    'whole': stream(b'identity', bytes(range(16)), b'x' * 256),
    'empty': stream(),
    'newer': head(minor=7, more=b'new') + record(9, 1, b'?', flags=OPTIONAL) +
    record(STATE, 2, b'abcd') + end(3, 1, 4, more=b'new'),
    'cut': stream(b'abcd')[:-7],
    'more': stream(b'abcd') + b'x',
}

os.makedirs(sys.argv[1], exist_ok=True)
for name, data in SEEDS.items():
    with open(f'{sys.argv[1]}/{name}', 'wb') as file:
        file.write(data)
