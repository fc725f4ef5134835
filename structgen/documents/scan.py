"""Images of text, read by RapidOCR: what an image says, and where each of its characters stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import Any

from structgen.documents.extras import needed
from structgen.documents.lines import Rectangle, around, lines
from structgen.documents.places import Box

NOTE = "read by OCR, whose letters may be wrong"
SIDE = 960  # pixels of a page in which lines are looked for, as PaddleOCR does; in larger ones short lines are missed
READER = RLock()  # one image at a time


@dataclass(frozen=True)
class Scan:
    """The text of an image. places: the offset of each character that has a place, and its rectangle in points."""

    text: str
    places: Sequence[tuple[int, Rectangle]] = ()

    def boxes(self, page: int, start: int, end: int) -> list[Box]:
        """One box for each line of the characters start to end."""
        return [Box(page, *around(line)) for line in lines(self._glyphs(start, end))]

    def _glyphs(self, start: int, end: int) -> Iterator[Rectangle | None]:
        last = start
        for offset, place in self.places:
            if start <= offset < end:
                if "\n" in self.text[last:offset]:
                    yield None
                yield place
                last = offset


def scanned(pixels: Any, scale: float) -> Scan:
    """The text that an image shows. pixels: [H, W, 3], red first; scale: points a pixel."""
    with READER:
        found = _engine()(pixels[:, :, ::-1].copy(), return_word_box=True, return_single_char_box=True)
    text, places = "", []
    for line, characters in zip(found.txts or (), found.word_results or (), strict=False):
        text += "\n" * bool(text)
        places += [(len(text) + at, place) for at, place in _placed(line, characters, scale)]
        text += line
    return Scan(text, tuple(places))


def _placed(line: str, characters: Sequence[Any], scale: float) -> Iterator[tuple[int, Rectangle]]:
    """The offset in the line of each character that the reader placed, which spaces are not, and its rectangle."""
    at = 0
    for character, _, corners in characters:
        known = line.find(character, at)
        if known >= 0 and corners is not None:
            yield known, around([(x * scale, y * scale) * 2 for x, y in corners])
            at = known + len(character)


@cache
def _engine() -> Any:
    """The reader with its models, which its package holds. Raises MissingExtra if it is not installed."""
    reader = needed("rapidocr", "ocr", "images of text").RapidOCR
    needed("onnxruntime", "ocr", "images of text")
    return reader(params={"Global.log_level": "error", "Det.limit_type": "max", "Det.limit_side_len": SIDE})
