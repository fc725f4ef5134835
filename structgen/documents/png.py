"""Pixels as a PNG image (W3C, PNG Specification), so that drawing a page needs no imaging library.

A page of text has few colours, and with a palette takes less than half the bytes: a proof embeds every page.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

TRUE_COLOUR, PALETTE = 2, 3
MOST_COLOURS = 256
COARSE = 17  # of 255: sixteen levels a channel, for pages with coloured text, whose edges have many shades


def png(pixels: Any) -> bytes:
    """The image of pixels [H, W, 3], uint8, red first: exact if it has at most 256 colours or more than coarse ones."""
    for colours in (pixels, (pixels.astype(np.uint16) + COARSE // 2) // COARSE * COARSE):
        packed = colours.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
        palette, indices = np.unique(packed, return_inverse=True)
        if len(palette) <= MOST_COLOURS:
            table = np.stack([palette >> 16, palette >> 8, palette], 1).astype(np.uint8)  # the low bytes
            return _image(indices.reshape(packed.shape).astype(np.uint8), PALETTE, table.tobytes())
    rows = pixels.reshape(len(pixels), -1)
    return _image(np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1])), TRUE_COLOUR, b"")


def _image(rows: Any, kind: int, palette: bytes) -> bytes:
    """Rows [H, bytes] of an image; those of true colours are the differences to the rows above."""
    width = rows.shape[1] // (3 if kind == TRUE_COLOUR else 1)
    filters = np.full((len(rows), 1), 2 if kind == TRUE_COLOUR else 0, np.uint8)
    data = zlib.compress(np.hstack([filters, rows]).tobytes(), 6)
    header = struct.pack(">IIBBBBB", width, len(rows), 8, kind, 0, 0, 0)
    parts = [(b"IHDR", header), *([(b"PLTE", palette)] if palette else []), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
