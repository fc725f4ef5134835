"""Training reads the outline of a schema as the library does."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from sources.plain_schemas import agrees
from structgen import JsonSchema
from training.documents import make_sample
from training.pools import make_pools


def test_training_draws_outlines_as_the_library_does() -> None:
    pools, rng = make_pools(seed=3, size=60), random.Random(5)
    for _ in range(300):
        schema = make_sample(rng, pools).schema
        assert agrees(JsonSchema(schema).outline(), schema), schema


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
    assert agrees(JsonSchema(schema).outline(), schema)
