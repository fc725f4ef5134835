"""The syntax of templates: fixed text, holes such as {{name}} and {{name:type}}, and {{{{ for a brace.

A hole ends at the first }} of its line that does not belong to the braces or brackets of a regular expression.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from structgen.errors import InvalidSource

from ..place import Place

OPENING, CLOSING, BRACE = "{{", "}}", "{{{{"


@dataclass(frozen=True)
class WrittenHole:
    """A hole as it is written: its name, what may stand in it (empty if nothing is said), and where its braces open."""

    name: str
    asked: str
    at: Place

    @property
    def line(self) -> int:
        """The line of its braces, from 1."""
        return self.at.line

    @property
    def column(self) -> int:
        """The column of its braces, from 1."""
        return self.at.column

    def refuse(self, why: str, instead: str = "") -> NoReturn:
        """Raise InvalidSource about this hole."""
        raise self.at.invalid(f"the hole {self.name!r} {why}", instead)


def parts_of(text: object) -> list[str | WrittenHole]:
    """Fixed texts and holes in turn, beginning and ending with a text. Raises InvalidSource, with a caret."""
    if not isinstance(text, str):
        raise InvalidSource(f"a template is a string, not {type(text).__name__}")
    _check_characters(text)
    found: list[str | WrittenHole] = [""]
    for part in _parts(text):
        if isinstance(part, WrittenHole):
            found += [part, ""]
        else:
            found[-1] = f"{found[-1]}{part}"
    if len(found) == 1:
        what = "has no hole" if text else "is empty"
        raise Place(text, 0, "template").invalid(
            f"the template {what}", "write a hole as {{name}} or {{name:type}}"
        )
    return found


def _check_characters(text: str) -> None:
    for at, char in enumerate(text):
        if char == "\0":
            raise Place(text, at, "template").invalid("a template holds no NUL character", "leave it out")
        if "\ud800" <= char <= "\udfff":
            raise Place(text, at, "template").invalid(
                "half of a surrogate pair is no character", "write both"
            )


def _parts(text: str) -> Iterator[str | WrittenHole]:
    at = 0
    while (start := text.find(OPENING, at)) >= 0:
        yield text[at:start]
        if text.startswith(BRACE, start):
            yield "{"
            at = start + len(BRACE)
        else:
            hole, at = _hole(text, start)
            yield hole
    yield text[at:]


def _hole(text: str, start: int) -> tuple[WrittenHole, int]:
    """The hole whose braces open at `start`, and the place behind it."""
    at, end = Place(text, start, "template"), _end(text, start + len(OPENING))
    if end is None:
        raise at.invalid("no }} closes this hole on its line", "write {{{{ for a brace that opens no hole")
    name, _, asked = text[start + len(OPENING) : end].partition(":")
    if not name.strip() or set(name) & set("{}"):
        raise at.invalid(
            f"a hole has a name, not {name.strip()!r}",
            "write {{name}} or {{name:type}}, and {{{{ for a brace that opens no hole",
        )
    return WrittenHole(name.strip(), asked.strip(), at), end + len(CLOSING)


def _end(text: str, start: int) -> int | None:
    """The first }} that closes a hole whose content begins at `start`: braces of a pattern close within it."""
    depth, inside, at = 0, False, start
    while at < len(text) and text[at] not in "\r\n":
        char = text[at]
        if depth <= 0 and not inside and text.startswith(CLOSING, at):
            return at
        if char == "\\":
            at += 1
        elif inside:
            inside = char != "]" or text[at - 1] == "[" or text[at - 2 : at] == "[^"
        elif char == "[":
            inside = True
        elif char in "{}":
            depth += 1 if char == "{" else -1
        at += 1
    return None
