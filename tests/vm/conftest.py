# SPDX-License-Identifier: GPL-2.0-only
"""One outer machine serves all tests of a file, until one of them breaks it."""
import re

import pytest

pytest.register_assert_rewrite('judge')
import bed  # noqa: E402

# As hardware does: what was written is logged some time later.
LATE = 'id=lmf0,log-post-delay=200'


@pytest.fixture(scope='module')
def machine(request):
    """A holder of the running outer machine: started when first needed. A
    module says with DEVICES, FLAVOUR and APPEND what machine it wants.
    """
    holder = {}
    devices = getattr(request.module, 'DEVICES', (LATE,))
    flavour = getattr(request.module, 'FLAVOUR', 'plain')
    append = getattr(request.module, 'APPEND', '')

    def running():
        if 'outer' not in holder:
            holder['outer'] = bed.start(bed.artefacts(flavour),
                                        devices=devices, memory='6G',
                                        append=append)
        return holder['outer']

    def drop():
        if 'outer' in holder:
            holder.pop('outer').stop()
    yield running, drop
    drop()


class Nested:
    """The outer machine, and one more try of a scenario in which a machine
    stood still or died.

    Under QEMU 10.0's TCG that happened to nested guests in one of some thirty
    scenarios, until three races of QEMU were mended that did it
    (build/qemu-svm-events.patch). Should there be one more, it is told each
    time, counted over the run, and no excuse for code of ours: a trace with a
    function of ours in it is a failure, and so is a third loss.
    """
    LIMIT = 2
    LOST = re.compile(r'outer machine died|no answer; |guest says only|'
                      r'QEMU ended with 0|guest is gone')
    OURS = re.compile(r'\blmf_\w+\+0x')
    count = 0

    def __init__(self, running, drop, tell):
        self.running, self.drop, self.tell = running, drop, tell
        self.box = running()

    def __getattr__(self, name):
        return getattr(self.box, name)

    def call(self, name, **args):
        try:
            return self.box.call(name, **args)
        except bed.BedError as error:
            if not self.LOST.search(str(error)) or \
                    self.OURS.search(self.box.console_text()) or \
                    Nested.count >= self.LIMIT:
                raise
            Nested.count += 1
            self.tell(f'\nLOST A MACHINE in {name}, tried once more: {error}')
        self.drop()
        self.box = self.running()
        return self.box.call(name, **args)


@pytest.fixture
def outer(machine, request):
    """The outer machine. Its kernel must not have complained afterwards."""
    running, drop = machine
    # Past pytest's capture, so that it is seen when it happens.
    terminal = request.config.pluginmanager.getplugin('terminalreporter')
    nested = Nested(running, drop, terminal.write_line)
    yield nested
    box = nested.box
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
        box = item.funcargs['outer'].box if 'outer' in item.funcargs else None
        if box:
            report.sections.append(('outer console',
                                    box.console_text()[-6000:]))


def pytest_configure(config):
    config.addinivalue_line('markers', 'full: only in make check-full')
