"""Rectangles of characters, and how they join into the lines that they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

Rectangle = tuple[float, float, float, float]  # two opposite corners: x0, y0, x1, y1


def around(rectangles: Sequence[Sequence[float]]) -> Rectangle:
    """The smallest rectangle around all of them."""
    x0, y0, x1, y1 = zip(*rectangles, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def lines(glyphs: Iterable[Rectangle | None]) -> Iterator[list[Rectangle]]:
    """The rectangles line by line: a line ends at None, and before one that lies neither beside nor below the last."""
    line: list[Rectangle] = []
    for glyph in glyphs:
        if line and (glyph is None or _elsewhere(line[-1], glyph)):
            yield line
            line = []
        if glyph is not None:
            line.append(glyph)
    if line:
        yield line


def _elsewhere(last: Rectangle, new: Rectangle) -> bool:
    """Whether two rectangles overlap in neither direction, so that one line cannot hold both."""
    beside = last[1] < new[3] and new[1] < last[3]
    below = last[0] < new[2] and new[0] < last[2]
    return not (beside or below)
