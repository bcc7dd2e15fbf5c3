# SPDX-License-Identifier: GPL-2.0-only
"""The outer machine is run by hardware only where guests run in it then."""
import os
import sys

import pytest

sys.path.append(os.path.dirname(os.path.abspath(__file__)) + '/../vm')
import bed  # noqa: E402


@pytest.fixture(name='machines')
def fixture_machines(monkeypatch):
    """Says how a machine with KVM does, and lists the machines started."""
    started = []

    class Machine:
        """Stands for bed.Outer."""
        kvm = True

        def __init__(self, _parts, accel=bed.TCG, memory='4G'):
            if accel is bed.KVM and self.kvm is None:
                raise bed.BedError('the outer QEMU does not start')
            self.accel, self.memory, self.stopped = accel, memory, False
            started.append(self)

        def call(self, name):
            assert name == 'host.kvm_works'
            if self.kvm == 'dies':
                raise bed.BedError('no answer')
            return self.kvm

        def stop(self):
            self.stopped = True

    monkeypatch.setattr(bed, 'Outer', Machine)
    monkeypatch.setattr(bed, 'hardware', lambda: True)
    return Machine, started


def test_hardware_that_works(machines):
    _, started = machines
    assert bed.start({}, memory='6G').accel is bed.KVM
    assert len(started) == 1 and not started[0].stopped


@pytest.mark.parametrize('kvm', [None, False, 'dies'])
def test_hardware_that_does_not(machines, kvm):
    machine, started = machines
    machine.kvm = kvm
    box = bed.start({}, memory='6G')
    assert (box.accel, box.memory, box.stopped) == (bed.TCG, '6G', False)
    assert all(other.stopped for other in started if other is not box)


def test_no_hardware(machines, monkeypatch):
    _, started = machines
    monkeypatch.setattr(bed, 'hardware', lambda: False)
    assert bed.start({}).accel is bed.TCG
    assert len(started) == 1
