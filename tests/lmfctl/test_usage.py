# SPDX-License-Identifier: GPL-2.0-only
"""The command line: status 2 and one line for all that makes no sense."""
import os
import re
import subprocess

import pytest

from conftest import TOP
from host import typical

WRONG = [
    [], ['nonesuch'], ['--json'], ['list', '--force'], ['list', '-x'],
    ['list', '--nonesuch'], ['bind'], ['unbind'],
    ['scrub', '01:10.0', '01:10.2'], ['bind', '-d'], ['vfs', '01:00.0'],
    ['vfs', '--', '01:00.0', '-18446744073709551613'], ['decode'],
    ['move', '-f', '01:10.0'],
    ['watch', '-i', '0', '01:10.0'], ['watch', '-n', '-1', '01:10.0'],
    ['watch', '-i', 'x', '01:10.0'], ['watch', '--downtime', '', '01:10.0'],
    ['move', '-f', '01:10.0', '0000:01:10.0'],
]


@pytest.mark.parametrize('args', WRONG, ids=' '.join)
def test_wrong(host, args):
    typical(host)
    status, out, err = host.run(*args)
    assert (status, out) == (2, '')
    assert err.startswith('lmfctl: ') and err.count('\n') == 1


def test_which_of_several_options(host):
    assert host.run('list', '-xa')[2].startswith("lmfctl: -x: not an option")
    assert host.run('list', '-ad', 'x')[2].startswith('lmfctl: -d: not an')
    assert host.run('list', '--force')[2].startswith('lmfctl: --force: not')
    assert host.run('bind', '--driver')[2].startswith('lmfctl: --driver: not')


def commands(host):
    status, out, err = host.run('--help')
    assert (status, err) == (0, '')
    return re.findall(r'^  (\w+)', out, re.M)


def test_help_of_each_command(host):
    for command in commands(host):
        assert host.run(command, '--help')[0] == 0


def test_man_page_and_completion_know_all_commands(host):
    with open(TOP + '/src/lmfctl/lmfctl.8') as file:
        page = file.read()
    with open(TOP + '/src/lmfctl/lmfctl.bash') as file:
        completion = file.read()
    with open(TOP + '/docs/lmfctl-json.md') as file:
        schema = file.read()
    for command in commands(host):
        assert f'.B {command}\n' in page or f'.BR {command} ' in page or \
            f'.BI {command} ' in page or f'.BI "{command} ' in page
        assert re.search(rf'\b{command}\b', completion)
        assert f'## {command}' in schema
    options = re.findall(r'"([a-z-]+)", (?:no|required)_argument',
                         open(TOP + '/src/lmfctl/main.c').read())
    assert len(options) > 5
    for option in options:
        assert '\\-\\-' + option.replace('-', '\\-') in page
        assert '--' + option in completion


@pytest.mark.parametrize('line, words', [
    ('lmfctl sta', ['status']),
    ('lmfctl unbind --n', ['--no-scrub']),
    ('lmfctl bind --driver lmf_v', ['lmf_vfio_pci']),
    ('lmfctl bind 0000:01:00', ['00.0']),
    ('lmfctl move -f 0000:01:10.0 0000:01:10.', ['10.0', '10.2', '10.4']),
    ('lmfctl watch --interval ', []),
])
def test_completion(host, line, words):
    """As bash calls it; of an address only what follows the last colon."""
    typical(host)
    script = f'. {TOP}/src/lmfctl/lmfctl.bash; COMP_LINE="{line}"; ' \
        'COMP_POINT=${#COMP_LINE}; _lmfctl; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(['bash', '-c', script], capture_output=True,
                          text=True, check=True,
                          env={**os.environ, 'LMFCTL_ROOT': host.root})
    assert (done.stdout.split(), done.stderr) == (words, '')


def test_result_that_cannot_be_written(host):
    typical(host)
    with open('/dev/full', 'w') as full:
        status, _, err = host.run('list', stdout=full)
    assert (status, err) == (1, 'lmfctl: cannot write the result\n')


def test_broken_dump(host):
    """libpci's own errors are told like all others."""
    host.dump = '/nonesuch'
    status, _, err = host.run('list')
    assert status == 1 and err.startswith('lmfctl: PCI: ')
    assert err.count('\n') == 1
