# SPDX-License-Identifier: GPL-2.0-only
"""tests/uapi on a VF of the outer machine itself: no guest, no migration."""
import os
import re
import subprocess

import host
from migration import fault

PROGRAM = '/lmf/lmf-vfio-test'


def run(options=(), faults=(), log_format='best', environment=()):
    """Run it on VF 0: how it ended, its TAP, and what of that is no pass."""
    # A VF that is new owes nothing to a run that was killed.
    host.set_vfs(0)
    host.prepare(vfs=1)
    host.choose_log_format(host.virtual_function(0), log_format)
    for spec in faults:
        fault(spec)
    try:
        done = subprocess.run([PROGRAM, host.virtual_function(0), *options],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True,
                              errors='replace', check=False,
                              env={**os.environ, **dict(environment)})
    finally:
        fault('none')
    results = re.findall(r'^((?:not )?ok \d+ .*)$', done.stdout, re.M)
    return {'status': done.returncode, 'tap': done.stdout,
            'count': len(results),
            'bad': [line for line in results
                    if line.startswith('not') or '# SKIP' in line.upper()]}
