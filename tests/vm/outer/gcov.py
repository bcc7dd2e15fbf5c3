# SPDX-License-Identifier: GPL-2.0-only
"""What of our modules this kernel has run."""
import base64
import os

import host
from tracing import TRACING

COUNTS = '/sys/kernel/debug/gcov'
ARC = TRACING + 'events/lmf_vfio/lmf_vfio_arc/enable'


def follow():
    """From now on, tell each arc."""
    host.write(TRACING + 'buffer_size_kb', 8192)
    host.write(ARC, 1)


def followed():
    """The arcs, as the trace has them. The modules may go then."""
    host.write(ARC, 0)
    return host.read(TRACING + 'trace')


def counts():
    """The .gcda of each object, by its path below the folder of our sources.
    The kernel keeps those of modules that are gone.
    """
    found = {}
    for path, _, names in os.walk(COUNTS):
        for name in names:
            if name.endswith('.gcda'):
                with open(f'{path}/{name}', 'rb') as file:
                    found[f'{path}/{name}'.partition('/tree/')[2]] = \
                        base64.b64encode(file.read()).decode()
    return found
