# SPDX-License-Identifier: GPL-2.0-only
"""lmfctl on real functions: each scenario is what an operator would type."""
import json
import os
import signal
import subprocess
import threading

import host
from block import MODULE, NODE, wait_until
from disk import Disk as GuestDisk
from guest import DmaCheck
from migration import (SAVE_READ, churn, fault, pair, slow, wait_first_pass,
                       wait_state)

LMFCTL = '/lmf/lmfctl'
SCRUB = '0x0140'
MARK = b'what the first tenant left'


def run(*args):
    """Of a command: its status, what it printed, and what it complained."""
    done = subprocess.run([LMFCTL, *args], capture_output=True, text=True,
                          check=False)
    return {'status': done.returncode, 'out': done.stdout, 'err': done.stderr}


def ask(*args):
    """The result in JSON of a command that must succeed."""
    done = run(*args, '--json')
    if done['status']:
        raise RuntimeError(done['err'])
    return json.loads(done['out'])['result']


def fresh(vfs):
    """So many VFs that nobody had before."""
    pf = host.physical_functions()[0]
    host.set_vfs(0)
    # Else lmf_blk takes them, once it is loaded.
    host.write(host.DEVICES + pf + '/sriov_drivers_autoprobe', 0)
    return ask('vfs', pf, str(vfs))['vfs']


def bound():
    """From nothing to a VF that can migrate, and back."""
    pf = host.physical_functions()[0]
    vf = fresh(2)[0]
    listed = [f for f in ask('list')['functions'] if f['bdf'] in (pf, vf)]
    first = run('bind', vf)
    again = run('bind', vf)
    status = run('status', vf)
    resets = host.counters(vf)['resets']
    shown = run('list', vf)
    # To open it would have reset it.
    resets = host.counters(vf)['resets'] - resets
    last = run('unbind', vf)
    driver = host.driver(vf)
    fewer = [ask('vfs', pf, number)['vfs'] for number in '10']
    return {'pf': pf, 'vf': vf, 'listed': listed, 'first': first,
            'again': again, 'resets': resets, 'state': status, 'shown': shown,
            'last': last, 'driver': driver, 'fewer': fewer}


def by_group(*args):
    """As on a kernel that has no node for each device."""
    hide = 'mount -t tmpfs none /dev/vfio/devices && exec "$0" "$@"'
    done = subprocess.run(['unshare', '-m', 'sh', '-c', hide, LMFCTL, *args,
                           '--json'], capture_output=True, text=True,
                          check=False)
    return json.loads(done.stdout or 'null') or done.stderr


def probed():
    vf = fresh(1)[0]
    host.bind(vf, host.DRIVER)
    resets = host.counters(vf)['resets']
    refused = run('probe', vf)
    unchanged = host.counters(vf)['resets'] == resets
    result = {'refused': refused, 'unchanged': unchanged,
              'text': {vf: run('probe', '-f', vf)['out']},
              'ours': ask('probe', '-f', vf),
              'reset': host.counters(vf)['resets'] > resets,
              'group': by_group('probe', '-f', vf)}
    with open('/dev/vfio/devices/' + ask('list', vf)['functions'][0][
            'vfio_device']):
        result['busy'] = [run(*args) for args in (
            ('probe', '-f', vf), ('unbind', vf),
            ('vfs', host.physical_functions()[0], '0'))]
    host.bind(vf, 'vfio-pci')
    result['plain'] = ask('probe', '-f', vf)
    result['text']['plain'] = run('probe', '-f', vf)['out']
    host.bind(vf, '')
    return result


def undone():
    """Our driver does not take it, as the PF says that it is out of memory."""
    vf = fresh(1)[0]
    host.bind(vf, 'vfio-pci')
    fault('admin-fail=0x0101:1:6')
    result = run('bind', vf)
    fault('none')
    override = host.read(host.DEVICES + vf + '/driver_override')
    result['driver'] = host.driver(vf)
    result['override'] = override
    host.bind(vf, '')
    return result


class Disk:
    """A VF as a disk of the outer machine, for as long as one needs it."""

    def __init__(self, vf):
        self.vf = vf

    def __enter__(self):
        if not os.path.exists('/sys/module/lmf_blk'):
            subprocess.run(['insmod', MODULE], check=True)
        host.bind(self.vf, 'lmf_blk')
        wait_until(lambda: os.path.exists(NODE))
        return self

    def __exit__(self, *_):
        host.bind(self.vf, '')

    @staticmethod
    def write(data):
        with open(NODE, 'wb') as disk:
            disk.write(data)
            disk.flush()
            os.fsync(disk.fileno())

    @staticmethod
    def read(size):
        with open(NODE, 'rb') as disk:
            return disk.read(size)


def left_by(vf, data=MARK):
    """Have a VF hold something."""
    with Disk(vf) as disk:
        disk.write(data)


def held_by(vf):
    with Disk(vf) as disk:
        return disk.read(len(MARK)) == MARK


def scrubbed():
    """What one tenant leaves, the next one reads, unless it is scrubbed."""
    vf, other = fresh(2)
    left_by(vf)
    left_by(other)
    result = {'before': held_by(vf)}
    host.bind(vf, host.DRIVER)
    result['bound'] = run('scrub', vf)
    # Our own driver holds the VF's interface; others only its device.
    result['sysfs'] = [scrub_by_hand(0)]
    host.bind(vf, 'vfio-pci')
    result['sysfs'].append(scrub_by_hand(0))
    host.bind(vf, '')
    result['still'] = held_by(vf)
    result['done'] = run('scrub', vf)
    result['after'] = held_by(vf)
    left_by(vf)
    host.bind(vf, host.DRIVER)
    result['unbind'] = run('unbind', vf)
    result['after_unbind'] = held_by(vf)
    result['other'] = held_by(other)
    return result


def scrub_by_hand(what):
    """The errno that the PF's file gives, 0 for none."""
    pf = host.physical_functions()[0]
    try:
        host.write(host.DEVICES + pf + '/scrub_vf', what)
        return 0
    except OSError as error:
        return error.errno


def scrub_misused():
    fresh(1)
    return {str(what): scrub_by_hand(what)
            for what in ('', 'x', -1, 1, 63, 64, 1 << 32, 0)}


class Scrubbing:
    """A scrub that takes its time, in a thread that waits for the device."""

    def __init__(self):
        fault(f'admin-delay={SCRUB}:400000')
        self.done = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        stack = f'/proc/self/task/{self.thread.native_id}/stack'
        wait_until(lambda: self.done is not None or
                   'lmf_op_wait' in host.read(stack))

    def run(self):
        self.done = scrub_by_hand(0)

    def end(self):
        self.thread.join(30)
        fault(f'admin-delay={SCRUB}:0')
        return self.done


def scrub_meanwhile():
    """What waits for a scrub, and does not hang."""
    pf = host.physical_functions()[0]
    result = {}
    vf = fresh(1)[0]
    scrub = Scrubbing()
    result['early'] = scrub.done is not None
    host.bind(vf, host.DRIVER)
    result['bound_after'] = scrub.done is not None
    result['bind'] = scrub.end()
    host.bind(vf, '')
    scrub = Scrubbing()
    host.set_vfs(0)
    result['removed'] = scrub.end()
    fresh(1)
    scrub = Scrubbing()
    host.bind(pf, '')
    result['pf_unbound'] = scrub.end()
    result['gone'] = os.path.exists(host.DEVICES + pf + '/scrub_vf')
    host.bind(pf, 'lmf')
    host.write(host.DEVICES + pf + '/driver_override', '\n')
    fresh(1)
    result['again'] = scrub_by_hand(0)
    return result


def mounted():
    vf = fresh(1)[0]
    with Disk(vf):
        subprocess.run(['mkfs.ext4', '-q', '-F', NODE], check=True)
        subprocess.run(['mount', NODE, '/mnt'], check=True)
        refused = run('bind', vf)
        subprocess.run(['umount', '/mnt'], check=True)
        elsewhere = subprocess.Popen(
            ['unshare', '-m', 'sh', '-c',
             f'mount {NODE} /mnt && echo up && read line'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        elsewhere.stdout.readline()
        unseen = run('bind', vf)
        elsewhere.communicate()
        wait_until(lambda: not held_by_kernel())
        with open(NODE, 'rb'):
            opened = run('bind', vf)
        taken = run('bind', vf)
        return {'refused': refused, 'unseen': unseen, 'opened': opened,
                'taken': taken, 'driver': host.driver(vf)}


def held_by_kernel():
    try:
        os.close(os.open(NODE, os.O_RDONLY | os.O_EXCL))
        return False
    except OSError:
        return True


def moved():
    """The media goes along; the saved stream can be read."""
    source, dest = fresh(2)
    left_by(source)
    for vf in (source, dest):
        host.bind(vf, host.DRIVER)
    refused = run('move', source, dest)
    if os.path.exists('/run/stream'):
        os.unlink('/run/stream')
    move = run('move', '-f', '--save', '/run/stream', source, dest)
    decoded = run('decode', '/run/stream', '--json')
    again = ask('move', '-f', dest, source)
    with open('/run/stream', 'r+b') as file:
        file.seek(-60, os.SEEK_END)
        file.write(b'\xff')
    broken = run('decode', '/run/stream')
    for vf in (source, dest):
        host.bind(vf, '')
    return {'refused': refused, 'move': move, 'broken': broken['err'],
            'decoded': {**decoded, 'out': json.loads(decoded['out'])[
                'result']['records'][-1]},
            'size': os.path.getsize('/run/stream'), 'again': again,
            'source': held_by(source), 'dest': held_by(dest)}


def move_refused():
    """The destination takes no state, and says so; a scrub mends it."""
    source, dest = fresh(2)
    left_by(source)
    for vf in (source, dest):
        host.bind(vf, host.DRIVER)
    fault('admin-fail=0x0131:1:9')
    move = run('move', '-f', source, dest)
    fault('none')
    unbound = run('unbind', dest)
    host.bind(source, '')
    left_by(dest)
    return {'move': move, 'unbound': unbound, 'source': held_by(source),
            'dest': held_by(dest)}


def traced(line):
    """A migration, recorded as an operator does it, and what that shows."""
    folder = '/run/trace'
    os.makedirs(folder, exist_ok=True)
    event = line.split('lmf_vfio:')[1].split()[0]
    record = subprocess.Popen(['sh', '-c', 'exec ' + line], cwd=folder,
                              stdout=subprocess.DEVNULL)
    wait_until(lambda: host.read('/sys/kernel/tracing/events/lmf_vfio/'
                                 f'{event}/enable') == '1')
    with pair(name='traced', memory=256) as both:
        DmaCheck(both.source).ask('fill')
        both.start()
        status = both.finish()
    record.send_signal(signal.SIGINT)
    record.wait(60)
    return {'status': status, 'report': subprocess.run(
        ['trace-cmd', 'report'], cwd=folder, capture_output=True, text=True,
        check=True).stdout}


class Watch:
    """lmfctl watch, from before a migration until it is over."""

    def __init__(self, vf, *options):
        self.process = subprocess.Popen(
            [LMFCTL, 'watch', '--json', '--once', *options, vf],
            stdout=subprocess.PIPE, text=True)
        self.looks = []
        self.thread = threading.Thread(target=self.collect)
        self.thread.start()

    def collect(self):
        for line in self.process.stdout:
            self.looks.append(json.loads(line)['result'])

    def states(self):
        return [look['counters']['state'] for look in self.looks]

    def verdicts(self):
        return [look['estimate']['cutover'] for look in self.looks
                if look['estimate']]

    def end(self):
        self.thread.join(60)
        if self.thread.is_alive():
            self.process.kill()
        return self.process.wait()


def watched():
    """A real migration, as watch sees it, beside the driver's own word."""
    with pair(name='watched') as both:
        check = DmaCheck(both.source)
        check.ask('fill')
        watch = Watch(both.source.bdf, '--interval', '100')
        both.start(hold=True)
        wait_state(both.source, 'pre-copy')
        both.release()
        status = both.finish()
        ended = watch.end()
        return {'status': status, 'ended': ended, 'last': watch.looks[-1],
                'states': watch.states(), **both.facts()}


def typed(lines):
    """What the README says, on a host that knows nothing yet: made, bound, and
    watched while a guest migrates from the first VF to the other.
    """
    host.set_vfs(0)
    env = {**os.environ,
           'PATH': f"{os.environ['PATH']}:{os.path.dirname(LMFCTL)}"}
    *before, watch = lines
    printed = [subprocess.run(line, shell=True, check=True, text=True,
                              stdout=subprocess.PIPE, env=env).stdout
               for line in before]
    drivers = [host.driver(host.virtual_function(n)) for n in range(2)]
    with pair(name='typed') as both:
        process = subprocess.Popen(['sh', '-c', 'exec ' + watch], text=True,
                                   stdout=subprocess.PIPE, env=env)
        both.start(hold=True)
        wait_first_pass(both.source)
        both.release()
        status = both.finish()
        watched = ''
        for line in process.stdout:
            watched += line
            if line.startswith('device downtime'):
                break
        process.send_signal(signal.SIGINT)
        process.wait(60)
        return {'printed': printed, 'drivers': drivers, 'status': status,
                'watched': watched}


def never_converges():
    """A device that cannot be read as fast as it gets dirty: a single chunk
    takes longer than the downtime may be.
    """
    with pair(name='never') as both:
        disk = GuestDisk(both.source)
        disk.make()
        disk.start_fio(jobs=2)
        watch = Watch(both.source.bdf, '--interval', '250', '--downtime',
                      '100')
        with slow(SAVE_READ, 200):
            both.start(hold=True)
            wait_until(lambda: 'will not converge' in watch.verdicts(), 240)
            both.release()
            status = both.finish()
        return {'status': status, 'ended': watch.end(),
                'measured': watch.looks[-1]['downtime']['total_ms']}


def given_up():
    """What watch says of a migration that came to nothing."""
    with pair(name='up') as both:
        watch = Watch(both.source.bdf, '--interval', '100')
        both.start(hold=True)
        wait_state(both.source, 'pre-copy')
        both.source.qmp.cmd('migrate_cancel')
        both.source.wait_migration()
        return {'ended': watch.end(), 'last': watch.looks[-1]['event']}


def predicted(pf, mib, jobs, delay):
    """So much of the media in use, so many writers while it migrates, and so
    many milliseconds that each chunk of the device takes.
    """
    with pair(name='predicted', source_place=(0, pf),
              dest_place=(1, pf)) as both:
        disk = GuestDisk(both.source)
        disk.make()
        disk.tool(f'dd if=/dev/urandom of=/mnt/fill bs=1M count={mib} '
                  'conv=fsync')
        if jobs:
            disk.start_fio(jobs)
        churn(both.source)
        watch = Watch(both.source.bdf, '--interval', '100')
        with slow(SAVE_READ, delay, f'lmf{pf}'):
            both.start(hold=True)
            # One window after the first pass; or until a CPU of the guest
            # stood long enough for QEMU to find nothing to send.
            wait_until(lambda: both.source.status() != 'running' or
                       sum(v not in ('first pass', None)
                           for v in watch.verdicts()) >= 16, 240)
            both.release()
            status = both.finish()
        watch.end()
        return {'status': status, 'verdicts': watch.verdicts(),
                'predicted': watch.looks[-1]['estimate']['downtime_ms'],
                'measured': watch.looks[-1]['downtime']['total_ms']}
