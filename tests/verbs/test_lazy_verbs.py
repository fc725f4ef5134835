"""Every verb does with an automaton that grows what it does with one in tables."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import torch
from pydantic import BaseModel, Field

import structgen as sg
from minis import canvas_of, filler, outlined
from structgen.compiler import regimes
from structgen.model import Model
from structgen.sources.tools import Tools
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.dfa import Dfa
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.loop import StepEvent
from structgen_engine.decoding.noise import Uniform
from structgen_engine.decoding.probe import Probe
from structgen_engine.decoding.row import needed
from structgen_engine.lattice import search as explore
from structgen_mini import mini_folder
from structgen_mini.layout import count_weights, first_layout, likeliest

TEXT = "Order of Ada: two lamps at 12.50 each, and one chair."


class Line(BaseModel):
    name: str
    quantity: int


class Order(BaseModel):
    customer: str
    lines: list[Line] = Field(max_length=3)


class Part(BaseModel):
    name: str
    parts: list[Part] = Field(default_factory=list, max_length=2)


def order_lamp(quantity: int, colour: Literal["red", "blue"] = "red") -> str:
    """Order lamps."""
    return f"{quantity} {colour}"


def assemble(part: Part) -> str:
    """Assemble a part of parts."""
    return part.name


@pytest.fixture
def everything_is_lazy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(regimes, "CAP", 0)


@pytest.fixture(scope="module")
def random_model() -> Model:
    vocabulary = Vocabulary.from_file(mini_folder() / "tokenizer.json")
    denoiser = RandomDenoiser(Uniform(2, vocabulary.size), 128, vocabulary.size, scale=8.0)
    return filler(denoiser, vocabulary)


def both(source: Any, vocabulary: Vocabulary) -> list[sg.Constraint[Any]]:
    """The constraint as a table, and growing."""
    found = [sg.compile(source, vocabulary, regime=regime) for regime in ("expanded", "lazy")]
    assert [isinstance(one.automaton, Dfa) for one in found] == [True, False]
    return found


def test_the_share_that_a_lazy_constraint_left_out_is_reported(random_model: Model) -> None:
    for source in (Part, Line):
        events: list[StepEvent] = []
        done = random_model.generate(
            "A lamp.", source, details=True, steps=2, on_step=events.append, max_tokens=256
        )
        shares = [float(event.dropped[0]) for event in events if event.dropped is not None]
        assert done.dropped_share == max(shares)
        assert (done.dropped_share > 0) is (source is Part)
        last = [bool(event.certified[0]) for event in events if event.certified is not None][-1]
        assert done.certified is last
        assert done.certified or source is Part


def test_a_lazy_step_that_takes_too_long_is_refused_in_one_sentence(
    random_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = SimpleNamespace(
        thread_time=count(step=60.0).__next__
    )  # a minute between two looks at the clock
    monkeypatch.setattr(explore, "time", minutes)
    with pytest.raises(
        sg.Unsupported, match=r"^one refinement step takes more than 20 seconds of CPU: .* simplify"
    ):
        random_model.generate("A lamp.", Part)


def test_a_recursive_tool_beside_another_is_called(random_model: Model) -> None:
    source = Tools([order_lamp, assemble], "required")
    assert sg.compile(source, random_model.vocabulary).info().regime == "lazy"
    for seed in range(2):
        done = random_model.call(
            "Two lamps!", [order_lamp, assemble], tool_choice="required", details=True, steps=2, seed=seed
        )
        (call,) = done.value
        assert call.name in ("order_lamp", "assemble")
        assert isinstance(call.run(), str)
        assert sg.compile(source).accepts(done.text)


@pytest.mark.usefixtures("everything_is_lazy")
def test_every_verb_runs_without_tables(random_model: Model) -> None:
    constraint = sg.compile(Order, random_model.vocabulary)
    assert constraint.info().regime == "lazy"
    order = random_model.extract(TEXT, Order, steps=2)
    assert isinstance(order, Order)
    chosen = random_model.choose(TEXT, ["lamp", "chair", "a table"])
    assert sum(chosen.probabilities.values()) == pytest.approx(1.0)
    reply = random_model.call(TEXT, [order_lamp, assemble], steps=2)
    assert reply.answer is not None or len(reply) == 1
    assert random_model.generate(TEXT, sg.Regex(r"[a-z]{3,5}"), steps=2).isalpha()


def test_options_are_as_probable_lazily(random_model: Model, request: pytest.FixtureRequest) -> None:
    options = ["billing", "technical", "a longer option"]
    exact = random_model.choose(TEXT, options).probabilities
    request.getfixturevalue("everything_is_lazy")
    found = random_model.choose(TEXT, options).probabilities
    assert [found[one] for one in options] == pytest.approx([exact[one] for one in options], abs=1e-4)


def test_items_are_counted_alike(random_model: Model) -> None:
    layout = first_layout(canvas_of(random_model), outlined(Order))  # type: ignore[attr-defined]
    assert layout is not None
    table, lazy = (
        likeliest(
            layout,
            count_weights(
                canvas_of(random_model), layout, one.automaton, [5], torch.Generator().manual_seed(0)
            ),
        )
        for one in both(Order, random_model.vocabulary)
    )
    assert table == lazy
    assert table


def test_a_look_gives_the_same_probabilities_whatever_was_left_out(random_model: Model) -> None:
    vocabulary = random_model.vocabulary
    table, lazy = both(sg.Regex("(cat|dog|horse)s?"), vocabulary)
    logits = torch.randn(2, 12, vocabulary.size, generator=torch.Generator().manual_seed(0)) * 8
    settled = torch.full((2, 12), -1)
    looks = [Probe(one.automaton, logits, settled) for one in (table, lazy)]
    for text in ("cat", "dog", "horse", "cow"):
        ids = torch.full((12,), -1)
        ids[: len(vocabulary.encode(text))] = torch.tensor(vocabulary.encode(text))
        exact, found = (one.log_prob(ids) for one in looks)
        assert torch.allclose(exact, found, atol=1e-4), text
        assert (exact > float("-inf")).all() == (text != "cow")


def test_what_is_needed_after_some_ids_suffices_and_is_not_less_than_the_least(
    random_model: Model,
) -> None:
    vocabulary = random_model.vocabulary
    table, lazy = both(Order, vocabulary)
    for text in ("", "{", '{"customer":"A', '{"customer":"Ada","lines":[', '{"customer":"Ada","lines":[]}'):
        ids = vocabulary.encode(text)
        least, enough = (needed(one.automaton, ids) for one in (table, lazy))
        assert least <= enough <= 2 * least + 4


def test_a_completion_is_accepted_and_takes_the_tokens_that_suffice_but_one_less_does_not_in_a_table(
    random_model: Model,
) -> None:
    vocabulary = random_model.vocabulary
    for one in both(Order, vocabulary):
        automaton = one.automaton
        for text in ("", "{", '{"customer":"Ada","lines":[', '{"customer":"Ada","lines":[]}'):
            state = automaton.run(vocabulary.encode(text))
            found = automaton.completion(state)
            assert found is not None
            assert automaton.is_accepting(automaton.run(found, state))
            assert automaton.suffices(state, len(found))
            assert len(found) <= automaton.enough(state)
            if automaton.exact and found:
                assert len(found) == automaton.enough(state)
                assert not automaton.suffices(state, len(found) - 1)
                assert automaton.completion(state, len(found) - 1) is None


@pytest.mark.parametrize("regime", ["expanded", "lazy"])
def test_a_compiled_form_says_which_tokens_an_answer_may_use(random_model: Model, regime: Any) -> None:
    vocabulary = random_model.vocabulary
    compiled = sg.compile(Order, vocabulary, regime=regime).compiled
    assert all(compiled.uses(token) for token in vocabulary.encode('{"customer":'))
    assert vocabulary.end is not None
    assert compiled.uses(vocabulary.special[vocabulary.end])
