"""How many items an array has, asked again with items in place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

import structgen as sg
from structgen.counting import recounted
from structgen.generator import Generator
from structgen.layout import Layout, item_slots, lay
from structgen.scaffold import end_of_items
from structgen_engine.denoiser import RandomContext
from structgen_engine.noise import Noise

SCHEMA = {
    "type": "object",
    "properties": {"names": {"type": "array", "items": {"type": "string"}}},
    "required": ["names"],
}
PROMPT = [5, 6, 7]


@dataclass
class Counting:
    """A denoiser that knows the number of items: it closes the array behind them, and writes a comma before."""

    noise: Noise
    block_length: int
    vocabulary_size: int
    closing: dict[int, int]  # position: the token it wants there
    calls: int = 0

    def start(self, prompts: Sequence[Sequence[int]]) -> RandomContext:
        return RandomContext(tuple(map(tuple, prompts)))

    def __call__(self, context: RandomContext, canvas: Tensor) -> Tensor:
        self.calls += 1
        logits = torch.zeros(*canvas.shape, self.vocabulary_size)
        for position, token in self.closing.items():
            logits[:, position, token] = 10.0
        return logits

    def extend(self, context: int, block: Tensor) -> int:
        raise AssertionError("one block is enough")


def counted_by(model: Generator, layout: Layout, count: int) -> Generator:
    """A model that wants `count` items, whatever is in place."""
    ((slot, patterns),) = item_slots(model, layout).items()
    at = [slot.start + end_of_items(pattern, model.null_id) for pattern in patterns]
    wants = {
        position: (patterns[known] if known >= count else patterns[known + 1])[position - slot.start]
        for known, position in enumerate(at)
        if known + 1 < len(patterns)
    }
    denoiser = model.denoiser
    wants = {position: token for position, token in wants.items() if token >= 0}
    return replace(
        model,
        denoiser=Counting(denoiser.noise, denoiser.block_length, denoiser.vocabulary_size, wants),
    )


@pytest.fixture(scope="module")
def model() -> Generator:
    return sg.load()


def asked_again(model: Generator, schema: dict[str, Any], written: int, wanted: int) -> int | None:
    """The new number of items where `written` were written and the model wants `wanted`; None for no change."""
    bare, pinned = lay(model, schema, {}, {}), lay(model, schema, {}, {"/names": written})
    assert bare is not None
    assert pinned is not None
    text = json.dumps({"names": ["ab"] * written})
    automaton = sg.compile(schema, model.vocabulary).automaton
    other = counted_by(model, bare, wanted)
    found = recounted(other, pinned, text, automaton, PROMPT, torch.Generator().manual_seed(0))
    return None if found is None else found.counts["/names"]


@pytest.mark.parametrize(
    ("written", "wanted", "found"),
    [(2, 2, None), (3, 1, 1), (3, 2, 2), (1, 3, 2), (2, 3, 3)],
)
def test_the_count_is_where_the_model_closes_the_array_or_one_more(
    model: Generator, written: int, wanted: int, found: int | None
) -> None:
    assert asked_again(model, SCHEMA, written, wanted) == found


def test_there_are_never_fewer_items_than_the_schema_asks_for(model: Generator) -> None:
    names = {"type": "array", "items": {"type": "string"}, "minItems": 2}
    schema = {**SCHEMA, "properties": {"names": names}}
    assert asked_again(model, schema, 3, 1) == 2
    assert asked_again(model, schema, 2, 0) is None


def test_without_arrays_the_model_is_not_asked(model: Generator) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    layout = lay(model, schema, {}, {})
    assert layout is not None
    automaton = sg.compile(schema, model.vocabulary).automaton
    generator = torch.Generator()
    assert recounted(model, layout, '{"a":"b"}', automaton, PROMPT, generator) is None
