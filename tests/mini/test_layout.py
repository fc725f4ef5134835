"""Layouts of the first block: default slots, then counted items, then grown slots; never part of the constraint."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest
import torch
from pydantic import BaseModel, Field

import structgen as sg
from minis import SLOTS, canvas_of, filler, outlined
from structgen.generation.options import Options
from structgen.generation.writer import read
from structgen.model import Model
from structgen.sources import as_source
from structgen.verbs.extract import extraction
from structgen_engine.automata.dfa import block
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_engine.decoding.noise import Uniform
from structgen_engine.lattice.lattice import feasible
from structgen_mini import mini_folder
from structgen_mini.layout import STRIDE, Layout, count_weights, counted, first_layout, grown
from structgen_mini.scaffold import OPEN, fill, item_patterns


class Line(BaseModel):
    description: str
    quantity: int


class Order(BaseModel):
    customer: str
    lines: list[Line] = Field(max_length=4)
    notes: list[str] | None


@pytest.fixture(scope="module")
def runtime() -> Model:
    vocabulary = sg.Vocabulary.from_file(mini_folder() / "tokenizer.json")
    denoiser = RandomDenoiser(Uniform(2, vocabulary.size), 256, vocabulary.size)
    return filler(denoiser, vocabulary)


@pytest.fixture(scope="module")
def schema() -> dict:
    return as_source(Order).schema  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Sure(RandomDenoiser):
    """Knows the whole block, and says so at every position."""

    block: tuple[int, ...] = ()

    def __call__(self, context: RandomContext, canvas: torch.Tensor) -> torch.Tensor:
        known = torch.nn.functional.one_hot(torch.tensor(self.block), self.vocabulary_size) * 12.0
        return super().__call__(context, canvas) + known[: canvas.shape[1]]


def answer_with(items: int) -> dict:
    return {"customer": "a", "lines": [{"description": "b", "quantity": 1}] * items, "notes": None}


def counted_for(runtime: Model, schema: dict, items: int) -> Layout:
    """The layout found by a model that is sure of an answer with so many items."""
    vocabulary, layout = runtime.vocabulary, first_layout(canvas_of(runtime), outlined(schema))
    assert layout is not None
    ids = fill(
        outlined(schema), answer_with(items), vocabulary.encode, vocabulary.special["<null>"], slots=SLOTS
    )
    assert ids is not None
    block_ids = (*ids, *layout.block[len(ids) :])
    noise = Uniform(2, vocabulary.size)
    sure = Sure(noise, 256, vocabulary.size, block=block_ids)
    knowing = replace(canvas_of(runtime), denoiser=sure)
    dfa = sg.compile(Order, vocabulary).dfa
    weights = count_weights(knowing, layout, dfa, [5], torch.Generator().manual_seed(0))
    return counted(knowing, layout, weights)


@pytest.mark.parametrize("items", range(5))
def test_the_likeliest_number_of_items_is_counted_and_leaves_valid_answers(
    items: int, runtime: Model, schema: dict
):
    layout = counted_for(runtime, schema, items)
    assert dict(layout.counts) == {"/lines": items}
    assert len(layout.block) % STRIDE == 0
    assert len(layout.scaffold.ids) < len(layout.block) <= len(layout.scaffold.ids) + STRIDE
    assert feasible(block(sg.compile(Order, runtime.vocabulary).dfa, remaining=0), torch.tensor(layout.block))


def test_counting_pins_the_items_and_opens_their_values(runtime: Model, schema: dict):
    pointers = {slot.pointer for slot in counted_for(runtime, schema, 2).scaffold.slots}
    assert {"/lines/0/description", "/lines/1/quantity", "/customer"} <= pointers
    assert "/lines" not in pointers
    assert "/lines/2/quantity" not in pointers


def test_patterns_are_the_gold_layout_with_its_values_left_open(runtime: Model, schema: dict):
    vocabulary, layout = runtime.vocabulary, first_layout(canvas_of(runtime), outlined(schema))
    assert layout is not None
    null = vocabulary.special["<null>"]
    slot = next(slot for slot in layout.scaffold.slots if slot.pointer == "/lines")
    patterns = item_patterns(outlined(schema), slot, vocabulary.encode, null, slots=SLOTS)
    assert len(patterns) == 5
    for items, pattern in enumerate(patterns):
        gold = fill(outlined(schema), answer_with(items), vocabulary.encode, null, slots=SLOTS)
        assert gold is not None
        held = gold[slot.start : slot.start + slot.length]
        assert len(pattern) == slot.length
        assert all(want in (OPEN, token) for want, token in zip(pattern, held, strict=True))


def test_a_full_text_slot_doubles_and_others_stay(runtime: Model, schema: dict):
    layout = first_layout(canvas_of(runtime), outlined(schema))
    assert layout is not None
    vocabulary = runtime.vocabulary
    null = vocabulary.special["<null>"]
    sizes = {slot.pointer: slot.length for slot in layout.scaffold.slots}
    customer = next(slot for slot in layout.scaffold.slots if slot.pointer == "/customer")
    ids = [null if token == OPEN else token for token in layout.block]
    assert grown(canvas_of(runtime), layout, tuple(ids)) is None
    letter = vocabulary.encode("x")[0]
    ids[customer.start : customer.start + customer.length] = [letter] * customer.length
    larger = grown(canvas_of(runtime), layout, tuple(ids))
    assert larger is not None
    now = {slot.pointer: slot.length for slot in larger.scaffold.slots}
    assert now == {**sizes, "/customer": 2 * sizes["/customer"]}


def test_where_not_all_full_slots_can_double_some_grow(runtime: Model) -> None:
    names = [f"name{at}" for at in range(9)]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": names}
    layout = first_layout(canvas_of(runtime), outlined(schema))
    assert layout is not None
    letter = runtime.vocabulary.encode("x")[0]
    ids = tuple(letter if token == OPEN else token for token in layout.block)
    larger = grown(canvas_of(runtime), layout, ids)
    assert larger is not None
    before = [slot.length for slot in layout.scaffold.slots]
    grew = [slot.length / old for slot, old in zip(larger.scaffold.slots, before, strict=True)]
    assert grew == sorted(grew, reverse=True)
    assert grew[0] == 2.0
    assert grew[-1] == 1.0
    assert len(layout.block) < len(larger.block) <= runtime.denoiser.block_length


def test_extraction_fills_the_layout_it_reports_and_counts_all_steps(runtime: Model):
    seen = []
    options = Options(steps=2, on_step=lambda event: seen.append(event))
    asked = extraction(runtime, "anything", Order, options)
    written, layout = runtime.writer.filled(asked)  # type: ignore[union-attr]
    generation = read(runtime, asked.constraint, written)
    assert layout is not None
    assert all(pin in (OPEN, token) for pin, token in zip(layout.block, generation.ids, strict=False))
    assert generation.steps == len(seen)
    assert isinstance(generation.value, Order)


def test_a_filled_scaffold_spells_the_answer_it_was_filled_with(runtime: Model, schema: dict):
    vocabulary, value = runtime.vocabulary, {"customer": "Ada", "lines": [], "notes": ["x", "y"]}
    ids = fill(
        outlined(schema),
        value,
        vocabulary.encode,
        vocabulary.special["<null>"],
        slots=SLOTS,
        counts={"/lines": 0},
    )
    assert ids is not None
    assert vocabulary.decode(ids).decode() == json.dumps(value, separators=(",", ":"))
