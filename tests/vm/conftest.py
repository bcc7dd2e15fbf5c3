# SPDX-License-Identifier: GPL-2.0-only
"""One outer machine serves all tests of a file, until one of them breaks it.
At the end its drivers are unloaded, so that what they do then is seen too.
"""
import pytest

pytest.register_assert_rewrite('judge')
import bed  # noqa: E402

# As hardware does: what was written is logged some time later.
LATE = 'id=lmf0,log-post-delay=200'


@pytest.fixture(scope='module')
def machine(request):
    """A holder of the running outer machine: started when first needed. A
    module says with DEVICES, FLAVOUR, APPEND and MEMORY what machine it wants.
    """
    holder = {}
    devices = getattr(request.module, 'DEVICES', (LATE,))
    flavour = getattr(request.module, 'FLAVOUR', 'plain')
    append = getattr(request.module, 'APPEND', '')
    memory = getattr(request.module, 'MEMORY', '6G')

    def running():
        if 'outer' not in holder:
            holder['outer'] = bed.start(bed.artefacts(flavour),
                                        devices=devices, memory=memory,
                                        append=append)
        return holder['outer']

    def drop():
        if 'outer' in holder:
            holder.pop('outer').stop()
    yield running, drop
    if 'outer' not in holder:
        return
    box = holder['outer']
    try:
        box.call('host.unload')
        complaints = box.complaints()
    finally:
        drop()
    assert not complaints


@pytest.fixture
def downtimes(request):
    """Listens to what scenarios answer: the downtime, as QEMU tells it, goes
    into the table of make check-full.
    """
    def found(value):
        if isinstance(value, list):
            for part in value:
                yield from found(part)
        elif isinstance(value, dict):
            if isinstance(value.get('downtime'), int):
                yield value['downtime']
            for name, part in value.items():
                yield from part if name == 'downtimes' else found(part)

    def heard(result):
        request.node.user_properties.extend(
            ('downtime_ms', downtime) for downtime in found(result))
    return heard


@pytest.fixture
def outer(machine, downtimes):
    """The outer machine. Its kernel must not have complained afterwards."""
    running, drop = machine
    box = running()
    box.heard = downtimes
    yield box
    if box.dead:
        drop()
        return
    complaints = box.complaints()
    if complaints:
        drop()
    assert not complaints


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Show the outer machine's console with a failure."""
    report = (yield).get_result()
    if report.failed and 'outer' in item.fixturenames:
        box = item.funcargs.get('outer')
        if box:
            report.sections.append(('outer console',
                                    box.console_text()[-6000:]))


def pytest_configure(config):
    config.addinivalue_line('markers', 'full: only in make check-full')
