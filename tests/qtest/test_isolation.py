# SPDX-License-Identifier: GPL-2.0-only
"""Nothing that a guest can reach reads or changes migration or logging."""
import random

import contract as c
import pytest
from device import Log
from qtest import CAP_EXP, COMMAND_MASTER, COMMAND_MEM, EXP_DEVCTL

PATTERNS = 0, 0xffffffff, 1, 2, 0x55555555


def registers(vf):
    return [vf.reg32(reg) for reg in range(0, c.LMF_VF_BAR_BYTES, 4)]


def config(vf):
    return [vf.read32(reg) for reg in range(0, 4096, 4)]


@pytest.fixture
def vf(vfs, admin):
    vfs[0].queue()
    return vfs[0]


# points: 39
def test_nothing_is_revealed(admin, vf):
    before = registers(vf), config(vf)
    log = Log(admin, 0)
    session = admin.call(c.LMF_OP_SAVE_BEGIN).value[0]
    admin.call(c.LMF_OP_SAVE_READ, session=session, room=8192)
    assert (registers(vf), config(vf)) == before
    admin.quiesce(0, c.LMF_QUIESCE_INITIATOR)
    assert (registers(vf), config(vf)) == before
    admin.quiesce(0, c.LMF_QUIESCE_FULL)
    assert (registers(vf), config(vf)) == before
    log.stop()
    assert (registers(vf), config(vf)) == before


def scribble(vf, rng):
    """All that a guest may write, except what resets the VF."""
    devctl = vf.caps()[CAP_EXP] + EXP_DEVCTL
    for reg in rng.sample(range(0, 4096, 4), 1024):
        for pattern in PATTERNS:
            if reg == devctl:
                pattern &= 0xffff7fff
            vf.write32(reg, pattern)
    vf.command(COMMAND_MEM | COMMAND_MASTER)
    for reg in rng.sample(range(0, c.LMF_VF_BAR_BYTES, 4),
                          c.LMF_VF_BAR_BYTES // 4):
        for pattern in PATTERNS:
            vf.reg32(reg, pattern)


@pytest.mark.parametrize("level", [c.LMF_QUIESCE_RUN, c.LMF_QUIESCE_FULL])
# points: 39
def test_nothing_is_changed(admin, vf, level):
    log = Log(admin, 0)
    session = admin.call(c.LMF_OP_SAVE_BEGIN).value[0]
    admin.quiesce(0, level)
    scribble(vf, random.Random(1))
    vf.machine.step(5000000)
    assert admin.info().resets == 0
    assert admin.call(c.LMF_OP_SAVE_QUERY, session=session)
    log.flush()
    admin.quiesce(0, c.LMF_QUIESCE_RUN)
    for queue in range(4):
        vf.reg32(c.LMF_VF_QUEUE(queue) + c.LMF_VF_Q_CTRL, 0)
    _, buf = vf.queue().fetch(0, 512)
    assert buf >> 12 in log.flush()[0]
