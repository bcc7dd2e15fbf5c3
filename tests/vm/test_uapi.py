# SPDX-License-Identifier: GPL-2.0-only
"""The uAPI tests on our driver: all of them pass, and none is skipped."""
import pytest

pytestmark = pytest.mark.full
FIXTURES = ['states', 'data_fd', 'precopy', 'size', 'log', 'dma_log',
            'nomem']
# Whose many resets take their time.
SLOW = ['race', 'streams', 'reset', 'lifetime']


@pytest.fixture
def assert_passes(outer, record_property):
    """Runs some of them. How each ended is kept for suites.py."""
    def run(*options, **more):
        result = outer.call('uapi.run', timeout=1800, options=options, **more)
        record_property('tap', result['tap'])
        assert not result['bad'], result['tap']
        assert result['status'] == 0, result['tap']
        assert result['count']
    return run


@pytest.mark.parametrize('fixture', FIXTURES)
def test_uapi(assert_passes, fixture):
    assert_passes('-f', fixture)


@pytest.mark.parametrize('fixture', SLOW)
def test_uapi_by_iommufd(assert_passes, fixture):
    assert_passes('-V', 'group', '-f', fixture)


@pytest.mark.full
@pytest.mark.parametrize('fixture', SLOW)
def test_uapi_by_group(assert_passes, fixture):
    assert_passes('-V', 'iommufd', '-f', fixture)


@pytest.mark.parametrize('fixture, fault', [
    ('dma_log', 'log-delay-us=2000'),
    ('data_fd', 'short-chunks=1'),
    ('data_fd', 'admin-reorder=1'),
])
def test_uapi_on_a_slow_device(assert_passes, fixture, fault):
    """What hardware may do, and an emulated device does not by itself."""
    assert_passes('-V', 'group', '-f', fixture, faults=[fault])


@pytest.mark.parametrize('log_format', ['ranges', 'bitmap'])
def test_uapi_of_another_log(assert_passes, log_format):
    assert_passes('-V', 'group', '-f', 'dma_log', log_format=log_format)


@pytest.mark.parametrize('log_format', ['ring', 'ranges', 'bitmap'])
# points: 24
def test_log_is_paid_for_by_who_starts_it(outer, log_format):
    """By his memory cgroup. What else he pays for here is little."""
    assert outer.call('logcost.charged', log_format=log_format) < 16 << 20


def test_device_of_another_make(outer):
    """Without its plug-in ours is one of which only the uAPI tells."""
    result = outer.call('uapi.run', timeout=1800,
                        options=['-V', 'group', '-f', 'states', '-f', 'size',
                                 '-f', 'log', '-f', 'dma_log'],
                        environment=[('VFIO_TEST_PLUGIN', 'none')])
    assert result['status'] == 0, result['tap']
    assert not [line for line in result['bad'] if line.startswith('not')]
    assert 0 < len(result['bad']) < result['count'] / 2


def test_lying_log_is_found(outer):
    result = outer.call('uapi.run', faults=['lose-dirty=0:1:100'],
                        options=['-V', 'group', '-t', 'random_windows'])
    assert len(result['bad']) == result['count'] == 1
    assert 'is lost' in result['tap']
