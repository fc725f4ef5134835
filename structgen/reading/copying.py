"""What may be copied from a document, and where a copy stands in it.

A copy is a piece of the document between two boundaries. With folded white space it is a piece of the document as one
line: every run of white space is one space, and a value may run over line breaks. A word that a hyphen divides at the
end of a line is read in three ways, because a document does not say which is meant:

    a well-⏎known fee       "a well- known fee"   "a well-known fee"   "a wellknown fee"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from structgen.reading.boundaries import Align, boundaries

_SPACE = re.compile(r"\s+")
_DIVIDED = re.compile(r"(?<=\w)([-\u00ad\u2010])\s*?[\r\n]\s*(?=\w)")
_HYPHENS = ("-", "\u00ad", "\u2010")


@dataclass(frozen=True)
class Copying:
    """Which pieces of a document may be copied.

    align: where they begin and end; low, high: their number of characters, None for any; folded: whether white space
    is folded
    """

    align: Align = "char"
    low: int = 1
    high: int | None = None
    folded: bool = False

    def readings(self, document: str) -> list[Copiable]:
        """The document as it may be copied from; several if it divides words at the ends of lines."""
        if not self.folded:
            return [_exact(document, self.align)]
        divided = [match.span() for match in _DIVIDED.finditer(document)]
        ways = [(False, False)] if not divided else [(False, False), (True, False), (True, True)]
        return [_folded(document, self.align, divided, *way) for way in ways]


class Copiable(NamedTuple):
    """A document as it may be copied from.

    text: what is copied; origin: for each of its characters, which one of the document it is
    begins, ends: where pieces of the text may begin and end
    """

    text: str
    origin: range | list[int]
    begins: set[int]
    ends: set[int]


def _exact(document: str, align: Align) -> Copiable:
    begins, ends = boundaries(document, align)
    return Copiable(document, range(len(document)), set(begins), set(ends))


def _folded(
    document: str, align: Align, divided: list[tuple[int, int]], joined: bool, bare: bool
) -> Copiable:
    """The document as one line. joined: without the breaks inside divided words; bare: without their hyphens too"""
    gaps = dict(divided) if joined else {}
    text, origin, at = list[str](), list[int](), 0
    while at < len(document):
        if at in gaps:
            if not bare:
                text.append(document[at])
                origin.append(at)
            at = gaps[at]
        elif space := _SPACE.match(document, at):
            text.append(" ")
            origin.append(at)
            at = space.end()
        else:
            text.append(document[at])
            origin.append(at)
            at += 1
    folded = "".join(text)
    if align == "line":
        return Copiable(folded, origin, *_lines(document, folded, origin))
    begins, ends = boundaries(folded, align)
    return Copiable(folded, origin, set(begins), set(ends))


def _lines(document: str, folded: str, origin: list[int]) -> tuple[set[int], set[int]]:
    """The places in a folded text where the document's lines begin and end, white space around them aside."""
    begins, ends, place = set[int](), set[int](), 0
    lines = boundaries(document, "line")
    for begin, end in zip(lines.begins, lines.ends, strict=True):
        while place < len(folded) and origin[place] < begin:
            place += 1
        first = place + (folded[place : place + 1] == " ")
        last = first
        while last < len(folded) and origin[last] < end:
            last += 1
        last -= folded[last - 1 : last] == " " if last else 0
        if first < last:
            begins.add(first)
            ends.add(last)
    return begins, ends


@dataclass(frozen=True, eq=False)
class Copied:
    """A document that values are copied from."""

    document: str
    copying: Copying

    @cached_property
    def readings(self) -> list[Copiable]:
        """The document as it may be copied from."""
        return self.copying.readings(self.document)

    def places(self, value: str) -> list[tuple[int, int]]:
        """Every place of a value: characters start … end − 1 of the document, in order; places may overlap."""
        return sorted(set(self._places(value)))

    def _places(self, value: str) -> Iterator[tuple[int, int]]:
        if not value or not self.copying.low <= len(value) <= (self.copying.high or len(value)):
            return
        for reading in self.readings:
            at = reading.text.find(value)
            while at >= 0:
                end = at + len(value)
                if at in reading.begins and end in reading.ends:
                    yield reading.origin[at], self._end(reading, end)
                at = reading.text.find(value, at + 1)

    def _end(self, reading: Copiable, end: int) -> int:
        """The end in the document of a piece that ends in front of a character: a folded space ends with its run."""
        last = reading.origin[end - 1]
        space = _SPACE.match(self.document, last) if self.copying.folded else None
        return last + 1 if space is None else space.end()
