# SPDX-License-Identifier: GPL-2.0-only
"""What is measured in the bed: logging beside a guest's fio."""
import os
import statistics
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)) + '/../vm')
import bed  # noqa: E402

ROUNDS = 9
WORKLOAD = 'fio of a guest, random reads of 16 KiB, 16 at once'


def measure(formats):
    """Per format, what logcost.measure() returns."""
    outer = bed.start(bed.artefacts(), memory='6G')
    try:
        result = outer.call('logcost.measure', timeout=1200, rounds=ROUNDS,
                            formats=list(formats))
        complaints = outer.complaints()
    finally:
        outer.stop()
    if complaints:
        raise bed.BedError('\n'.join(complaints))
    return result


def rows(formats):
    result = []
    for name, one in measure(formats).items():
        shared = {'workload': WORKLOAD, 'format': name, 'sampled': None,
                  'floor': None}
        ours = statistics.median(one['with'])
        without = statistics.median(one['without'])
        report = statistics.median(one['report_ns'])
        longest = max(one['report_ns'])
        result.append({
            **shared, 'name': 'fio_logged', 'unit': 'MiB/s', 'n': ROUNDS,
            'baseline_is': 'without a log', 'ours': ours,
            'baseline': without, 'ratio': ours / without,
            'range': [min(one['with']), max(one['with'])],
            'baseline_range': [min(one['without']), max(one['without'])]})
        result.append({
            **shared, 'name': 'report_ioctl', 'unit': 'us',
            'n': len(one['report_ns']), 'baseline_is': 'longest',
            'ours': report / 1e3, 'baseline': longest / 1e3,
            'ratio': longest / report,
            'pages': statistics.median(one['pages'])})
    return result
