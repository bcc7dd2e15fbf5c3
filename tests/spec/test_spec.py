# SPDX-License-Identifier: GPL-2.0-only
"""SPEC.md and the C headers say the same."""
import re

import pytest

import cvalues
import spectext

TEXT = spectext.SPEC.read_text()
TABLES = list(spectext.tables(TEXT))
EXAMPLES = list(spectext.examples(TEXT))
MARK = r"\[R(\d+)\]"


def rows_of(columns):
    return [row for table in TABLES if table.columns == columns
            for row in table.rows]


def names_in_tables():
    registers = [row[3] for row in rows_of(spectext.REGISTERS)]
    values = [row[1] for row in rows_of(spectext.VALUES)]
    return [re.match(r"\w+", name)[0] for name in registers + values]


def struct_tables():
    found = {}
    for table in TABLES:
        if table.columns == spectext.FIELDS:
            name, size = re.fullmatch(r"struct (\w+), (\d+) bytes",
                                      table.title).groups()
            found[name] = (int(size), table.rows)
    return found


def test_registers():
    cases = []
    for offset, _, _, name, _ in rows_of(spectext.REGISTERS):
        index = re.search(r"\((\w)\)", name)
        for n in (0, 1, 15) if index else (0,):
            in_c, in_text = name, offset
            if index:
                in_c = name.replace(index[0], f"({n})")
                in_text = re.sub(rf"\b{index[1]}\b", str(n), offset)
            cases.append((in_c, in_text))
    values = cvalues.evaluate([c for c, _ in cases])
    texts = cvalues.evaluate([text for _, text in cases])
    assert len(cases) > 40
    assert dict(zip(cases, values)) == dict(zip(cases, texts))


def test_register_sizes():
    sizes = cvalues.register_sizes()
    told = {row[3]: int(row[1]) for row in rows_of(spectext.REGISTERS)}
    assert len(sizes) > 20
    assert {name: told.get(name) for name in sizes} == sizes


def test_values():
    rows = rows_of(spectext.VALUES)
    found = cvalues.evaluate([name for _, name, _ in rows])
    assert len(rows) > 80
    assert {n: v for (_, n, _), v in zip(rows, found)} == \
        {n: int(v, 0) for v, n, _ in rows}


def test_enums():
    told = {table.title.removeprefix("enum "): [row[1] for row in table.rows]
            for table in TABLES if (table.title or "").startswith("enum ")}
    assert told == cvalues.enums()


def test_structs():
    told = struct_tables()
    fields = {name: [(row[1], row[2]) for row in rows]
              for name, (_, rows) in told.items()}
    assert fields == cvalues.structs()


def test_struct_layout():
    told = struct_tables()
    cases, expected = [], []
    for name, (size, rows) in told.items():
        cases.append(f"sizeof(struct {name})")
        expected.append(size)
        for offset, _, field, _ in rows:
            cases.append(f"offsetof(struct {name}, {field})")
            expected.append(int(offset))
    assert dict(zip(cases, cvalues.evaluate(cases))) == \
        dict(zip(cases, expected))


def test_struct_has_no_gap():
    """The next field begins where one ends, so no compiler pads."""
    for name, (size, rows) in struct_tables().items():
        sizes = cvalues.evaluate(
            [f"sizeof(((struct {name} *)0)->{row[2]})" for row in rows])
        end = 0
        for row, length in zip(rows, sizes):
            assert int(row[0]) == end, f"{name}.{row[2]}"
            end += length
        assert end == size, name


def test_every_name_is_told():
    assert cvalues.names() == set(names_in_tables())


def test_no_name_is_told_twice():
    names = [row[3] for row in rows_of(spectext.REGISTERS)]
    names += [row[1] for row in rows_of(spectext.VALUES)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.id)
def test_example(example):
    found = cvalues.represent([(example.type, example.value)])[0]
    assert found.hex(" ", -8) == example.data.hex(" ", -8)


def test_examples_are_told_apart():
    assert len({example.id for example in EXAMPLES}) == len(EXAMPLES)


def test_every_must_has_a_number():
    blocks = spectext.prose(TEXT.split("\n## 2 ")[1].split("\n## 9 ")[0])
    checked = 0
    for block in blocks:
        parts = [*spectext.sentences(block), ""]
        for part, behind in zip(parts, parts[1:]):
            if "MUST" in part:
                assert re.match(MARK, behind), part
                checked += 1
    assert checked > 60


def test_numbers_are_listed():
    """Section 9 lists what the text marks, in order, with its section."""
    marked, section = [], None
    for line in TEXT.split("\n## 9 ")[0].splitlines():
        if heading := re.match(r"#+ (\d+(?:\.\d+)?) ", line):
            section = heading[1]
        marked += [(int(n), section) for n in re.findall(MARK, line)]
    listed = [(int(row[0][1:]), row[2])
              for row in rows_of(spectext.REQUIREMENTS)]
    assert sorted(marked) == listed


def test_sections_that_the_headers_name_exist():
    named = {n for numbers in re.findall(
        r"SPEC\.md\s+(?:\*\s+)?sections? ([\d. and]+)", cvalues.source())
        for n in re.findall(r"\d+(?:\.\d+)?", numbers)}
    assert named == {"2", "3", "4", "5", "6"}
    assert all(re.search(rf"^##+ {n} ", TEXT, re.M) for n in named)


@pytest.mark.parametrize("folder", ["firmware-iface", "src", "tests", "docs"])
def test_cited_numbers_exist(folder):
    """Elsewhere a requirement is cited as "SPEC.md R12"."""
    numbers = {row[0] for row in rows_of(spectext.REQUIREMENTS)}
    for path in (spectext.SPEC.parents[1] / folder).rglob("*"):
        if path.suffix in (".c", ".h", ".py", ".md"):
            cited = re.findall(r"SPEC\.md (R\d+)", path.read_text())
            assert set(cited) <= numbers, path
