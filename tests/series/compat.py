# SPDX-License-Identifier: GPL-2.0-only
"""The sources without their compat.h: each use of a macro of it is replaced
by what it means in one particular kernel tree.

A compat.h is macros between #ifdef LMF_HAVE_NAME, #else and #endif, with the
#include that they need. That is all of the preprocessor that is known here.
"""
import re
import subprocess

GONE = re.compile(r'\s*;?\s*')


def features(probe, tree):
    """What src/probe.sh finds in the tree, as {'LMF_HAVE_...'}."""
    found = subprocess.run([probe, tree], stdout=subprocess.PIPE, text=True,
                           check=True).stdout
    return {option[2:] for option in found.split()}


def resolve(text, have, known=r'LMF_HAVE_\w+'):
    """Decide each #ifdef and #ifndef of a known name; leave the others."""
    out, stack = [], []
    for line in text.splitlines(keepends=True):
        found = re.match(r'#\s*(ifdef|ifndef|if|else|endif)\b\s*(\w*)', line)
        kind, name = found.groups() if found else ('', '')
        ours = kind in ('ifdef', 'ifndef') and re.fullmatch(known, name)
        if kind.startswith('if'):
            stack.append([ours, not ours or
                          (name in have) == (kind == 'ifdef')])
        elif kind == 'else' and stack[-1][0]:
            stack[-1][1] = not stack[-1][1]
        mine = bool(kind) and stack[-1][0]
        if not mine and all(on for _, on in stack):
            out.append(line)
        if kind == 'endif':
            stack.pop()
    return ''.join(out)


class Macro:
    """One #define: its parameters, or None, and the lines of its body."""

    def __init__(self, params, body):
        self.params = params and [p.strip() for p in params[1:-1].split(',')]
        body = re.sub(r'[ \t]*\\\n', '\n', body).strip()
        if re.fullmatch(r'\([^()]*(\([^()]*\)[^()]*)*\)', body):
            body = body[1:-1]
        self.body = body

    def expand(self, args):
        given = dict(zip(self.params or [], args))

        def put(found):
            hash_, bare = found[1], found[3]
            name = found[2] or bare
            if name not in given:
                return found[0]
            if hash_:
                return f'"{given[name]}"'
            if found[2] and not re.fullmatch(r'[\w.>-]+', given[name]):
                return f'({given[name]})'
            return given[name]
        return re.sub(r'(#?)(?:(?<!\w)\((\w+)\)|\b(\w+)\b)', put, self.body)


def macros(header):
    found = re.finditer(
        r'^#define (\w+)(\([^)]*\))?[ \t]*((?:.*\\\n)*.*)\n', header, re.M)
    return {m[1]: Macro(m[2], m[3]) for m in found if m[3] or m[2]
            or not m[1].endswith('_COMPAT_H')}


def arguments(text, start):
    """The arguments of a call whose '(' is at start, and where it ends."""
    depth, args, begin = 0, [], start + 1
    for i in range(start, len(text)):
        if text[i] in '([{':
            depth += 1
        elif text[i] in ')]}':
            depth -= 1
        if (text[i] == ',' and depth == 1) or not depth:
            args.append(text[begin:i].strip())
            begin = i + 1
        if not depth:
            return args, i + 1
    raise ValueError('a macro call without an end')


def expand(text, known):
    """Replace each use of a macro; a line of which nothing stays goes."""
    pattern = re.compile(r'\b(' + '|'.join(known) + r')\b')
    at = 0
    while found := pattern.search(text, at):
        macro, end, args = known[found[1]], found.end(), []
        if macro.params and text[end:end + 1] != '(':
            at = end
            continue
        if macro.params:
            args, end = arguments(text, end)
        new = macro.expand(args)
        line = text.rfind('\n', 0, found.start()) + 1
        after = text.find('\n', end)
        if not new and GONE.fullmatch(text[line:found.start()] +
                                      text[end:after]):
            # Nor does the empty line stay that stood before it.
            if text[line - 2:line] == '\n\n' and text[after + 1] == '\n':
                after += 1
            text, at = text[:line] + text[after + 1:], line
        else:
            text, at = text[:found.start()] + new + text[end:], line
    # What only a kernel without something says.
    return re.sub(r'\n\t+if \(false\)\n[^;]*;', '', text)


def include(text, headers):
    """Add #include <linux/...> lines where their names say."""
    for header in headers:
        if header in text:
            continue
        block = re.findall(r'^#include <linux/.*>\n', text, re.M)
        later = [line for line in block if line > header + '\n']
        if later:
            text = text.replace(later[0], header + '\n' + later[0], 1)
        elif block:
            text = text.replace(block[-1], block[-1] + header + '\n', 1)
        else:
            text = text.replace('#include "', header + '\n\n#include "', 1)
    return text


def without_compat(text, compat, have):
    """A source as it is in a tree that has those features."""
    line = '#include "compat.h"\n'
    if line not in text:
        return text
    header = resolve(compat, have)
    text = text.replace(line, '')
    wanted = re.findall(r'^#include <.*>', header, re.M)
    return include(expand(text, macros(header)), wanted)
