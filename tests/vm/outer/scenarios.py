# SPDX-License-Identifier: GPL-2.0-only
"""Migrations of a guest with a VF, told as facts for the tests to judge."""
import time

import agent
import host
from guest import DmaCheck, Guest

PARAMETERS = {'max-bandwidth': 4 << 30, 'downtime-limit': 1500}


def fault(spec, device='lmf0'):
    agent.link.up('fault', spec=spec, device=device)


def stats(device='lmf0'):
    return agent.link.up('stats', device=device)


def pair(source_vf=0, dest_vf=1, name='m', **options):
    """Boot a guest on one VF, and return it with what starts a destination."""
    host.prepare()
    source = Guest(f'{name}-src', host.virtual_function(source_vf), **options)

    def destination():
        uri = f'unix:/run/{name}.migrate'
        guest = Guest(f'{name}-dst', host.virtual_function(dest_vf),
                      incoming='defer', **options)
        guest.qmp.cmd('migrate-incoming', uri=uri)
        return guest, uri
    return source, destination


def migrate(source, uri, parameters=None):
    source.qmp.cmd('migrate-set-parameters', **(parameters or PARAMETERS))
    source.qmp.cmd('migrate', uri=uri)


def counters(guest):
    return host.counters(guest.bdf) if guest and guest.bdf else None


def facts(source, dest):
    """What QEMU, the driver and the device know about one migration."""
    return {'source': source.migration(), 'source_states': source.states(),
            'dest_states': dest.states() if dest else None,
            'source_stderr': source.stderr(),
            'dest_stderr': dest.stderr() if dest else None,
            'trace': source.text('trace'),
            'source_counters': counters(source),
            'dest_counters': counters(dest)}


def dma_only(hold=True, faults=(), **options):
    """Migrate while only the VF writes the memory that is checked after.

    A burst of reads is made once QEMU has sent all memory for the first time,
    and those pages are not touched again: only the device's log can tell of
    them. Until then pre-copy is held open by slow SAVE_READs.
    """
    source, destination = pair(name='dma', **options)
    dest = None
    try:
        source.console.wait_up()
        check = DmaCheck(source)
        filled = check.ask('fill')
        dest, uri = destination()
        for spec in faults:
            fault(spec)
        fault('admin-delay=0x0121:300000')
        migrate(source, uri)
        wait_first_pass(source)
        burst = check.ask('burst 12288')
        fault('admin-delay=0x0121:0')
        status = source.wait_migration()
        result = {'status': status, 'filled': filled, 'burst': burst}
        if status == 'completed':
            dest.qmp.wait_event(lambda e: e['event'] == 'RESUME', 60)
            result['verify'] = check.moved_to(dest).ask('verify')
        result.update(facts(source, dest))
        return result
    finally:
        fault('none')
        source.quit()
        if dest:
            dest.quit()


def wait_first_pass(source, timeout=120):
    """Until QEMU has sent every page of the guest once."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        ram = source.migration().get('ram')
        if ram and (ram['normal'] + ram['duplicate']) * 4096 >= ram['total']:
            return
        time.sleep(0.05)
    raise RuntimeError(f'the first pass does not end: {source.migration()}')


def without_vf(name='bare'):
    """The same guest without a VF, to compare with."""
    source = Guest(f'{name}-src')
    dest = None
    try:
        source.console.wait_up()
        dest = Guest(f'{name}-dst', incoming='defer')
        uri = f'unix:/run/{name}.migrate'
        dest.qmp.cmd('migrate-incoming', uri=uri)
        migrate(source, uri)
        result = {'status': source.wait_migration()}
        result.update(facts(source, dest))
        result['says'] = dest.run('echo here')
        return result
    finally:
        source.quit()
        if dest:
            dest.quit()
