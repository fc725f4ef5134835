"""The parts of a parsed regular expression: plain expressions, and nodes that look around.

Parts without assertions are expressions of the grammar. An assertion reads nothing but depends on the text before or
after it, so it remains a node. Word boundaries and line anchors have no node types: each is an alternative of
conditions on its left and right.

Inside an atomic group the order of alternatives and the greed of repetitions decide what is matched. They are kept only
there; `settled` drops them everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from structgen.grammar import EMPTY, Alt, Bytes, Chars, Expr, Repeat, Seq, alt, repeat, seq


class Anchor(Enum):
    """A place in the text rather than a piece of it."""

    START = "start of text"
    END = "end of text"
    LAST_LINE = "end of text, or before a newline that ends it"


@dataclass(frozen=True)
class Look:
    """A look-ahead: `body` must (or must not) match here; nothing is read."""

    body: Node
    negate: bool


@dataclass(frozen=True)
class Behind:
    """A look-behind: `body` must (or must not) end here."""

    body: Node
    negate: bool


@dataclass(frozen=True)
class Atomic:
    """An atomic group: the first match of `body` in the order of a backtracking engine, which never takes it back."""

    body: Node


@dataclass(frozen=True)
class Concat:
    """Parts in order."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Alternation:
    """Any of the parts; the first one that leads to a match is preferred."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Repeated:
    """`body` `low` to `high` times, as often as possible or, if `lazy`, as rarely as possible."""

    body: Node
    low: int
    high: int | None
    lazy: bool = False


Node = Expr | Anchor | Look | Behind | Atomic | Concat | Alternation | Repeated


def concat(*parts: Node) -> Node:
    """The parts in order; an expression if all parts are."""
    plain = [part for part in parts if isinstance(part, Expr)]
    if len(plain) == len(parts):
        return seq(*plain)
    return parts[0] if len(parts) == 1 else Concat(parts)


def options(*parts: Node) -> Node:
    """Any of the parts; an expression if all parts are."""
    plain = [part for part in parts if isinstance(part, Expr)]
    if len(plain) == len(parts):
        return alt(*plain)
    return parts[0] if len(parts) == 1 else Alternation(parts)


def repeated(body: Node, low: int, high: int | None, *, lazy: bool = False) -> Node:
    """`body` `low` to `high` times; an expression if the body is one and no greed has to be kept."""
    if isinstance(body, Look | Behind):  # reading nothing twice is reading nothing once
        return body if low else EMPTY
    if isinstance(body, Expr) and not (lazy and low != high):
        return repeat(body, low, high)
    return Repeated(body, low, high, lazy)


def settled(node: Node) -> Node:
    """The same language, with the greed of repetitions dropped outside atomic groups."""
    match node:
        case Look(body, negate):
            return Look(settled(body), negate)
        case Behind(body, negate):
            return Behind(settled(body), negate)
        case Concat(parts):
            return concat(*map(settled, parts))
        case Alternation(parts):
            return options(*map(settled, parts))
        case Repeated(body, low, high):
            return repeated(settled(body), low, high)
    return node


def inside(node: Node) -> Iterator[Node]:
    """The node and every node within it, outermost first."""
    yield node
    match node:
        case Look(body, _) | Behind(body, _) | Atomic(body) | Repeated(body, _, _) | Repeat(body, _, _):
            yield from inside(body)
        case Concat(parts) | Alternation(parts) | Seq(parts) | Alt(parts):
            for part in parts:
                yield from inside(part)


def width(node: Node) -> tuple[int, int | None]:
    """The least and greatest number of characters that a node reads; None for no limit."""
    match node:
        case Bytes(value):
            return len(value.decode()), len(value.decode())
        case Chars():
            return 1, 1
        case Seq(parts) | Concat(parts):
            return _total([width(part) for part in parts])
        case Alt(parts) | Alternation(parts):
            return _widest([width(part) for part in parts])
        case Atomic(body):
            return width(body)
        case Repeat(body, low, high) | Repeated(body, low, high):
            least, most = width(body)
            if most == 0 or high == 0:
                return 0, 0
            return least * low, None if most is None or high is None else most * high
    return 0, 0


def _total(widths: list[tuple[int, int | None]]) -> tuple[int, int | None]:
    most = [high for _, high in widths if high is not None]
    return sum(low for low, _ in widths), sum(most) if len(most) == len(widths) else None


def _widest(widths: list[tuple[int, int | None]]) -> tuple[int, int | None]:
    most = [high for _, high in widths if high is not None]
    least = min((low for low, _ in widths), default=0)
    return least, max(most, default=0) if len(most) == len(widths) else None


def line_start(newline: Expr) -> Node:
    """The beginning of a line, which is what ^ means under (?m)."""
    return Alternation((Anchor.START, Behind(newline, False)))


def line_end(newline: Expr) -> Node:
    """The end of a line, which is what $ means under (?m)."""
    return Alternation((Anchor.END, Look(newline, False)))


@dataclass(frozen=True)
class Words:
    """The assertions about words; `word`: the word characters; `other`: those that certainly are not."""

    word: Expr
    other: Expr

    @property
    def none_before(self) -> Node:
        """No word character on the left."""
        return Alternation((Anchor.START, Behind(self.other, False)))

    @property
    def none_ahead(self) -> Node:
        """No word character on the right."""
        return Alternation((Anchor.END, Look(self.other, False)))

    @property
    def start(self) -> Node:
        """Where a word begins."""
        return Concat((self.none_before, Look(self.word, False)))

    @property
    def end(self) -> Node:
        """Where a word ends."""
        return Concat((Behind(self.word, False), self.none_ahead))

    @property
    def boundary(self) -> Node:
        """Where a word begins or ends."""
        return Alternation((self.start, self.end))

    def inside_or_outside(self, *, empty: bool) -> Node:
        """Where no word begins or ends; `empty`: whether the empty text has such a place."""
        within = Concat((Behind(self.word, False), Look(self.word, False)))
        after = Concat((Behind(self.other, False), self.none_ahead))
        first = Concat((Anchor.START, options(Look(self.other, False), *[Anchor.END][:empty])))
        return Alternation((within, after, first))
