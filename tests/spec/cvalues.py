# SPDX-License-Identifier: GPL-2.0-only
"""What the C headers of the contract say, by asking a compiler."""
import pathlib
import re
import subprocess
import sys
import tempfile

HEADERS = pathlib.Path(__file__).parents[2] / "firmware-iface"
NAMES = ["lmf_types.h", "lmf_ids.h", "lmf_vf.h", "lmf_pf.h", "lmf_log.h"]

PROLOGUE = """
#include <stdint.h>
#include <stdio.h>
#include "lmf_pf.h"
static inline void dump(const void *mem, size_t len)
{
	const unsigned char *byte = mem;
	while (len--)
		printf("%02x", *byte++);
	printf("\\n");
}
int main(void)
{
"""


def _run(lines):
    """Compile the statements in @lines and return what they print."""
    if sys.byteorder != "little":
        raise RuntimeError("the wire is little-endian and so must this be")
    with tempfile.TemporaryDirectory() as work:
        source = pathlib.Path(work, "probe.c")
        source.write_text(PROLOGUE + "\n".join(lines) + "\nreturn 0;\n}\n")
        subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Werror", "-I", HEADERS,
                        source, "-o", work + "/probe"], check=True)
        return subprocess.run([work + "/probe"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.splitlines()


def evaluate(expressions):
    """The value of each integer expression."""
    lines = [f'printf("%llu\\n", (unsigned long long)({e}));'
             for e in expressions]
    return [int(line) for line in _run(lines)]


def represent(types_and_values):
    """The bytes of objects, each given by its type and its initializer."""
    lines = [f"{{ static const __typeof__({t}) object = {v};"
             f" dump(&object, sizeof(object)); }}"
             for t, v in types_and_values]
    return [bytes.fromhex(line) for line in _run(lines)]


def source():
    return "\n".join((HEADERS / name).read_text() for name in NAMES)


def _code():
    return re.sub(r"/\*.*?\*/", "", source(), flags=re.S)


def names():
    """Every constant that the headers define for users of the contract."""
    found = re.findall(r"^#define (LMF_\w+)(?=[(\t ])", _code(), re.M)
    found += re.findall(r"^\t(LMF_\w+)\s*=", _code(), re.M)
    return {name for name in found if not name.startswith("LMF_ASSERT_")}


def enums():
    """The constants of each enum, in order."""
    return {name: re.findall(r"(LMF_\w+)\s*=", body) for name, body in
            re.findall(r"^enum (lmf_\w+) \{(.*?)^\};", _code(), re.M | re.S)}


def structs():
    """The fields of each structure as [(type, name)], in order."""
    found = {}
    for name, body in re.findall(r"^struct (lmf_\w+) \{(.*?)^\};", _code(),
                                 re.M | re.S):
        fields = re.findall(r"^\t(.*) (\w+)(\[\d+\])?;", body, re.M)
        found[name] = [(t.replace("__", "") + array, field)
                       for t, field, array in fields]
    return found


def register_sizes():
    """Bytes of the registers whose comment in the headers tells it."""
    return {name: int(bits) // 8 for name, bits in
            re.findall(r"^#define (LMF_\w+)\s+0x\w+\s*/\* u(32|64) ",
                       source(), re.M)}
