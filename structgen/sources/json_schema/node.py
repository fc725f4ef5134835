"""A piece of a schema together with the JSON pointer that leads to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from structgen.errors import InvalidSource, Unsupported

from .drafts import LATEST, knows
from .pointers import escape


@dataclass(frozen=True, eq=False)
class Node:
    """A value in a schema, with its `pointer`; the getters check its form, and their errors carry the pointer.

    base: the identifier of the resource that it belongs to; draft: the draft that it is written in; dynamic: the
    meaning of dynamic anchors on the path here, as pairs of a name and the outermost resource that defines it
    """

    value: Any
    pointer: str = ""
    base: str = ""
    dynamic: tuple[tuple[str, str], ...] = ()
    draft: int = LATEST

    def __contains__(self, keyword: str) -> bool:
        """Whether the schema has the keyword and its draft defines it."""
        return isinstance(self.value, dict) and keyword in self.value and knows(self.draft, keyword)

    def child(self, step: str | int) -> Node:
        """The value under a key or index."""
        pointer = f"{self.pointer}/{escape(str(step))}"
        return Node(self.value[step], pointer, self.base, self.dynamic, self.draft)

    def items(self) -> Iterator[tuple[str, Node]]:
        """The members of an object, with their keys."""
        for key in self.mapping():
            yield key, self.child(key)

    def mapping(self) -> dict[str, Any]:
        """The value, an object with string keys."""
        if not isinstance(self.value, dict) or not all(isinstance(key, str) for key in self.value):
            self.malformed("an object")
        return self.value

    def elements(self, *, least: int = 0) -> list[Node]:
        """The elements of an array."""
        if not isinstance(self.value, list | tuple) or len(self.value) < least:
            self.malformed("a non-empty array" if least else "an array")
        return [self.child(i) for i in range(len(self.value))]

    def strings(self) -> list[str]:
        """The value, an array of strings."""
        return [element.string() for element in self.elements()]

    def string(self) -> str:
        """The value, a string."""
        if not isinstance(self.value, str):
            self.malformed("a string")
        return self.value

    def boolean(self) -> bool:
        """The value, true or false."""
        if not isinstance(self.value, bool):
            self.malformed("true or false")
        return self.value

    def count(self) -> int:
        """The value, a non-negative integer; in JSON, 3.0 is the same number as 3."""
        if not is_number(self.value) or self.value != int(self.value) or self.value < 0:
            self.malformed("a non-negative integer")
        return int(self.value)

    def number(self) -> Decimal:
        """The value, a number; exactly the decimal of its shortest spelling."""
        if not is_number(self.value):
            self.malformed("a number")
        return exact(self.value)

    def malformed(self, expected: str) -> NoReturn:
        """Raise InvalidSource: the value does not have the form that the keyword requires."""
        shown = repr(self.value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        raise InvalidSource(f"this must be {expected}, not {shown}", pointer=self.pointer)

    def unsupported(self, message: str, keyword: str | None, remedy: str) -> NoReturn:
        """Raise Unsupported at this place."""
        raise Unsupported(message, keyword=keyword, pointer=self.pointer, remedy=remedy)


def is_number(value: Any) -> bool:
    """Whether `value` is a finite JSON number; true and false are not."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) and not isinstance(value, bool)


def exact(value: int | float | Decimal) -> Decimal:
    """The number that a value's shortest spelling denotes: 0.1 is one tenth."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
