# SPDX-License-Identifier: GPL-2.0-only
"""This host's end of a migration from host to host. The bed, which alone sees
both, has each do its part; what a part leaves is kept here for the next.
"""
import contextlib
import json
import subprocess
import threading

import host
from guest import DmaCheck, Guest
from migration import (FREE, HELD, PARAMETERS, SAVE_READ, fault,
                       wait_first_pass, wait_state)
from qmp import QmpError

PORT = 4444
NIC = 'eth0'
MULTIFD = 'multifd'
THREADS = ('-trace', 'vfio_save_complete_precopy_thread_*',
           '-trace', 'vfio_load_bufs_thread_*')


class End:
    """What this host has of it: a guest, and the check that runs there."""
    guest = None
    check = None
    resets = 0


def address(number):
    return f'10.0.0.{number + 1}'


def connect(number):
    """Be host number so on the cable between the hosts."""
    for line in (f'ip address add {address(number)}/24 dev {NIC}',
                 f'ip link set {NIC} up'):
        subprocess.run(line.split(), check=True)


def shape(mbit):
    """What leaves this host goes no faster; 0: as fast as it can."""
    subprocess.run(['tc', 'qdisc', 'del', 'dev', NIC, 'root'], check=False,
                   capture_output=True)
    if mbit:
        subprocess.run(['tc', 'qdisc', 'add', 'dev', NIC, 'root', 'tbf',
                        'rate', f'{mbit}mbit', 'burst', '256kb', 'latency',
                        '50ms'], check=True)


def shaped():
    """Bytes that went through the limit."""
    text = subprocess.run(['tc', '-s', '-j', 'qdisc', 'show', 'dev', NIC],
                          check=True, capture_output=True, text=True).stdout
    return sum(q['bytes'] for q in json.loads(text) if q['kind'] == 'tbf')


def launch(name, multifd, **options):
    host.prepare()
    bdf = host.virtual_function(0)
    End.resets = host.counters(bdf)['resets_unexpected']
    if multifd:
        options.update(vfio=',x-migration-multifd-transfer=on',
                       qemu_args=THREADS)
    End.guest = Guest(name, bdf, oob=True, **options)
    if multifd:
        End.guest.set_capability(MULTIFD, True)
        End.guest.qmp.cmd('migrate-set-parameters', multifd_channels=4)
    return End.guest


def begin(multifd=False, sweep_us=2000, **options):
    """A guest with memory that only its VF writes."""
    guest = launch('here', multifd, **options)
    guest.console.wait_up()
    End.check = DmaCheck(guest, SWEEP_US=sweep_us)
    return End.check.ask('fill')


def listen(multifd=False, **options):
    """A guest that waits for one to come."""
    guest = launch('there', multifd, incoming='defer', **options)
    guest.qmp.cmd('migrate-incoming', uri=f'tcp:0.0.0.0:{PORT}')


def go(to, hold=False):
    """Begin to move to that host, or with `hold` to stay in pre-copy."""
    End.guest.qmp.cmd('migrate-set-parameters', **{**FREE, **PARAMETERS})
    if hold:
        End.guest.qmp.cmd('migrate-set-parameters', **HELD)
        fault(f'admin-delay={SAVE_READ}:100000')
    End.guest.qmp.cmd('migrate', uri=f'tcp:{address(to)}:{PORT}')


def release():
    fault('none')
    End.guest.qmp.cmd('migrate-set-parameters', **{**FREE, **PARAMETERS})


def burst(pages=12288):
    """Once all memory was sent, the VF writes what it then leaves alone."""
    wait_first_pass(End.guest)
    return End.check.ask(f'burst {pages}')


def wait_sent(share):
    """Until such a share of the memory was looked at in the first pass."""
    wait_first_pass(End.guest, share=share)


def pause_at_switchover(on):
    End.guest.set_capability('pause-before-switchover', on)


def wait_switchover():
    """CPUs and VF are stopped, and of STOP_COPY nothing was read yet."""
    release()
    End.guest.wait_migration('pre-switchover')
    wait_state(End.guest, 'stop-copy')


def switch_over():
    """QEMU's main thread may wait from here on for a host that is gone."""
    def switch():
        with contextlib.suppress(QmpError):
            End.guest.qmp.cmd('migrate-continue', state='pre-switchover')
    threading.Thread(target=switch, daemon=True).start()
    End.guest.wait_migration('device')


def yank():
    """What an operator has left where even a cancel waits."""
    End.guest.qmp.cmd('yank', oob=True, instances=[{'type': 'migration'}])
    return ended()


def transfers():
    """How much the VF of the guest here has done, which has to go on."""
    return End.check.ask('status')['transfers']


def cancel():
    End.guest.qmp.cmd('migrate_cancel')
    return ended()


def progress():
    return End.guest.migration()['ram']['transferred']


def ended(timeout=300):
    """How it ended, and what this host knows of it."""
    status = End.guest.wait_migration(timeout=timeout)
    return {'status': status, **facts()}


def came(timeout=300):
    """What this host knows once the guest runs here."""
    guest = End.guest
    guest.wait_arrived(timeout)
    End.check = DmaCheck.arrived(guest)
    return {'verify': End.check.ask('verify'), **facts(),
            'guest_log': guest.run('dmesg')}


def facts():
    guest = End.guest
    counters = host.counters(guest.bdf)
    return {'qemu': guest.migration(), 'states': guest.states(),
            'stderr': guest.stderr(), 'trace': guest.text('trace'),
            'counters': counters,
            'resets': counters['resets_unexpected'] - End.resets}


def leave():
    """The guest of this host ends, if there is one."""
    fault('none')
    if End.guest:
        End.guest.quit()
    End.guest = End.check = None
