"""Questions about the text a grammar expression denotes, answered without building an automaton.

They are asked while lowering: does a pattern allow the empty string, does a constant satisfy a pattern, which
strings does a finite expression hold. Expressions here are about characters: no Token, no Ref.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ..grammar import (
    NOTHING,
    TEXT,
    Alt,
    And,
    Bytes,
    Chars,
    Expr,
    Not,
    Repeat,
    Seq,
    Slack,
    alt,
    both,
    complement,
)


@lru_cache(maxsize=20_000)
def nullable(expr: Expr) -> bool:
    """Whether `expr` contains the empty string."""
    match expr:
        case Bytes(value):
            return not value
        case Slack():
            return True
        case Seq(parts) | And(parts):
            return all(map(nullable, parts))
        case Alt(parts):
            return any(map(nullable, parts))
        case Repeat(body, low, _):
            return low == 0 or nullable(body)
        case Not(body):
            return not nullable(body)
    return False


def intersect(left: Expr, right: Expr) -> Expr:
    """`both`, with the cases that need no automaton worked out: TEXT is neutral, finite sides are filtered."""
    if left is TEXT or left is right:
        return right
    if right is TEXT:
        return left
    for finite, other in ((left, right), (right, left)):
        if isinstance(finite, Bytes | Alt) and all(isinstance(part, Bytes) for part in _options(finite)):
            return alt(*(part for part in _options(finite) if contains(other, _text(part))))
    return both(left, right)


def without(left: Expr, right: Expr) -> Expr:
    """`left` less `right`."""
    return left if right is NOTHING else intersect(left, complement(right))


def strings_of(expr: Expr) -> tuple[str, ...] | None:
    """The strings of a finite alternation of literals, or None for any other expression."""
    if all(isinstance(part, Bytes) for part in _options(expr)):
        return tuple(_text(part) for part in _options(expr))
    return None


def _options(expr: Expr) -> tuple[Expr, ...]:
    return expr.parts if isinstance(expr, Alt) else (expr,)


def _text(part: Expr) -> str:
    assert isinstance(part, Bytes)
    return part.value.decode()


def contains(expr: Expr, text: str) -> bool:
    """Whether `text` is one of the strings of `expr`."""
    return len(text) in _Reader(text).ends(expr, 0)


class _Reader:
    """Where expressions that start somewhere in one text can end; memoised, so no backtracking."""

    def __init__(self, text: str):
        self.text = text
        self.known: dict[tuple[Expr, int], frozenset[int]] = {}

    def ends(self, expr: Expr, start: int) -> frozenset[int]:
        key = (expr, start)
        if key not in self.known:
            self.known[key] = frozenset(self._ends(expr, start))
        return self.known[key]

    def _ends(self, expr: Expr, start: int) -> Iterator[int]:
        match expr:
            case Bytes(value):
                piece = value.decode()
                if self.text.startswith(piece, start):
                    yield start + len(piece)
            case Chars(ranges):
                if start < len(self.text) and any(a <= ord(self.text[start]) <= b for a, b in ranges):
                    yield start + 1
            case Seq(parts):
                places = {start}
                for part in parts:
                    places = {end for place in places for end in self.ends(part, place)}
                yield from places
            case Alt(parts):
                for part in parts:
                    yield from self.ends(part, start)
            case And(parts):
                yield from frozenset.intersection(*(self.ends(part, start) for part in parts))
            case Not(body):
                yield from set(range(start, len(self.text) + 1)) - self.ends(body, start)
            case Repeat():
                yield from self._repeated(expr, start)
            case Slack():
                yield start
            case _:
                raise TypeError(f"{type(expr).__name__} is not about characters")

    def _repeated(self, expr: Repeat, start: int) -> Iterator[int]:
        places, seen, count = frozenset({start}), set[int](), 0
        while places and (expr.high is None or count <= expr.high):
            if count >= expr.low:
                if places <= seen:
                    return
                seen |= places
                yield from places
            places = frozenset(end for place in places for end in self.ends(expr.body, place))
            count += 1
