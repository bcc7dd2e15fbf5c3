# SPDX-License-Identifier: GPL-2.0-only
"""The KUnit suites in the kernel of the outer machine itself."""
import os
import subprocess

import host

MODULE = '/lmf/lmf_kunit.ko'
HUNG = '/proc/sys/kernel/hung_task_timeout_secs'


def new_messages(log):
    """What came into the kernel's log. A record is facts of it, its text, and
    lines of what device it is about; a line end in the text is escaped.
    """
    text = b''
    try:
        while True:
            text += os.read(log, 8192).split(b';', 1)[1].split(b'\n')[0] + b'\n'
    except BlockingIOError:
        return text.decode(errors='replace').replace('\\x0a', '\n')


def run():
    """What the kernel said while they ran, which they do as they are loaded.
    They bring the drivers under test with them. Who loads them is held up for
    so long, which is not what hung tasks are looked for.
    """
    host.unload()
    patience = host.read(HUNG)
    host.write(HUNG, 0)
    log = os.open('/dev/kmsg', os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.lseek(log, 0, os.SEEK_END)
        subprocess.run(['insmod', MODULE], check=True)
        subprocess.run(['rmmod', 'lmf_kunit'], check=True)
        return new_messages(log)
    finally:
        os.close(log)
        host.write(HUNG, patience)
