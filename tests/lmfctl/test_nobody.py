# SPDX-License-Identifier: GPL-2.0-only
"""Who is not root is told so in one line, and may look all the same."""
import functools
import os
import shutil
import tempfile

import pytest

from host import DEVICES, PCI, Host, typical
from test_bind import VF, refused

NOBODY = 65534
NEW = ('/dev/iommu', '/dev/vfio/devices/vfio1',
       DEVICES + '0000:01:00.0/scrub_vf')
OLD = (DEVICES + '0000:01:00.0/sriov_numvfs',
       DEVICES + VF + '/driver_override', PCI + 'drivers_probe',
       PCI + 'drivers/vfio-pci/unbind')


@pytest.fixture(name='nobody')
def fixture_nobody(binary):
    """A typical host, as its kernel shows it to nobody."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        host = Host(folder + '/host', shutil.copy(binary, folder))
        typical(host)
        host.driver('lmf_vfio_pci')
        for file in NEW:
            host.put(file)
            os.chmod(host.root + file, 0o600)
        for file in OLD:
            os.chmod(host.root + file, 0o644)
        host.run = functools.partial(host.run, user=NOBODY, group=NOBODY,
                                     extra_groups=[])
        yield host


@pytest.mark.parametrize('args', [
    ('bind', VF), ('unbind', '01:10.2'), ('scrub', VF), ('vfs', '01:00.0', '0'),
    ('probe', '-f', '01:10.2')], ids=lambda args: args[0])
def test_told_in_one_line(nobody, args):
    assert 'permission denied: run lmfctl as root' in refused(nobody, *args)


@pytest.mark.parametrize('args', [('list',), ('status',)])
def test_may_look(nobody, args):
    status, out, err = nobody.run(*args)
    assert (status, err) == (0, '')
    assert '01:10.0' in out
