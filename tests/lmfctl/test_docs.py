# SPDX-License-Identifier: GPL-2.0-only
"""The guide's commands, the names in JSON, and the installation."""
import json
import re
import subprocess

import pytest

from conftest import TOP
from host import DEVICES, typical
from stream import stream
from test_bind import takes
from test_status import PRECOPY
from test_usage import commands


@pytest.mark.parametrize('page, least', [('docs/operators.md', 6),
                                         ('README.md', 3)])
def test_commands_of_the_guide(host, page, least):
    """Some end only when told to: --once or Ctrl-C for watch."""
    with open(f'{TOP}/{page}') as file:
        commands = re.findall(r'^    lmfctl (.*)$', file.read(), re.M)
    assert len(commands) >= least
    pf, vfs = '0000:01:00.0', ['0000:01:10.0', '0000:01:10.2']
    host.function(pf, 0x4c50, driver='lmf', group=10)
    for n, vf in enumerate(vfs):
        host.function(vf, group=11 + n)
    host.pf(pf, 8, vfs)
    host.driver('lmf_vfio_pci')
    takes(host, 'lmf_vfio_pci')
    host.kernel(DEVICES + pf + '/scrub_vf', lambda text: None)
    for command in commands:
        more = ['-n', '1'] if command.startswith('watch') else []
        status, out, err = host.run(*command.split(), *more)
        assert (status, err) == (0, ''), command
        assert out, command


def test_install(tmp_path):
    subprocess.run(['make', '-s', '-C', TOP + '/src/lmfctl',
                    f'O={TOP}/build/lmfctl', f'DESTDIR={tmp_path}',
                    'PREFIX=/usr', 'install'], check=True)
    installed = [tmp_path / 'usr' / path for path in
                 ('sbin/lmfctl', 'share/man/man8/lmfctl.8',
                  'share/bash-completion/completions/lmfctl')]
    assert all(path.stat().st_size for path in installed)
    assert subprocess.run([installed[0], '--help'], check=False,
                          stdout=subprocess.DEVNULL).returncode == 0


def keys(value):
    if isinstance(value, dict):
        for key, below in value.items():
            yield key
            yield from keys(below)
    elif isinstance(value, list):
        for below in value:
            yield from keys(below)


def names(path, pattern):
    with open(TOP + path) as file:
        return set(re.findall(pattern, file.read()))


# points: 40
def test_counters_are_those_of_the_driver():
    shown = names('/src/vfio/sysfs.c', r'_ATTR(?:_RO)?\((\w+)[,)]') - {'_name'}
    assert len(shown) > 20
    assert names('/src/lmfctl/counters.c', r'\] = "(\w+)"') | \
        {'state', 'log_offered', 'log_format'} == shown
    settings = names('/src/vfio/sysfs.c', r'_ATTR_RW\((\w+)\)')
    assert settings
    assert names('/docs/sysfs-abi.md', r'`(\w+)`') >= shown | settings


def documented():
    """By section of the page: the names in its table, and those elsewhere."""
    with open(TOP + '/docs/lmfctl-json.md') as file:
        text = file.read()
    for part in text.split('\n## ')[1:]:
        title, _, rest = part.partition('\n')
        cells = ' '.join(re.findall(r'^\| (`[^|]*`) \|', rest, re.M))
        table = set(re.findall(r'`(\w+)`', cells))
        yield title, table, set(re.findall(r'[`"](\w+)["`]', rest)) - table


def golden_result(name):
    with open(f'{TOP}/tests/lmfctl/golden/{name}.json') as file:
        return [json.load(file)]


def printed(host, tmp_path):
    """What each command prints; those that open a device did so in the bed."""
    vfs = typical(host)
    takes(host, 'lmf_vfio_pci')
    host.kernel(DEVICES + '0000:01:00.0/scrub_vf', lambda text: None)
    host.counters(vfs[0], **PRECOPY)
    (tmp_path / 'stream').write_bytes(stream(b'abcd')[:-1])
    yield from ((name, golden_result(name)) for name in ('probe', 'move'))
    for args in (['list', '--all'], ['status'], ['watch', '-n', '2', vfs[0]],
                 ['decode', tmp_path / 'stream'], ['bind', vfs[2]],
                 ['unbind', vfs[2]], ['scrub', vfs[2]],
                 ['vfs', '01:00.0', '3']):
        out = host.run(args[0], '--json', *args[1:])[1]
        yield args[0], [json.loads(line) for line in out.splitlines()]


def test_every_name_is_documented(host, tmp_path):
    """In its command's section, and what is there is printed."""
    pages = {title: names for title, *names in documented()}
    common = pages['A function'][0] | {'schema', 'command', 'result'} | \
        names('/docs/sysfs-abi.md', r'`(\w+)`')
    seen = set()
    for command, results in printed(host, tmp_path):
        table, elsewhere = pages[command]
        found = {*keys(results)}
        assert found, command
        assert not table - found, command
        assert not found - table - elsewhere - common, command
        seen |= found
    assert not pages['A function'][0] - seen
    assert {*pages} == {'A function', *commands(host)}
