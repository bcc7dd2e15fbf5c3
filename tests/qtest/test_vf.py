# SPDX-License-Identifier: GPL-2.0-only
"""A VF's queues: its DMA, interrupts and resets, as its guest sees them."""
import os

import contract as c
import pytest
from device import BUS, Admin, sge
from qtest import CAP_EXP, COMMAND_MASTER, COMMAND_MEM, EXP_DEVCTL, Function
from viommu import ARGS, Viommu

NOWHERE = 0x80000000  # neither RAM nor a device


@pytest.fixture
def vf(vfs):
    return vfs[0]


def test_nop_and_its_interrupt(vf):
    msix = vf.msix()
    queues = [vf.queue(0), vf.queue(3), vf.queue(1, irq=False)]
    for queue in queues:
        cqe = queue.call(c.LMF_VF_OP_NOP)
        assert (cqe.queue, cqe.sq_head, cqe.result) == (queue.index, 1, 0)
    assert [msix.fired(n) for n in range(4)] == [True, False, False, True]


def test_message_waits_for_msix(vf):
    msix = vf.msix()
    vf.write16(msix.cap + 2, 0)
    vf.queue().call(c.LMF_VF_OP_NOP)
    assert not msix.fired(0)
    vf.write16(msix.cap + 2, 0x8000)
    assert msix.fired(0)


def test_write_then_read(vf):
    queue, data = vf.queue(), os.urandom(5 * 4096 + 512)
    assert queue.fetch(512, 1024)[0] == bytes(1024)
    queue.store(0x1200, data)
    assert queue.fetch(0x1200, len(data))[0] == data
    queue.call(c.LMF_VF_OP_WRITE_ZEROES, offset=0x1400, length=512, nsge=0)
    assert queue.fetch(0x1400, 1024)[0] == bytes(512) + data[1024:1536]
    queue.call(c.LMF_VF_OP_FLUSH)


def test_vfs_have_media_of_their_own(vfs):
    first, second = (vf.queue() for vf in vfs)
    first.store(0, b"1" * 512)
    assert second.fetch(0, 512)[0] == bytes(512)


def test_copy(vf):
    machine, data = vf.machine, os.urandom(3000)
    src, dst = machine.alloc() + 100, machine.alloc() + 333
    machine.write(src, data)
    vf.queue().call(c.LMF_VF_OP_COPY, length=len(data), addr=src, dst=dst)
    assert machine.read(dst - 1, len(data) + 2) == b"\0" + data + b"\0"


def test_sge_list(vf):
    machine, queue, data = vf.machine, vf.queue(), os.urandom(1024)
    queue.store(0, data)
    pages = [machine.alloc() for _ in range(3)]
    sges = machine.alloc()
    machine.write(sges, sge(pages[0] + 4000, 96) + sge(pages[1] + 1, 900) +
                  sge(pages[2], 28))
    queue.call(c.LMF_VF_OP_READ, length=1024, addr=sges, nsge=3)
    assert (machine.read(pages[0] + 4000, 96) + machine.read(pages[1] + 1, 900)
            + machine.read(pages[2], 28)) == data


def test_ring_wraps(vf):
    queue = vf.queue(entries=4)
    for _ in range(11):
        queue.call(c.LMF_VF_OP_NOP)


def test_dma_to_nowhere_is_an_error_of_the_command(vf):
    queue = vf.queue()
    for op in c.LMF_VF_OP_READ, c.LMF_VF_OP_WRITE:
        queue.call(op, length=512, addr=NOWHERE, expect=c.LMF_VF_ST_DMA)
    queue.call(c.LMF_VF_OP_NOP)


def test_no_dma_without_bus_mastering(vf):
    msix, queue = vf.msix(), vf.queue()
    vf.command(COMMAND_MEM)
    queue.submit(c.LMF_VF_OP_NOP)
    vf.machine.step_until(lambda: queue.status() & c.LMF_VF_QSTATUS_ERROR)
    assert not msix.fired(0)
    vf.command(COMMAND_MEM | COMMAND_MASTER)
    vf.reg32(queue.reg(c.LMF_VF_Q_CTRL), 0)
    assert queue.status() & c.LMF_VF_QSTATUS_ENABLED == 0
    vf.queue().call(c.LMF_VF_OP_NOP)


def test_dma_to_own_bars_fails(vfs):
    """The firmware is busy then: it must not be entered a second time."""
    queue, peer = vfs[0].queue(), vfs[1].queue()
    for bar in vfs[0].bar, vfs[1].bar, vfs[0].lmf.bar:
        for op in c.LMF_VF_OP_READ, c.LMF_VF_OP_WRITE:
            queue.call(op, length=512, addr=bar, expect=c.LMF_VF_ST_DMA)
    peer.call(c.LMF_VF_OP_NOP)


def test_message_to_a_doorbell_does_nothing(vfs):
    msix, queue, peer = vfs[0].msix(), vfs[0].queue(), vfs[1].queue()
    vfs[0].machine.write32(vfs[0].msix_bar, vfs[1].bar + c.LMF_VF_SQ_TAIL(0))
    vfs[0].machine.write32(vfs[0].msix_bar + 8, 1)
    queue.call(c.LMF_VF_OP_NOP)
    vfs[0].machine.step(1000000)
    assert not peer.completion()
    assert not msix.fired(0)


def test_message_that_starts_an_flr(vf, admin):
    """The reset comes in the middle of the firmware's own operation."""
    vf.msix()
    queue = vf.queue()
    devctl = vf.config + vf.caps()[CAP_EXP] + EXP_DEVCTL
    vf.machine.write32(vf.msix_bar, devctl)
    vf.machine.write32(vf.msix_bar + 8, 0x8000)
    queue.submit(c.LMF_VF_OP_NOP)
    vf.machine.step_until(lambda: admin.info().resets)
    vf.command(COMMAND_MEM)
    assert queue.status() == 0


def test_flr(vf, admin):
    msix, queue = vf.msix(), vf.queue()
    queue.store(0, b"kept" * 128)
    bar = vf.read32(0x10)
    vf.flr()
    assert vf.read16(4) & (COMMAND_MASTER | COMMAND_MEM) == 0
    assert vf.read16(msix.cap + 2) & 0x8000 == 0
    assert vf.read32(0x10) == bar == 0
    vf.command(COMMAND_MEM | COMMAND_MASTER)
    assert queue.status() == 0
    assert vf.reg64(queue.reg(c.LMF_VF_Q_SQ_BASE)) == 0
    assert vf.queue().fetch(0, 512)[0] == b"kept" * 128
    event = vf.machine.step_until(admin.event)
    assert (event.type, event.vf, event.arg) == (c.LMF_EV_VF_RESET, 0, 1)
    assert admin.info(0).resets == 1 and admin.info(1).resets == 0


# points: 37
def test_flr_stops_what_is_in_flight(vf):
    vf.lmf.fault("io-delay=0:1000")
    queue = vf.queue()
    queue.submit(c.LMF_VF_OP_NOP)
    vf.machine.step(500000)
    vf.flr()
    vf.command(COMMAND_MEM | COMMAND_MASTER)
    vf.machine.step(5000000)
    assert not queue.completion()


def test_iommu_off(make):
    vf, = make(*ARGS).enable_vfs(1)
    vf.queue().call(c.LMF_VF_OP_NOP)


# points: 39
def test_each_function_has_a_requester_id(make):
    """The same IOVA is another page for each function, or none at all."""
    lmf = make(*ARGS)
    vfs, machine = lmf.enable_vfs(3), lmf.machine
    machine.tolerated = "vtd_|[Ff]ault|irq is not generated"
    viommu = Viommu(machine, BUS)
    queues = [vf.queue(iova=lambda addr: addr & 0xf000) for vf in vfs]
    data = [os.urandom(512) for _ in vfs]
    pages = [machine.alloc() for _ in vfs]
    for vf, queue, page, text in zip(vfs[:2], queues, pages, data):
        machine.write(page, text)
        viommu.attach(vf, {queue.sq & 0xf000: queue.sq,
                           queue.cq & 0xf000: queue.cq, 0x1ff000: page})
        queue.call(c.LMF_VF_OP_WRITE, length=512, addr=0x1ff000)
        queue.call(c.LMF_VF_OP_READ, length=512, addr=0x1fe000,
                   expect=c.LMF_VF_ST_DMA)
    queues[2].submit(c.LMF_VF_OP_NOP)
    machine.step_until(lambda: queues[2].status() & c.LMF_VF_QSTATUS_ERROR)
    for queue, page, text in zip(queues[:2], pages, data):
        machine.write(page, bytes(512))
        queue.call(c.LMF_VF_OP_READ, length=512, addr=0x1ff000)
        assert machine.read(page, 512) == text


# points: 39
def test_migration_uses_the_requester_id_of_the_pf(make):
    """A VF whose IOMMU domain is empty can be saved and logged."""
    lmf = make(*ARGS, media_size="64K")
    lmf.enable_vfs(1)
    viommu = Viommu(lmf.machine, BUS)
    first = lmf.machine.next_page
    viommu.attach(Function(lmf.machine, BUS, 0),
                  {page: page for page in range(first, 0x200000, 4096)})
    admin = Admin(lmf)
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    assert admin.save(0)
    admin.call(c.LMF_OP_LOG_FLUSH, expect=c.LMF_ST_STATE)
