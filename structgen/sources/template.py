"""Templates: texts with holes, `Dear {{name:[A-Z][a-z]+}}, it ships on {{date:iso-date}}.`, as sources.

A hole is {{name}} for a line of text, {{name:pattern}} for a regular expression as Python's re reads it, or
{{name:kind}} for one of HOLE_KINDS or a grammar of the library. What is generated is a JSON object of the holes'
values, because that is the form in which models are asked for several values; the template is put around them
afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import Any, NoReturn
from uuid import UUID

from structgen.errors import InvalidSource, StructgenError
from structgen.grammar import SLACK, Expr, Grammar, literal, renamed, seq

from .json_schema.strings import QUOTE, spell, spell_strings
from .library import library
from .outline import Field, Outline
from .regex import Regex
from .types import TypeSource

HOLE_KINDS: Mapping[str, Any] = {
    "iso-date": date,
    "iso-time": time,
    "iso-datetime": datetime,
    "date": date,
    "time": time,
    "date-time": datetime,
    "uuid": UUID,
    "integer": int,
    "number": float,
}
ONE_LINE = r"[^\s\x00-\x1f](?:[^\x00-\x1f\x7f\u2028\u2029]*[^\s\x00-\x1f])?"  # a hole without a pattern
OPENING, CLOSING = "{{", "}}"
_WORDS = re.compile(r"[a-z]+[0-9]*(?:-[a-z0-9]+)*")  # what a kind looks like


@dataclass(frozen=True)
class Filled:
    """A template with its holes filled: the text, and the values by the names of their holes."""

    text: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Hole:
    """A hole: its name, what may stand in it (empty for a line of text), and where its braces open, counted from 1."""

    name: str
    asked: str
    line: int
    column: int

    @cached_property
    def typed(self) -> TypeSource[Any] | None:
        """The source of its values, if these are not texts."""
        return TypeSource(HOLE_KINDS[self.asked]) if self.asked in HOLE_KINDS else None

    @property
    def language(self) -> Grammar:
        """The texts that may stand in it, if its values are texts. Raises InvalidSource for an unknown kind."""
        if self.asked in library:
            return library[self.asked].lower()
        if _WORDS.fullmatch(self.asked):
            known = ", ".join(dict.fromkeys([*HOLE_KINDS, *library]))
            self.refuse(
                f"asks for {self.asked!r}, which is no kind of text that is known ({known}); "
                f"a regular expression of these letters is written (?:{self.asked})"
            )
        try:
            return Regex(self.asked or ONE_LINE).lower()
        except StructgenError as error:
            self.refuse(f"cannot be filled: {error}")

    def refuse(self, why: str) -> NoReturn:
        """Raise InvalidSource about this hole."""
        raise InvalidSource(f"line {self.line}, column {self.column}: the hole {self.name!r} {why}")

    @property
    def outline(self) -> Outline:
        """What stands in it, for prompts and slots."""
        return Outline("string") if self.typed is None else self.typed.outline()

    @property
    def schema(self) -> dict[str, Any]:
        """What stands in it, for prompts."""
        if self.typed is not None:
            return dict(self.typed.schema)
        if not self.asked:
            return {"type": "string"}
        kind = library.entry(self.asked).title if self.asked in library else None
        return {"type": "string", **({"pattern": self.asked} if kind is None else {"description": kind})}


@dataclass(frozen=True)
class Template:
    """A text with holes: everything else is kept as it stands. Raises InvalidSource, with line and column."""

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidSource(f"a template is a string, not {type(self.text).__name__}")
        if not self.holes:
            raise InvalidSource("the template has no hole: write one as {{name}} or {{name:pattern}}")
        seen: set[str] = set()
        for hole in self.holes:
            if hole.name in seen:
                hole.refuse("stands there a second time: give each hole a name of its own")
            seen.add(hole.name)

    @cached_property
    def parts(self) -> Sequence[str | Hole]:
        """The texts and holes in order."""
        found: list[str | Hole] = []
        at = 0
        while (start := self.text.find(OPENING, at)) >= 0:
            hole, end = _hole(self.text, start)
            found += [self.text[at:start], hole]
            at = end
        return [*found, self.text[at:]]

    @property
    def holes(self) -> Sequence[Hole]:
        """The holes in order."""
        return [part for part in self.parts if isinstance(part, Hole)]

    def lower(self) -> Grammar:
        """The JSON objects of the holes' values."""
        rules: dict[str, Expr] = {}
        members: list[Expr] = []
        for index, hole in enumerate(self.holes):
            value, more = _member(hole, f"hole {index} ")
            rules |= more
            opening = literal(("{" if index == 0 else ",") + json.dumps(hole.name, ensure_ascii=False) + ":")
            members += [opening, SLACK, value, SLACK]
        return Grammar(seq(*members, literal("}")), rules)

    def parse(self, text: str) -> Filled:
        """The template around the values of a JSON object."""
        raw: dict[str, Any] = json.loads(text, parse_int=_Digits, parse_float=_Digits)
        values = {
            hole.name: raw[hole.name] if hole.typed is None else hole.typed.parse(_json(raw[hole.name]))
            for hole in self.holes
        }
        written = [part if isinstance(part, str) else str(raw[part.name]) for part in self.parts]
        return Filled("".join(written), values)

    @property
    def schema(self) -> dict[str, Any]:
        """A JSON Schema that tells a model what is asked for; its description is the template."""
        return {
            "type": "object",
            "description": f"The texts that fill the holes of this template: {self.text}",
            "properties": {hole.name: hole.schema for hole in self.holes},
            "required": [hole.name for hole in self.holes],
            "additionalProperties": False,
        }

    def outline(self) -> Outline:
        """The outline of the object."""
        return Outline.of_fields(Field(hole.name, hole.outline) for hole in self.holes)


class _Digits(str):
    """A number as it is written."""

    __slots__ = ()


def _json(value: Any) -> str:
    return str(value) if isinstance(value, _Digits) else json.dumps(value)


def _member(hole: Hole, prefix: str) -> tuple[Expr, Mapping[str, Expr]]:
    """The JSON texts of a hole's values, and the rules that they need, with a prefix to their names."""
    grammar = hole.language if hole.typed is None else hole.typed.lower()
    names = {name: prefix + name for name in grammar.rules}
    start, rules = (
        renamed(grammar.start, names),
        {names[name]: renamed(rule, names) for name, rule in grammar.rules.items()},
    )
    if hole.typed is not None:
        return start, rules
    if not rules:
        return spell_strings(start), rules
    return seq(QUOTE, spell(start), SLACK, QUOTE), {name: spell(rule) for name, rule in rules.items()}


def _hole(text: str, start: int) -> tuple[Hole, int]:
    """The hole whose braces open at `start`, and the place behind it."""
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    place = f"line {line}, column {column}"
    end = _end(text, start + len(OPENING))
    if end is None:
        raise InvalidSource(f"{place}: {{{{ opens a hole that no }}}} closes on the same line")
    name, _, asked = text[start + len(OPENING) : end].partition(":")
    if not name.strip() or set(name) & set("{}"):
        raise InvalidSource(
            f"{place}: a hole has a name, as in {{{{name}}}} or {{{{name:pattern}}}}, not {name.strip()!r}"
        )
    return Hole(name.strip(), asked.strip(), line, column), end + len(CLOSING)


def _end(text: str, start: int) -> int | None:
    """The first }} that closes a hole whose content begins at `start`: braces of a pattern close within it."""
    depth, inside, at = 0, False, start
    while at < len(text) and text[at] != "\n":
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
