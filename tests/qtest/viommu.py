# SPDX-License-Identifier: GPL-2.0-only
"""The smallest driver of QEMU's intel-iommu: legacy mode, 2 MiB a function."""
import struct

BASE = 0xfed90000
GCMD, GSTS, RTADDR = 0x18, 0x1c, 0x20
SRTP, TE = 1 << 30, 1 << 31
PRESENT, RW, AW_39BIT = 1, 3, 1
ARGS = ("-device", "intel-iommu,intremap=off,caching-mode=on")


class Viommu:
    def __init__(self, machine, bus):
        self.machine = machine
        self.domains = 0
        root, self.context = machine.alloc(), machine.alloc()
        machine.write64(root + 16 * bus, self.context | PRESENT)
        machine.write64(BASE + RTADDR, root)
        for bit in (SRTP, TE):
            machine.write32(BASE + GCMD, bit)
            assert machine.read32(BASE + GSTS) & bit

    def attach(self, function, pages):
        """Let @function reach @pages, {iova: address}, and nothing else."""
        level3, level2, level1 = (self.machine.alloc() for _ in range(3))
        self.domains += 1
        for iova, addr in pages.items():
            self.machine.write64(level1 + (iova >> 12) * 8, addr | RW)
        self.machine.write64(level2, level1 | RW)
        self.machine.write64(level3, level2 | RW)
        self.machine.write(self.context + 16 * function.devfn, struct.pack(
            "<QQ", level3 | PRESENT, self.domains << 8 | AW_39BIT))
