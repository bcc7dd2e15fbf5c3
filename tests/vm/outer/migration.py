# SPDX-License-Identifier: GPL-2.0-only
"""What all scenarios share: a pair of guests, and the facts of a migration."""
import contextlib
import time

import agent
import host
from guest import Guest
from patience import FACTOR

# What hardware does and an emulator would not do by itself.
HARDWARE = ('admin-reorder=1', 'short-chunks=1')
PARAMETERS = {'max-bandwidth': 4 << 30, 'downtime-limit': 1500}
# QEMU goes on as long as more is left than this speed moves in a millisecond:
# 100 bytes. What is left has MIG_DATA_SIZE in it, and the least that a device
# gives once it is stopped, the end of its state and of the stream, is more.
HELD = {'downtime-limit': 1, 'avail-switchover-bandwidth': 100 * 1000}
FREE = {'avail-switchover-bandwidth': 0}
SAVE_READ, LOAD_WRITE = '0x0121', '0x0131'


def fault(spec, device='lmf0'):
    """Set a fault hook of the device model; see firmware/fault.c."""
    agent.link.up('fault', spec=spec, device=device)


def stats(device='lmf0'):
    return agent.link.up('stats', device=device)


class Pair:
    """A guest on one VF and, when asked for, its destination on another. The
    places are (VF, PF), or None for a guest without a VF. `second` are the
    places on both sides of one more VF of the guest.
    """

    def __init__(self, source_place=(0, 0), dest_place=(1, 0), name='m',
                 parameters=None, hardware=(), vfs=2, second=(None, None),
                 **options):
        host.prepare(vfs)
        self.hardware = hardware
        self.no_fault()
        self.name = name
        self.options = options
        self.parameters = dict(PARAMETERS, **(parameters or {}))
        self.dest_place = dest_place
        self.dest_second = second[1]
        self.dest = None
        self.unexpected = {}
        self.source = self._guest(0, source_place, second[0], options)
        self.count = 0

    def no_fault(self):
        """But for what real hardware does."""
        fault('none')
        for spec in self.hardware:
            fault(spec)

    def _guest(self, number, place, second, options):
        bdf, other = (at and host.virtual_function(*at)
                      for at in (place, second))
        for vf in (bdf, other):
            if vf and host.counters(vf):
                self.unexpected.setdefault(
                    vf, host.counters(vf)['resets_unexpected'])
        return Guest(f'{self.name}-{number}', bdf, second=other, **options)

    def unexpected_resets(self):
        """Of all VFs that were used, since this pair began."""
        return sum(host.counters(bdf)['resets_unexpected'] - before
                   for bdf, before in self.unexpected.items())

    def start(self, hold=False, **dest_options):
        """Start a new destination and a migration to it. With `hold` it
        stays in pre-copy until release(), whether or not the guest writes: no
        downtime is short enough then.
        """
        self.count += 1
        uri = f'unix:/run/{self.name}-{self.count}.migrate'
        self.dest = self._guest(self.count, self.dest_place, self.dest_second,
                                {**self.options, **dest_options,
                                 'incoming': 'defer'})
        self.dest.qmp.cmd('migrate-incoming', uri=uri)
        self.release()
        if hold:
            self.source.qmp.cmd('migrate-set-parameters', **HELD)
        self.source.qmp.cmd('migrate', uri=uri)

    def release(self):
        self.source.qmp.cmd('migrate-set-parameters',
                            **{**FREE, **self.parameters})

    def finish(self):
        """Wait for the end; on success until the destination runs."""
        status = self.source.wait_migration()
        if status == 'completed':
            self.dest.wait_arrived()
        return status

    def end(self, check, status=None):
        """Wait for the end, unless that was done, and look at the memory that
        only the VF wrote.
        """
        result = {'status': status or self.finish()}
        if result['status'] == 'completed':
            result['verify'] = check.moved_to(self.dest).ask('verify')
        return {**result, **self.facts()}

    def facts(self):
        """What QEMU, the driver and the device know about it."""
        source, dest = self.source, self.dest
        return {'source': source.migration(), 'source_states': source.states(),
                'unexpected_resets': self.unexpected_resets(),
                'guest_log': self.guest_log(),
                'dest_states': dest.states(),
                'source_stderr': source.stderr(),
                'dest_stderr': dest.stderr(),
                'trace': source.text('trace'),
                'source_counters': host.counters(source.bdf),
                'dest_counters': host.counters(dest.bdf)}

    def guest_log(self):
        """The kernel's log of the guest, wherever it runs now."""
        for guest in (self.dest, self.source):
            if guest and guest.status() == 'running':
                return guest.run('dmesg')
        raise RuntimeError('the guest runs nowhere')

    def drop_dest(self):
        if self.dest:
            self.dest.quit()
            self.dest = None

    def swap(self):
        """The destination becomes the source of the next migration."""
        place = (host.location(self.source.bdf))
        self.source.quit()
        self.source, self.dest = self.dest, None
        self.dest_place = place

    def last_words(self):
        """What both QEMUs and guests said, for who reads a failure."""
        return ''.join(
            f'{guest.name}: {guest.status()}\nits QEMU: {guest.stderr()}\n'
            f'its CPUs: {guest.post_mortem()}\n'
            f'its console: {guest.text("console")[-6000:]}\n'
            for guest in (self.source, self.dest) if guest)

    def close(self):
        self.drop_dest()
        self.source.quit()


@contextlib.contextmanager
def pair(**options):
    both = Pair(**options)
    try:
        both.source.console.wait_up()
        yield both
    except Exception as error:
        error.add_note(both.last_words())
        raise
    finally:
        fault('none')
        both.close()


@contextlib.contextmanager
def slow(opcode, milliseconds=100, device='lmf0'):
    """The device takes its time for each such command."""
    fault(f'admin-delay={opcode}:{milliseconds * 1000}', device)
    try:
        yield
    finally:
        fault(f'admin-delay={opcode}:0', device)


def churn(guest):
    """Have the guest write to its memory all the time: one at rest is moved
    however short the downtime has to be.
    """
    guest.run('(while :; do dd if=/dev/zero of=/run/churn bs=1M count=16 '
              '2>/dev/null; done) & true')


def wait_first_pass(source, timeout=120, share=1):
    """Until QEMU has sent every page of the guest once, or such a share."""
    deadline = time.monotonic() + timeout * FACTOR
    while time.monotonic() < deadline:
        ram = source.migration().get('ram')
        if ram and (ram['normal'] + ram['duplicate']) * 4096 >= \
                share * ram['total']:
            return
        time.sleep(0.05)
    raise RuntimeError(f'the first pass does not end: {source.migration()}')


def wait_state(guest, state, timeout=60):
    """Until QEMU tells that the VF reached a migration state."""
    if not guest.qmp.wait_event(
            lambda e: e['event'] == 'VFIO_MIGRATION' and
            e['data']['device-state'] == state, timeout):
        raise RuntimeError(f'{guest.name}: never {state}: {guest.states()}')
