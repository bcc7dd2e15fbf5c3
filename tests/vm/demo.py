#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""make demo: a guest's VF migrates under stock QEMU, and one can watch."""
import json
import os
import sys
import time

import bed

# Where each figure comes from.
SOURCES = {
    'status': 'QMP query-migrate status',
    'total_ms': 'QMP query-migrate total-time',
    'downtime_ms': 'QMP query-migrate downtime',
    'io_gap_ms': 'longest time between two beats of the guest\'s own reads',
    'downtime_ms_without_vf': 'QMP downtime of the same guest, idle, no VF',
    'downtime_split_ms': {
        'quiesce': 'driver of the source, migration/: p2p_done_ns - '
                   'p2p_start_ns + stop_done_ns - stop_start_ns',
        'last_report': 'migration/stopped_report_time_ns',
        'trailer': 'migration/stop_copy_read_time_ns',
        'load': 'migration/load_done_ns of the destination - '
                'migration/stop_copy_last_byte_ns',
    },
    'state_bytes_precopy': 'driver, migration/bytes_saved_precopy',
    'state_bytes_downtime': 'driver, migration/bytes_saved_stop_copy',
    'ram_bytes': 'QMP precopy-bytes + downtime-bytes',
    'pages_reported': 'driver, migration/pages_reported',
    'dma_only_pages_checked': 'guest, pages that only the VF wrote',
    'dma_only_pages_stale': 'guest, those with wrong bytes',
    'unexpected_resets': 'driver, migration/resets_unexpected of both VFs',
    'qemu': 'QMP query-version',
    'kernel': 'uname -r of the outer machine',
    'fio_error': 'fio --verify in the guest',
    'fsck': 'fsck.ext4 -fn in the guest',
    'guest_complaints': 'dmesg of the guest, of its disk and of its kernel',
}
REPORT = bed.TOP + '/build/demo.json'


class Screen:
    """Steps and lines as they come; samples on one line, where it is a
    terminal.
    """

    def __init__(self):
        self.start = time.monotonic()
        self.live = sys.stdout.isatty()
        self.open = False
        self.peak = 1
        self.last = None

    def close_line(self):
        if self.open:
            print()
            self.open = False

    def show(self, step=None, line=None, sample=None):
        if step:
            self.close_line()
            print(f'[{time.monotonic() - self.start:5.1f} s] {step}',
                  flush=True)
        if line:
            self.close_line()
            print(f'          {line}', flush=True)
        if sample:
            self.sample(sample)

    def sample(self, s):
        self.peak = max(self.peak, s['initial_bytes'])
        done = 20 - 20 * s['initial_bytes'] // self.peak
        text = (f"          {s['state']:<11} [{'#' * done:<20}] "
                f"initial {s['initial_bytes'] >> 10:>6} KiB  "
                f"dirty {s['dirty_bytes'] >> 10:>6} KiB  "
                f"log {s['pages_reported']:>6} pages, "
                f"{s['pages_per_second']:>6}/s  "
                f"RAM left {s['ram_remaining'] >> 20:>4} MiB")
        if self.live:
            print('\r' + text, end='', flush=True)
            self.open = True
        elif text != self.last:
            print(text, flush=True)
        self.last = text


def main():
    screen = Screen()
    if os.path.exists(REPORT):
        os.unlink(REPORT)
    screen.show(step='look for what is needed, build what is missing')
    parts = bed.artefacts()
    screen.show(step='boot the outer machine: IOMMU, SR-IOV device, KVM')
    outer = bed.start(parts, show=screen.show)
    try:
        result = outer.call('demo.run')
        complaints = outer.complaints()
    finally:
        outer.stop()
    screen.close_line()
    print()
    for name, value in result.items():
        source = SOURCES[name]
        if isinstance(source, dict):
            source = 'driver, migration/*_ns, as build/demo.json says'
        print(f'  {name:<24} {json.dumps(value):<44} {source}')
    os.makedirs(bed.TOP + '/build', exist_ok=True)
    with open(REPORT + '.new', 'w') as file:
        json.dump({'result': result, 'sources': SOURCES}, file, indent=1)
    os.rename(REPORT + '.new', REPORT)
    print(f'\n  written to build/demo.json; the whole demo took '
          f'{time.monotonic() - screen.start:.0f} s')
    bad = [result['status'] != 'completed', result['unexpected_resets'],
           result['dma_only_pages_stale'],
           result['fio_error'], 'status 0' not in result['fsck'],
           result['guest_complaints'], complaints]
    if any(bad):
        print(f'lmf: the demo failed: {complaints or result}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except bed.BedError as error:
        print(f'lmf: {error}', file=sys.stderr)
        sys.exit(1)
