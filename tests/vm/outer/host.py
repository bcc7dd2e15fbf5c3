# SPDX-License-Identifier: GPL-2.0-only
"""What an operator does on the outer machine: VFs, binding, counters."""
import fcntl
import fnmatch
import glob
import os
import subprocess
import sys
import traceback

DEVICES = '/sys/bus/pci/devices/'
# Named after its module, as libvirt expects of what modules.alias gives.
DRIVER = 'lmf_vfio_pci'


def read(path):
    with open(path) as file:
        return file.read().strip()


def write(path, text):
    with open(path, 'w') as file:
        file.write(str(text))


def physical_functions():
    """Bus addresses of all LMF PFs, in order."""
    return sorted(f for f in os.listdir(DEVICES)
                  if read(DEVICES + f + '/vendor') == '0x1234' and
                  read(DEVICES + f + '/device') == '0x4c50')


def virtual_function(index, pf=0):
    link = DEVICES + physical_functions()[pf] + f'/virtfn{index}'
    return os.path.basename(os.readlink(link))


def driver(bdf):
    link = DEVICES + bdf + '/driver'
    return os.path.basename(os.readlink(link)) if os.path.exists(link) else None


def bind(bdf, name):
    """Bind by driver_override; an empty name unbinds."""
    if driver(bdf):
        write(DEVICES + bdf + '/driver/unbind', bdf)
    write(DEVICES + bdf + '/driver_override', name or '\n')
    if name:
        write('/sys/bus/pci/drivers_probe', bdf)
        if driver(bdf) != name:
            raise RuntimeError(f'{bdf}: {name} did not take it')


def set_vfs(count, pf=0):
    path = DEVICES + physical_functions()[pf] + '/sriov_numvfs'
    if int(read(path)) != count:
        write(path, 0)
        write(path, count)


def prepare(vfs=2):
    """Enable VFs on every PF and bind them all to our driver."""
    for pf in range(len(physical_functions())):
        set_vfs(vfs, pf)
        for index in range(vfs):
            bdf = virtual_function(index, pf)
            if driver(bdf) != DRIVER:
                bind(bdf, DRIVER)
    return {f: driver(f) for pf in range(len(physical_functions()))
            for f in [virtual_function(i, pf) for i in range(vfs)]}


def unload():
    """All that we have taken is given back: VFs, drivers."""
    for pf in range(len(physical_functions())):
        set_vfs(0, pf)
    loaded = [line.split()[0] for line in read('/proc/modules').splitlines()]
    for module in ('lmf_blk', 'lmf_vfio_pci', 'lmf'):
        if module in loaded:
            subprocess.run(['rmmod', module], check=True)


def counters(bdf):
    """The driver's own view, all values of the migration/ group. A VF that
    cannot migrate has none.
    """
    folder = DEVICES + bdf + '/migration/'
    result = {}
    if not os.path.exists(folder):
        return result
    for name in sorted(os.listdir(folder)):
        text = read(folder + name)
        result[name] = int(text) if text.lstrip('-').isdigit() else text
    return result


def choose_log_format(bdf, name):
    """Of logs that are started from now on."""
    with open(DEVICES + bdf + '/migration/log_format_choice', 'w') as file:
        file.write(name)


def command(bdf):
    """The command register in the function's config space."""
    with open(DEVICES + bdf + '/config', 'rb') as file:
        return int.from_bytes(file.read(6)[4:], 'little')


def finds_driver(bdf):
    """Does libvirt find our module by the alias that it looks for?"""
    aliases = subprocess.run(
        ['modinfo', '-F', 'alias', '/lmf/modules/lmf-vfio-pci.ko'],
        check=True, capture_output=True, text=True).stdout.split()
    modalias = 'vfio_' + read(DEVICES + bdf + '/modalias')
    return any(fnmatch.fnmatchcase(modalias, alias) for alias in aliases)


def kvm_works():
    """Not only that there is a /dev/kvm: that it makes a machine and a CPU."""
    kvm_create_vm, kvm_create_vcpu = 0xae01, 0xae41
    try:
        with open('/dev/kvm', 'rb+', buffering=0) as kvm:
            with os.fdopen(fcntl.ioctl(kvm, kvm_create_vm, 0)) as machine:
                os.close(fcntl.ioctl(machine, kvm_create_vcpu, 0))
        return True
    except OSError:
        return False


def log(text):
    """A mark in the kernel's log."""
    write('/dev/kmsg', f'lmf-bed: {text}')


def location(bdf):
    """The (VF index, PF index) of a VF."""
    for pf, function in enumerate(physical_functions()):
        for index in range(int(read(DEVICES + function + '/sriov_numvfs'))):
            if virtual_function(index, pf) == bdf:
                return index, pf
    raise RuntimeError(f'{bdf} is no VF of ours')


def leaks():
    """What kmemleak finds; the second scan clears up what was in motion."""
    path = '/sys/kernel/debug/kmemleak'
    write(path, 'scan')
    write(path, 'scan')
    return read(path)


def unreclaimable():
    """Memory of the kernel that nobody can have back, in KiB."""
    return next(int(line.split()[1]) for line in
                read('/proc/meminfo').splitlines()
                if line.startswith('SUnreclaim:'))


def stacks():
    """Where every thread of the agent and of each QEMU stands."""
    text = ''.join(''.join(traceback.format_stack(frame))
                   for frame in sys._current_frames().values())
    for task in glob.glob('/proc/[0-9]*/task/*'):
        try:
            if 'qemu' in os.path.basename(os.readlink(task + '/exe')):
                text += f"{task} {read(task + '/comm')}\n" \
                        f"{read(task + '/stack')}\n"
        except OSError:
            pass
    return text
