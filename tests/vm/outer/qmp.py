# SPDX-License-Identifier: GPL-2.0-only
"""A QMP client. A thread of its own reads, so that no event is missed."""
import json
import socket
import threading
import time

from patience import FACTOR


class QmpError(Exception):
    pass


class Qmp:
    """One connection. `events` grows in order of arrival. With `oob` there can
    be commands that do not wait for what QEMU's main thread waits for.
    """

    def __init__(self, path, timeout=30, oob=False):
        self.sock = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.sock.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.events = []
        self.replies = {}
        self.closed = False
        self.changed = threading.Condition()
        self.next_id = 0
        threading.Thread(target=self._read, daemon=True).start()
        self.cmd('qmp_capabilities', enable=['oob'] if oob else [])

    def _read(self):
        try:
            for line in self.sock.makefile('r'):
                message = json.loads(line)
                with self.changed:
                    if 'event' in message:
                        if message['event'] != 'MIGRATION_PASS':
                            self.events.append(message)
                    elif 'id' in message:
                        self.replies[message['id']] = message
                    self.changed.notify_all()
        except OSError:
            pass
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def cmd(self, name, /, timeout=60, oob=False, **args):
        """Execute a command and return its result."""
        with self.changed:
            self.next_id += 1
            key = self.next_id
        request = {'exec-oob' if oob else 'execute': name, 'id': key}
        if args:
            request['arguments'] = {k.replace('_', '-'): v
                                    for k, v in args.items()}
        try:
            self.sock.sendall((json.dumps(request) + '\n').encode())
        except OSError as error:
            raise QmpError(f'{name}: QEMU is gone') from error
        with self.changed:
            if not self.changed.wait_for(
                    lambda: key in self.replies or self.closed,
                    timeout * FACTOR):
                raise QmpError(f'{name}: no answer in {timeout} s')
            if key not in self.replies:
                raise QmpError(f'{name}: QEMU is gone')
            reply = self.replies.pop(key)
        if 'error' in reply:
            raise QmpError(f"{name}: {reply['error']['desc']}")
        return reply['return']

    def wait_event(self, match, timeout):
        """Wait for an event, past or coming, for which match() is true."""
        def found():
            return next((e for e in self.events if match(e)), None)
        with self.changed:
            self.changed.wait_for(lambda: found() or self.closed,
                                  timeout * FACTOR)
            return found()

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
