"""How many items an array has: what the document tells, beside what the model finds likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg
from minis import CONSTANTS, SLOTS, canvas_of, outlined, toy
from structgen.model import Model
from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_mini.canvas import Canvas
from structgen_mini.copies import Offer
from structgen_mini.counting import Shares, climbed, coherent, together
from structgen_mini.layout import count_weights, first_layout, item_slots, lay, likeliest
from structgen_mini.scaffold import fill

ITEM = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "price": {"type": "number"}},
    "required": ["name", "price"],
}
ROWS = [{"name": "Tea", "price": 3.1}, {"name": "Cake", "price": 4.5}, {"name": "Milk", "price": 2.25}]
TABLE = "Tea   3.10\nCake   4.50\nMilk   2.25\n\nSee you soon"
PROMPT = [5, 6, 7]


def array_of(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    lines = {"type": "array", "items": item, **more}
    return {"type": "object", "properties": {"lines": lines}, "required": ["lines"]}


@dataclass(frozen=True)
class Reading(RandomDenoiser):
    """Sees what is pinned on a canvas and is sure of what fills it."""

    fillings: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()  # pinned block, what it holds

    def __call__(self, context: RandomContext, canvas: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(*canvas.shape, self.vocabulary_size)
        for row, ids in enumerate(canvas.tolist()):
            for pinned, filled in self.fillings:
                if len(pinned) == len(ids) and all(
                    want in (-1, have) for want, have in zip(pinned, ids, strict=True)
                ):
                    for position, token in enumerate(filled):
                        logits[row, position, token] = 12.0
        return logits


@pytest.fixture(scope="module")
def model() -> Model:
    return toy()


@pytest.fixture(scope="module")
def canvas(model: Model) -> Canvas:
    return canvas_of(model)


def reading(canvas: Canvas, schema: dict[str, Any], rows: Sequence[Any], other: Any) -> Canvas:
    """A model that reads rows into the first items of a layout, and `other` into those that are too many."""
    found = []
    for count in range(1, 6):
        layout = lay(canvas, outlined(schema), {}, {"/lines": count})
        assert layout is not None
        value = {"lines": [*rows, *[other] * count][:count]}
        ids = fill(
            outlined(schema),
            value,
            canvas.spelling.encode,
            canvas.spelling.null_id,
            counts=layout.counts,
            slots=layout.slots,
        )
        assert ids is not None
        found.append((layout.block, (*ids, *layout.block[len(ids) :])))
    own = canvas.denoiser
    return replace(
        canvas, denoiser=Reading(own.noise, own.block_length, own.vocabulary_size, fillings=tuple(found))
    )


def counts(
    canvas: Canvas, model: Model, schema: dict[str, Any], known: list[float], document: str
) -> dict[str, int]:
    """The numbers of items for a document, where the model itself finds them as likely as `known`."""
    layout = first_layout(canvas, outlined(schema))
    assert layout is not None
    (slot,) = item_slots(canvas, layout)
    automaton = sg.compile(schema, model.vocabulary).automaton
    offer = Offer(canvas, document, layout.outline)
    found = coherent(canvas, layout, {slot: known}, offer, automaton, PROMPT, 0)
    return likeliest(layout, found)


def test_as_many_records_as_the_document_tells_of(canvas: Canvas, model: Model) -> None:
    schema = array_of(ITEM)
    reader = reading(canvas, schema, ROWS, {"name": "Cake", "price": 3.1})
    assert counts(reader, model, schema, [0.0] * 6, TABLE) == {"/lines": 3}


def test_as_many_values_as_stand_in_the_document(canvas: Canvas, model: Model) -> None:
    schema = array_of({"type": "string"})
    reader = reading(canvas, schema, ["Tea", "Cake"], "zzz")
    assert counts(reader, model, schema, [0.0] * 6, "Tea, Cake. Nothing else") == {"/lines": 2}


def test_a_model_that_is_sure_outweighs_the_document(canvas: Canvas, model: Model) -> None:
    schema = array_of(ITEM)
    reader = reading(canvas, schema, ROWS, {"name": "Cake", "price": 3.1})
    assert counts(reader, model, schema, [-500.0, -300.0, 0.0, -300.0, -500.0, -500.0], TABLE) == {
        "/lines": 2
    }


def test_what_the_constraint_rules_out_stays_ruled_out(canvas: Canvas, model: Model) -> None:
    """Five records are told well enough to outweigh a model that is as sure as may be of none."""
    schema = array_of(ITEM)
    rows = [*ROWS, {"name": "Salt", "price": 1.75}, {"name": "Rice", "price": 2.9}]
    document = "\n".join(f"{row['name']}   {row['price']:.2f}" for row in rows)
    reader = reading(canvas, schema, rows, rows[0])
    assert counts(reader, model, schema, [0.0, *[-1e9] * 5], document) == {"/lines": 5}
    assert counts(reader, model, schema, [0.0, *[IMPOSSIBLE] * 5], document) == {"/lines": 0}


def test_there_are_never_fewer_items_than_the_schema_asks_for(canvas: Canvas, model: Model) -> None:
    schema = array_of(ITEM, minItems=4)
    reader = reading(canvas, schema, ROWS, {"name": "Cake", "price": 3.1})
    assert counts(reader, model, schema, [0.0] * 6, TABLE) == {"/lines": 4}


def test_without_arrays_the_model_is_not_asked(canvas: Canvas, model: Model) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    layout = lay(canvas, outlined(schema), {}, {})
    assert layout is not None
    automaton, generator = sg.compile(schema, model.vocabulary).automaton, torch.Generator()
    weights = count_weights(canvas, layout, automaton, PROMPT, generator)
    assert weights == {}
    assert (
        coherent(canvas, layout, weights, Offer(canvas, "text", layout.outline), automaton, PROMPT, 0) == {}
    )


def test_a_long_record_gets_snug_slots_so_that_several_fit(canvas: Canvas, model: Model) -> None:
    names = ["flight", "from", "to", "gate", "seat", "class", "meal"]
    schema = array_of(
        {"type": "object", "properties": {n: {"type": "string"} for n in names}, "required": names}
    )
    layout = first_layout(canvas, outlined(schema))
    assert layout is not None
    (patterns,) = item_slots(canvas, layout).values()
    assert layout.slots != SLOTS
    assert len(patterns) - 1 >= 3
    one, three = (lay(canvas, outlined(schema), {}, {"/lines": count}) for count in (1, 3))
    assert one is not None
    assert three is not None
    assert one.slots == SLOTS
    assert three.slots != SLOTS


@pytest.mark.parametrize("first", range(1, 9))
@pytest.mark.parametrize("described", range(1, 9))
def test_a_climb_reaches_the_number_that_the_document_describes(first: int, described: int) -> None:
    """From any number, if every item beyond it is torn; it looks at no number twice."""
    looks: list[int] = []

    def look(count: int) -> Shares:
        looks.append(count)
        return [(1.0 if at < described else 0.0, True) for at in range(count)]

    told = climbed([0.0] * 9, look, 1, first, CONSTANTS.counting)
    assert described in told
    assert len(looks) == len(set(looks))


def test_a_climb_steps_over_one_number_that_is_worse() -> None:
    shares = {1: 0.9, 2: 0.5, 3: 1.0}
    told = climbed([0.0] * 6, lambda n: [(shares.get(n, 0.0), True)] * n, 1, 1, CONSTANTS.counting)
    assert 3 in told


def test_a_climb_begins_at_the_fewest_items_and_passes_what_does_not_fit() -> None:
    told = climbed([0.0] * 6, lambda n: [(1.0, True)] * n if n < 4 else None, 2, 0, CONSTANTS.counting)
    assert set(told) == {2, 3}


@given(st.data())
def test_numbers_that_cannot_be_better_are_passed_over_without_changing_the_best(data: st.DataObject) -> None:
    """As many items as were found without passing over any, and no more looks."""
    known = data.draw(st.lists(st.floats(-300, 0), min_size=2, max_size=7))
    share = st.tuples(st.floats(0, 1), st.booleans())
    items = [[*data.draw(st.lists(share, min_size=n, max_size=n))] for n in range(len(known))]
    several = [max([one for _, one in shares], default=False) for shares in items]
    constants, first = CONSTANTS.counting, data.draw(st.integers(0, len(known) - 1))

    def most(count: int) -> Shares:
        return [(1.0, several[count])] * count

    every = climbed(known, items.__getitem__, 1, first, constants)
    few = climbed(known, items.__getitem__, 1, first, constants, most)
    assert few.items() <= every.items()

    def best(told: dict[int, Shares]) -> int:
        weights = together(known, told, constants)
        return max(range(len(weights)), key=weights.__getitem__)

    assert best(few) == best(every)


def test_a_number_that_cannot_be_better_is_not_looked_at() -> None:
    looks: list[int] = []

    def look(count: int) -> Shares:
        looks.append(count)
        return [(1.0, False)] * count

    climbed([-250.0, -250.0, 0.0, -250.0, -250.0], look, 1, 2, CONSTANTS.counting, look_free)
    assert looks == [2]


def look_free(count: int) -> Shares:
    return [(1.0, False)] * count
