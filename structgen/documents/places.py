"""What a reader makes of a file: its text, its pages, and the places of its characters on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

BETWEEN = "\n\n"  # what separates the texts of two pages


@dataclass(frozen=True)
class Page:
    """A page: its size as it is shown, in points (1/72 inch), and the part of the document's text that it holds."""

    width: float
    height: float
    start: int
    end: int


@dataclass(frozen=True)
class Box:
    """A rectangle on a page, upright as the page is shown, measured from the page's upper left corner.

    page: index of the page, from 0; the unit of the coordinates is a point, or the page's own width and height
    """

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


class Geometry(Protocol):
    """The pages of a document: where its characters stand on them, and what they look like."""

    @property
    def drawable(self) -> bool:
        """Whether the pages have images."""
        ...

    def boxes(self, page: int, start: int, end: int) -> Sequence[Box]:
        """Boxes in points of the characters start to end of the page's text, one for each line."""
        ...

    def image(self, page: int, dpi: float) -> bytes:
        """The page as a PNG image. Raises InvalidDocument if the pages have no images."""
        ...


def laid_out(texts: Sequence[str], sizes: Sequence[tuple[float, float]]) -> tuple[str, tuple[Page, ...]]:
    """The text of a document, and its pages, from the text and the size of each."""
    starts = [0, *accumulate(len(text) + len(BETWEEN) for text in texts)]
    pages = [
        Page(width, height, start, start + len(text))
        for (width, height), start, text in zip(sizes, starts, texts, strict=False)
    ]
    return BETWEEN.join(texts), tuple(pages)


@dataclass(frozen=True, eq=False)
class Contents:
    """The contents of a file; one without pages has no geometry. notes: what the reader noticed, one sentence each."""

    text: str
    pages: tuple[Page, ...] = ()
    geometry: Geometry | None = None
    notes: tuple[str, ...] = ()
