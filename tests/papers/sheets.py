"""PDFs with marked words, and where their ink is: the judge of boxes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pypdfium2
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fpdf import FPDF
from noto_cjk_sans_jp_regular import FONT_PATH
from PIL import Image

from papers.facts import CHINESE
from structgen import Box

Colour = tuple[int, int, int]
BLACK: Colour = (0, 0, 0)
RED: Colour = (255, 0, 0)
SIZE, LEADING, MARGIN = 11, 15, 50  # points
DPI = 120
LATIN = "".join(map(chr, [*range(32, 127), *range(160, 384), *range(0x2010, 0x2040), 0x20AC]))
CHARACTERS = sorted({*LATIN, *CHINESE, *"𠮷野家"})
WORD = re.compile(r"[^\s-]*-|[^\s-]+\s*|\s+")  # what stays together in a line, with the space after it
CHARACTER = re.compile(r"[!-~]+\s*|.\s*")
FAINT, NEAR = 90, 60  # of 255: ink that is too light to have a colour, and how much colours may differ


@cache
def font_file() -> Path:
    """Some characters of Noto Sans CJK as a TrueType font: pdfplumber cannot read the other kind as fpdf2 embeds it."""
    source = TTFont(FONT_PATH)
    names, outlines = source.getBestCmap(), source.getGlyphSet()
    wanted = {ord(char): names[ord(char)] for char in CHARACTERS if ord(char) in names}
    order = [".notdef", *dict.fromkeys(wanted.values())]
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(None)
        outlines[name].draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
        glyphs[name] = pen.glyph()
    builder = FontBuilder(source["head"].unitsPerEm)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(wanted)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(
        {
            name: (source["hmtx"][name][0], glyphs[name].xMin if glyphs[name].numberOfContours else 0)
            for name in order
        }
    )
    builder.setupHorizontalHeader(ascent=source["hhea"].ascent, descent=source["hhea"].descent)
    builder.setupNameTable({"familyName": "Paper", "styleName": "Regular", "psName": "Paper-Regular"})
    builder.setupOS2(
        sTypoAscender=source["hhea"].ascent, sTypoDescender=source["hhea"].descent, sCapHeight=733
    )
    builder.setupPost()
    path = Path(mkdtemp()) / "paper.ttf"
    builder.save(str(path))
    return path


class Sheets(FPDF):
    """A PDF that is written line by line, in a font that it embeds. by_character: lines may break as in Chinese."""

    def __init__(self, by_character: bool = False) -> None:
        super().__init__(unit="pt", format="A4")
        self.add_font("paper", fname=font_file())
        self.set_font("paper", size=SIZE)
        self.set_margin(MARGIN)
        self.set_auto_page_break(False)
        self.token = CHARACTER if by_character else WORD
        self.add_page()

    def line(self, *parts: str | tuple[str, Colour], indent: float = 0) -> Sheets:
        """Write a paragraph of parts, in black or in a colour of their own."""
        left, right = MARGIN + indent, self.w - MARGIN
        x = left
        self.room()
        for text, colour in ((part, BLACK) if isinstance(part, str) else part for part in parts):
            for token in self.token.findall(text):
                if x > left and x + self.get_string_width(token.rstrip()) > right:
                    self.y += LEADING
                    self.room()
                    x = left
                x = self.put(x, token, colour)
        self.y += LEADING
        return self

    def cells(self, row: Sequence[Sequence[tuple[str, Colour]]]) -> None:
        """Write a row of cells side by side, none of which is wider than its column."""
        self.room()
        for number, cell in enumerate(row):
            x = MARGIN + number * self.epw / len(row)
            for text, colour in cell:
                x = self.put(x, text, colour)
        self.y += LEADING

    def put(self, x: float, text: str, colour: Colour) -> float:
        """Write text at a place in the current line; where it ends."""
        self.set_text_color(*colour)
        self.text(x, self.y + SIZE, text)
        return x + self.get_string_width(text)

    def room(self) -> None:
        """Begin a page if the current one is full."""
        if self.y + LEADING > self.h - MARGIN:
            self.add_page()

    def bytes(self) -> bytes:
        return bytes(self.output())


def turned(content: bytes, degrees: int, crop: tuple[float, float, float, float] | None = None) -> bytes:
    """The same PDF with its pages turned clockwise and cut to left, bottom, right and top."""
    with pypdfium2.PdfDocument(content) as pdf:
        for page in pdf:
            page.set_rotation(degrees)
            if crop is not None:
                page.set_cropbox(*crop)
        out = BytesIO()
        pdf.save(out)
    return out.getvalue()


@dataclass(frozen=True, eq=False)
class Drawing:
    """The coloured pixels of an image, P of them. rows, columns: [P]; white: [P, 3], what they lack of white."""

    rows: np.ndarray
    columns: np.ndarray
    white: np.ndarray

    @classmethod
    def of(cls, png: bytes) -> Drawing:
        """The pixels as another library reads them than the one that wrote them."""
        image = 255 - np.asarray(Image.open(BytesIO(png)).convert("RGB"))
        red, green, blue = (np.ascontiguousarray(image[..., channel]) for channel in range(3))
        most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
        rows, columns = np.nonzero(most - least > FAINT)
        return cls(rows, columns, image[rows, columns].astype(np.int32))

    def ink(self, colour: Colour) -> Ink:
        """The pixels of a colour, on white or mixed with white."""
        strength = self.white.max(-1, keepdims=True, initial=1)
        near = np.abs(self.white * 255 // strength - (255 - np.array(colour))).max(-1, initial=0) < NEAR
        return Ink(self.rows[near], self.columns[near])


@dataclass(frozen=True, eq=False)
class Ink:
    """Pixels by row and column."""

    rows: np.ndarray
    columns: np.ndarray

    def __bool__(self) -> bool:
        return len(self.rows) > 0

    def inside(self, boxes: Iterable[Box]) -> float:
        """The share of the pixels that lie in the boxes, of which every pixel counts that they touch: [0, 1]."""
        found = np.zeros(len(self.rows), bool)
        for box in boxes:
            left, top, right, bottom = (side * DPI / 72 for side in (box.x0, box.y0, box.x1, box.y1))
            found |= (
                (self.columns + 1 > left)
                & (self.columns < right)
                & (self.rows + 1 > top)
                & (self.rows < bottom)
            )
        return float(found.mean()) if len(found) else 0.0
