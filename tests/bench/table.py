#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""table.py: put build/bench.json into docs/bench.md, as tables."""
import json
import os
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.append(TOP + '/tests')
import suites  # noqa: E402

RESULT = TOP + '/build/bench.json'
DOCUMENT = TOP + '/docs/bench.md'
MARK = '<!-- what follows is made by tests/bench/table.py -->\n'
MET = {True: 'met', False: '**missed**', None: ''}


def us(value):
    return '' if value is None else f'{value:,.0f}'


def report(one):
    ways = one['ways']
    return [f"`{one['name']}`", one['format'], us(one['ours']),
            us(ways['per_page']) + (' *' if one['sampled'] else ''),
            us(ways['whole_bitmap']), us(one['floor']),
            f"{one['ratio']:,.2f}", one.get('target', ''),
            MET[one.get('met')]]


def other(one):
    return [f"`{one['name']}`", us(one['ours']), us(one['baseline']),
            f"{one['ratio']:,.2f}", one.get('target', ''),
            MET[one.get('met')]]


def fio(one):
    return [one['format'],
            *('{:,.0f} ({:,.0f} to {:,.0f})'.format(one[median], *one[ends])
              for median, ends in (('ours', 'range'),
                                   ('baseline', 'baseline_range'))),
            f"{one['ratio']:,.2f}"]


def ioctl(one):
    return [one['format'], us(one['pages']), us(one['ours']),
            us(one['baseline'])]


def table(title, heads, rows):
    lines = [heads, ['---'] * len(heads)] + rows
    return '\n'.join([f'\n## {title}\n'] + [
        '| ' + ' | '.join(line) + ' |' for line in lines]) + '\n'


def measured():
    """The day, and the tree, if that is still what it was."""
    day = time.strftime('%F', time.localtime(os.path.getmtime(RESULT)))
    return f'{day}, tree {suites.tree()}'


def main():
    with open(RESULT, encoding='utf-8') as f:
        rows = json.load(f)
    known = [one for one in rows if 'ways' in one and
             one['name'].startswith('report_')]
    streams = [one for one in rows if one['name'] in ('save', 'resume')]
    memory = [one for one in rows if one['name'].startswith('memory_')]
    with open(DOCUMENT, encoding='utf-8') as f:
        text = f.read().split(MARK)[0] + MARK
    text += f'\nMeasured on {measured()}.\n'
    text += table('Reports, microseconds',
                  ['name', 'format', 'ours', 'per page', 'whole bitmap',
                   'floor', 'ratio', 'target', ''],
                  [report(one) for one in known])
    text += table('Saving and resuming, microseconds',
                  ['name', 'ours', 'copies and CRC', 'ratio', 'target', ''],
                  [other(one) for one in streams])
    text += table('Memory of the host, bytes',
                  ['name', 'ours', 'two whole bitmaps', 'ratio', 'target',
                   ''], [other(one) for one in memory])
    text += table('fio of a guest, MiB a second',
                  ['format', 'with the log', 'without', 'ratio'],
                  [fio(one) for one in rows if one['name'] == 'fio_logged'])
    text += table('Reports beside that fio, microseconds',
                  ['format', 'pages', 'median', 'longest'],
                  [ioctl(one) for one in rows
                   if one['name'] == 'report_ioctl'])
    with open(DOCUMENT, 'w', encoding='utf-8') as f:
        f.write(text)


if __name__ == '__main__':
    main()
