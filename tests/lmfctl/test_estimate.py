# SPDX-License-Identifier: GPL-2.0-only
"""The prediction, against migrations that are computed, so that the truth is
known: a reader of constant speed, and a device that gets dirty.
"""
import subprocess

import pytest

from conftest import HERE, TOP

STEP = 250 * 10**6
MIB = 1 << 20
CHUNK = 256 << 10


@pytest.fixture(scope='module')
def program(tmp_path_factory):
    out = tmp_path_factory.mktemp('estimate') / 'estimate'
    source = TOP + '/src/lmfctl/'
    subprocess.run(['gcc', '-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra',
                    '-Werror', '-fsanitize=address,undefined', '-I' + source,
                    '-o', out, HERE + '/estimate.c', source + 'estimate.c',
                    source + 'pace.c'],
                   check=True)
    return out


def estimates(program, looks, limit_ms=300, quiesce_ms=0):
    text = '\n'.join(' '.join(map(str, (*look, 0, 0, 0, 0)[:11]))
                     for look in looks)
    out = subprocess.run([program, str(limit_ms * 10**6),
                          str(quiesce_ms * 10**6)],
                         input=text, capture_output=True, text=True,
                         check=True).stdout
    return [(name, float(send), float(dirty), int(down))
            for name, send, dirty, down in
            (line.split(';') for line in out.splitlines())]


def migration(media, rate, dirty_rate, seconds):
    """Looks at one: first the first pass, then what got dirty."""
    initial, dirty, saved, looks = media, 0, 0, []
    for n in range(int(seconds * 10**9 / STEP)):
        looks.append((n * STEP, int(initial), int(dirty), int(saved),
                      0, 0, 0))
        read = rate * STEP / 10**9
        first = min(initial, read)
        again = min(dirty, read - first)
        initial -= first
        dirty += dirty_rate * STEP / 10**9 - again
        saved += first + again
    return looks


def test_nothing_was_read_yet(program):
    assert estimates(program, [(0, 5, 5, 0, 0, 0, 0)]) == [
        ('first pass', 0.0, 0.0, -1)]


@pytest.mark.parametrize('media', [16 * MIB, 256 * MIB, 2048 * MIB])
@pytest.mark.parametrize('dirty_rate', [0, 1 * MIB, 10 * MIB])
def test_downtime(program, media, dirty_rate):
    rate = 100 * MIB
    looks = migration(media, rate, dirty_rate, media / rate + 8)
    name, _, dirtied, downtime = estimates(program, looks)[-1]
    # The precision that is promised; a first pass that is over within one
    # look hides how fast it was.
    left = looks[-1][1] + looks[-1][2]
    assert name == 'cut over now'
    assert downtime == pytest.approx(left / rate * 1e9, rel=0.25, abs=20e6)
    assert dirtied == pytest.approx(dirty_rate, rel=0.2, abs=1)


def test_fixed_costs_and_trailer(program):
    looks = [(0, 0, 0, 0, 0, 0, 0), (10**9, 0, 5 * MIB, 100 * MIB, 0,
                                     20 * MIB, 7 * 10**6)]
    assert estimates(program, looks, quiesce_ms=11)[1][3] == \
        pytest.approx(18 * 10**6 + 0.25 * 10**9, rel=0.001)


def test_reader_who_has_other_things_to_do(program):
    """Its own time counts, not that in which it sent memory: one look is
    enough, and the idle ones after it change nothing.
    """
    looks = [(n * STEP, 0, 10 * MIB, 20 * MIB, 10**9, 0, 0)
             for n in range(1, 4)]
    for estimate in estimates(program, looks):
        assert estimate[3] == pytest.approx(0.5 * 10**9, rel=0.001)


class Device:
    """Takes `costs` = (ns a chunk, ns a byte); its reader `copy` ns a byte,
    and with a question that is answered with nothing now and then.
    """
    def __init__(self, costs, copy=0):
        self.costs, self.copy = costs, copy
        self.looks, self.left = [], 0
        self.chunks = self.read = self.taken = self.reading = self.wait = 0

    def chunk(self, size):
        took = self.costs[0] + self.costs[1] * size
        self.chunks += 1
        self.read += size
        self.taken += took
        self.wait += took
        self.reading += took + self.copy * size

    def probe(self):
        self.wait += self.costs[0]
        self.reading += self.costs[0]

    def look(self):
        self.looks.append((len(self.looks) * STEP, 0, self.left, self.read,
                           int(self.reading), 0, 0, self.chunks, self.read,
                           int(self.taken), int(self.wait)))

    def work(self, looks, chunks, size):
        for _ in range(looks):
            for _ in range(chunks):
                self.chunk(size)
            self.probe()
            self.look()

    def truth(self, left):
        return max(self.costs[0] * -(-left // CHUNK) + self.costs[1] * left,
                   self.copy * left)

    def predicted(self, program, left):
        self.left = left
        self.look()
        return estimates(program, self.looks)[-1][3]


COSTS = [(40 * 10**6, 0), (0, 100), (10**6, 10)]


@pytest.mark.parametrize('left', [5000, CHUNK, 10 * CHUNK + 1])
@pytest.mark.parametrize('copy', [0, 1000])
@pytest.mark.parametrize('costs', COSTS)
def test_device_that_is_slow(program, costs, copy, left):
    """For each chunk or for each byte; the slower of device and reader counts.
    Neither small chunks nor answers without any make it look slow.
    """
    device = Device(costs, copy)
    device.work(10, 20, CHUNK)
    device.work(20, 1, 8192)
    assert device.predicted(program, left) == \
        pytest.approx(device.truth(left), rel=0.02)


@pytest.mark.parametrize('costs', COSTS)
def test_watch_that_comes_late(program, costs):
    """After a first pass and many questions that gave nothing."""
    device = Device(costs)
    for _ in range(256):
        device.chunk(CHUNK)
    for _ in range(4000):
        device.probe()
    device.work(5, 2, CHUNK)
    assert device.predicted(program, 4 * MIB) == \
        pytest.approx(device.truth(4 * MIB), rel=0.02)


def test_device_that_gets_slow(program):
    """As when another VF is saved beside it; and then it is alone again."""
    device = Device((10**6, 10))
    device.work(50, 20, CHUNK)
    for factor in (10, 0.1):
        device.costs = tuple(cost * factor for cost in device.costs)
        device.work(15, 20, CHUNK)
        device.work(10, 1, 4096)
        assert device.predicted(program, 8 * MIB) == \
            pytest.approx(device.truth(8 * MIB), rel=0.25)


def test_looks_into_a_read(program):
    """Time and chunks are told at different moments."""
    device = Device((200 * 10**6, 0))
    for n in range(40):
        device.chunk(CHUNK)
        taken, chunks = device.taken, device.chunks
        if n % 4:
            device.taken -= (n % 4) * 200 * 10**6
        device.look()
        device.taken, device.chunks = taken, chunks
    assert device.predicted(program, 16 * CHUNK) == \
        pytest.approx(device.truth(16 * CHUNK), rel=0.25)


def test_counters_that_began_anew(program):
    device = Device((10**6, 10))
    device.work(5, 20, CHUNK)
    fresh = Device((10**6, 10))
    fresh.looks = device.looks
    fresh.work(5, 3, CHUNK)
    assert fresh.predicted(program, 4 * MIB) == \
        pytest.approx(fresh.truth(4 * MIB), rel=0.02)


def test_chunks_of_one_size(program):
    """Whether time is for the chunk or the bytes is not known: no less is
    promised than a chunk takes.
    """
    device = Device((10**6, 10))
    device.work(10, 20, CHUNK)
    assert device.predicted(program, 5000) == \
        pytest.approx(10**6 + 10 * CHUNK, rel=0.01)


def test_small_trailer(program):
    """A device that has little to say tells of little, too."""
    looks = [(0, 0, 0, 0, 0, MIB, 0), (10**9, 0, 0, 100 * MIB, 0, MIB // 2, 0)]
    assert estimates(program, looks)[1][3] == \
        pytest.approx(0.005 * 10**9, rel=0.001)


def test_will_not_converge(program):
    """Dirty faster than it is read: never said before the first pass ended
    and a window was seen, and then always.
    """
    looks = migration(64 * MIB, 20 * MIB, 30 * MIB, 30)
    names = [e[0] for e in estimates(program, looks)]
    assert names[-1] == 'will not converge'
    first = names.index('will not converge')
    assert looks[first - 15][1] == 0
    assert set(names[first:]) == {'will not converge'}


def balanced(n, dirty, saved, trailer=0):
    return (n * STEP, 0, dirty, saved, 0, trailer, 0)


def test_reader_who_stands_still_tells_nothing(program):
    """QEMU sends memory for a while, and does not read the device."""
    looks = [balanced(n, 50 * MIB, 100 * MIB * min(n, 2)) for n in range(40)]
    assert 'will not converge' not in {e[0] for e in estimates(program, looks)}


def test_moments_that_are_good_enough(program):
    """The log is emptied now and then: one has to take such a moment."""
    looks = [balanced(n, n % 4 * 20 * MIB, n * 25 * MIB) for n in range(40)]
    assert {e[0] for e in estimates(program, looks)[1:]} == \
        {'wait', 'cut over now'}


def test_trailer_that_is_too_large(program):
    """No waiting makes it smaller."""
    looks = [balanced(n, 0, n * 25 * MIB, 200 * MIB) for n in range(20)]
    assert estimates(program, looks)[-1][0] == 'will not converge'


@pytest.mark.parametrize('step_ms', [10, 70, 100, 130])
def test_judges_after_two_seconds(program, step_ms):
    looks = [(n * step_ms * 10**6, 0, 500 * MIB, n * MIB, 0, 0, 0)
             for n in range(5000 // step_ms)]
    names = [e[0] for e in estimates(program, looks)]
    assert names[-1] == 'will not converge'
    first = names.index('will not converge')
    assert 1.9 * 10**9 <= looks[first][0] <= 4 * 10**9


def test_slow_progress_is_progress(program):
    """It shrinks slowly, so one must wait, and then it may cut over."""
    looks = [(n * STEP, 0, max(0, 50 - n) * MIB, n * 4 * MIB, 0, 0, 0)
             for n in range(60)]
    names = [e[0] for e in estimates(program, looks)[1:]]
    assert set(names) == {'wait', 'cut over now'}
    assert names == sorted(names, reverse=True)
