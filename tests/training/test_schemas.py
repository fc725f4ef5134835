"""Training reads the outline of a schema as the library does."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from minis import outlined
from structgen_mini.outline import Outline
from training.documents import make_sample
from training.pools import make_pools
from training.schemas import outline_of


def unsaid(outline: Outline) -> Outline:
    """The outline without the words by which it describes itself, which training does not read."""
    return replace(
        outline,
        said=(),
        fields=tuple(replace(field, value=unsaid(field.value)) for field in outline.fields),
        item=None if outline.item is None else unsaid(outline.item),
        options=tuple(map(unsaid, outline.options)) if outline.kind == "union" else outline.options,
    )


def test_training_draws_outlines_as_the_library_does() -> None:
    pools, rng = make_pools(seed=3, size=60), random.Random(5)
    for _ in range(300):
        schema = make_sample(rng, pools).schema
        assert unsaid(outline_of(schema)) == unsaid(outlined(schema)), schema


@pytest.mark.parametrize(
    "value",
    [
        {"type": ["number", "null"]},
        {"enum": ["x", None]},
        {"const": 3},
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "string", "format": "email"},
        {"type": "array", "items": {"type": "string"}},
        True,
    ],
)
def test_each_kind_of_value_has_one_outline(value: dict | bool) -> None:
    schema = {"type": "object", "properties": {"a": value}, "required": ["a"]}
    assert unsaid(outline_of(schema)) == unsaid(outlined(schema))
