# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU without a guest: memory, ports, the clock and PCI config space.

QEMU runs with -accel qtest, so no instruction is ever executed and the clock
stands still unless a test steps it: what the device does is deterministic.
Config space is reached by ECAM, because SR-IOV lies in the extended part.
"""
import json
import os
import re
import select
import socket
import struct
import subprocess
import tempfile

PATIENCE = 20  # seconds, for a QEMU that hangs
ECAM = 0xb0000000
MMIO = 0xe0000000
MMIO_LAST = 0xefffffff
COMMAND, COMMAND_MEM, COMMAND_MASTER = 4, 2, 4
CAP_EXP, CAP_MSIX = 0x10, 0x11
EXT_CAP_SRIOV = 0x10
EXP_DEVCTL, EXP_DEVCTL_FLR = 8, 0x8000


class Machine:
    def __init__(self, *args):
        ours, theirs = socket.socketpair()
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [os.environ["LMF_QEMU"], "-machine", "q35", "-accel", "qtest",
             "-nodefaults", "-display", "none", "-m", "256M",
             "-L", "/usr/share/seabios", "-L", "/usr/share/qemu",
             "-qtest", "stdio", "-qtest-log", "/dev/null",
             "-chardev", f"socket,id=qmp,fd={theirs.fileno()}",
             "-mon", "chardev=qmp,mode=control",
             "-device", "pcie-root-port,id=root,addr=2", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            pass_fds=[theirs.fileno()],
            env={**os.environ, "MALLOC_PERTURB_": "165"})
        theirs.close()
        self.monitor = ours
        self.monitor.settimeout(PATIENCE)
        self.events = []
        self.tolerated = "$^"  # lines on stderr that a test provokes
        self.replies = ours.makefile("r")
        self.next_page = 0x100000
        self.next_mmio = MMIO
        try:
            self._reply()
            self.qmp("qmp_capabilities")
            self.open_buses()
        except BaseException:
            self.kill()
            raise

    def open_buses(self):
        """What firmware would do: ECAM, and bus 1 behind the root port."""
        self.ask("outl 0xcf8 0x80000060")
        self.ask(f"outl 0xcfc {ECAM | 1:#x}")
        port = Function(self, 0, 2 << 3)
        port.write32(0x18, 0x00010100)
        port.write32(0x20, MMIO_LAST & 0xfff00000 | MMIO >> 16)
        port.write16(COMMAND, COMMAND_MEM | COMMAND_MASTER)

    def stderr(self):
        self.process.wait(PATIENCE)
        self.errors.seek(0)
        return self.errors.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        """QEMU must end in peace and have complained about nothing."""
        try:
            self.qmp("quit")
            text = [line for line in self.stderr().splitlines()
                    if not re.search(self.tolerated, line)]
            assert self.process.returncode == 0 and not text, text
        finally:
            self.kill()

    def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self._answer().decode().split()
        if answer[:1] != ["OK"]:
            raise RuntimeError(f"{line}: {answer or self.stderr()}")
        return answer[1] if len(answer) > 1 else None

    def _answer(self):
        stdout = self.process.stdout
        if not select.select([stdout], [], [], PATIENCE)[0]:
            raise TimeoutError("QEMU hangs")
        return stdout.readline()

    def _reply(self):
        try:
            line = self.replies.readline()
        except ConnectionError:
            line = None
        if not line:
            raise RuntimeError(self.stderr())
        return json.loads(line)

    def qmp(self, command, **arguments):
        self.send(command, **arguments)
        while True:
            reply = self._reply()
            if "error" in reply:
                raise QmpError(reply["error"]["desc"])
            if "return" in reply:
                return reply["return"]
            self.events.append(reply["event"])

    def send(self, command, **arguments):
        try:
            self.monitor.sendall(json.dumps(
                {"execute": command, "arguments": arguments}).encode())
        except ConnectionError:
            raise RuntimeError(self.stderr()) from None

    def wait_event(self, name):
        while name not in self.events:
            self.events.append(self._reply()["event"])
        self.events.remove(name)

    def eject(self, port, slot):
        """What a guest's ACPI code does after device_del."""
        bus = self.qmp("qom-get", path=f"/machine/peripheral/{port}/{port}",
                       property="acpi-pcihp-bsel")
        self.ask(f"outl 0xcd0 {bus}")
        self.ask(f"outl 0xcc8 {1 << slot}")

    def read32(self, addr):
        return int(self.ask(f"readl {addr:#x}"), 0)

    def write32(self, addr, value):
        self.ask(f"writel {addr:#x} {value:#x}")

    def read64(self, addr):
        return int(self.ask(f"readq {addr:#x}"), 0)

    def write64(self, addr, value):
        self.ask(f"writeq {addr:#x} {value:#x}")

    def read(self, addr, size):
        return bytes.fromhex(self.ask(f"read {addr:#x} {size:#x}")[2:])

    def write(self, addr, data):
        self.ask(f"write {addr:#x} {len(data):#x} 0x{data.hex()}")

    def step(self, ns=10000):
        self.ask(f"clock_step {ns}")

    def step_until(self, condition, ns=10_000_000):
        """Step the clock until @condition gives something, at most @ns."""
        for _ in range(ns // 10000):
            result = condition()
            if result:
                return result
            self.step()
        raise TimeoutError(f"nothing happened in {ns} ns")

    def alloc(self, size=4096):
        """Zeroed pages of guest memory that nothing else uses."""
        addr = self.next_page
        self.next_page += (size + 4095) & ~4095
        return addr

    def alloc_mmio(self, size):
        addr = (self.next_mmio + size - 1) & ~(size - 1)
        self.next_mmio = addr + size
        return addr


class QmpError(Exception):
    pass


class Function:
    """Config space and BARs of one PCI function."""

    def __init__(self, machine, bus, devfn):
        self.machine = machine
        self.bus, self.devfn = bus, devfn
        self.config = ECAM + (bus << 20) + (devfn << 12)

    def read32(self, reg):
        return self.machine.read32(self.config + reg)

    def read16(self, reg):
        return int(self.machine.ask(f"readw {self.config + reg:#x}"), 0)

    def read8(self, reg):
        return int(self.machine.ask(f"readb {self.config + reg:#x}"), 0)

    def write32(self, reg, value):
        self.machine.write32(self.config + reg, value)

    def write16(self, reg, value):
        self.machine.ask(f"writew {self.config + reg:#x} {value:#x}")

    def exists(self):
        """A VF has no vendor ID of its own, but it has a header."""
        return self.read32(8) != 0xffffffff

    def caps(self):
        found, reg = {}, self.read8(0x34)
        while reg:
            found[self.read8(reg)] = reg
            reg = self.read8(reg + 1)
        return found

    def ext_caps(self):
        found, reg = {}, 0x100
        while reg:
            header = self.read32(reg)
            found[header & 0xffff] = reg
            reg = header >> 20
        return found

    def command(self, bits):
        self.write16(COMMAND, bits)

    def size_bar(self, reg):
        self.write32(reg, 0xffffffff)
        return -(self.read32(reg) & ~0xf) & 0xffffffff

    def place_bar(self, reg, count=1):
        size = self.size_bar(reg)
        addr = self.machine.alloc_mmio(size * count)
        self.write32(reg, addr)
        return addr, size

    def flr(self):
        reg = self.caps()[CAP_EXP] + EXP_DEVCTL
        self.write16(reg, self.read16(reg) | EXP_DEVCTL_FLR)


class Msix:
    """MSI-X whose messages go to guest memory, where a test can see them."""

    def __init__(self, function, table):
        self.machine = function.machine
        self.cap = function.caps()[CAP_MSIX]
        self.vectors = (function.read16(self.cap + 2) & 0x7ff) + 1
        self.page = self.machine.alloc()
        for vector in range(self.vectors):
            self.machine.write(table + 16 * vector, struct.pack(
                "<QII", self.page + 4 * vector, 0xb0b0 + vector, 0))
        function.write16(self.cap + 2, 0x8000)

    def fired(self, vector):
        """Whether a message came since the last call."""
        slot = self.page + 4 * vector
        value = self.machine.read32(slot)
        self.machine.write32(slot, 0)
        return value == 0xb0b0 + vector
