# SPDX-License-Identifier: GPL-2.0-only
"""Runs in the outer machine: carries out what the bed asks for.

Over a virtio-serial port, in lines of JSON:
  down {"id": 1, "call": "scenarios.plain", "args": {...}}
  up   {"id": 1, "result": ...} or {"id": 1, "error": "..."}
  up   {"up": 1, "call": "fault", "args": {...}}, what only the bed can do
  down {"up": 1, "result": ...} or {"up": 1, "error": "..."}
"""
import glob
import importlib
import json
import os
import threading
import time
import traceback


def find_port(name='lmf'):
    for entry in glob.glob('/sys/class/virtio-ports/*/name'):
        with open(entry) as file:
            if file.read().strip() == name:
                return '/dev/' + entry.split('/')[-2]
    raise RuntimeError('no port of the bed')


class Link:
    """The port, shared by the calls that are under way."""

    def __init__(self):
        fd = os.open(find_port(), os.O_RDWR)
        self.reader = os.fdopen(fd, 'rb', buffering=0)
        self.fd = fd
        self.lock = threading.Lock()
        self.changed = threading.Condition()
        self.answers = {}
        self.count = 0

    def send(self, message):
        data = (json.dumps(message) + '\n').encode()
        with self.lock:
            while data:
                data = data[os.write(self.fd, data):]

    def up(self, name, timeout=90, **args):
        """Have the bed do something, and return its answer."""
        with self.changed:
            self.count += 1
            key = self.count
        self.send({'up': key, 'call': name, 'args': args})
        with self.changed:
            if not self.changed.wait_for(lambda: key in self.answers, timeout):
                raise RuntimeError(f'the bed does not answer: {name} {args}')
            answer = self.answers.pop(key)
        if 'error' in answer:
            raise RuntimeError(answer['error'])
        return answer['result']

    def run(self, message):
        module, name = message['call'].split('.')
        try:
            function = getattr(importlib.import_module(module), name)
            result = function(**message['args'])
            self.send({'id': message['id'], 'result': result})
        except Exception:
            self.send({'id': message['id'], 'error': traceback.format_exc()})

    def serve(self):
        pending = b''
        while True:
            data = self.reader.read(65536)
            if not data:
                # Nobody holds the other end, and no event tells of the next.
                time.sleep(0.05)
                continue
            *lines, pending = (pending + data).split(b'\n')
            for line in lines:
                message = json.loads(line)
                if 'up' in message:
                    with self.changed:
                        self.answers[message['up']] = message
                        self.changed.notify_all()
                else:
                    threading.Thread(target=self.run, args=(message,),
                                     daemon=True).start()


link = None

if __name__ == '__main__':
    import agent
    agent.link = Link()
    agent.link.send({'id': 0, 'result': 'ready'})
    agent.link.serve()
