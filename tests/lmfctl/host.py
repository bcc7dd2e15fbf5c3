# SPDX-License-Identifier: GPL-2.0-only
"""A host that is only files: sysfs, /proc and a dump of config space.

Where lmfctl writes and the kernel would act, a FIFO stands instead of a file,
and a thread plays the kernel.
"""
import os
import select
import subprocess
import threading

PCI = '/sys/bus/pci/'
DEVICES = PCI + 'devices/'
COUNTERS = {
    'state': 'RUNNING', 'log_offered': 'yes', 'log_format': 'off',
    'initial_bytes': 0,
    'dirty_bytes': 0, 'trailer_bytes': 0, 'data_size': 0,
    'bytes_saved_precopy': 0,
    'bytes_saved_stop_copy': 0, 'bytes_loaded': 0, 'chunks': 0,
    'chunk_bytes': 0, 'chunk_time_ns': 0, 'read_wait_time_ns': 0,
    'resets': 1,
    'resets_unexpected': 0, 'last_error': 0, 'pre_copy_start_ns': 0,
    'pre_copy_read_time_ns': 0,
    'p2p_start_ns': 0, 'p2p_done_ns': 0, 'stop_start_ns': 0,
    'stop_done_ns': 0, 'stop_copy_start_ns': 0, 'stop_copy_last_byte_ns': 0,
    'stop_copy_read_time_ns': 0,
    'resuming_start_ns': 0, 'load_first_byte_ns': 0, 'load_done_ns': 0,
    'running_ns': 0, 'last_report_start_ns': 0, 'last_report_done_ns': 0,
    'stopped_report_time_ns': 0, 'reports': 0, 'pages_reported': 0,
    'log_entries': 0, 'log_drains': 0, 'log_overflows': 0,
    'log_saturations': 0}


def config_space(vendor, device, kind, header, flr, vectors):
    """256 bytes, with a PCI Express and an MSI-X capability."""
    space = bytearray(256)
    space[0:4] = vendor.to_bytes(2, 'little') + device.to_bytes(2, 'little')
    space[6] = 0x10
    space[10:12] = kind.to_bytes(2, 'little')
    space[14] = header
    space[0x34] = 0x40
    space[0x40:0x44] = bytes([0x10, 0x80, 2, 0])
    space[0x47] = 0x10 if flr else 0
    space[0x80:0x84] = bytes([0x11, 0, vectors - 1, 0])
    return space


class Host:
    def __init__(self, root, binary):
        self.root = str(root)
        self.binary = binary
        self.dump = self.root + '/dump'
        self.env = {}
        self.threads = []
        self.stop = os.pipe()
        for folder in (DEVICES, PCI + 'drivers', '/proc', '/dev'):
            os.makedirs(self.root + folder, exist_ok=True)
        self.put(PCI + 'drivers_probe', '')
        open(self.dump, 'w').close()

    def put(self, path, text=''):
        path = self.root + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as file:
            file.write(f'{text}\n')

    def get(self, path):
        with open(self.root + path) as file:
            return file.readline().strip()

    def link(self, path, target):
        path = self.root + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink(target, path)

    def unlink(self, path):
        os.unlink(self.root + path)

    def driver(self, name):
        self.put(PCI + f'drivers/{name}/unbind')

    def function(self, bdf, device=0x4c56, vendor=0x1234, kind=0x0180,
                 header=0, flr=True, vectors=5, driver='', group=None):
        space = config_space(vendor, device, kind, header, flr, vectors)
        with open(self.dump, 'a') as file:
            file.write(f'{bdf} Device\n')
            for at in range(0, len(space), 16):
                line = ' '.join(f'{b:02x}' for b in space[at:at + 16])
                file.write(f'{at:02x}: {line}\n')
            file.write('\n')
        self.put(DEVICES + bdf + '/driver_override', '(null)')
        if driver:
            self.driver(driver)
            self.bound(bdf, driver)
        if group is not None:
            self.link(DEVICES + bdf + '/iommu_group',
                      f'../../../../kernel/iommu_groups/{group}')

    def bound(self, bdf, driver):
        """What the kernel shows of a function that is bound."""
        if driver:
            self.link(DEVICES + bdf + '/driver', f'../../drivers/{driver}')
        else:
            self.unlink(DEVICES + bdf + '/driver')

    def vfio(self, bdf, name='vfio0'):
        os.makedirs(f'{self.root}{DEVICES}{bdf}/vfio-dev/{name}',
                    exist_ok=True)

    def pf(self, bdf, total, vfs):
        self.put(DEVICES + bdf + '/sriov_totalvfs', total)
        self.put(DEVICES + bdf + '/sriov_numvfs', len(vfs))
        for index, vf in enumerate(vfs):
            self.link(DEVICES + f'{bdf}/virtfn{index}', '../' + vf)
            self.link(DEVICES + f'{vf}/physfn', '../' + bdf)

    def counters(self, bdf, **values):
        folder = DEVICES + bdf + '/migration/'
        for name, value in {**COUNTERS, **values}.items():
            self.put(folder + name, value)

    def process(self, pid, name, *files):
        self.put(f'/proc/{pid}/comm', name)
        for fd, file in enumerate(files):
            self.link(f'/proc/{pid}/fd/{fd}', file)

    def kernel(self, path, act):
        """Call `act` with what is written to a file."""
        full = self.root + path
        if os.path.exists(full):
            os.unlink(full)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        os.mkfifo(full)
        fd = os.open(full, os.O_RDWR)
        thread = threading.Thread(target=self._serve, args=(fd, act))
        self.threads.append(thread)
        thread.start()

    def _serve(self, fd, act):
        while True:
            ready, _, _ = select.select([fd, self.stop[0]], [], [])
            if fd not in ready:
                os.close(fd)
                return
            text = os.read(fd, 4096).decode().strip()
            if text:
                act(text)

    def close(self):
        """All that was written has been seen afterwards."""
        if self.threads:
            os.write(self.stop[1], b'x')
        for thread in self.threads:
            thread.join()
        self.threads = []

    def start(self, *args, **options):
        env = {**os.environ, 'LMFCTL_ROOT': self.root,
               'LMFCTL_PCI_DUMP': self.dump, **self.env}
        return subprocess.Popen(
            [self.binary, *args], env=env, text=True,
            **{'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE,
               'stderr': subprocess.PIPE, **options})

    def run(self, *args, **options):
        process = self.start(*args, **options)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


def typical(host):
    """A PF with three VFs, one of each kind, a disk and a bridge."""
    host.function('0000:00:01.0', 0x000c, 0x1b36, 0x0604, header=1, group=1)
    host.function('0000:00:02.0', 0x5845, 0x1b36, 0x0108, driver='nvme',
                  group=2)
    host.function('0000:01:00.0', 0x4c50, driver='lmf', group=10)
    vfs = [f'0000:01:10.{n}' for n in (0, 2, 4)]
    host.function(vfs[0], driver='lmf_vfio_pci', group=11)
    host.function(vfs[1], driver='vfio-pci', group=12)
    host.function(vfs[2], group=13, flr=False)
    host.pf('0000:01:00.0', 8, vfs)
    host.vfio(vfs[0], 'vfio0')
    host.vfio(vfs[1], 'vfio1')
    host.counters(vfs[0])
    return vfs
