"""The fitted temperature and shift are those that made the data, and take the place of their own lines only."""

from __future__ import annotations

import random
import tomllib

import pytest

from bench.calibrate import bins, fitted, written
from structgen.evidence.values import calibrated
from structgen_mini import mini_folder


@pytest.mark.parametrize(("temperature", "shift"), [(1.5, 0.0), (4.0, 0.6), (12.0, -0.5)])
def test_the_constants_that_made_the_data_are_found(temperature: float, shift: float) -> None:
    draw = random.Random(1)
    said = [1 / (1 + 2.718 ** -draw.uniform(-15, 15)) for _ in range(20_000)]
    found = [(sure, draw.random() < calibrated(sure, temperature, shift), False) for sure in said]
    assert fitted(found) == (pytest.approx(temperature, rel=0.1), pytest.approx(shift, abs=0.1))


def test_tenths_have_their_share_of_right_values() -> None:
    found = [(0.05, False, False), (0.95, True, False), (0.97, False, False), (1.0, True, False)]
    assert bins(found) == [
        {"count": 1, "confidence": 0.05, "right": 0.0},
        {"count": 3, "confidence": pytest.approx(0.97333, abs=1e-4), "right": pytest.approx(2 / 3)},
    ]


def test_only_the_lines_of_the_constants_change() -> None:
    text = (mini_folder() / "weights.toml").read_text(encoding="utf-8")
    before, after = tomllib.loads(text), tomllib.loads(written(text, 3.5, -1.0))
    assert after == {**before, "confidence": {"temperature": 3.5, "shift": -1.0}}
    with pytest.raises(ValueError, match="one line that begins with 'temperature ='"):
        written("[confidence]\n", 2.0, 0.0)
