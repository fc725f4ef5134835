"""A stream gives each value once, never takes it back, and shows what pydantic's partial validation accepts."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, create_model, field_validator
from typing_extensions import TypedDict

import structgen as sg
from minis import filler
from structgen.model import Model
from structgen.models.embedded import OutlinePrompts
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Absorbing, Uniform
from structgen_mini import mini_folder

BLOCK = 24

SCALARS = st.sampled_from([int, bool, float, str | None, list[int], list[bool] | None, dict[str, int]])
FIELDS = st.dictionaries(st.sampled_from(["a", "b", "name", "x y"]), SCALARS, min_size=1, max_size=3)


@st.composite
def types(draw: st.DrawFn) -> Any:
    """A class of short fields, a list of one, or a union of two."""
    fields: dict[str, Any] = {name: (kind, ...) for name, kind in draw(FIELDS).items()}
    one = create_model("One", **{name.replace(" ", "_"): field for name, field in fields.items()})
    return draw(st.sampled_from([one, list[one], one | list[bool], dict[str, one], list[int], int]))


@cache
def random_model(noise: str, seed: int) -> Model:
    vocabulary = Vocabulary.from_file(mini_folder() / "tokenizer.json")
    kinds = {"absorbing": Absorbing(0), "uniform": Uniform(2, vocabulary.size)}
    denoiser = RandomDenoiser(kinds[noise], BLOCK, vocabulary.size, seed=seed)
    return Model("random", denoiser, vocabulary, OutlinePrompts(), blocks=3)


def leaves(value: Any, pointer: str = "") -> dict[str, Any]:
    """The scalars and empty containers of a JSON value, found without the text."""
    if not value or not isinstance(value, dict | list):
        return {pointer: value}
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    found: dict[str, Any] = {}
    for name, part in parts:
        found |= leaves(part, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")
    return found


def check(model: Model, spec: Any, **how: Any) -> list[Any]:
    """The events of a stream, which keep its promises."""
    events = list(model.stream("a document", spec, **how))
    *before, last = events
    assert isinstance(last, sg.Done)
    result = last.result
    settled = [event for event in before if isinstance(event, sg.Settled)]
    plain = sg.JsonSchema({}).parse(result.text)
    assert {event.pointer: event.value for event in settled} == leaves(plain)
    assert len({event.pointer for event in settled}) == len(settled)
    for event in settled:
        assert event.confidence is None or 0 <= event.confidence <= 1
    adapter = TypeAdapter(spec)
    for event in before:
        if isinstance(event, sg.Partial):
            shown = adapter.dump_python(event.object, mode="json", warnings="error")
            adapter.validate_python(shown, experimental_allow_partial=True)
    assert adapter.validate_json(result.text) == result.value
    return events


@settings(max_examples=25)
@given(types(), st.sampled_from(["absorbing", "uniform"]), st.integers(0, 2))
def test_every_value_settles_once_and_stays(spec: Any, noise: str, seed: int):
    check(random_model(noise, seed), spec, steps=5, seed=seed, whitespace="compact")


def test_a_layout_that_is_begun_anew_takes_nothing_back():
    class Note(BaseModel):
        title: str
        paid: bool

    seen: list[Any] = []
    vocabulary = random_model("uniform", 0).vocabulary
    denoiser = RandomDenoiser(Uniform(2, vocabulary.size), 128, vocabulary.size, scale=8.0)
    check(filler(denoiser, vocabulary), Note, steps=1, on_step=seen.append)
    assert sum(event.step == 0 for event in seen) > 1  # attempts


def test_a_model_that_commits_token_by_token_settles_values_before_the_end():
    class Pair(TypedDict):
        first: bool
        second: list[bool]

    events = check(random_model("absorbing", 0), list[Pair], steps=20, whitespace="compact")
    kinds = [type(event) for event in events]
    assert sg.Settled in kinds[: len(kinds) - 1 - kinds[::-1].index(sg.Partial)]


def test_a_stream_says_what_extract_says():
    class Invoice(BaseModel):
        vendor: str
        total: float

    model, text = sg.load(), "Invoice from Acme Ltd, total 289.50 EUR"
    *before, last = model.stream(text, Invoice)
    assert isinstance(last, sg.Done)
    detailed = model.extract(text, Invoice, details=True)
    assert last.result.value == detailed.value
    assert last.result.to_dict() == detailed.to_dict()
    for event in before:
        if isinstance(event, sg.Settled):
            assert event.confidence == detailed.confidence[event.pointer]


def test_a_stream_that_is_closed_ends_the_work():
    seen: list[Any] = []
    stream = random_model("absorbing", 0).stream("a", list[int], steps=20, on_step=seen.append)
    next(stream)
    done = len(seen)
    stream.close()
    assert len(seen) == done < 20


def test_a_validator_that_refuses_the_answer_ends_the_stream_with_its_reason():
    class Picky(BaseModel):
        flag: bool

        @field_validator("flag")
        @classmethod
        def never(cls, value: bool) -> bool:
            raise ValueError("nothing is good enough")

    events: list[Any] = []
    with pytest.raises(sg.Rejected, match="nothing is good enough"):
        events.extend(random_model("uniform", 0).stream("a", Picky, steps=2))
    assert not any(isinstance(event, sg.Partial) for event in events)


def test_wrong_arguments_are_refused_at_once():
    with pytest.raises(sg.InvalidDocument, match="empty"):
        sg.load().stream(" ", list[int])
