# SPDX-License-Identifier: GPL-2.0-only
"""What make bench makes of what it measured: its verdict, tables and plots."""
import importlib.util
import json
import os
import shutil
import sys

import pytest

TOP = os.path.abspath(os.path.dirname(__file__) + '/../..')
sys.path += [TOP + '/tests/bench', TOP + '/tests/vm']


def load(name):
    """Other folders have modules of these names, too."""
    spec = importlib.util.spec_from_file_location(
        'bench_' + name, f'{TOP}/tests/bench/{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bench, plot, table = map(load, ('bench', 'plot', 'table'))

# Nanoseconds, so that each target is met, and by how little for one.
NS = {'ours': 160, 'ours_ranges': 150, 'ours_bitmap': 140, 'per_page': 100,
      'whole_bitmap': 16000, 'floor': 60}
SLOW = {**NS, 'per_page': 160 * 300}


def measured(name, ns, runs=3):
    """As the kernel prints it."""
    ways = [{'name': name, 'way': way, 'ns': took * 1000, 'entries': 5, 'of': 5}
            for _ in range(runs) for way, took in ns.items()]
    return ways + [{'name': name, 'tracked': 1 << 40, 'window': 1 << 40,
                    'memory': 4096, 'limit': 8192}]


@pytest.fixture(name='lines')
def fixture_lines():
    lines = measured('report_ascending', NS)
    for name in ('random_1t_1m', 'dense', 'clean_1t'):
        lines += measured('report_' + name, SLOW)
    for name in ('save', 'resume'):
        lines += [{'name': name, 'way': way, 'ns': 1000, 'bytes': 1 << 20}
                  for way in ('ours', 'copy_and_crc')]
    return lines


def missed(lines):
    return {(one['name'], one['format']) for one in bench.rows(lines)
            if not one.get('met', True)}


def test_all_is_met(lines):
    assert not missed(lines)
    assert not bench.absent(bench.rows(lines))


@pytest.mark.parametrize('name, way, ns, found', [
    ('report_ascending', 'ours', 161, 'ring'),
    ('report_random_1t_1m', 'ours', 161, 'ring'),
    ('report_dense', 'ours_bitmap', 181, 'bitmap'),
    ('report_clean_1t', 'ours_ranges', 161, 'ranges'),
    ('save', 'ours', 1.26, None)])
def test_one_is_missed(lines, name, way, ns, found):
    for line in lines:
        if (line['name'], line.get('way')) == (name, way):
            line['ns'] = ns * 1000
    assert missed(lines) == {(name, found)}


def test_machine_that_gets_slower(lines):
    """Only runs that were made in turn are compared."""
    for n, line in enumerate(lines):
        if 'ns' in line:
            line['ns'] *= 1 + n // len(NS) % 3
    assert not missed(lines)


def test_memory_is_missed(lines):
    lines[len(NS) * 3]['memory'] = 8193
    assert missed(lines) == {('memory_ascending', 'ring')}


def test_what_was_not_measured_is_not_met(lines):
    few = [line for line in lines if line['name'] != 'report_dense']
    assert bench.absent(bench.rows(few)) == [
        'report_dense ring', 'report_dense ranges', 'report_dense bitmap']


def test_tables_and_plots(lines, tmp_path, monkeypatch):
    os.mkdir(tmp_path / 'docs')
    os.mkdir(tmp_path / 'build')
    result, page = tmp_path / 'build/bench.json', tmp_path / 'docs/bench.md'
    result.write_text(json.dumps(bench.rows(lines)))
    shutil.copy(TOP + '/docs/bench.md', page)
    monkeypatch.setattr(table, 'RESULT', str(result))
    monkeypatch.setattr(table, 'DOCUMENT', str(page))
    monkeypatch.setattr(plot, 'TOP', str(tmp_path))
    table.main()
    plot.main()
    assert '| `report_ascending` | ring | 160 | 100 | 16,000 | 60 | 0.62 |' in \
        page.read_text()
    for name in ('bench-reports', 'bench-memory'):
        assert '</svg>' in (tmp_path / f'docs/{name}.svg').read_text()
