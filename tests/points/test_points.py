# SPDX-License-Identifier: GPL-2.0-only
"""docs/points.md is what the table and the marks make, but for the status."""
import re

import pytest

import points


def committed():
    with open(points.PAGE) as file:
        rows = re.findall(r'^\| (\d.*) \|$', file.read(), re.M)
    return [row.split(' | ') for row in rows]


def test_page_is_up_to_date():
    made = points.rows(points.marks(), {})
    assert [row[:-1] for row in committed()] == [row[:-1] for row in made], \
        'say make points'


def test_marks_and_places_are_right():
    assert not [m.wrong() for m in points.marks() if m.wrong()]
    assert not list(points.wrong_places())


def test_there_are_forty():
    assert list(points.POINTS) == list(range(1, 41))


@pytest.mark.parametrize('path, text, line, wrong', [
    ('tests/kunit/a_test.c', '41', 'static void a(struct kunit *test)',
     'no point 41'),
    ('tests/kunit/a_test.c', '1 2', 'static void a(struct kunit *test)',
     'a list'),
    ('tests/kunit/a_test.c', '1', 'static void a(void)', 'no test'),
    ('tests/vm/test_a.py', '1', '@pytest.mark.full', 'no test'),
    ('tests/kunit/bed.h', '1', 'static void a(struct kunit *test)',
     'no test')])
def test_wrong_marks(path, text, line, wrong):
    assert wrong in points.Mark(path, 1, text, line).wrong()


@pytest.mark.parametrize('path, line, name', [
    ('tests/kunit/a_test.c', 'static void a_test_b(struct kunit *test)',
     'a_test_b'),
    ('tests/uapi/a_test.c', 'TEST_F_TIMEOUT(a, b, LIMIT)', 'a.group.b'),
    ('tests/firmware/test_a.c', 'static void b(void)', 'test_a.b'),
    ('tests/vm/test_a.py', 'def test_b(outer):', 'tests.vm.test_a.test_b[c]'),
    ('tests/style/run', 'check_rules()', 'rules - who may'),
    ('tests/series/run', 'say "all of it compiles" check_whole',
     'all of it compiles'),
    ('tests/fuzz/run', 'fuzz 2 load', 'load'),
    ('tests/model/run', '0:0) echo "ok 1 the ring loses nothing:" \\',
     'the ring loses nothing: 5 states')])
def test_results_are_found(path, line, name):
    mark = points.Mark(path, 1, '1', line)
    assert not mark.wrong()

    def status(tree='HEAD', **tests):
        return points.status([mark], {'suite': {'tree': tree,
                                                'tests': tests}})
    assert status(**{name: 'passed'}) == 'proved'
    assert status(**{name: 'passed', 'x' + name: 'failed'}) == 'proved'
    for outcome in 'failed', 'skipped':
        assert status(**{name: outcome}) == f'open: not passed: {mark.test}'
    assert status(**{name.replace('b', 'bc'): 'passed'}) != 'proved' \
        or 'b' not in name
    assert status('HEAD-dirty', **{name: 'passed'}) == points.OLDER
    assert status() == 'open: 1 of 1 tests not run'
    assert points.status([], {}) == 'open: no test'
