"""Holes: what may stand in each of them, as text and as a value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import Any
from uuid import UUID

from structgen.errors import Rejected, StructgenError
from structgen.grammar import TEXT, Expr, Grammar, alt, both, complement, literal, seq

from ..json_schema.syntax import Syntax
from ..library import library
from ..outline import Outline
from ..regex import Regex
from ..types import TypeSource
from .parts import WrittenHole

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
ONE_LINE = r"[^\s\x00-\x1f](?:[^\x00-\x1f\x7f\u2028\u2029]*[^\s\x00-\x1f])?"  # a hole without a type
_WORDS = re.compile(r"[a-z]+[0-9]*(?:-[a-z0-9]+)*")  # what a kind looks like
_COMPOUND = ("object", "map", "array")


class Unquoted(Syntax):
    """Values as they stand in a text: strings without quotes and escapes."""

    gaps = False

    def quoted(self, content: Expr) -> Expr:
        """What is written between no quotes."""
        return content

    def strings(self, values: Expr, *, reading: bool) -> Expr:
        """The strings themselves."""
        return values


UNQUOTED = Unquoted()


@dataclass(frozen=True)
class Hole:
    """A hole of a template.

    written: as it is written; type_: the Python type of its values, None for text; after: the fixed text behind it
    """

    written: WrittenHole
    type_: Any = None
    after: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.written.name

    @property
    def asked(self) -> str:
        """What the template says may stand in it."""
        return self.written.asked

    @property
    def free(self) -> bool:
        """Whether it has no type: it then holds the text up to the fixed text behind it."""
        return not self.asked and self.type_ in (None, str)

    @cached_property
    def typed(self) -> TypeSource[Any] | None:
        """The source of its values, if these are not texts."""
        if self.type_ is None and self.asked not in HOLE_KINDS:
            return None
        if self.free:
            return None
        try:
            source = TypeSource(HOLE_KINDS[self.asked] if self.type_ is None else self.type_)
            outline = source.outline()
        except StructgenError as error:
            self.written.refuse(f"cannot be filled: {_first_line(error)}")
        parts = outline.options if outline.kind == "union" else (outline,)
        if outline.nullable or any(one.kind in (*_COMPOUND, "any") or one.nullable for one in parts):
            self.written.refuse(
                "asks for a type with several values or none",
                "give it a type of single values, such as str, int, Decimal, date, an Enum or a Literal",
            )
        return source

    @cached_property
    def language(self) -> Grammar:
        """The texts that may stand in it. Raises InvalidSource for an unknown type."""
        if self.free:
            return Grammar(_up_to(self.after))
        typed = self.typed
        try:
            if typed is not None:
                return typed.spelled(UNQUOTED)
            if self.asked in library:
                return library[self.asked].lower()
        except StructgenError as error:
            self.written.refuse(f"cannot be filled: {_first_line(error)}")
        if _WORDS.fullmatch(self.asked):
            known = ", ".join(dict.fromkeys([*HOLE_KINDS, *library]))
            self.written.refuse(
                f"asks for {self.asked!r}, which is no known type of text",
                f"the types are {known}; a regular expression of these letters is written (?:{self.asked})",
            )
        try:
            return Regex(self.asked).lower()
        except StructgenError as error:
            self.written.refuse(f"cannot be filled: {_first_line(error)}")

    def read(self, text: str) -> Any:
        """The value that a text in the hole stands for. Raises Rejected if a Python validator refuses it."""
        if self.typed is None:
            return text
        quoted, refusal = json.dumps(text, ensure_ascii=False), None
        for spelled in (text, quoted) if _has_texts(self.typed) else (quoted, text):
            try:
                return self.typed.parse(spelled)
            except Rejected as error:
                refusal = refusal or error
        assert refusal is not None
        raise refusal

    def plain(self, text: str) -> Any:
        """The number or truth value that a text in the hole stands for, or the text itself."""
        if self.typed is None or self.outline.kind not in ("integer", "number", "boolean"):
            return text
        return json.loads(text)

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


def _has_texts(source: TypeSource[Any]) -> bool:
    """Whether some values are texts; if none is, a number is read from its text, which keeps a Decimal's digits."""
    return any(one.get("type") == "string" for one in source.schema.get("anyOf", [source.schema]))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _up_to(after: str) -> Expr:
    """A line of text in which, with what follows it, the fixed text comes only at its end."""
    line = Regex(ONE_LINE).lower().start
    if not after:
        return line
    wrong = [seq(TEXT, literal(after), TEXT)]
    wrong += [
        seq(TEXT, literal(after[:k])) for k in range(1, len(after)) if after[k:] == after[: len(after) - k]
    ]
    return both(line, complement(alt(*wrong)))
