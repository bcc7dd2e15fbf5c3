# SPDX-License-Identifier: GPL-2.0-only
"""Two machines, a cable between them, and a guest that goes over."""
import random
import tempfile
import time

import pytest

import bed
from conftest import LATE
from judge import assert_moved, trace_events

pytestmark = pytest.mark.full


class Hosts:
    """Both machines: the guest begins on `here`."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='lmf-cable-')
        self.parts = bed.artefacts()
        self.here = self.boot(0)
        self.there = self.boot(1)

    def boot(self, number):
        outer = bed.start(self.parts, devices=(LATE,),
                          wire=bed.wire(self.folder.name + '/cable', number))
        outer.call('far.connect', number=number)
        return outer

    def lose(self):
        """The power of the other one fails."""
        self.complain(self.there)
        self.there.stop()

    def restore(self):
        self.there = self.boot(1)

    def begin(self, multifd=False, **options):
        self.here.call('far.begin', multifd=multifd, **options)
        self.there.call('far.listen', multifd=multifd)

    def arrive(self):
        """Let it go over, and say of it what judge.py wants to know."""
        self.here.call('far.release')
        gone = self.here.call('far.ended', timeout=600)
        came = self.there.call('far.came', timeout=600)
        return {'status': gone['status'], 'dest_states': came['states'],
                'dest_stderr': came['stderr'], 'verify': came['verify'],
                'unexpected_resets': gone['resets'] + came['resets'],
                'guest_log': came['guest_log'], 'gone': gone, 'came': came}

    @staticmethod
    def complain(outer):
        complaints = outer.complaints()
        assert not complaints

    def settle(self):
        """Ready for the next test."""
        for outer in (self.here, self.there):
            outer.plug(True)
            outer.call('far.leave')
            outer.call('far.shape', mbit=0)
            self.complain(outer)

    def stop(self):
        for outer in (self.here, self.there):
            outer.stop()
        self.folder.cleanup()


@pytest.fixture(scope='module')
def machines():
    holder = {}
    yield holder
    if holder:
        holder['hosts'].stop()


@pytest.fixture
def hosts(machines, downtimes):
    """Both, as they were before, unless the test before broke them."""
    if not machines:
        machines['hosts'] = Hosts()
    both = machines.pop('hosts')
    both.here.heard = downtimes
    try:
        yield both
        both.settle()
    except BaseException:
        for outer in (both.here, both.there):
            print(outer.console_text()[-6000:])
        both.stop()
        raise
    machines['hosts'] = both


@pytest.mark.parametrize('multifd', [False, True],
                         ids=['one-channel', 'multifd'])
def test_over_the_network(hosts, multifd):
    hosts.begin(multifd=multifd)
    hosts.here.call('far.go', to=1, hold=True)
    burst = hosts.here.call('far.burst')
    assert burst['burst'] >= 10000
    result = hosts.arrive()
    assert_moved(result)
    print('downtime', result['gone']['qemu']['downtime'], 'ms')
    # With it QEMU reads and loads the VF's final state in threads.
    assert bool(trace_events(result['gone'],
                             'vfio_save_complete_precopy_thread_end')) == \
        multifd
    assert bool(trace_events(result['came'],
                             'vfio_load_bufs_thread_end')) == multifd


def test_cable_pulled_and_put_back(hosts):
    hosts.begin()
    hosts.here.call('far.go', to=1, hold=True)
    hosts.here.call('far.burst')
    hosts.here.plug(False)
    before = hosts.here.call('far.transfers')
    stands = wait_standstill(hosts.here)
    assert hosts.here.call('far.transfers') > before
    assert hosts.here.call('far.facts')['qemu']['status'] == 'active'
    hosts.here.plug(True)
    result = hosts.arrive()
    assert_moved(result)
    assert result['gone']['qemu']['ram']['transferred'] > stands


def wait_standstill(outer, seconds=3, timeout=60):
    """Until QEMU sends no more, which no event tells."""
    deadline = time.monotonic() + timeout
    last = None
    while time.monotonic() < deadline:
        now = outer.call('far.progress')
        if now == last:
            return now
        last = now
        time.sleep(seconds)
    raise AssertionError('the migration goes on without a network')


@pytest.mark.parametrize('mbit', [1000, 100])
def test_slow_network(hosts, mbit):
    hosts.here.call('far.shape', mbit=mbit)
    hosts.begin(sweep_us=100000)
    hosts.here.call('far.go', to=1, hold=True)
    hosts.here.call('far.burst')
    result = hosts.arrive()
    assert_moved(result)
    qemu = result['gone']['qemu']
    speed = qemu['ram']['transferred'] * 8 / 1000 / qemu['total-time']
    print(f'{speed:.0f} Mbit/s, downtime {qemu["downtime"]} ms')
    assert speed <= mbit
    assert hosts.here.call('far.shaped') >= qemu['ram']['transferred']


def assert_second_try(hosts):
    """A host that is up again takes the guest after all."""
    before = hosts.here.call('far.transfers')
    hosts.restore()
    hosts.there.call('far.listen')
    assert hosts.here.call('far.transfers') > before
    hosts.here.call('far.go', to=1)
    assert_moved(hosts.arrive())


def test_host_dies_in_pre_copy(hosts):
    share = random.uniform(0.05, 1)
    print(f'at {share:.3f} of the first pass')
    hosts.begin()
    hosts.here.call('far.go', to=1, hold=True)
    hosts.here.call('far.wait_sent', share=share)
    hosts.lose()
    before = hosts.here.call('far.transfers')
    first = hosts.here.call('far.cancel')
    assert first['status'] == 'cancelled'
    assert 'stop-copy' not in first['states']
    assert hosts.here.call('far.transfers') > before
    assert_second_try(hosts)


def test_host_dies_in_stop_copy(hosts):
    hosts.begin()
    hosts.here.call('far.pause_at_switchover', on=True)
    hosts.here.call('far.go', to=1)
    hosts.here.call('far.wait_switchover')
    hosts.lose()
    hosts.here.call('far.switch_over')
    first = hosts.here.call('far.yank')
    assert first['status'] == 'failed'
    assert 'stop-copy' in first['states']
    hosts.here.call('far.pause_at_switchover', on=False)
    assert_second_try(hosts)
