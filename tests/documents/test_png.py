"""PNG images as Pillow reads them: the pixels that were written."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from structgen.documents.png import COARSE, png


def read(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (40, 7)])
@pytest.mark.parametrize("colours", [1, 2, 200])
def test_few_colours_are_exact(shape: tuple[int, int], colours: int):
    draw = np.random.default_rng(0)
    palette = draw.integers(0, 256, (colours, 3), np.uint8)
    pixels = palette[draw.integers(0, colours, shape)]
    assert (read(png(pixels)) == pixels).all()


def test_greys_are_exact_and_small():
    pixels = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, 2).repeat(400, 1)
    assert (read(png(pixels)) == pixels).all()
    assert len(png(pixels)) < 3000


def test_a_photograph_is_exact():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    assert (read(png(pixels)) == pixels).all()


def test_shades_of_a_few_colours_are_nearly_right():
    shades = np.arange(256, dtype=np.uint8)
    pixels = np.zeros((2, 256, 3), np.uint8)
    pixels[0, :, 0] = pixels[1, :, 2] = shades
    assert np.abs(read(png(pixels)).astype(int) - pixels).max() <= COARSE // 2 + 1
