"""Pictures as documents: photographs and scans in image files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from structgen.documents.extras import needed
from structgen.documents.file import File
from structgen.documents.places import Box, Contents, laid_out
from structgen.documents.scan import NOTE, Scan, scanned
from structgen.errors import InvalidDocument

MOST_PIXELS = 80_000_000  # of one image: an A3 page at 600 dpi has 70 million
MOST_FRAMES = 200  # pages of one TIFF file
POINTS = 72  # an inch


def read_image(file: File, encoding: str | None = None) -> Contents:
    """The text of an image, of every page if it is a TIFF file; a pixel counts as a point."""
    scans, sizes = [], []
    for frame in _frames(file):
        scans.append(scanned(_pixels(frame), 1.0))
        sizes.append((float(frame.width), float(frame.height)))
    text, pages = laid_out([scan.text for scan in scans], sizes)
    return Contents(text, pages, Pictures(tuple(scans), file), (f"{file.shown} was {NOTE}",))


@dataclass(frozen=True, eq=False)
class Pictures:
    """The images of a file, and what was read in them."""

    scans: Sequence[Scan]
    file: File
    drawable: bool = True

    def boxes(self, page: int, start: int, end: int) -> list[Box]:
        """One box for each line of the characters start to end of the image's text."""
        return self.scans[page].boxes(page, start, end)

    def image(self, page: int, dpi: float) -> bytes:
        """The image as PNG, never larger than it is."""
        from structgen.documents.png import png

        frame = list(_frames(self.file))[page]
        size = [max(1, round(side * min(1.0, dpi / POINTS))) for side in frame.size]
        return png(_pixels(frame.resize(size)))


def _frames(file: File) -> Iterator[Any]:
    """The images in a file, upright. Raises InvalidDocument if it is broken or too large."""
    images, ways = (needed(name, "ocr", "images of text") for name in ("PIL.Image", "PIL.ImageOps"))
    try:
        with images.open(BytesIO(file.content)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise InvalidDocument(
                    f"{file.shown} has {image.width} × {image.height} pixels, and at most {MOST_PIXELS:,} are read: "
                    "make it smaller"
                )
            frames = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
            if frames > MOST_FRAMES:
                raise InvalidDocument(
                    f"{file.shown} has {frames} pages, and at most {MOST_FRAMES} are read: split it"
                )
            for number in range(frames):
                image.seek(number)
                yield ways.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, EOFError, images.DecompressionBombError) as error:
        raise InvalidDocument(f"{file.shown} is a broken image ({error}): save it again") from None


def _pixels(image: Any) -> Any:
    import numpy as np

    return np.asarray(image)
