# SPDX-License-Identifier: GPL-2.0-only
"""Migrations that must not succeed. The source guest always goes on."""
import threading

import host
from block import wait_until
from disk import Disk, disk_facts
from guest import DmaCheck
from migration import (SAVE_READ, fault, pair, slow, wait_first_pass,
                       wait_state)
from patience import FACTOR


def attempt_again(both, check):
    """After a failure: the guest's I/O goes on, and a second try succeeds."""
    before = check.ask('status')['transfers']
    both.no_fault()
    both.drop_dest()
    after = check.ask('status')['transfers']
    both.start()
    return {**both.end(check), 'went_on': after > before}


def cancel():
    with pair(name='cancel') as both:
        check = DmaCheck(both.source)
        check.ask('fill')
        with slow(SAVE_READ):
            both.start(hold=True)
            # A thread that is sending RAM when the cancel closes its channel
            # may call that a failure; one that reads the VF does not.
            wait_first_pass(both.source)
            both.source.qmp.cmd('migrate_cancel')
            first = both.source.wait_migration()
        return {'first': first, **attempt_again(both, check)}


def lose_destination(both, where):
    """Kill the destination in pre-copy, or in stop-copy: in pre-switchover
    the vCPUs and the VF are stopped, and the data is not read yet.
    """
    stop_copy = where == 'stop-copy'
    both.source.set_capability('pause-before-switchover', stop_copy)
    both.start(hold=not stop_copy)
    if stop_copy:
        both.source.wait_migration('pre-switchover')
        wait_state(both.source, 'stop-copy')
        fault(f'admin-delay={SAVE_READ}:300000')
        both.source.qmp.cmd('migrate-continue', state='pre-switchover')
    else:
        wait_state(both.source, 'pre-copy')
    both.dest.process.kill()
    first = both.source.wait_migration()
    both.source.set_capability('pause-before-switchover', False)
    return {'first': first, 'first_states': both.source.states()}


def destination_dies(where):
    with pair(name='dies') as both:
        check = DmaCheck(both.source)
        check.ask('fill')
        return {**lose_destination(both, where), **attempt_again(both, check)}


def disk_goes_back():
    """The VF is the guest's disk, and full of requests when it is stopped and
    goes back to running where it was. An interrupt that gets lost is seen.
    """
    with pair(name='back') as both:
        disk = Disk(both.source)
        disk.make()
        disk.start_fio()
        fault('io-delay=*:20000')
        result = lose_destination(both, 'stop-copy')
        both.no_fault()
        both.drop_dest()
        both.start()
        result['status'] = both.finish()
        if result['status'] == 'completed':
            disk.guest = both.dest
        return {**result, **disk_facts(disk), **both.facts()}


def refused(faults=(), dest_place=(1, 0)):
    """A destination that does not match refuses before the downtime."""
    with pair(name='refused', dest_place=dest_place) as both:
        check = DmaCheck(both.source)
        check.ask('fill')
        for spec in faults:
            fault(spec)
        both.start()
        status = both.source.wait_migration()
        before = check.ask('status')['transfers']
        both.dest.process.wait(20 * FACTOR)
        facts = both.facts()
        after = check.ask('status')['transfers']
        return {'status': status, 'went_on': after > before, **facts}


def moved(name):
    """A pair that knows nothing of what went wrong before it."""
    with pair(name=name) as both:
        check = DmaCheck(both.source)
        check.ask('fill')
        both.start()
        return both.end(check)


def wait_given_up(guest, timeout=60):
    """Until QEMU has told that its VF left pre-copy again, by itself or with
    a reset. That it ran was told before, too, when the guest was started.
    """
    if not guest.qmp.wait_event(lambda _: guest.states()[-1] == 'running',
                                timeout):
        raise RuntimeError(f'its VF stays: {guest.states()}')


def pf_reset():
    """The PF is reset in pre-copy, and its VFs with it: the guest's queue is
    gone, so a new pair has to show that the PF came back.
    """
    pf = host.physical_functions()[0]
    with pair(name='pf-reset') as both:
        DmaCheck(both.source).ask('fill')
        # So slow that the reset finds a chunk being read.
        with slow(SAVE_READ):
            both.start(hold=True)
            wait_first_pass(both.source)
            host.write(host.DEVICES + pf + '/reset', 1)
            status = both.source.wait_migration()
            wait_given_up(both.source)
        first = {'status': status, 'guest': both.source.status(),
                 **both.facts()}
    return {'first': first, **moved('after-reset')}


def vfs_removed():
    """The VFs go while a guest has one: QEMU is asked for it, cannot unplug
    it from its root bus, and keeps it until it ends.
    """
    removal = threading.Thread(target=host.set_vfs, args=(0,), daemon=True)
    with pair(name='removed') as both:
        check = DmaCheck(both.source)
        check.ask('fill')
        removal.start()
        wait_until(lambda: 'hotplug' in both.source.stderr())
        result = {'burst': check.ask('burst 12288')['burst'],
                  'guest': both.source.status(), 'waits': removal.is_alive()}
    removal.join(30 * FACTOR)
    if removal.is_alive():
        raise RuntimeError('the VFs are not removed')
    return {**result, 'vfs': host.prepare(), **moved('after-removal')}
