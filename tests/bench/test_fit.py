"""Fitting how much the document says of the number of an array's items."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
import torch

pytest.importorskip("faker")
pytest.importorskip("mimesis")

import structgen as sg
from bench.fit import FITTED, Counted, arrays, fit, share_right, written
from minis import CONSTANTS
from structgen_mini import mini_folder
from structgen_mini.constants import CONSTANTS as FILE
from training.evaluate import Problem

TRUE = torch.tensor([0.5, 2.0, 1.0, 3.0], dtype=torch.float64)


def drawn_by(constants: torch.Tensor, count: int) -> list[Counted]:
    """Arrays whose numbers of items follow the logit with these constants."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(count, 5, 4, generator=generator, dtype=torch.float64)
    chosen = torch.multinomial((features @ constants).softmax(-1), 1, generator=generator)[:, 0]
    return [Counted(rows, items, False) for rows, items in zip(features, chosen.tolist(), strict=True)]


def test_the_constants_that_made_the_numbers_are_found_again() -> None:
    found = drawn_by(TRUE, 4000)
    fitted = fit(found)
    assert fitted.tolist() == pytest.approx(TRUE.tolist(), abs=0.25)
    assert share_right(found, fitted) > share_right(found, torch.tensor([1.0, 0.0, 0.0, 0.0]).double())


def test_each_number_of_items_has_features_that_add_up_to_it() -> None:
    """Whatever the weights say: an item's share is described by one place, the rest of it is torn."""
    item = {"type": "object", "properties": {"name": {"type": "string"}, "price": {"type": "number"}}}
    item["required"] = ["name", "price"]
    lines = {"type": "array", "items": item}
    schema = {"type": "object", "properties": {"lines": lines}, "required": ["lines"]}
    rows = [{"name": "Tea", "price": 3.1}, {"name": "Cake", "price": 4.5}]
    problem = Problem(schema, "name    price\nTea     3.10\nCake    4.50", {"lines": rows})
    (found,) = arrays(sg.load(), problem)
    assert found.items == 2
    for count, (nats, whole, alone, torn) in enumerate(found.features.tolist()):
        assert nats <= 0.0
        assert alone == 0.0
        assert whole - torn == pytest.approx(count)


def test_fitted_constants_replace_their_own_lines_and_nothing_else() -> None:
    text = (mini_folder() / FILE).read_text(encoding="utf-8")
    fitted = replace(CONSTANTS.counting, whole=1.25, alone=0.5, torn=12.0, certainty=1e-05)
    changed = written(text, fitted, "by a test")
    before, after = tomllib.loads(text), tomllib.loads(changed)
    assert after["counting"] == {**before["counting"], **{key: getattr(fitted, key) for key in FITTED}}
    assert {**after, "counting": 0} == {**before, "counting": 0}
    assert "# Fitted by a test.\n" in changed
    assert len(changed.splitlines()) == len(text.splitlines())


def test_a_file_without_these_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="one line that begins with '# Fitted'"):
        written("[counting]\nwhole = 1.0\n", CONSTANTS.counting, "by a test")
