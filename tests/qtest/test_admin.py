# SPDX-License-Identifier: GPL-2.0-only
"""The admin queue: what the PF driver does to a VF that a guest uses."""
import os
import struct

import contract as c
import pytest
from device import Admin, Log
from qtest import COMMAND_MASTER, COMMAND_MEM, Msix

SCATTERED_PAGES = 300  # more than the device keeps beside a full ring
IDENTITY_MEDIA_BYTES = 16 + 16  # a segment's header, and the field's offset


@pytest.fixture
def vf(vfs, admin):
    return vfs[0]


def segments(chunks):
    """(type, offset, payload) of each segment."""
    data, at = b"".join(chunks), 0
    while at < len(data):
        kind, _, length, offset = struct.unpack_from("<HHIQ", data, at)
        yield kind, offset, data[at + 16:at + 16 + length]
        at += 16 + (length + 7 & ~7)


def test_vf_info(admin, vf):
    info = admin.info()
    assert info.version == c.LMF_VERSION(1, 1)
    assert info.log_formats == (1 << c.LMF_LOG_RING | 1 << c.LMF_LOG_RANGES |
                                1 << c.LMF_LOG_BITMAP)
    assert info.caps == c.LMF_INFO_CAP_MIGRATE | c.LMF_INFO_CAP_LOG
    assert info.media_bytes == 1 << 20
    assert info.log_ring_max == 65536
    assert admin.call(c.LMF_OP_VF_INFO, room=8).bytes == 8


def test_admin_interrupts(lmf, vfs):
    msix, admin = Msix(lmf.pf, lmf.msix_bar), Admin(lmf)
    assert msix.vectors == c.LMF_PF_VECTORS
    admin.info()
    assert msix.fired(c.LMF_PF_VECTOR_ADMIN)
    assert not msix.fired(c.LMF_PF_VECTOR_EVENT)
    vfs[0].flr()
    lmf.machine.step_until(admin.event)
    assert msix.fired(c.LMF_PF_VECTOR_EVENT)


def test_no_such_vf(admin):
    for vf in 2, 8, 0xffff:
        admin.call(c.LMF_OP_VF_INFO, vf, room=128, expect=c.LMF_ST_VF)
    admin.call(0x7fff, expect=c.LMF_ST_OPCODE)


def test_commands_in_flight(admin):
    """More than the ring holds, several at a time."""
    waiting = set()
    for _ in range(40):
        waiting |= {admin.submit(c.LMF_OP_QUIESCE, vf) for vf in (0, 1, 0)}
        while len(waiting) > 20:
            cqe = admin.machine.step_until(admin.completion)
            assert cqe.status == 0
            waiting.remove(cqe.tag)
    while waiting:
        waiting.remove(admin.machine.step_until(admin.completion).tag)


def test_quiesce(admin, vf):
    msix, queue = vf.msix(), vf.queue()
    admin.quiesce(0, c.LMF_QUIESCE_INITIATOR)
    queue.submit(c.LMF_VF_OP_NOP)
    vf.machine.step(1000000)
    assert not queue.completion(consume=False) and not msix.fired(0)
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    queue.submit(c.LMF_VF_OP_NOP)
    vf.reg32(queue.reg(c.LMF_VF_Q_CTRL), 0)
    assert queue.status() == c.LMF_VF_QSTATUS_ENABLED
    admin.quiesce(0, c.LMF_QUIESCE_RUN)
    assert vf.machine.step_until(queue.completion).cid == 0
    assert msix.fired(0)
    vf.machine.step(1000000)
    assert not queue.completion(), "a doorbell in FULL was taken"


def test_unconsumed_completions_interrupt_again(admin, vf):
    msix, queue = vf.msix(), vf.queue()
    queue.submit(c.LMF_VF_OP_NOP)
    vf.machine.step_until(lambda: queue.completion(consume=False))
    assert msix.fired(0)
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    admin.quiesce(0, c.LMF_QUIESCE_RUN)
    assert vf.machine.step_until(lambda: msix.fired(0))
    vf.machine.step(1000000)
    assert not msix.fired(0)


def test_state_moves_to_another_vf(admin, vfs):
    """The queue goes on where it was, with the memory that it was using."""
    machine, data = vfs[0].machine, os.urandom(3 * 4096)
    queue = vfs[0].queue(2, entries=8)
    for _ in range(5):
        queue.store(0x8000, data)
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    chunks = admin.save(0)
    kinds = [kind for kind, _, _ in segments(chunks)]
    assert kinds[0] == c.LMF_SEG_IDENTITY and kinds[-1] == c.LMF_SEG_END
    assert kinds.count(c.LMF_SEG_MEDIA) == 3
    assert kinds.count(c.LMF_SEG_QUEUE) == 4
    admin.quiesce(1, c.LMF_QUIESCE_FULL)
    admin.load(1, chunks)
    msix = vfs[1].msix()
    assert vfs[1].reg64(queue.reg(c.LMF_VF_Q_CQ_BASE)) == queue.cq
    machine.step(1000000)
    assert not msix.fired(2)
    admin.quiesce(1, c.LMF_QUIESCE_RUN)
    queue.vf = vfs[1]
    assert queue.fetch(0x8000, len(data))[0] == data
    assert msix.fired(2)


def test_request_in_flight_moves_too(admin, vfs):
    """It completes once, on the destination."""
    machine = vfs[0].machine
    vfs[0].lmf.fault("io-delay=0:2000")
    queue = vfs[0].queue()
    cid = queue.submit(c.LMF_VF_OP_NOP)
    machine.step(100000)
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    assert not queue.completion(consume=False)
    chunks = admin.save(0)
    assert c.LMF_SEG_REQUEST in [kind for kind, _, _ in segments(chunks)]
    vfs[0].flr()
    machine.step(5000000)
    assert not queue.completion(consume=False)
    admin.quiesce(1, c.LMF_QUIESCE_FULL)
    admin.load(1, chunks)
    queue.vf = vfs[1]
    admin.quiesce(1, c.LMF_QUIESCE_RUN)
    assert machine.step_until(queue.completion).cid == cid
    machine.step(5000000)
    assert not queue.completion()


def test_precopy_follows_the_media(admin, vf):
    queue, room = vf.queue(), admin.info().chunk_max
    queue.store(0, bytes(range(256)) * 64)
    begin = admin.call(c.LMF_OP_SAVE_BEGIN)
    session = begin.value[0]

    def query():
        return admin.call(c.LMF_OP_SAVE_QUERY, session=session).value

    def read():
        return admin.call(c.LMF_OP_SAVE_READ, session=session, room=room)

    assert [k for k, _, _ in segments([read().data])] == [c.LMF_SEG_IDENTITY]
    initial, dirty, trailer, sent = query()
    assert initial >= 4 * 4096 and dirty == 0 and trailer and sent
    assert [offset for _, offset, _ in segments([read().data])] == [
        0, 4096, 8192, 12288]
    assert query()[:2] == [0, 0]
    cqe = read()
    assert cqe.bytes == 0 and cqe.flags & c.LMF_SAVE_EMPTY
    queue.store(4096 + 512, b"x" * 512)
    assert query()[0] == 0 and query()[1] >= 4096
    (kind, offset, payload), = segments([read().data])
    assert (kind, offset) == (c.LMF_SEG_MEDIA, 4096)
    assert payload[512:1024] == b"x" * 512
    admin.call(c.LMF_OP_SAVE_END, session=session)
    admin.call(c.LMF_OP_SAVE_QUERY, session=session, expect=c.LMF_ST_SESSION)


def test_device_is_silent_while_loading(admin, vfs):
    msix, queue = vfs[1].msix(), vfs[1].queue()
    admin.quiesce(1, c.LMF_QUIESCE_FULL)
    session = admin.call(c.LMF_OP_LOAD_BEGIN, 1).value[0]
    vfs[1].command(COMMAND_MEM | COMMAND_MASTER)
    queue.submit(c.LMF_VF_OP_NOP)
    vfs[1].machine.step(5000000)
    assert not queue.completion() and not msix.fired(0)
    admin.call(c.LMF_OP_LOAD_END, 1, session=session)


def test_foreign_state_is_refused(admin, vfs):
    """The media of an aborted load is unreadable until a scrub."""
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    identity = bytearray(admin.save(0)[0])
    struct.pack_into("<Q", identity, IDENTITY_MEDIA_BYTES, 2 << 20)
    admin.quiesce(1, c.LMF_QUIESCE_FULL)
    session = admin.call(c.LMF_OP_LOAD_BEGIN, 1).value[0]
    admin.call(c.LMF_OP_LOAD_WRITE, 1, session=session, data=identity,
               expect=c.LMF_ST_MISMATCH)
    admin.call(c.LMF_OP_LOAD_END, 1, session=session)
    admin.quiesce(1, c.LMF_QUIESCE_RUN)
    assert vfs[1].reg32(c.LMF_VF_STATUS) & c.LMF_VF_STATUS_MEDIA_LOST
    queue = vfs[1].queue()
    queue.call(c.LMF_VF_OP_READ, length=512, addr=vfs[1].machine.alloc(),
               expect=c.LMF_VF_ST_MEDIA)
    admin.call(c.LMF_OP_SCRUB, 1)
    assert queue.fetch(0, 512)[0] == bytes(512)


def test_incomplete_state_is_refused(admin, vfs):
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    chunks = admin.save(0)
    admin.quiesce(1, c.LMF_QUIESCE_FULL)
    admin.load(1, chunks[:1], expect=c.LMF_ST_INCOMPLETE)


def test_state_of_another_version_is_refused(lmf, admin, vfs):
    """What the hook makes the identity claim, and nothing else."""
    lmf.fault("identity-version=0x20000")
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    chunks = admin.save(0)
    assert admin.info().version == c.LMF_VERSION(1, 1)
    lmf.fault("none")
    admin.quiesce(1, c.LMF_QUIESCE_FULL)
    session = admin.call(c.LMF_OP_LOAD_BEGIN, 1).value[0]
    admin.call(c.LMF_OP_LOAD_WRITE, 1, session=session, data=chunks[0],
               expect=c.LMF_ST_MISMATCH)


def test_log_reports_what_the_vf_wrote(admin, vf):
    """Data, copies and completions; not what the VF only read."""
    queue = vf.queue()
    queue.store(0, b"d" * 4096)
    queue.store(4096, b"e" * 4096)
    log = Log(admin, 0)
    _, buf = queue.fetch(512, 4096 + 512)
    dst = vf.machine.alloc()
    queue.call(c.LMF_VF_OP_COPY, length=100, addr=buf, dst=dst + 50)
    queue.call(c.LMF_VF_OP_WRITE, length=512, addr=vf.machine.alloc())
    pages, overflows = log.flush()
    assert pages == {p >> 12 for p in (buf, buf + 4096, dst, queue.cq)}
    assert overflows == 0 and log.flush()[0] == set()
    stats = vf.lmf.stats()
    assert stats[0]["dma_write_bytes"] >= 4096 + 512 + 100
    assert stats[0]["log_entries"] == log.seen and not stats[1]["log_entries"]
    log.stop()
    queue.fetch(0, 512)
    vf.machine.step(1000000)
    assert not log.take()


def test_log_posts_late_unless_flushed(make):
    lmf = make(log_post_delay=1000)
    vf, = lmf.enable_vfs(1)
    admin, queue = Admin(lmf), vf.queue()
    log = Log(admin, 0)
    _, buf = queue.fetch(0, 512)
    assert not log.take()
    assert buf >> 12 in log.flush()[0]
    queue.fetch(0, 512)
    assert not log.take()
    lmf.machine.step(1100000)
    assert log.take()


def test_log_threshold(lmf, vfs, admin):
    msix, queue = Msix(lmf.pf, lmf.msix_bar), vfs[1].queue()
    log = Log(admin, 1, entries=64, threshold=6)
    queue.fetch(0, 512)
    assert not admin.event() and not msix.fired(c.LMF_PF_VECTOR_EVENT)
    for _ in range(6):
        queue.fetch(0, 512)
    event = lmf.machine.step_until(admin.event)
    assert (event.type, event.vf) == (c.LMF_EV_LOG_THRESHOLD, 1)
    assert msix.fired(c.LMF_PF_VECTOR_EVENT)
    queue.fetch(0, 512)
    assert not admin.event()
    assert len(log.take()) >= 6


def test_full_log_loses_nothing(admin, vf):
    queue = vf.queue()
    log = Log(admin, 0, entries=4, threshold=4)
    written = {queue.cq >> 12}
    for _ in range(SCATTERED_PAGES):
        vf.machine.alloc()
        written.add(queue.fetch(0, 512)[1] >> 12)
    pages, overflows = log.flush()
    assert written <= pages and overflows > 0
    assert vf.lmf.stats()[0]["log_overflows"] == overflows


def test_log_survives_an_flr(admin, vf):
    log = Log(admin, 0)
    _, buf = vf.queue().fetch(0, 512)
    vf.flr()
    assert buf >> 12 in log.flush()[0]
    vf.command(COMMAND_MEM | COMMAND_MASTER)
    _, buf = vf.queue().fetch(0, 512)
    assert buf >> 12 in log.flush()[0]


@pytest.mark.parametrize("at_start", [False, True])
def test_lying_log(make, at_start):
    """The fault hook that the bed's oracle is tested with."""
    lie = "lose-dirty=0:1:1"
    lmf = make(**{"fault": lie} if at_start else {})
    if not at_start:
        lmf.fault(lie)
    vf, _ = lmf.enable_vfs(2)
    log = Log(Admin(lmf), 0)
    _, buf = vf.queue().fetch(0, 512)
    assert buf >> 12 not in log.flush()[0]
    assert lmf.stats()[0]["log_lost"] > 0


def test_seed_decides_what_is_lost(make):
    def lost(seed):
        lmf = make(seed=seed, fault="lose-dirty=*:1:2")
        vf, = lmf.enable_vfs(1)
        queue, log = vf.queue(), Log(Admin(lmf), 0)
        pages = {queue.fetch(0, 512)[1] >> 12 for _ in range(40)}
        return pages - log.flush()[0]

    first = lost(1)
    assert 0 < len(first) < 40
    assert lost(1) == first != lost(2)


def test_flr_ends_a_save_and_leaves_quiesce(admin, vf):
    session = admin.call(c.LMF_OP_SAVE_BEGIN).value[0]
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    vf.flr()
    admin.call(c.LMF_OP_SAVE_READ, session=session, room=8192,
               expect=c.LMF_ST_SESSION)
    vf.command(COMMAND_MEM | COMMAND_MASTER)
    vf.queue().call(c.LMF_VF_OP_NOP)


def test_pf_reset(lmf, vfs, admin):
    """It drops commands, logs and sessions. VFs stay, and so does a stop."""
    queue = vfs[0].queue()
    session = admin.call(c.LMF_OP_SAVE_BEGIN).value[0]
    Log(admin, 0)
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    admin.submit(c.LMF_OP_VF_INFO)
    lmf.reg32(c.LMF_PF_CTRL, 0)
    assert lmf.reg32(c.LMF_PF_STATUS) == 0
    lmf.machine.step(5000000)
    assert not admin.completion()
    admin = Admin(lmf)
    assert admin.info().state == c.LMF_QUIESCE_FULL
    queue.submit(c.LMF_VF_OP_NOP)
    lmf.machine.step(5000000)
    assert not queue.completion()
    admin.call(c.LMF_OP_SAVE_QUERY, session=session, expect=c.LMF_ST_SESSION)
    Log(admin, 0)
    admin.quiesce(0, c.LMF_QUIESCE_RUN)
    queue.submit(c.LMF_VF_OP_NOP)
    assert lmf.machine.step_until(queue.completion)


def test_commands_from_before_an_flr_are_aborted(admin, vf):
    """Submitted, and not yet seen by the device."""
    tags = [admin.submit(c.LMF_OP_QUIESCE, param=c.LMF_QUIESCE_FULL),
            admin.submit(c.LMF_OP_SAVE_BEGIN)]
    vf.flr()
    for tag in tags:
        cqe = admin.machine.step_until(admin.completion)
        assert (cqe.tag, cqe.status) == (tag, c.LMF_ST_ABORTED)
    assert admin.info().state == c.LMF_QUIESCE_RUN
    admin.call(c.LMF_OP_SAVE_BEGIN)


def test_flooding_guest_costs_few_events(admin, vfs):
    for _ in range(100):
        vfs[0].flr()
    vfs[1].flr()
    events = []
    while event := admin.event():
        events.append((event.type, event.vf))
    assert c.LMF_EV_LOST not in [kind for kind, _ in events]
    assert (c.LMF_EV_VF_RESET, 1) in events and len(events) == 3


def test_lost_rings_are_fatal_until_a_pf_reset(lmf, admin):
    lmf.pf.command(COMMAND_MEM)
    admin.submit(c.LMF_OP_QUIESCE)
    lmf.machine.step_until(
        lambda: lmf.reg32(c.LMF_PF_STATUS) & c.LMF_PF_STATUS_FATAL)
    lmf.pf.command(COMMAND_MEM | COMMAND_MASTER)
    lmf.reg32(c.LMF_PF_CTRL, 0)
    Admin(lmf).quiesce(0, c.LMF_QUIESCE_RUN)


def test_bad_rings_are_fatal(lmf):
    for reg, bad in (c.LMF_PF_AQ_ENTRIES, 3), (c.LMF_PF_ASQ_BASE, 0x1008):
        for good in c.LMF_PF_AQ_ENTRIES, c.LMF_PF_AEQ_ENTRIES:
            lmf.reg32(good, 32)
        lmf.reg32(reg, bad)
        lmf.reg32(c.LMF_PF_CTRL, c.LMF_PF_CTRL_ENABLE)
        assert lmf.reg32(c.LMF_PF_STATUS) == c.LMF_PF_STATUS_FATAL
        lmf.reg32(c.LMF_PF_CTRL, 0)


@pytest.mark.parametrize("without", ["migrate", "log"])
def test_vf_without_it(make, without):
    lmf = make(**{without: "off"})
    vf, = lmf.enable_vfs(1)
    admin = Admin(lmf)
    admin.submit({"migrate": c.LMF_OP_SAVE_BEGIN,
                  "log": c.LMF_OP_LOG_START}[without])
    assert lmf.machine.step_until(admin.completion).status == c.LMF_ST_OPCODE
    vf.queue().call(c.LMF_VF_OP_NOP)
