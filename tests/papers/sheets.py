"""PDFs with marked words, and where their ink is: the judge of boxes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pypdfium2
from fpdf import FPDF
from noto_cjk_sans_jp_regular import FONT_PATH

Colour = tuple[int, int, int]
BLACK: Colour = (0, 0, 0)
RED: Colour = (255, 0, 0)
SIZE, LEADING, MARGIN = 11, 15, 50  # points
DPI = 150
LATIN = "".join(map(chr, [*range(32, 127), *range(160, 384), *range(0x2010, 0x2040), 0x20AC]))
CHINESE = "".join(
    bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xA1, 0xD8) for cell in range(0xA1, 0xFF)
)
CHARACTERS = f"{LATIN}{CHINESE}𠮷"


@cache
def font_file() -> Path:
    """Noto Sans CJK with Latin and the Chinese of GB 2312 only, which makes PDFs of it three times as fast."""
    from fontTools.subset import Options, Subsetter, load_font, save_font

    options = Options(layout_features=["*"], notdef_outline=True)
    font = load_font(str(FONT_PATH), options)
    subsetter = Subsetter(options)
    subsetter.populate(text=CHARACTERS)
    subsetter.subset(font)
    path = Path(mkdtemp()) / "noto.otf"
    save_font(font, str(path), options)
    return path


class Sheets(FPDF):
    """A PDF that is written line by line, in a font that it embeds."""

    def __init__(self) -> None:
        super().__init__(unit="pt", format="A4")
        self.add_font("noto", fname=font_file())
        self.set_font("noto", size=SIZE)
        self.set_margin(MARGIN)
        self.set_auto_page_break(True, MARGIN)
        self.add_page()

    def line(self, *parts: str | tuple[str, Colour]) -> Sheets:
        """Write a line of parts in black or in a colour of their own."""
        for part in parts:
            text, colour = (part, BLACK) if isinstance(part, str) else part
            self.set_text_color(*colour)
            self.write(LEADING, text)
        self.ln(LEADING)
        return self

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


def pixels(png: bytes) -> np.ndarray:
    """An image as [H, W, 3], read by another library than the one that wrote it."""
    from PIL import Image

    return np.asarray(Image.open(BytesIO(png)).convert("RGB"), dtype=np.int16)


def ink(image: np.ndarray, colour: Colour) -> np.ndarray:
    """Where the image shows the colour, on white or mixed with white: [H, W] bool."""
    whiteness = 255 - image
    wanted = 255 - np.array(colour)
    strength = whiteness.max(-1)
    return (strength > 90) & (np.abs(whiteness * 255 - strength[..., None] * wanted).max(-1) < 255 * 60)


def covered(where: np.ndarray, boxes: Iterable[tuple[float, float, float, float]], dpi: float = DPI) -> float:
    """The share of the ink that lies in the boxes (points), to the pixel: [0, 1]."""
    inside = np.zeros_like(where)
    for x0, y0, x1, y1 in boxes:
        left, top, right, bottom = (
            int(np.floor(x0 * dpi / 72)),
            int(np.floor(y0 * dpi / 72)),
            int(np.ceil(x1 * dpi / 72)),
            int(np.ceil(y1 * dpi / 72)),
        )
        inside[max(top, 0) : bottom, max(left, 0) : right] = True
    return float((where & inside).sum() / where.sum()) if where.any() else 0.0
