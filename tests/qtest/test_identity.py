# SPDX-License-Identifier: GPL-2.0-only
"""What the functions say of themselves, and how VFs come and go."""
import contract as c
import pytest
from device import MSE, SRIOV_CTRL, SRIOV_NUM, VFE, Admin, Log, Vf
from qtest import (CAP_EXP, CAP_MSIX, COMMAND_MASTER, EXP_DEVCTL,
                   EXT_CAP_SRIOV, QmpError)

EXT_CAP_AER, EXT_CAP_ARI = 0x01, 0x0e
DEVCAP_RBER, DEVCAP_FLR = 1 << 15, 1 << 28
REPORTING = 0xf  # in DEVCTL: correctable, non-fatal, fatal, unsupported


def has_flr(function):
    return function.read32(function.caps()[CAP_EXP] + 4) & DEVCAP_FLR


def test_pf_config(lmf):
    assert lmf.pf.read32(0) == c.LMF_PCI_DEVICE_PF << 16 | c.LMF_PCI_VENDOR
    assert lmf.pf.read32(8) >> 16 == 0x0180
    assert set(lmf.pf.caps()) == {CAP_EXP, CAP_MSIX}
    assert lmf.pf.ext_caps() == {EXT_CAP_AER: 0x100, EXT_CAP_ARI: 0x150,
                                 EXT_CAP_SRIOV: 0x160}
    assert has_flr(lmf.pf)
    assert lmf.pf.size_bar(0x10) == c.LMF_PF_BAR_BYTES


def test_error_reporting_can_be_enabled(lmf, vfs):
    """On the PF; for a VF these bits are reserved, its PF's hold."""
    cap = lmf.pf.caps()[CAP_EXP]
    devctl = cap + EXP_DEVCTL
    assert lmf.pf.read32(cap + 4) & DEVCAP_RBER
    before = lmf.pf.read16(devctl)
    assert not before & REPORTING
    lmf.pf.write16(devctl, before | REPORTING)
    assert lmf.pf.read16(devctl) == before | REPORTING
    vf_devctl = vfs[0].caps()[CAP_EXP] + EXP_DEVCTL
    vfs[0].write16(vf_devctl, REPORTING)
    assert not vfs[0].read16(vf_devctl) & REPORTING
    lmf.pf.flr()
    assert not lmf.pf.read16(devctl) & REPORTING


def test_pf_registers(make):
    lmf = make(vfs=3, entries=64)
    assert lmf.reg32(c.LMF_PF_MAGIC) == c.LMF_PF_MAGIC_VALUE
    assert lmf.reg32(c.LMF_PF_VERSION) == c.LMF_VERSION(
        c.LMF_VERSION_MAJOR, c.LMF_VERSION_MINOR)
    assert lmf.reg64(c.LMF_PF_CAPS) == 0
    assert lmf.reg32(c.LMF_PF_TOTAL_VFS) == 3
    assert lmf.reg32(c.LMF_PF_STATUS) == 0


def test_vf_config(lmf):
    vf, = lmf.enable_vfs(1)
    assert lmf.pf.read32(lmf.sriov + 0x18) >> 16 == c.LMF_PCI_DEVICE_VF
    assert vf.read32(0) == 0xffffffff
    assert vf.read32(8) >> 16 == 0x0180
    assert set(vf.caps()) == {CAP_EXP, CAP_MSIX}
    assert set(vf.ext_caps()) == {EXT_CAP_AER, EXT_CAP_ARI}
    assert has_flr(vf)
    assert vf.msix().vectors == 4


def test_vf_registers(make):
    lmf = make(media_size="3M", queues=2, entries=32)
    for vf in lmf.enable_vfs(3):
        assert vf.reg32(c.LMF_VF_MAGIC) == c.LMF_VF_MAGIC_VALUE
        assert vf.reg64(c.LMF_VF_MEDIA_BYTES) == 3 << 20
        assert vf.reg32(c.LMF_VF_MEDIA_BYTES) == 3 << 20
        assert vf.reg32(c.LMF_VF_MEDIA_BYTES + 4) == 0
        assert vf.reg32(c.LMF_VF_MAX_QUEUES) == 2
        assert vf.reg32(c.LMF_VF_MAX_ENTRIES) == 32
        assert vf.reg32(c.LMF_VF_VECTORS) == 2
        assert vf.reg32(c.LMF_VF_STATUS) == c.LMF_VF_STATUS_READY


def test_properties_reach_vf_info(make):
    lmf = make(media_size="2M", log_entries=128, migrate="off",
               version=0x10007)
    lmf.enable_vfs(1)
    info = Admin(lmf).info()
    assert info.version == lmf.reg32(c.LMF_PF_VERSION) == 0x10007
    assert info.media_bytes == 2 << 20
    assert info.log_ring_max == 128
    assert info.caps == c.LMF_INFO_CAP_LOG


def test_vfs_come_and_go(lmf):
    assert not Vf(lmf, 0, 0, 0).exists()
    vf0, vf1 = lmf.enable_vfs(2)
    assert vf0.exists() and vf1.exists()
    assert not Vf(lmf, 2, 0, 0).exists()
    lmf.pf.write16(lmf.sriov + SRIOV_CTRL, 0)
    assert not vf0.exists() and not vf1.exists()
    lmf.pf.write16(lmf.sriov + SRIOV_NUM, 1)
    lmf.pf.write16(lmf.sriov + SRIOV_CTRL, VFE | MSE)
    assert vf0.exists() and not vf1.exists()


def test_firmware_follows_vf_enable(lmf, admin):
    admin.info(0)
    lmf.pf.write16(lmf.sriov + SRIOV_CTRL, 0)
    admin.call(c.LMF_OP_VF_INFO, 0, room=128, expect=c.LMF_ST_VF)
    lmf.enable_vfs(1)
    admin.info(0)
    admin.call(c.LMF_OP_VF_INFO, 1, room=128, expect=c.LMF_ST_VF)


def test_as_many_vfs_as_there_can_be(make):
    lmf = make(vfs=c.LMF_PF_VF_LIMIT, queues=c.LMF_VF_QUEUE_LIMIT)
    last = lmf.enable_vfs(c.LMF_PF_VF_LIMIT)[-1]
    msix = last.msix()
    last.queue(c.LMF_VF_QUEUE_LIMIT - 1).call(c.LMF_VF_OP_NOP)
    assert msix.fired(c.LMF_VF_QUEUE_LIMIT - 1)
    assert Admin(lmf).info(c.LMF_PF_VF_LIMIT - 1)


def test_vf_comes_back_as_new(lmf):
    vf, = lmf.enable_vfs(1)
    queue = vf.queue()
    assert queue.status() == c.LMF_VF_QSTATUS_ENABLED
    lmf.pf.write16(lmf.sriov + SRIOV_CTRL, 0)
    lmf.pf.write16(lmf.sriov + SRIOV_CTRL, VFE | MSE)
    vf = Vf(lmf, 0, vf.bar, vf.msix_bar)
    assert queue.status() == 0
    assert vf.queue().call(c.LMF_VF_OP_NOP)


def test_too_many_vfs_stay_off(lmf):
    lmf.pf.write16(lmf.sriov + SRIOV_NUM, 9)
    lmf.pf.write16(lmf.sriov + SRIOV_CTRL, VFE | MSE)
    assert not Vf(lmf, 0, 0, 0).exists()


def test_pf_flr_takes_the_vfs_away(lmf, vfs, admin):
    lmf.pf.flr()
    assert not vfs[0].exists()
    assert not lmf.pf.read16(4) & COMMAND_MASTER
    lmf.open()
    assert lmf.reg32(c.LMF_PF_STATUS) == 0
    lmf.enable_vfs(2)
    assert Admin(lmf).info(1)


def test_system_reset(lmf, vfs, admin):
    lmf.machine.qmp("system_reset")
    lmf.machine.wait_event("RESET")
    lmf.machine.open_buses()
    assert not vfs[0].exists()
    lmf.open()
    assert lmf.reg32(c.LMF_PF_STATUS) == 0
    assert lmf.reg64(c.LMF_PF_ASQ_BASE) == 0
    lmf.enable_vfs(1)
    assert Admin(lmf).info()


@pytest.mark.parametrize("option", [
    {"vfs": 0}, {"vfs": 65}, {"queues": 0}, {"queues": 17}, {"entries": 3},
    {"entries": 2048}, {"media_size": 4097}, {"media_size": 0},
    {"log_entries": 1}, {"log_entries": 100}])
def test_bad_property(make, option):
    with pytest.raises(RuntimeError, match="a property out of range"):
        make(**option)


def test_bad_fault(make):
    with pytest.raises(RuntimeError, match="fault 'nonsense=1'"):
        make(fault="nonsense=1")
    lmf = make(fault="none;none")
    with pytest.raises(QmpError, match="fault 'nonsense=1'"):
        lmf.fault("none;nonsense=1")
    lmf.fault("none")


def test_unplug(make):
    """An unplugged PF takes its VFs, its commands and its log along."""
    lmf = make()
    lmf.enable_vfs(8)
    admin = Admin(lmf)
    Log(admin, 7)
    admin.submit(c.LMF_OP_VF_INFO)
    machine = lmf.machine
    for _ in range(2):
        machine.qmp("device_del", id="lmf")
        machine.eject("root", slot=0)
        machine.wait_event("DEVICE_DELETED")
        machine.step()
        assert not lmf.pf.exists()
        machine.qmp("device_add", driver="lmf", id="lmf", bus="root", addr="0")
        assert lmf.pf.exists()
