# SPDX-License-Identifier: GPL-2.0-only
"""Two machines with Debian's libvirt, and what the operator's guide says to
type there.
"""
import re

import pytest

from bed import TOP
from judge import assert_moved
from test_two_hosts import Hosts

pytestmark = pytest.mark.full

DRIVER = 'lmf_vfio_pci'


def guide():
    """The XML of the guide's section on libvirt, and its commands by name."""
    with open(TOP + '/docs/operators.md') as file:
        text = re.search(r'^## libvirt\n(.*?)^## ', file.read(), re.M | re.S)
    before, xml, after = re.split(r'^```(?:xml)?\n', text[1], flags=re.M)
    names = ('define', 'start', 'downtime', 'migrate', 'info', 'raw', 'abort',
             'done', 'dump', 'migrate_xml', 'scrub')
    lines = re.findall(r'^    (\S.*)$', before + after, re.M)
    assert len(lines) == len(names)
    return xml, dict(zip(names, lines))


XML, TYPE = guide()


class Libvirt(Hosts):
    """Both machines, each with its libvirtd, and with sshd."""

    def __init__(self):
        super().__init__()
        self.here.call('virt.trust', other=self.there.call('virt.key'))
        self.there.call('virt.trust', other=self.here.call('virt.key'))

    def boot(self, number):
        outer = super().boot(number)
        outer.call('virt.up', number=number)
        return outer

    def prepare(self, alias, xml):
        for outer in (self.here, self.there):
            outer.call('virt.leave')
            assert outer.call('virt.fresh', alias=alias) == [None, None]
        self.define(xml)

    def define(self, xml):
        self.here.call('virt.define', line=TYPE['define'], hostdev=xml)

    def begin(self):
        self.here.call('virt.begin', line=TYPE['start'])
        return self.here.call('virt.facts', vf=0)

    def migrate(self, name='migrate', hold=True):
        if hold:
            self.here.call('virt.hold')
        self.here.call('virt.migrate', line=TYPE[name])

    def typed(self, name, at=None):
        """What a command prints that must succeed."""
        done = (at or self.here).call('virt.typed', line=TYPE[name])
        assert (done['status'], done['err'].strip()) == (0, '')
        return done['out']

    def arrive(self, before, vf=0):
        """Let it go over, and say of it what judge.py wants to know."""
        self.here.call('virt.release')
        self.typed('downtime')
        gone = self.here.call('virt.migrated', timeout=600)
        assert gone['status'] == 0, gone
        came = self.there.call('virt.came', vf=vf, timeout=600)
        left = self.here.call('virt.facts', vf=0)
        done = self.typed('done', at=self.there)
        assert re.search(r'^Job type: +Completed', done, re.M)
        return {'status': 'completed', 'dest_states': came['states'],
                'dest_stderr': came['stderr'] + left['stderr'],
                'unexpected_resets': came['counters']['resets_unexpected'] +
                before['counters']['resets_unexpected'],
                'downtime': int(re.search(r'Total downtime: +(\d+)', done)[1]),
                'verify': came['verify'], 'guest_log': came['guest_log'],
                'came': came, 'left': left}

    def settle(self):
        for outer in (self.here, self.there):
            outer.call('virt.leave')
            self.complain(outer)


@pytest.fixture(scope='module')
def machines():
    both = Libvirt()
    yield both
    both.stop()


@pytest.fixture
def hosts(machines, downtimes):
    machines.here.heard = downtimes
    try:
        yield machines
        machines.settle()
    except BaseException:
        for outer in (machines.here, machines.there):
            print(outer.console_text()[-6000:])
        raise


def shown(text):
    """What domjobinfo has to say, by name."""
    return dict(re.findall(r'^(\w[^:\n]*): +(\S.*?) *$', text, re.M))


def assert_progress(hosts):
    """More is sent each time one looks, of memory and of the VF."""
    first = hosts.here.call('virt.sent')
    assert shown(hosts.typed('info'))['Operation'] == 'Outgoing migration'
    raw = hosts.typed('raw')
    assert 'vfio_data_transferred: ' in raw
    last = hosts.here.call('virt.sent', above=first)
    for name, value in first.items():
        assert last[name] > value


def test_by_alias(hosts):
    """The driver is found by its alias, and loaded; a migration is aborted,
    the next one is not.
    """
    hosts.prepare(True, XML)
    assert hosts.begin()['driver'] == DRIVER
    hosts.migrate()
    assert_progress(hosts)
    hosts.typed('abort')
    aborted = hosts.here.call('virt.migrated')
    assert aborted['status'] and 'canceled by client' in aborted['err']
    after = hosts.here.call('virt.facts', vf=0)
    assert 'stop-copy' not in after['states']
    assert after['states'][-1] == 'running'
    assert hosts.there.call('virt.facts', vf=0)['driver'] is None
    transfers = hosts.here.call('virt.transfers')
    assert hosts.here.call('virt.transfers') > transfers
    assert shown(hosts.typed('info'))['Job type'] == 'None'

    hosts.migrate()
    assert hosts.here.call('virt.burst')['burst'] >= 10000
    result = hosts.arrive(hosts.here.call('virt.facts', vf=0))
    assert_moved(result)
    print('downtime', result['downtime'], 'ms')
    assert result['came']['driver'] == DRIVER
    assert result['left']['driver'] is None
    assert 'scrubbed' in hosts.typed('scrub')


def test_by_model(hosts):
    """The same where no alias tells of the driver, from VF 0 to VF 1."""
    hosts.prepare(False, XML)
    assert hosts.begin()['driver'] == 'vfio-pci'
    hosts.migrate(hold=False)
    refused = hosts.here.call('virt.migrated')
    assert refused['status']
    assert 'VFIO migration is not supported in kernel' in refused['err']
    hosts.here.call('virt.leave')

    model = XML.replace("<source>", f"<driver model='{DRIVER}'/>\n  <source>")
    hosts.define(model)
    assert hosts.begin()['driver'] == DRIVER
    hosts.typed('dump')
    hosts.here.call('virt.other_vf', path=TYPE['dump'].split('>')[1])
    hosts.migrate('migrate_xml')
    assert hosts.here.call('virt.burst')['burst'] >= 10000
    result = hosts.arrive(hosts.here.call('virt.facts', vf=0), vf=1)
    assert_moved(result)
    print('downtime', result['downtime'], 'ms')
    assert result['came']['driver'] == DRIVER
