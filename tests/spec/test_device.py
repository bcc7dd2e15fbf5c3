# SPDX-License-Identifier: GPL-2.0-only
"""The reference firmware writes what the examples of SPEC.md say."""
import pathlib
import subprocess

import pytest

import spectext

HERE = pathlib.Path(__file__).parent
FIRMWARE = spectext.SPEC.parent / "firmware"
# The reference firmware overflows later than the device of section 8.4.
EXAMPLES = [example for example in spectext.examples(spectext.SPEC.read_text())
            if not example.id.startswith("overflow-")]
BY_DEVICE = [example for example in EXAMPLES if example.by == "device"]


def header():
    for n, example in enumerate(EXAMPLES):
        data = ", ".join(map(str, example.data))
        yield f"static const uint8_t data_{n}[] = {{ {data} }};"
    yield "static const struct example examples[] = {"
    for n, example in enumerate(EXAMPLES):
        by_device = int(example.by == "device")
        function = {"pf": "LMF_FW_PF", "vf": "VF"}[example.space]
        yield (f'{{ "{example.id}", {by_device}, {function}, '
               f'{example.iova:#x}, sizeof(data_{n}), data_{n} }},')
    yield "};"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    work = tmp_path_factory.mktemp("device")
    (work / "examples.h").write_text("\n".join(header()) + "\n")
    sources = [FIRMWARE / name for name in
               (FIRMWARE / "sources").read_text().split()]
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-g", "-I", work, "-I",
                    FIRMWARE, HERE / "device.c", *sources, "-o",
                    work / "device"], check=True)
    lines = subprocess.run([work / "device"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    return {name: bytes.fromhex(data) for name, data in
            (line.split() for line in lines)}


@pytest.mark.parametrize("example", BY_DEVICE, ids=lambda e: e.id)
def test_device_writes(written, example):
    assert written[example.id].hex(" ", -8) == example.data.hex(" ", -8)
