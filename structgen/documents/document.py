"""`Document`: a text to work on, the kind of file that it came from, and its places on the file's pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from structgen.documents.file import read_file
from structgen.documents.kinds import MEDIA_TYPES
from structgen.documents.opening import opened
from structgen.documents.places import Box, Geometry, Page
from structgen.errors import InvalidDocument, InvalidOption

LEAST_DPI, MOST_DPI = 10, 600  # an A4 page at 600 dpi takes 100 MB while it is drawn


@dataclass(frozen=True, eq=False)
class Document:
    """A document: its text, and for each part of the text the boxes on its pages.

    kind: text, csv, html, email, docx, pdf, docling or image; name: of the file, None if it has none
    pages: empty for kinds that have none; notes: what the reader noticed, one sentence each
    """

    text: str = field(repr=False)
    kind: str = "text"
    name: str | None = None
    pages: tuple[Page, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    geometry: Geometry | None = field(default=None, repr=False)

    @classmethod
    def open(
        cls,
        source: str | os.PathLike[str] | bytes | BinaryIO,
        *,
        name: str | None = None,
        encoding: str | None = None,
    ) -> Document:
        """The document in a file, given by its path, by its bytes, or open for reading bytes.

        The content decides what kind of file it is, and the extension of its name only where the content leaves it
        open. Raises InvalidDocument if the file cannot be read, and MissingExtra if that takes a package that is not
        installed.

        name: of the file if the source has none
        encoding: of a text, instead of the one that it declares; UTF-8 if neither says
        """
        file = read_file(source, name)
        kind, contents = opened(file, encoding)
        return cls(contents.text, kind, file.name, contents.pages, contents.notes, contents.geometry)

    @property
    def media_type(self) -> str:
        """The media type of the kind of file: application/pdf, say."""
        return MEDIA_TYPES[self.kind]

    @property
    def drawable(self) -> bool:
        """Whether `image` draws its pages."""
        return self.geometry is not None and self.geometry.drawable

    def boxes(self, start: int, end: int, *, unit: Literal["points", "page"] = "points") -> list[Box]:
        """The boxes that cover the characters start to end of the text, one for each line; [] without pages.

        unit: points (1/72 inch), or fractions of the page's width and height from 0 to 1
        """
        if not 0 <= start <= end <= len(self.text):
            raise InvalidOption(
                f"start and end are offsets in the text, from 0 to {len(self.text)}, not {start} and {end}"
            )
        if unit not in ("points", "page"):
            raise InvalidOption(f"unit is 'points' or 'page', not {unit!r}")
        found = list(self._boxes(start, end))
        return found if unit == "points" else [self._fraction(box) for box in found]

    def image(self, page: int, dpi: float = 100) -> bytes:
        """A page as a PNG image, by its index from 0. Raises InvalidDocument if the document has no pages to draw."""
        if self.geometry is None:
            raise InvalidDocument(f"a document of the kind {self.kind} has no pages to draw")
        if not 0 <= page < len(self.pages):
            raise InvalidOption(f"page is a whole number from 0 to {len(self.pages) - 1}, not {page}")
        if not LEAST_DPI <= dpi <= MOST_DPI:
            raise InvalidOption(f"dpi is a number from {LEAST_DPI} to {MOST_DPI}, not {dpi}")
        return self.geometry.image(page, dpi)

    def _boxes(self, start: int, end: int) -> Iterator[Box]:
        for index, page in enumerate(self.pages):
            first, last = max(start, page.start), min(end, page.end)
            if first < last and self.geometry is not None:
                yield from self.geometry.boxes(index, first - page.start, last - page.start)

    def _fraction(self, box: Box) -> Box:
        page = self.pages[box.page]
        return Box(
            box.page, box.x0 / page.width, box.y0 / page.height, box.x1 / page.width, box.y1 / page.height
        )

    def __repr__(self) -> str:
        """The name, the kind and the size."""
        named = "" if self.name is None else f"{self.name}, "
        pages = f"{len(self.pages)} page{'s' * (len(self.pages) != 1)}, " if self.pages else ""
        return f"Document({named}{self.kind}, {pages}{len(self.text):,} characters)"
