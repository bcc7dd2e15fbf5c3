#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""plot.py: draw build/bench.json into docs/, by gnuplot."""
import json
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

WAYS = {'ours': 'ring', 'ours_ranges': 'ranges', 'ours_bitmap': 'bitmap',
        'per_page': 'per page', 'whole_bitmap': 'whole bitmap',
        'floor': 'floor'}

PLOT = '''
set terminal svg size 1000,480 font "sans,12" background "white"
set output "{out}"
set style data histograms
set style histogram clustered gap 1
set style fill solid noborder
set logscale y
set ylabel "{unit}"
set grid ytics
set xtics rotate by -25 scale 0
set key above
$data << end
{data}
end
plot for [i=2:{last}] $data using i:xtic(1) title columnheader(i)
'''


def draw(name, unit, heads, rows):
    data = '\n'.join(' '.join(f'"{x}"' if isinstance(x, str) else f'{x:.1f}'
                              for x in row) for row in [heads, *rows])
    subprocess.run(['gnuplot'], text=True, check=True, input=PLOT.format(
        out=f'{TOP}/docs/{name}.svg', unit=unit, data=data, last=len(heads)))


def short(one):
    return one['name'].split('_', 1)[1].replace('_', ' ')


def main():
    with open(TOP + '/build/bench.json', encoding='utf-8') as f:
        whole = [one for one in json.load(f)
                 if not one['name'].endswith('_1g')]
    draw('bench-reports', 'microseconds', ['', *WAYS.values()],
         [[short(one), *(one['ways'][way] for way in WAYS)] for one in whole
          if one['format'] == 'ring' and 'ways' in one])
    draw('bench-memory', 'KiB', ['', 'ours', 'two whole bitmaps'],
         [[short(one), one['ours'] / 1024, one['baseline'] / 1024]
          for one in whole if one['name'].startswith('memory_')])


if __name__ == '__main__':
    main()
