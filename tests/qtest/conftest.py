# SPDX-License-Identifier: GPL-2.0-only
import os

import pytest

from device import Admin, Lmf


def pytest_configure():
    if not os.access(os.environ.get("LMF_QEMU", ""), os.X_OK):
        pytest.exit("set LMF_QEMU to the qemu-system-x86_64 that "
                    "tests/vm/build/qemu.sh made", 2)


@pytest.fixture
def make():
    """Start a machine with an LMF device; it must end without complaint."""
    made = []

    def start(*args, **options):
        made.append(Lmf(*args, **options))
        return made[-1]

    yield start
    for lmf in made:
        lmf.close()


@pytest.fixture
def lmf(make):
    return make(media_size="1M")


@pytest.fixture
def vfs(lmf):
    return lmf.enable_vfs(2)


@pytest.fixture
def admin(lmf, vfs):
    return Admin(lmf)
