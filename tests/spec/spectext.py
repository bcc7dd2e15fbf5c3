# SPDX-License-Identifier: GPL-2.0-only
"""What SPEC.md says, in the forms that its section 1 fixes: tables of
registers, structures and values, examples, and requirements. Knows nothing
of C."""
import dataclasses
import pathlib
import re

SPEC = pathlib.Path(__file__).parents[2] / "firmware-iface" / "SPEC.md"

REGISTERS = ["offset", "size", "access", "name", "meaning"]
FIELDS = ["offset", "type", "field", "meaning"]
VALUES = ["value", "name", "meaning"]
REQUIREMENTS = ["R", "binds", "section", "requirement"]


@dataclasses.dataclass
class Table:
    title: str      # the last bold line before it, without the stars
    columns: list
    rows: list


@dataclasses.dataclass
class Example:
    id: str
    by: str         # who writes it: host, guest or device
    space: str      # whose IOVA space: pf or vf
    iova: int
    type: str
    value: str
    data: bytes


def _cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def tables(text):
    title, found = None, None
    for line in text.splitlines():
        if bold := re.fullmatch(r"\*\*(.*)\*\*", line):
            title = bold[1]
        elif line.startswith("|"):
            if not found:
                found = Table(title, _cells(line), [])
            elif not re.fullmatch(r"[|\-]+", line):
                found.rows.append(_cells(line))
        elif found:
            yield found
            title, found = None, None
        elif line:
            title = None
    if found:
        yield found


def parse_dump(lines):
    """Lines of an offset and up to 16 bytes. A '*' stands for repetitions of
    the line before it, up to the offset of the next one, as in hexdump -C."""
    data, repeat = bytearray(), False
    for line in lines:
        if line == "*":
            repeat = True
            continue
        offset, *values = line.split()
        if repeat:
            data += data[-16:] * ((int(offset, 16) - len(data)) // 16)
            repeat = False
        if int(offset, 16) != len(data):
            raise ValueError(f"offset {offset} at {len(data):#x}")
        data += bytes.fromhex("".join(values))
    if repeat:
        raise ValueError("a dump may not end with '*'")
    return bytes(data)


def examples(text):
    for block in re.findall(r"^```lmf-example\n(.*?)^```$", text,
                            re.M | re.S):
        head, dump = block.split("bytes:\n")
        keys = dict(re.findall(r"^(\w+): (.*(?:\n  .*)*)$", head, re.M))
        space, iova = keys["at"].split()
        yield Example(keys["id"], keys["by"], space, int(iova, 16),
                      keys["type"], keys["value"],
                      parse_dump(dump.splitlines()))


def prose(text):
    """Paragraphs, list items and table rows, each as one line."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:- |\||#|\d+\. ))", text)
    return [" ".join(block.split()) for block in blocks if block.strip()]


def sentences(block):
    """Sentences and requirement marks; a mark stands behind its sentence."""
    return re.split(r"(?<=[.:])\s+(?=[A-Z\"`\[])|(?<=\])\s+(?=[A-Z`\"])",
                    block)
