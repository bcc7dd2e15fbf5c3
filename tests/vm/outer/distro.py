# SPDX-License-Identifier: GPL-2.0-only
"""Debian's stock kernel, and our packages: what an operator finds there."""
import glob
import os
import subprocess

import host
from guest import Guest
from qmp import QmpError


def told(*command):
    """What it prints, if it succeeds."""
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


def settle():
    told('udevadm', 'settle')


def loaded():
    return [line.split()[0] for line in host.read('/proc/modules').splitlines()]


def booted():
    """Nobody has loaded a module of ours by name."""
    pf = host.physical_functions()[0]
    return {'loaded': loaded(), 'driver': host.driver(pf),
            'release': os.uname().release,
            'from': told('modinfo', '-F', 'filename', 'lmf_vfio_pci'),
            'log_node': glob.glob('/dev/iommu')}


def bound():
    """As the guide says, from nothing to a VF that lists as one that moves."""
    pf = host.physical_functions()[0]
    made = told('lmfctl', 'vfs', pf, '2')
    settle()
    vf = host.virtual_function(0)
    result = {'made': made, 'taken_by': host.driver(vf)}
    result['bind'] = told('lmfctl', 'bind', vf)
    result['driver'] = host.driver(vf)
    result['list'] = told('lmfctl', 'list', vf)
    result['offered'] = host.counters(vf)['log_offered']
    return result


def refused():
    """QEMU as it is by itself."""
    host.prepare()
    guest = Guest('refused', host.virtual_function(0))
    try:
        guest.console.wait_up()
        reasons = guest.migration().get('blocked-reasons')
        guest.qmp.cmd('migrate', uri='unix:/run/refused.migrate')
        return {'reasons': reasons, 'error': None}
    except QmpError as error:
        return {'reasons': reasons, 'error': str(error)}
    finally:
        guest.quit()
