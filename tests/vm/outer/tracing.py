# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel traces, in the order in which it happened."""
import contextlib
import re

import host

TRACING = '/sys/kernel/tracing/'
# The driver has a word for each chunk that came, and none for one that it asks
# for. But that is one call of the PF driver, which returns a pointer or an
# error once the device was told.
ASKED = 'r:lmf/asked lmf:lmf_vf_save_read ret=$retval:s64'
CAME = 'events/lmf_vfio/lmf_vfio_save_chunk/'
EVENT = re.compile(r': asked: .* ret=(\S+)$|'
                   r': lmf_vfio_save_chunk: \S+ before record (\d+): (\d+) b',
                   re.M)


def failed(ret):
    return -4096 < int(ret) < 0


def chunks():
    """None for each chunk that was asked for; for each that came, before which
    record of the stream, and its bytes.
    """
    text = host.read(TRACING + 'trace')
    written = re.search(r'entries-in-buffer/entries-written: (\d+)/(\d+)', text)
    if written[1] != written[2]:
        raise RuntimeError(f'of {written[2]} events only {written[1]} are left')
    return [(int(record), int(length)) if record else None
            for ret, record, length in EVENT.findall(text)
            if record or not failed(ret)]


@contextlib.contextmanager
def saving():
    """A list, which gets chunks() at the end. The clock is one count for all
    processors.
    """
    host.write(TRACING + 'trace_clock', 'counter')
    host.write(TRACING + 'buffer_size_kb', 4096)
    host.write(TRACING + 'trace', '')
    host.write(TRACING + 'kprobe_events', ASKED)
    events = TRACING + 'events/lmf/asked/enable', TRACING + CAME + 'enable'
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
