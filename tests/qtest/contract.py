# SPDX-License-Identifier: GPL-2.0-only
"""The names and numbers of firmware-iface/, taken from its headers."""
import pathlib
import re

HEADERS = pathlib.Path(__file__).parents[2] / "firmware-iface"
DEFINE = re.compile(r"^#define (LMF_\w+)(?:\((\w+(?:, \w+)*)\))?[ \t]+(\S.*)$",
                    re.M)
ENUM = re.compile(r"^\t(LMF_\w+)\s*= (\w+),", re.M)


def _load(names):
    for header in ("ids", "vf", "log", "pf"):
        text = (HEADERS / f"lmf_{header}.h").read_text()
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        for name, value in ENUM.findall(text):
            names[name] = int(value, 0)
        for name, params, value in DEFINE.findall(text):
            value = re.sub(r"\b(0x[0-9a-f]+|\d+)u?l*\b", r"\1", value)
            names[name] = eval(  # noqa: S307, our own headers
                f"lambda {params}: {value}" if params else value, names)


_load(globals())
