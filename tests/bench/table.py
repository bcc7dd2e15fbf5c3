#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""table.py: print build/bench.json as the tables of docs/bench.md."""
import json
import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
MET = {True: 'met', False: '**missed**', None: ''}


def us(value):
    return '' if value is None else f'{value:,.0f}'


def report(one):
    ways = one['ways']
    return [f"`{one['name']}`", us(one['ours']),
            us(ways['per_page']) + (' *' if one['sampled'] else ''),
            us(ways['whole_bitmap']), us(one['floor']),
            f"{one['ratio']:,.2f}", one.get('target', ''),
            MET[one.get('met')]]


def other(one):
    return [f"`{one['name']}`", us(one['ours']), us(one['baseline']),
            f"{one['ratio']:,.2f}", one.get('target', ''),
            MET[one.get('met')]]


def show(heads, rows):
    for line in [heads, ['---'] * len(heads)] + rows:
        print('| ' + ' | '.join(line) + ' |')
    print()


def main():
    with open(TOP + '/build/bench.json', encoding='utf-8') as f:
        rows = json.load(f)
    print('## Reports, microseconds\n')
    show(['name', 'ours', 'per page', 'whole bitmap', 'floor', 'ratio',
          'target', ''],
         [report(one) for one in rows if one['name'].startswith('report_')])
    print('## Saving and resuming, microseconds\n')
    show(['name', 'ours', 'copies and CRC', 'ratio', 'target', ''],
         [other(one) for one in rows if one['name'] in ('save', 'resume')])
    print('## Memory of the host, bytes\n')
    show(['name', 'ours', 'two whole bitmaps', 'ratio', 'target', ''],
         [other(one) for one in rows if one['name'].startswith('memory_')])


if __name__ == '__main__':
    main()
