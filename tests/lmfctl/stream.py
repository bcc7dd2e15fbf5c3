# SPDX-License-Identifier: GPL-2.0-only
"""Migration streams, made from include/uapi/linux/lmf_stream.h by hand."""
import struct

HEAD, STATE, END = 1, 2, 3
OPTIONAL = 1
MAGIC = 0x004d525453464d4c


def crc32c(data, crc=0xffffffff):
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc


def record(kind, seq, payload, flags=0, length=None, reserved=0, crc=None):
    head = struct.pack('<HHIQI', kind, flags,
                       len(payload) if length is None else length, seq,
                       reserved)
    good = crc32c(head + payload) ^ 0xffffffff
    return head + struct.pack('<I', good if crc is None else crc) + payload


def head(major=1, minor=0, chunk_max=4096, magic=MAGIC, reserved=0, more=b'',
         **options):
    payload = struct.pack('<QHHIQ', magic, major, minor, chunk_max, reserved)
    return record(HEAD, 0, payload + more, **options)


def end(seq, chunks, number, more=b'', **options):
    return record(END, seq, struct.pack('<QQ', chunks, number) + more,
                  **options)


def stream(*chunks, **options):
    """A whole one."""
    out = head(**options)
    for seq, chunk in enumerate(chunks, 1):
        out += record(STATE, seq, chunk)
    return out + end(len(chunks) + 1, len(chunks), sum(map(len, chunks)))
