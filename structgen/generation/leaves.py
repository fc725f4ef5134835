"""The leaves of an answer: its scalars and empty containers, each with its JSON pointer and its place in the text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from structgen.errors import Rejected
from structgen.sources.json_schema.pointers import escape, steps

MISSING = object()  # in place of a value that is not there
AFTER = ",]} \t\n\r"  # characters that may follow a value
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True)
class Leaf:
    """A scalar or an empty container: characters start … end − 1 of the text, quotes included.

    again: further places that must hold the same, those of a hole that comes several times
    """

    pointer: str
    value: Any
    start: int
    end: int
    again: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Answer:
    """The text of an answer, which is JSON, a text with values at places that `read` finds, or a single value."""

    text: str
    is_json: bool = True
    read: Callable[[str], Mapping[str, Leaf]] | None = None

    @classmethod
    def of(cls, text: str) -> Answer:
        """The answer with a text that is JSON, or any other."""
        try:
            json.loads(text)
        except ValueError:
            return cls(text, is_json=False)
        return cls(text)

    @property
    def has_fields(self) -> bool:
        """Whether it has values with names of their own."""
        return self.is_json or self.read is not None

    @cached_property
    def leaves(self) -> dict[str, Leaf]:
        """The leaves by pointer; of members with the same name, the last."""
        if self.read is not None:
            return dict(self.read(self.text))
        if not self.is_json:
            return {"": Leaf("", self.text, 0, len(self.text))}
        found = _leaves(self.text, _skip(self.text, 0), "")
        return {leaf.pointer: leaf for leaf in found if isinstance(leaf, Leaf)}

    @classmethod
    def begun(cls, text: str) -> dict[str, Leaf]:
        """The leaves of a JSON text that may end anywhere, as far as what follows shows that they have ended."""
        found: dict[str, Leaf] = {}
        with suppress(ValueError, LookupError):
            for leaf in _leaves(text, _skip(text, 0), ""):
                if (
                    isinstance(leaf, Leaf) and text[leaf.end] in AFTER
                ):  # 12 may be the beginning of 12.5 or 12e3
                    found[leaf.pointer] = leaf
        return found

    def value(self, text: bytes, pointer: str) -> Any:
        """The value at a pointer of another text of this kind; MISSING if there is none."""
        try:
            if self.read is not None:
                return self.read(text.decode())[pointer].value
            value: Any = json.loads(text) if self.is_json else text.decode()
            for step in steps(pointer):
                value = value[int(step)] if isinstance(value, list) else value[step]
        except (ValueError, LookupError, TypeError, Rejected):
            return MISSING
        return value


def _leaves(text: str, start: int, pointer: str) -> Iterator[Leaf | int]:
    """The leaves of the value that begins at `start`, then the character after it."""
    opening = text[start]
    after = _skip(text, start + 1)
    if opening not in "{[" or text[after] in "}]":
        value, end = _DECODER.raw_decode(text, start)
        yield Leaf(pointer, value, start, end)
        yield end
        return
    at, index = start, 0
    while text[at] not in "}]":
        at = _skip(text, at + 1)
        step = str(index)
        if opening == "{":
            name, at = _DECODER.raw_decode(text, at)
            step, at = escape(name), _skip(text, _skip(text, at) + 1)  # behind the colon
        for one in _leaves(text, at, f"{pointer}/{step}"):
            if isinstance(one, Leaf):
                yield one
            else:
                at = _skip(text, one)
        index += 1
    yield at + 1


def _skip(text: str, at: int) -> int:
    """The first character from `at` on that is no white space."""
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
