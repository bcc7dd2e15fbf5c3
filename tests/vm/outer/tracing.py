# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel traces, in the order in which it happened."""
import contextlib
import re

import host

TRACING = '/sys/kernel/tracing/'
# The driver has a word for each chunk that came, and none for one that it asks
# for or puts in front of its reader. But these are calls: one of the PF driver,
# which returns a pointer or an error once the device was told, and one that
# makes the record's header.
PROBES = ('r:lmf/asked lmf:lmf_vf_save_read ret=$retval:s64',
          'p:lmf/put lmf_vfio_pci:lmf_stream_put_state')
CAME = 'events/lmf_vfio/lmf_vfio_save_chunk/'
EVENT = re.compile(r': asked: .* ret=(\S+)$|'
                   r': (put): |'
                   r': lmf_vfio_save_chunk: .*: (\d+) bytes( empty)?', re.M)


def failed(ret):
    return -4096 < int(ret) < 0


def chunks():
    """'asked' and 'put', or of a chunk that came its bytes and whether it left
    nothing unsent.
    """
    text = host.read(TRACING + 'trace')
    written = re.search(r'entries-in-buffer/entries-written: (\d+)/(\d+)', text)
    if written[1] != written[2]:
        raise RuntimeError(f'of {written[2]} events only {written[1]} are left')
    return [put or ((int(length), bool(empty)) if length else 'asked')
            for ret, put, length, empty in EVENT.findall(text)
            if not (ret and failed(ret))]


@contextlib.contextmanager
def saving():
    """A list, which gets chunks() at the end. The clock is one count for all
    processors.
    """
    host.write(TRACING + 'trace_clock', 'counter')
    host.write(TRACING + 'buffer_size_kb', 4096)
    host.write(TRACING + 'trace', '')
    host.write(TRACING + 'kprobe_events', '\n'.join(PROBES))
    events = TRACING + 'events/lmf/enable', TRACING + CAME + 'enable'
    found = []
    try:
        for enable in events:
            host.write(enable, 1)
        yield found
    finally:
        for enable in events:
            host.write(enable, 0)
        found += chunks()
        # What was traced goes with the probe.
        host.write(TRACING + 'kprobe_events', '')
