"""Excerpts: the pieces of a text that may be copied.

The places of "no 7" where words begin and end are 0, 2, 3 and 4 characters from its start, so its pieces are, among
others, "no", "no 7" and "7", but not "o". An `Excerpt` keeps the text as bytes, with marks where pieces may begin and
end; several texts stand behind one another with a BREAK between them, over which no piece runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from structgen.grammar.build import EMPTY, NOTHING
from structgen.grammar.expr import BEGIN, BREAK, CHARACTER, END, Excerpt, Expr, Placeholder, interned


class Text(NamedTuple):
    """A text with the places where its pieces may begin and end: numbers of characters in front of a place."""

    text: str
    begins: Collection[int]
    ends: Collection[int]


def excerpt(texts: Sequence[Text], low: int = 0, high: int | None = None) -> Expr:
    """The pieces of some texts that have `low` to `high` characters; high None means any number from `low` on."""
    value, marks = bytearray(), bytearray()
    for text, begins, ends in texts:
        value += bytes([BREAK]) if marks else b""
        places = bytearray([CHARACTER]) * len(text) + b"\0"
        for mark, some in ((BEGIN, begins), (END, ends)):
            for place in some:
                places[place] |= mark
        places[-1] &= END
        for char, mark in zip(text, places, strict=False):
            spelled = char.encode()
            value += spelled
            marks += bytes([mark]) + bytes(len(spelled) - 1)
        marks.append(places[-1])
    if not value or (high is not None and high < max(low, 1)):
        return NOTHING if low else EMPTY
    return interned(Excerpt, bytes(value), bytes(marks), low, high)


def respelled(expr: Excerpt, spelling: Callable[[str], str]) -> Expr:
    """The pieces with each character spelled in another way, all or none of which belongs to a piece."""
    value, marks, at = bytearray(), bytearray(), 0
    while at < len(expr.value):
        end = at + 1
        while end < len(expr.value) and not expr.marks[end] & CHARACTER and expr.value[end] != BREAK:
            end += 1
        char = expr.value[at:end]
        spelled = char if char[0] == BREAK else spelling(char.decode()).encode()
        value += spelled
        marks += expr.marks[at : at + 1] + bytes(len(spelled) - 1)
        at = end
    marks += expr.marks[-1:]
    return interned(Excerpt, bytes(value), bytes(marks), expr.low, expr.high)


def holds(expr: Excerpt, piece: bytes) -> bool:
    """Whether a piece is one of an excerpt's."""
    if not piece:
        return expr.low == 0
    at = expr.value.find(piece)
    while at >= 0:
        end = at + len(piece)
        if expr.marks[at] & BEGIN and expr.marks[end] & END and BREAK not in piece:
            size = sum(mark & CHARACTER for mark in expr.marks[at:end])
            return size >= expr.low and (expr.high is None or size <= expr.high)
        at = expr.value.find(piece, at + 1)
    return False


def copied(align: str, low: int, high: int | None, *, folded: bool, spelled: bool = False) -> Expr:
    """The pieces of a document that is not known yet; see Placeholder."""
    return (
        NOTHING
        if high is not None and high < low
        else interned(Placeholder, align, low, high, folded, spelled)
    )
