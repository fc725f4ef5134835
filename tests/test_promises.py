"""The promises of the README, kept by a denoiser that knows nothing: valid, closed in budget, or refused before."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

import pytest
import torch
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

import structgen as sg
from structgen.cli.invoice import Invoice
from structgen.generation.options import Options
from structgen.model import Model
from structgen.models.embedded import OutlinePrompts
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Absorbing, Noise, Uniform
from structgen_engine.decoding.options import DecodingOptions
from structgen_mini import mini_folder
from writing import generate

BLOCK = 48
BATCH = 25
DRAWS = 2400  # outputs of the property test, over all schemas, noises and numbers of steps


class Colour(Enum):
    RED = "red"
    NONE = None


class Address(TypedDict):
    street: str
    city: str


class Order(BaseModel):
    """Everything the front end knows, small."""

    customer: str = Field(min_length=1, max_length=12)
    code: str = Field(pattern=r"^[A-Z]{2}-\d{2,4}$")
    quantity: int = Field(ge=1, le=500)
    weight: float = Field(gt=0, lt=2.5)
    colour: Colour
    size: Literal["S", "M", 42] | None = None
    address: Address
    tags: list[str] = Field(default_factory=list, max_length=2)


TYPES: dict[str, Any] = {"invoice": Invoice, "order": Order, "list": list[int] | bool, "address": Address}


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.from_file(mini_folder() / "tokenizer.json")


def noises(vocabulary: Vocabulary) -> dict[str, Noise]:
    return {"uniform": Uniform(2, vocabulary.size), "absorbing": Absorbing(0)}


@pytest.mark.parametrize("noise", ["uniform", "absorbing"])
@pytest.mark.parametrize("name", TYPES)
def test_every_output_of_a_random_denoiser_validates(name: str, noise: str, vocabulary: Vocabulary):
    """Temperature 2, one to six steps; judged by pydantic and by jsonschema, not by the automaton that made it."""
    spec = TYPES[name]
    constraint = sg.compile(spec, vocabulary)
    adapter = TypeAdapter(spec)
    judge = Draft202012Validator(adapter.json_schema())
    rounds = DRAWS // (BATCH * len(TYPES) * 2)
    for round_ in range(rounds):
        denoiser = RandomDenoiser(noises(vocabulary)[noise], BLOCK, vocabulary.size, seed=round_)
        outputs = decode(
            denoiser,
            [[row] for row in range(BATCH)],
            [constraint.dfa] * BATCH,
            max_tokens=constraint.min_tokens + BLOCK,
            generators=[torch.Generator().manual_seed(round_)] * BATCH,
            options=DecodingOptions(steps=1 + round_ % 6, temperature=2.0),
        )
        for output in outputs:
            text = vocabulary.decode(output.ids.tolist()).decode()
            value = adapter.validate_json(text)
            judge.validate(adapter.dump_python(value, mode="json", exclude_unset=True))
            assert constraint.accepts(text)
            assert constraint.accepts_ids(output.ids.tolist())
            assert len(output.ids) <= constraint.min_tokens + BLOCK


@pytest.mark.parametrize("noise", ["uniform", "absorbing"])
@pytest.mark.parametrize("name", TYPES)
def test_the_least_budget_is_enough_and_one_token_less_is_refused(
    name: str, noise: str, vocabulary: Vocabulary
):
    constraint = sg.compile(TYPES[name], vocabulary)
    denoiser = RandomDenoiser(noises(vocabulary)[noise], BLOCK, vocabulary.size)
    model = Model("random", denoiser, vocabulary, OutlinePrompts())
    least = constraint.min_tokens
    done = generate(model, ("anything",), constraint, Options(max_tokens=least, steps=3))
    assert len(done.ids) == least
    assert constraint.accepts(done.text)
    with pytest.raises(sg.Unsatisfiable, match=f"at least {least}") as refusal:
        generate(model, ("anything",), constraint, Options(max_tokens=least - 1, steps=3))
    assert refusal.value.min_tokens == least


def test_no_shorter_answer_exists_than_min_tokens_says(vocabulary: Vocabulary):
    """The number is the length of a real tokenization: its own shortest texts are accepted with exactly that many."""
    constraint = sg.compile(["yes", "no"], vocabulary)
    shortest = min(len(vocabulary.encode(text)) for text in ("yes", "no"))
    assert constraint.min_tokens == shortest + 1  # the end token
