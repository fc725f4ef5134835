"""PDF: text, boxes and images of pages, by PDFium.

PDFium gives the characters of a page one by one, among them some that it made up: spaces, line ends (CR LF) and a mark
for the hyphen at which a word is broken. Its call for the whole text leaves out others and speaks UTF-16, so offsets in
it are not numbers of characters. Here every character is spelled by a piece of text, often a single letter, sometimes
nothing; the pieces make the text, and their lengths lead back from an offset to the character and to its box.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import accumulate
from math import pi
from threading import RLock
from typing import Any

from structgen.documents.extras import needed
from structgen.documents.file import File
from structgen.documents.lines import Rectangle, around, lines
from structgen.documents.places import Box, Contents, laid_out
from structgen.documents.scan import NOTE, Scan, scanned
from structgen.errors import InvalidDocument, MissingExtra

PDFIUM = RLock()  # it is not safe to call from two threads at once
HYPHEN = "\x02\ufffe"  # the hyphen at the end of a line: as a character, and in PDFium's whole text
SPECIAL = re.compile(r"[\0-\x08\x0b-\x1f\x7f\xad\ud800-\udfff\ufb00-\ufb06\ufffe\uffff]")
PASSWORD = 4  # FPDF_ERR_PASSWORD
POINTS = 72  # an inch
SCANNED = 200  # dots an inch at which a page is drawn for OCR
QUARTER = pi / 2
SAMPLE = 50  # characters that show which way a page's text runs


def read_pdf(file: File, encoding: str | None = None) -> Contents:
    """The text of a PDF, page by page. Raises InvalidDocument if it is encrypted, broken or without pages.

    Pages without text are read by OCR. Raises MissingExtra if no page has text and that is not installed.
    """
    texts: list[str] = []
    sizes: list[tuple[float, float]] = []
    pictured = []  # pages that show something and have no text
    with _pdf(file.content, file.shown) as pdf:
        for index in range(len(pdf)):
            with _page(pdf, index, file.shown) as page:
                sizes.append(page.get_size())
                with _characters(page) as characters:
                    texts.append("".join(pieces(codes(characters))).rstrip())
                if not texts[-1] and _raw().FPDFPage_CountObjects(page.raw):
                    pictured.append(index)
        if not texts:
            raise InvalidDocument(f"{file.shown} is a PDF without pages: save or send it again")
        scans, notes = _read_pictures(pdf, file, pictured, any(texts))
    read = [scans[index].text if index in scans else text for index, text in enumerate(texts)]
    return Contents(*laid_out(read, sizes), PdfPages(file.content, file.shown, scans), notes)


def _read_pictures(
    pdf: Any, file: File, pictured: Sequence[int], enough: bool
) -> tuple[dict[int, Scan], tuple[str, ...]]:
    """What OCR reads on these pages, and a note about it. enough: whether there is a text without them."""
    if not pictured:
        return {}, ()
    named = (
        f"page{'s' * (len(pictured) > 1)} {', '.join(str(index + 1) for index in pictured)} of {file.shown}"
    )
    try:
        scans = {index: _scan(pdf, index, file.shown) for index in pictured}
    except MissingExtra as error:
        if not enough:
            raise MissingExtra(f"{file.shown} has no text, only pictures; {error}") from None
        return {}, (f"{named}: no text, only pictures, which were not read; {error}",)
    return scans, (f"{named}: {NOTE}",)


def _scan(pdf: Any, index: int, shown: str) -> Scan:
    with (
        _page(pdf, index, shown) as page,
        closing(page.render(scale=SCANNED / POINTS, rev_byteorder=True)) as bitmap,
    ):
        return scanned(bitmap.to_numpy()[:, :, :3], POINTS / SCANNED)


@dataclass(frozen=True, eq=False)
class PdfPages:
    """The pages of a PDF, which is read again for every question: a page takes a few milliseconds.

    scans: what OCR read on the pages without text, by index
    """

    content: bytes
    shown: str
    scans: Mapping[int, Scan]
    drawable: bool = True

    def boxes(self, page: int, start: int, end: int) -> list[Box]:
        """One box for each line of the characters start to end of the page's text."""
        if page in self.scans:
            return self.scans[page].boxes(page, start, end)
        with _pdf(self.content, self.shown) as pdf, _page(pdf, page, self.shown) as leaf:
            shown = _as_shown(leaf)
            with _characters(leaf) as characters:
                glyphs = _glyphs(characters, start, end)
                found = [None if glyph is None else shown(glyph) for glyph in glyphs]
        return [Box(page, *around(line)) for line in lines(found)]

    def image(self, page: int, dpi: float) -> bytes:
        """The page as PNG."""
        with _pdf(self.content, self.shown) as pdf, _page(pdf, page, self.shown) as leaf:
            from structgen.documents.png import png

            with closing(leaf.render(scale=dpi / POINTS, rev_byteorder=True)) as bitmap:
                return png(bitmap.to_numpy()[:, :, :3])


def _raw() -> Any:
    """PDFium's functions."""
    return needed("pypdfium2.raw", "documents", "a PDF")


@contextmanager
def _pdf(content: bytes, shown: str) -> Iterator[Any]:
    """An open PDF, with PDFium to ourselves."""
    pdfium = needed("pypdfium2", "documents", "a PDF")
    with PDFIUM:
        try:
            pdf = pdfium.PdfDocument(content)
        except pdfium.PdfiumError as error:
            if error.err_code == PASSWORD:
                raise InvalidDocument(
                    f"{shown} is encrypted and needs a password: save it without one first"
                ) from None
            raise InvalidDocument(f"{shown} is a broken PDF: save or send it again") from None
        with closing(pdf):
            pdf.init_forms()  # needed for what is filled into the fields of a form
            yield pdf


@contextmanager
def _page(pdf: Any, index: int, shown: str) -> Iterator[Any]:
    """A page with what stands on it in form fields and annotations, which are no part of its text otherwise."""
    pdfium = needed("pypdfium2", "documents", "a PDF")
    try:
        page = pdf[index]
        if _raw().FPDFPage_GetAnnotCount(page.raw):
            _raw().FPDFPage_Flatten(page.raw, _raw().FLAT_NORMALDISPLAY)
            page.close()
            page = pdf[index]
    except pdfium.PdfiumError:
        raise InvalidDocument(f"page {index + 1} of {shown} is broken: save or send it again") from None
    with closing(page):
        yield page


@contextmanager
def _characters(page: Any) -> Iterator[Any]:
    """The characters of a page, turned until most stand upright: PDFium orders words by how the page is shown."""
    with closing(page.get_textpage()) as characters:
        upright = _upright(characters, page.get_rotation())
        if upright == page.get_rotation():
            yield characters
            return
    page.set_rotation(upright)
    with closing(page.get_textpage()) as characters:
        yield characters


def _upright(characters: Any, otherwise: int) -> int:
    """The rotation of the page (degrees, clockwise) by which most of SAMPLE characters stand upright."""
    angle = _raw().FPDFText_GetCharAngle
    count = characters.count_chars()
    turns = Counter(
        round(angle(characters.raw, index) / QUARTER) for index in range(0, count, max(1, count // SAMPLE))
    )
    return -turns.most_common(1)[0][0] * 90 % 360 if turns else otherwise


def codes(characters: Any) -> str:
    """PDFium's characters of a page: UTF-16 units with its own marks."""
    code = _raw().FPDFText_GetUnicode
    handle = characters.raw
    return "".join(chr(code(handle, index)) for index in range(characters.count_chars()))


def pieces(units: str) -> list[str]:
    """The text that each of PDFium's characters of a page stands for."""
    found = list(units)
    for special in SPECIAL.finditer(units):
        found[special.start()] = _piece(units, special.start())
    return found


def _piece(units: str, at: int) -> str:
    unit, before, after = units[at], units[at - 1 : at], units[at + 1 : at + 2]
    if unit in HYPHEN:
        return "" if before.islower() and after.islower() else "-"
    if "\ud800" <= unit <= "\udbff" and "\udc00" <= after <= "\udfff":
        return (unit + after).encode("utf-16", "surrogatepass").decode("utf-16")
    if "\udc00" <= unit <= "\udfff" and "\ud800" <= before <= "\udbff":
        return ""  # the second half of the character before it
    if "\ud800" <= unit <= "\udfff":
        return "\N{REPLACEMENT CHARACTER}"
    if "\ufb00" <= unit <= "\ufb06":
        return unicodedata.normalize("NFKC", unit)
    return "\n" if unit == "\r" and after != "\n" else ""


def _glyphs(characters: Any, start: int, end: int) -> Iterator[Rectangle | None]:
    """The rectangles of the characters of a part of the text, and None at each end of a line."""
    units = codes(characters)
    found = pieces(units)
    ends = list(accumulate(map(len, found)))
    first, last = bisect_right(ends, start), bisect_left(ends, end)
    for index in range(first, last + 1):
        if found[index] == "\n":
            yield None
        elif not found[index].isspace():
            yield _rectangle(characters, index)
            if units[index] in HYPHEN:
                yield None


def _rectangle(characters: Any, index: int) -> Rectangle:
    """A character's left, bottom, right and top: its ink and its place in the line, whichever is larger."""
    return around(
        [characters.get_charbox(index), characters.get_charbox(index, loose=True)],
    )


def _as_shown(page: Any) -> Any:
    """From coordinates of the file (left, bottom, right, top) to those of the page as it is shown, from its top."""
    left, bottom, right, top = page.get_bbox()
    rotation = page.get_rotation()

    def turned(box: Sequence[float]) -> Rectangle:
        x0, y0, x1, y1 = box
        return {
            0: (x0 - left, top - y1, x1 - left, top - y0),
            90: (y0 - bottom, x0 - left, y1 - bottom, x1 - left),
            180: (right - x1, y0 - bottom, right - x0, y1 - bottom),
            270: (top - y1, right - x1, top - y0, right - x0),
        }[rotation]

    return turned
