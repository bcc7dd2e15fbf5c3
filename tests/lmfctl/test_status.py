# SPDX-License-Identifier: GPL-2.0-only
"""status and watch, from counters that stand still or that a test moves."""
import json
import os
import pty
import re
import subprocess

from host import DEVICES, typical

MS = 1000000
AFTER = {
    'state': 'STOP', 'bytes_saved_precopy': 110430360,
    'bytes_saved_stop_copy': 144304, 'dirty_bytes': 1000, 'reports': 12,
    'pages_reported': 40208, 'pre_copy_start_ns': 100 * MS,
    'p2p_start_ns': 500 * MS, 'p2p_done_ns': 502 * MS,
    'stop_start_ns': 503 * MS, 'stop_done_ns': 507 * MS,
    'stopped_report_time_ns': 1 * MS, 'stop_copy_start_ns': 507 * MS,
    'stop_copy_last_byte_ns': 570 * MS,
    'stop_copy_read_time_ns': 13 * MS, 'log_format': 'ring',
    'last_report_start_ns': 508 * MS, 'last_report_done_ns': 509 * MS,
    'data_size': 1, 'resets': 3, 'resets_unexpected': 1, 'last_error': -5}
# The state is the last to be set, as by the driver: who sees it sees the rest.
PRECOPY = {
    'log_format': 'ring', 'pre_copy_start_ns': 100 * MS,
    'initial_bytes': 3 << 20, 'dirty_bytes': 5 << 10,
    'bytes_saved_precopy': 1 << 20, 'data_size': 1 << 20,
    'state': 'PRE_COPY'}


def test_nothing(host):
    host.function('0000:00:02.0')
    assert host.run('status') == (
        0, "no function has counters of migration: see 'lmfctl list'\n", '')


def test_text(host, golden):
    vfs = typical(host)
    host.counters(vfs[0], **AFTER)
    status, out, err = host.run('status')
    assert (status, err) == (0, '')
    golden('status.txt', out)


def test_json(host, golden):
    vfs = typical(host)
    host.counters(vfs[0], **AFTER)
    status, out, err = host.run('status', '--json', vfs[0])
    assert (status, err) == (0, '')
    golden('status.json', out)
    counters = json.loads(out)['result']['functions'][0]['counters']
    for name, value in AFTER.items():
        assert counters[name] == value


def test_destination(host):
    vfs = typical(host)
    host.counters(vfs[0], state='RESUMING', bytes_loaded=4096)
    assert 'loaded           4.0 KiB, not complete' in host.run('status')[1]


def test_counter_that_the_driver_does_not_have(host):
    vfs = typical(host)
    host.unlink(DEVICES + vfs[0] + '/migration/log_drains')
    assert host.run('status')[0] == 0


def test_no_counters(host):
    vfs = typical(host)
    for command in ('status', 'watch'):
        status, out, err = host.run(command, vfs[1])
        assert (status, out) == (1, '') and 'vfio-pci cannot migrate' in err
        status, _, err = host.run(command, vfs[2])
        assert status == 1 and 'not bound to a VFIO driver' in err


def test_watch_one_look(host, golden):
    vfs = typical(host)
    host.counters(vfs[0], **PRECOPY)
    status, out, err = host.run('watch', '-n', '1', vfs[0])
    assert (status, err) == (0, '')
    golden('watch.txt', out)


class Watch:
    """lmfctl watch, which looks often, while the test moves the counters."""

    def __init__(self, host, vf, *options):
        self.host, self.vf = host, vf
        self.process = host.start('watch', '-i', '10', *options, vf)

    def next(self):
        return json.loads(self.process.stdout.readline())['result']

    def until(self, true):
        while True:
            result = self.next()
            if true(result):
                return result

    def set(self, **values):
        """As the kernel does: what is read is the old value or the new."""
        folder = DEVICES + self.vf + '/migration/'
        for name, value in values.items():
            self.host.put(folder + 'new', value)
            os.rename(self.host.root + folder + 'new',
                      self.host.root + folder + name)


def test_watch_a_migration(host):
    """First pass, balance or not, stop-copy, the end, and then it ends."""
    vfs = typical(host)
    watch = Watch(host, vfs[0], '--json', '--once')
    look = watch.next()
    assert look['event'] == 'look' and look['estimate'] is None
    watch.set(**PRECOPY)
    look = watch.until(lambda r: r['counters']['state'] == 'PRE_COPY')
    assert look['estimate']['cutover'] == 'first pass'
    assert look['estimate']['downtime_ms'] is None
    watch.set(initial_bytes=0, bytes_saved_precopy=400 << 20)
    look = watch.until(lambda r: not r['counters']['initial_bytes'] and
                       r['counters']['bytes_saved_precopy'] == 400 << 20)
    assert look['estimate']['cutover'] == 'cut over now'
    watch.set(state='STOP_COPY', stop_copy_start_ns=507 * MS)
    watch.until(lambda r: r['counters']['state'] == 'STOP_COPY')
    watch.set(**{k: v for k, v in AFTER.items() if k != 'state'})
    watch.set(state='STOP')
    done = watch.until(lambda r: r['event'] == 'done')
    assert done['downtime'] == {'total_ms': 20.0, 'quiesce_ms': 6.0,
                                'report_ms': 1.0, 'read_ms': 13.0}
    assert done['estimate']['downtime_ms'] >= 0
    assert watch.process.wait(60) == 0


def test_watch_a_migration_that_is_cancelled(host):
    vfs = typical(host)
    host.counters(vfs[0], **PRECOPY)
    watch = Watch(host, vfs[0], '--json', '--once')
    watch.until(lambda r: r['counters']['state'] == 'PRE_COPY')
    watch.set(state='RUNNING')
    watch.until(lambda r: r['event'] == 'stopped')
    assert watch.process.wait(60) == 0


def test_watch_a_paused_guest(host):
    """No pre-copy, and no prediction."""
    vfs = typical(host)
    watch = Watch(host, vfs[0], '--json', '--once')
    watch.next()
    watch.set(state='STOP_COPY', stop_copy_start_ns=507 * MS)
    watch.until(lambda r: r['counters']['state'] == 'STOP_COPY')
    watch.set(**{k: v for k, v in AFTER.items() if k != 'state'})
    watch.set(state='STOP')
    done = watch.until(lambda r: r['event'] == 'done')
    assert done['downtime']['total_ms'] == 20.0
    assert done['estimate']['downtime_ms'] is None
    assert watch.process.wait(60) == 0


def test_watch_a_load(host):
    """A destination: no estimate, and then it is over, too."""
    vfs = typical(host)
    host.counters(vfs[0], state='RESUMING', bytes_loaded=5)
    watch = Watch(host, vfs[0], '--json', '--once')
    watch.until(lambda r: r['counters']['state'] == 'RESUMING')
    watch.set(state='RUNNING', load_done_ns=9)
    assert watch.process.wait(60) == 0


def test_watch_a_migration_between_two_looks(host):
    """And not the one before it, of which the counters are cleared first."""
    vfs = typical(host)
    host.counters(vfs[0], stop_copy_start_ns=3, stop_copy_last_byte_ns=5)
    watch = Watch(host, vfs[0], '--json', '--once')
    watch.next()
    watch.set(stop_copy_last_byte_ns=0)
    watch.until(lambda r: not r['counters']['stop_copy_last_byte_ns'])
    watch.next()
    watch.set(stop_copy_start_ns=7, stop_copy_last_byte_ns=9)
    assert watch.process.wait(60) == 0


def test_watch_loses_its_function(host):
    vfs = typical(host)
    watch = Watch(host, vfs[0], '--json')
    watch.next()
    host.unlink(DEVICES + vfs[0] + '/migration/state')
    assert watch.process.wait(60) == 1
    assert 'was it unbound?' in watch.process.stderr.read()


def test_watch_is_interrupted(host):
    vfs = typical(host)
    watch = Watch(host, vfs[0], '--json')
    watch.next()
    watch.process.terminate()
    assert watch.process.wait(60) == 0


def test_watch_on_a_terminal(host):
    """Two lines, overwritten; the cursor leaves them at the end."""
    vfs = typical(host)
    host.counters(vfs[0], **PRECOPY)
    ours, theirs = pty.openpty()
    process = host.start('watch', '-i', '10', '-n', '3', vfs[0],
                         stdout=theirs)
    os.close(theirs)
    text = b''
    try:
        while True:
            text += os.read(ours, 4096)
    except OSError:
        pass
    os.close(ours)
    assert process.wait(60) == 0
    assert text.count(b'\x1b[K') == 6
    assert text.count(b'\n') - text.count(b'\x1b[A') == 2
    assert text.endswith(b'\x1b[A\r\r\n\r\n')


def test_watch_in_a_terminal_of_80_columns(host, tmp_path):
    """It does not wrap, and all of it is to be seen."""
    vfs = typical(host)
    host.counters(vfs[0], **PRECOPY)
    tmux = ['tmux', '-L', f'lmf-{os.getpid()}', '-f', '/dev/null']
    env = f'LMFCTL_ROOT={host.root} LMFCTL_PCI_DUMP={host.dump}'
    line = f'{env} {host.binary} watch -i 10 -n 5 {vfs[0]}; ' \
        f"{' '.join(tmux)} wait-for -S done; cat"
    subprocess.run([*tmux, 'new-session', '-d', '-x', '80', '-y', '10', line],
                   check=True, env={**os.environ, 'TERM': 'xterm'})
    try:
        subprocess.run([*tmux, 'wait-for', 'done'], check=True, timeout=60)
        screen = subprocess.run([*tmux, 'capture-pane', '-p'], check=True,
                                capture_output=True, text=True).stdout
    finally:
        subprocess.run([*tmux, 'kill-server'], check=False)
    lines = screen.rstrip().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith('PRE_COPY     [                    ] '
                               'first pass')
    assert re.fullmatch(r'left .* \+ .* dirty  read .*/s  dirtied .*/s',
                        lines[1])


def test_reader_that_goes_away(host):
    vfs = typical(host)
    watch = Watch(host, vfs[0])
    watch.process.stdout.readline()
    watch.process.stdout.close()
    assert watch.process.wait(60) != 0


def test_not_executed_as_a_shell_would(host):
    """No text of sysfs is a format."""
    vfs = typical(host)
    host.counters(vfs[0], state='%s%n%x')
    assert '%s%n%x' in host.run('status')[1]
    assert subprocess.run([host.binary, 'decode', '%s%n'], check=False,
                          capture_output=True).stderr == \
        b'lmfctl: %s%n: No such file or directory\n'
