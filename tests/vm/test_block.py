# SPDX-License-Identifier: GPL-2.0-only
"""The guest's block driver, and what it does when the device misbehaves."""


def assert_recovered(result, recoveries):
    assert result['fio'] == 0, result['says']
    assert result['recoveries'] == recoveries


def test_every_size_and_direction(outer):
    assert_verified(outer)


def assert_verified(outer, **limit):
    result = outer.call('block.verified', **limit)
    assert_recovered(result, 0)
    assert result['irq_recovered'] == 0


def test_zeroes(outer):
    """The VF writes them itself, and nothing else."""
    result = outer.call('block.zeroes')
    assert result['offered'] > 0
    assert result['zeroed'] == result['wanted']


def test_file_system(outer):
    result = outer.call('block.file_system')
    assert result['status'] == 0, result['says']


def test_lost_completion_is_asked_for_again(outer):
    assert outer.call('block.lost_completion') == {
        'read': None, 'recoveries': 1, 'irq_recovered': 0}


def test_lost_interrupts_are_found(outer):
    assert outer.call('block.lost_interrupts', blocks=3) == {
        'read': None, 'recoveries': 0, 'irq_recovered': 3}


def test_reset_that_nobody_told_of(outer):
    assert_recovered(outer.call('block.unseen_reset'), 1)


def test_function_resets_under_load(outer):
    assert_reset_under_load(outer, resets=10)


def assert_reset_under_load(outer, **args):
    result = outer.call('block.resets_under_load', **args)
    assert not result['errors'], result['says']
    assert result['read'] is None
    assert result['recoveries'] == 0


def test_status_of_each_error(outer):
    assert outer.call('block.errors') == {
        '1': 'ENOTSUP', '2': 'EIO', '3': 'EREMOTEIO', '4': 'EIO',
        '5': 'ENODATA'}


def test_unbind_under_load(outer):
    result = outer.call('block.unbound_under_load')
    assert result['fio'] != 0
    assert result['gone']
    assert result['read'] is None


def test_device_that_never_answers(outer):
    result = outer.call('block.never_answered')
    assert result['slow'].endswith('Connection timed out')
    assert result['read'] is None
    assert result['recoveries'] == 2
