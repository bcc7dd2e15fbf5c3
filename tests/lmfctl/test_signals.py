# SPDX-License-Identifier: GPL-2.0-only
"""Nothing is left half done, whenever its user loses patience."""
import os
import signal
import threading

import pytest

from host import DEVICES, PCI
from test_bind import PROBE, VF, bound_to, override, takes

SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]
SCRUB = DEVICES + '0000:01:00.0/scrub_vf'


def struck(host, path, act, number, *args):
    """Run it, with a signal that comes when it has written to `path`, before
    the kernel acts.
    """
    started = threading.Event()

    def strike(text):
        started.wait(60)
        process.send_signal(number)
        act(text)
    host.kernel(path, strike)
    process = host.start(*args)
    started.set()
    process.communicate(timeout=60)
    return process.returncode


@pytest.mark.parametrize('number', SIGNALS)
def test_bind_is_done(host, vfs, number):
    probe = takes(host, 'lmf_vfio_pci')
    assert struck(host, PROBE, probe, number, 'bind', VF) == -number
    assert bound_to(host, VF) == override(host, VF) == 'lmf_vfio_pci'


@pytest.mark.parametrize('number', SIGNALS)
def test_bind_is_undone(host, vfs, number):
    host.driver('lmf_vfio_pci')
    host.put(DEVICES + vfs[1] + '/driver_override', 'vfio-pci')
    probe = takes(host, 'vfio-pci')
    assert struck(host, PROBE, probe, number, 'bind', vfs[1]) == -number
    assert bound_to(host, vfs[1]) == override(host, vfs[1]) == 'vfio-pci'


def test_bind_is_undone_though_nobody_listens(host, vfs):
    host.driver('lmf_vfio_pci')
    host.put(DEVICES + vfs[1] + '/driver_override', 'vfio-pci')
    takes(host, 'vfio-pci')
    reader, writer = os.pipe()
    os.close(reader)
    process = host.start('bind', vfs[1], stderr=writer)
    os.close(writer)
    assert process.wait(60) == -signal.SIGPIPE
    assert bound_to(host, vfs[1]) == override(host, vfs[1]) == 'vfio-pci'


@pytest.mark.parametrize('number', SIGNALS)
def test_unbind_scrubs(host, vfs, number):
    scrubbed = []
    host.kernel(SCRUB, scrubbed.append)
    unbind = PCI + 'drivers/lmf_vfio_pci/unbind'
    assert struck(host, unbind, lambda bdf: host.bound(bdf, ''), number,
                  'unbind', vfs[0]) == -number
    host.close()
    assert (bound_to(host, vfs[0]), override(host, vfs[0])) == ('', '')
    assert scrubbed == ['0']
