"""What a docstring says about a function and its parameters, in the styles of Google, NumPy and Sphinx."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

_SECTION = re.compile(
    r"(?:Args|Arguments|Parameters|Params|Keyword Args|Keyword Arguments|Other Parameters):?\s*$"
)
_RULE = re.compile(r"-{3,}\s*$")
_GOOGLE = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")
_NUMPY = re.compile(r"(\w+(?:\s*,\s*\w+)*)\s*(?::.*)?$")
_SPHINX = re.compile(r":(?:param|parameter|arg|argument|key|keyword)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)")


def first_paragraph(given: Any) -> str:
    """The first paragraph of a function's or a class's docstring, on one line."""
    documented = inspect.cleandoc(given.__doc__ or "")
    return " ".join(documented.partition("\n\n")[0].split())


def described(documented: str) -> dict[str, str]:
    """The description of each parameter that a docstring, without its indentation, describes."""
    lines = documented.splitlines()
    found = dict(_sphinx(lines))
    for at, line in enumerate(lines):
        if not _SECTION.fullmatch(line):
            continue
        if at + 1 < len(lines) and _RULE.fullmatch(lines[at + 1]):
            found |= dict(_numpy(lines[at + 2 :]))
        elif line.rstrip().endswith(":"):
            found |= dict(_google(lines[at + 1 :]))
    return {name: text for name, text in found.items() if text}


def _google(lines: list[str]) -> Iterator[tuple[str, str]]:
    """`name (type): text`, indented; continued further in."""
    name, said, inner = "", list[str](), 0
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.strip() and not indent:
            break
        match = _GOOGLE.fullmatch(line.strip())
        if match and (not name or indent <= inner):
            yield name, " ".join(said)
            name, said, inner = match[1], [match[2]], indent
        elif line.strip():
            said.append(line.strip())
    yield name, " ".join(said).strip()


def _numpy(lines: list[str]) -> Iterator[tuple[str, str]]:
    """`name : type`, then the text on indented lines."""
    names, said = list[str](), list[str]()
    for at, line in enumerate(lines):
        if line.strip() and line[0] not in " \t":
            if (at + 1 < len(lines) and _RULE.fullmatch(lines[at + 1])) or not _NUMPY.fullmatch(line.strip()):
                break
            yield from ((name, " ".join(said)) for name in names)
            names, said = [name.strip() for name in line.partition(":")[0].split(",")], []
        elif line.strip():
            said.append(line.strip())
    yield from ((name, " ".join(said)) for name in names)


def _sphinx(lines: list[str]) -> Iterator[tuple[str, str]]:
    """`:param type name: text`, continued on indented lines."""
    name, said = "", list[str]()
    for line in lines:
        match = _SPHINX.fullmatch(line.strip())
        if match or line.strip().startswith(":"):
            yield name, " ".join(said)
            name, said = (match[1], [match[2]]) if match else ("", [])
        elif name and line[:1] in " \t" and line.strip():
            said.append(line.strip())
        elif name:
            yield name, " ".join(said)
            name = ""
    yield name, " ".join(said)
