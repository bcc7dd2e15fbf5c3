# SPDX-License-Identifier: GPL-2.0-only
"""An LMF device as its drivers see it: PF, admin queue, VFs and their queues.

Nothing here asserts what the device should do, except that it answers.
"""
import json
import struct
from collections import namedtuple

import contract as c
from qtest import (COMMAND_MASTER, COMMAND_MEM, EXT_CAP_SRIOV, Function,
                   Machine, Msix)

VfCqe = namedtuple("VfCqe", "result cid sq_head status queue phase")
AdminCqe = namedtuple("AdminCqe", "tag status flags bytes detail value "
                      "sq_head data")
VfInfo = namedtuple("VfInfo", "version log_formats caps media_bytes state_max "
                    "trailer_max chunk_min chunk_max log_ring_max "
                    "log_ranges_max log_shift_min log_shift_max resets "
                    "session state")
LogEntry = namedtuple("LogEntry", "iova granules flags phase")
Event = namedtuple("Event", "type vf arg phase")
SRIOV_CTRL, SRIOV_NUM, SRIOV_BAR = 0x08, 0x10, 0x24
VFE, MSE = 1, 8
BUS, DEVFN, VF_OFFSET, VF_STRIDE = 1, 0, 0x80, 2
RING = 32


def sge(addr, length):
    return struct.pack("<QII", addr, length, 0)


class Lmf:
    """A machine with one LMF device; @options are its properties."""

    def __init__(self, *args, **options):
        props = "".join(f",{k.replace('_', '-')}={v}"
                        for k, v in options.items())
        self.machine = Machine(
            *args, "-device", "lmf,id=lmf,bus=root,addr=0" + props)
        self.pf = Function(self.machine, BUS, DEVFN)
        self.sriov = self.pf.ext_caps()[EXT_CAP_SRIOV]
        self.open()

    def open(self):
        self.bar, _ = self.pf.place_bar(0x10)
        self.msix_bar, _ = self.pf.place_bar(0x18)
        self.pf.command(COMMAND_MEM | COMMAND_MASTER)

    def close(self):
        self.machine.close()

    def enable_vfs(self, count):
        """The VFs, with BARs and bus mastering."""
        base = [self._place_vf_bar(n, count) for n in (0, 2)]
        self.pf.write16(self.sriov + SRIOV_NUM, count)
        self.pf.write16(self.sriov + SRIOV_CTRL, VFE | MSE)
        return [Vf(self, n, *(addr + n * size for addr, size in base))
                for n in range(count)]

    def _place_vf_bar(self, index, count):
        return self.pf.place_bar(self.sriov + SRIOV_BAR + 4 * index, count)

    def reg32(self, reg, value=None):
        if value is None:
            return self.machine.read32(self.bar + reg)
        return self.machine.write32(self.bar + reg, value)

    def reg64(self, reg, value=None):
        if value is None:
            return self.machine.read64(self.bar + reg)
        return self.machine.write64(self.bar + reg, value)

    def stats(self):
        return json.loads(self.machine.qmp(
            "qom-get", path="/machine/peripheral/lmf", property="stats"))

    def fault(self, spec):
        self.machine.qmp("qom-set", path="/machine/peripheral/lmf",
                         property="fault", value=spec)


class Admin:
    """The admin queue and the event ring."""

    def __init__(self, lmf):
        self.lmf, self.machine = lmf, lmf.machine
        self.asq, self.acq, self.aeq = (self.machine.alloc() for _ in "abc")
        self.tail = self.head = self.event_head = 0
        self.tags = 0x1000
        for reg, page in ((c.LMF_PF_ASQ_BASE, self.asq),
                          (c.LMF_PF_ACQ_BASE, self.acq),
                          (c.LMF_PF_AEQ_BASE, self.aeq)):
            lmf.reg64(reg, page)
        lmf.reg32(c.LMF_PF_AQ_ENTRIES, RING)
        lmf.reg32(c.LMF_PF_AEQ_ENTRIES, RING)
        lmf.reg32(c.LMF_PF_CTRL, c.LMF_PF_CTRL_ENABLE)
        self.machine.step_until(lambda: lmf.reg32(c.LMF_PF_STATUS))

    def submit(self, opcode, vf=0, session=0, param=0, buf=0, size=0):
        self.tags += 1
        command = struct.pack("<HHIQIHHQ", opcode, vf, self.tags, session,
                              param, 1 if size else 0, 0, 0)
        command += sge(buf, size) + bytes(16)
        self.machine.write(self.asq + 64 * (self.tail % RING), command)
        self.tail += 1
        self.lmf.reg32(c.LMF_PF_ASQ_TAIL, self.tail % RING)
        return self.tags

    def completion(self):
        """The next completion, or None."""
        raw = self.machine.read(self.acq + 64 * (self.head % RING), 64)
        tag, status, flags, size, detail, *rest = struct.unpack(
            "<IHHII4QQHHI", raw)
        if rest[-1] & 1 != (self.head // RING & 1) ^ 1:
            return None
        self.head += 1
        self.lmf.reg32(c.LMF_PF_ACQ_HEAD, self.head % RING)
        return AdminCqe(tag, status, flags, size, detail, rest[:4], rest[5],
                        None)

    def call(self, opcode, vf=0, data=None, room=0, expect=0, **fields):
        """One command: @data goes to the device, or @room bytes come back."""
        size = len(data) if data else room
        buf = self.machine.alloc(size) if size else 0
        if data:
            for at in range(0, size, 0x8000):
                self.machine.write(buf + at, data[at:at + 0x8000])
        tag = self.submit(opcode, vf, buf=buf, size=size, **fields)
        cqe = self.machine.step_until(self.completion)
        assert (cqe.tag, cqe.status) == (tag, expect), cqe
        if room and cqe.bytes:
            cqe = cqe._replace(data=self.machine.read(buf, cqe.bytes))
        return cqe

    def event(self):
        raw = self.machine.read(self.aeq + 16 * (self.event_head % RING), 16)
        kind, vf, arg, _, phase = struct.unpack("<HHIII", raw)
        if phase & 1 != (self.event_head // RING & 1) ^ 1:
            return None
        self.event_head += 1
        self.lmf.reg32(c.LMF_PF_AEQ_HEAD, self.event_head % RING)
        return Event(kind, vf, arg, phase)

    def info(self, vf=0):
        raw = self.call(c.LMF_OP_VF_INFO, vf, room=128).data
        fields = list(struct.unpack("<IIQQQIIIIIBBHQQI", raw[:76]))
        del fields[12]
        return VfInfo(*fields)

    def quiesce(self, vf, level):
        self.call(c.LMF_OP_QUIESCE, vf, param=level)

    def save(self, vf, final=True):
        """The whole state of a VF, as a list of chunks."""
        room = self.info(vf).chunk_min
        session = self.call(c.LMF_OP_SAVE_BEGIN, vf).value[0]
        param = c.LMF_SAVE_FINAL if final else 0
        last = c.LMF_SAVE_ENDED if final else c.LMF_SAVE_EMPTY
        chunks, flags = [], 0
        while not flags & last:
            cqe = self.call(c.LMF_OP_SAVE_READ, vf, room=room, param=param,
                            session=session)
            flags = cqe.flags
            if cqe.bytes:
                chunks.append(cqe.data)
        self.call(c.LMF_OP_SAVE_END, vf, session=session)
        return chunks

    def load(self, vf, chunks, expect=0):
        session = self.call(c.LMF_OP_LOAD_BEGIN, vf).value[0]
        for chunk in chunks:
            self.call(c.LMF_OP_LOAD_WRITE, vf, data=chunk, session=session)
        self.call(c.LMF_OP_LOAD_END, vf, session=session,
                  param=c.LMF_LOAD_COMMIT, expect=expect)


class Log:
    """A RING log of one VF over the whole of guest memory."""

    def __init__(self, admin, vf, entries=64, threshold=32, last=0xfffffff):
        self.admin, self.vf, self.entries = admin, vf, entries
        self.machine = admin.machine
        self.ring = self.machine.alloc(entries * 16)
        self.seen = 0
        admin.call(c.LMF_OP_LOG_START, vf, data=struct.pack(
            "<BBHIII16xQQ", c.LMF_LOG_RING, 12, 1, 1, entries, threshold,
            0, last) + sge(self.ring, entries * 16))

    def take(self):
        """Entries posted since the last call."""
        found = []
        while True:
            entry = self._entry(self.seen)
            if not entry:
                break
            found.append(entry)
            self.seen += 1
        self.admin.lmf.reg32(c.LMF_PF_LOG_HEAD(self.vf), self.seen)
        return found

    def _entry(self, n):
        entry = LogEntry(*struct.unpack("<QIHH", self.machine.read(
            self.ring + 16 * (n % self.entries), 16)))
        expected = (n // self.entries & 1) ^ 1
        return entry if entry.phase & 1 == expected else None

    def flush(self):
        """Pages written since the last call, and how many overflows."""
        pages, flags = set(), c.LMF_LOG_MORE
        while flags & c.LMF_LOG_MORE:
            cqe = self.admin.call(c.LMF_OP_LOG_FLUSH, self.vf)
            flags = cqe.flags
            for entry in self.take():
                first = entry.iova >> 12
                pages |= set(range(first, first + entry.granules))
        return pages, cqe.value[1]

    def stop(self):
        self.admin.call(c.LMF_OP_LOG_STOP, self.vf)


class Vf(Function):
    def __init__(self, lmf, number, bar, msix_bar):
        super().__init__(lmf.machine, BUS,
                         DEVFN + VF_OFFSET + VF_STRIDE * number)
        self.lmf, self.number = lmf, number
        self.bar, self.msix_bar = bar, msix_bar
        self.command(COMMAND_MEM | COMMAND_MASTER)

    def reg32(self, reg, value=None):
        if value is None:
            return self.machine.read32(self.bar + reg)
        return self.machine.write32(self.bar + reg, value)

    def reg64(self, reg, value=None):
        if value is None:
            return self.machine.read64(self.bar + reg)
        return self.machine.write64(self.bar + reg, value)

    def msix(self):
        return Msix(self, self.msix_bar)

    def queue(self, index=0, **setup):
        return Queue(self, index, **setup)


class Queue:
    """A queue pair. @iova maps a guest memory address to what the VF uses."""

    def __init__(self, vf, index, entries=16, irq=True, iova=lambda a: a):
        self.vf, self.machine, self.index = vf, vf.machine, index
        self.entries = entries
        self.sq, self.cq = self.machine.alloc(), self.machine.alloc()
        self.tail = self.head = 0
        vf.reg64(self.reg(c.LMF_VF_Q_SQ_BASE), iova(self.sq))
        vf.reg64(self.reg(c.LMF_VF_Q_CQ_BASE), iova(self.cq))
        vf.reg32(self.reg(c.LMF_VF_Q_ENTRIES), entries)
        vf.reg32(self.reg(c.LMF_VF_Q_VECTOR), index)
        vf.reg32(self.reg(c.LMF_VF_Q_CTRL), c.LMF_VF_QCTRL_ENABLE |
                 (c.LMF_VF_QCTRL_IRQ if irq else 0))

    def reg(self, reg):
        return c.LMF_VF_QUEUE(self.index) + reg

    def status(self):
        return self.vf.reg32(self.reg(c.LMF_VF_Q_STATUS))

    def submit(self, opcode, offset=0, length=0, addr=0, dst=0, nsge=1):
        cid = self.tail & 0xffff
        command = struct.pack("<BBHHHQIIQ", opcode, 0, cid,
                              nsge if length else 0, 0, offset, length, 0, dst)
        command += sge(addr, length if nsge == 1 else 16 * nsge) + bytes(16)
        self.machine.write(self.sq + 64 * (self.tail % self.entries), command)
        self.tail += 1
        self.vf.reg32(c.LMF_VF_SQ_TAIL(self.index), self.tail % self.entries)
        return cid

    def completion(self, consume=True):
        cqe = VfCqe(*struct.unpack("<IHHHHI", self.machine.read(
            self.cq + 16 * (self.head % self.entries), 16)))
        if cqe.phase & 1 != (self.head // self.entries & 1) ^ 1:
            return None
        if consume:
            self.head += 1
            self.vf.reg32(c.LMF_VF_CQ_HEAD(self.index),
                          self.head % self.entries)
        return cqe

    def call(self, opcode, expect=0, **fields):
        cid = self.submit(opcode, **fields)
        cqe = self.machine.step_until(self.completion)
        assert (cqe.cid, cqe.status) == (cid, expect), cqe
        return cqe

    def store(self, offset, data):
        """Write @data to the media."""
        buf = self.machine.alloc(len(data))
        self.machine.write(buf, data)
        self.call(c.LMF_VF_OP_WRITE, offset=offset, length=len(data), addr=buf)

    def fetch(self, offset, size):
        """Read the media: its bytes, and where the device put them."""
        buf = self.machine.alloc(size)
        self.call(c.LMF_VF_OP_READ, offset=offset, length=size, addr=buf)
        return self.machine.read(buf, size), buf
