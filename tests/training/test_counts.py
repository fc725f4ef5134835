"""Fitting how much the document says of the number of an array's items."""

from __future__ import annotations

import pytest
import torch

import structgen as sg
from training.counts import Counted, arrays, fit, share_right
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


def test_the_features_of_a_table_speak_for_its_rows() -> None:
    item = {"type": "object", "properties": {"name": {"type": "string"}, "price": {"type": "number"}}}
    item["required"] = ["name", "price"]
    lines = {"type": "array", "items": item}
    schema = {"type": "object", "properties": {"lines": lines}, "required": ["lines"]}
    rows = [{"name": "Tea", "price": 3.1}, {"name": "Cake", "price": 4.5}]
    problem = Problem(schema, "name    price\nTea     3.10\nCake    4.50", {"lines": rows})
    (found,) = arrays(sg.load(), problem)
    assert found.items == 2
    nats, whole, alone, torn = found.features[2].tolist()
    assert nats <= 0.0
    assert whole > 1.5
    assert alone == 0.0
    assert whole - torn == pytest.approx(2.0)
    assert found.features[0].tolist()[1:] == [0.0, 0.0, 0.0]
