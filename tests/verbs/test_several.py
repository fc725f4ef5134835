"""n answers are distinct and valid and come in the order of their probability; what validators reject is drawn anew."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from itertools import product
from typing import Any

import pytest
import torch
from pydantic import BaseModel, field_validator

import structgen as sg
from structgen.generation.options import Options
from structgen.generation.prompts import ChatPrompts
from structgen.generation.writer import request
from structgen.model import Model
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Absorbing, Noise, Uniform
from structgen_engine.decoding.options import DecodingOptions

TOKENS = ["a", "b", "ab", "ba", "1", "2", "12", "1.0", "[", "]", ",", "[1", '"', '"a']
MASK, END, PAD = len(TOKENS), len(TOKENS) + 1, len(TOKENS) + 2
VOCABULARY = Vocabulary.from_tokens(
    [*map(str.encode, TOKENS), "<mask>", "<eos>", "<pad>"], end="<eos>", pad="<pad>"
)
NOISES: dict[str, Noise] = {"absorbing": Absorbing(MASK), "uniform": Uniform(0, MASK)}
SOURCES: list[Any] = [
    sg.Regex("(a|b){1,3}"),
    sg.Regex("ab?|12"),
    sg.JsonSchema({"type": "array", "items": {"enum": [1, 2]}, "maxItems": 2}, whitespace="compact"),
    sg.JsonSchema({"enum": [1, 12, "a", "b"]}),
    sg.JsonSchema({"type": "number", "minimum": 1, "maximum": 2}, whitespace="compact"),
]


def model(noise: str, seed: int, length: int = 4, steps: int = 1) -> Model:
    denoiser = RandomDenoiser(NOISES[noise], length, VOCABULARY.size, seed=seed)
    return Model(
        "tiny", denoiser, VOCABULARY, ChatPrompts("{}"), decoding=DecodingOptions(steps=steps), blocks=1
    )


def meant(text: str, source: Any) -> str:
    """What a text means: the value of JSON, in which 1 and 1.0 are one number."""
    return json.dumps(json.loads(text, parse_int=float)) if isinstance(source, sg.JsonSchema) else text


def enumerated(made: Model, source: Any, seed: int) -> dict[Any, float]:
    """The probability of each value by the first look: every string of tokens of a block, weighed one by one."""
    constraint = sg.compile(source, VOCABULARY)
    asked = request(made, ("1",), constraint, Options(seed=seed))
    noise = made.denoiser.noise.start((made.denoiser.block_length,), torch.Generator().manual_seed(seed))
    (logits,) = made.denoiser(made.denoiser.start([asked.prompt]), noise[None])
    scores = logits.double() / made.decoding.temperature_at(0)
    shares: dict[Any, float] = defaultdict(float)
    for string in product(range(VOCABULARY.size), repeat=len(scores)):
        end = next((k for k, one in enumerate(string) if one == END), None)
        if (
            end is None
            or any(one != PAD for one in string[end + 1 :])
            or MASK in string
            or PAD in string[:end]
        ):
            continue
        text = "".join(TOKENS[one] for one in string[:end])
        if text and constraint.compiled.accepts(text.encode()):
            shares[meant(text, source)] += math.exp(
                sum(float(scores[k, one]) for k, one in enumerate(string))
            )
    total = sum(shares.values())
    return {value: share / total for value, share in shares.items()}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("source", SOURCES, ids=range(len(SOURCES)))
def test_the_best_answers_are_those_of_enumeration(source: Any, noise: str, seed: int):
    made = model(noise, seed)
    truth = enumerated(made, source, seed)
    found = made.generate("1", source, n=4, seed=seed, details=True)
    values = [meant(one.text, source) for one in found]
    assert len(set(values)) == len(values) == min(4, len(truth))
    best = sorted(truth.values(), reverse=True)
    for place, (one, value) in enumerate(zip(found, values, strict=True)):
        assert one.certified
        assert truth[value] == pytest.approx(best[place], abs=1e-5)
        assert math.exp(one.log_prob) <= truth[value] + 1e-5


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("source", SOURCES, ids=range(len(SOURCES)))
def test_after_many_steps_answers_are_still_distinct_and_valid(source: Any, noise: str):
    for seed in range(3):
        made = model(noise, seed, length=8, steps=6)
        found = made.generate("1", source, n=3, seed=seed, details=True)
        texts = [one.text for one in found]
        assert all(sg.compile(source).accepts(text) for text in texts)
        assert len({meant(text, source) for text in texts}) == len(texts) == 3


def test_the_embedded_model_has_several_readings_of_a_document():
    class Invoice(BaseModel):
        vendor: str
        total: float

    loaded, text = sg.load(), "Invoice from Acme Ltd to Bell & Co, total 289.50 EUR"
    found = loaded.extract(text, Invoice, n=3)
    assert found[0] == loaded.extract(text, Invoice)
    assert len({one.model_dump_json() for one in found}) == len(found) == 3
    detailed = loaded.extract(text, Invoice, n=3, details=True)
    assert [one.value for one in detailed] == found
    assert sorted((one.log_prob for one in detailed), reverse=True) == [one.log_prob for one in detailed]
    assert all("/vendor" in one.confidence for one in detailed)


def test_options_are_ranked():
    choice = sg.load().choose("Please pay the invoice", ["weather", "invoice", "sports"])
    assert choice.ranked[0] == (choice.value, choice.probabilities[choice.value])
    assert sorted((share for _, share in choice.ranked), reverse=True) == [
        share for _, share in choice.ranked
    ]


class Even(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


def digits() -> Model:
    vocabulary = Vocabulary.from_tokens(
        [*(str(digit).encode() for digit in range(10)), b'{"number":', b"}", "<mask>", "<eos>", "<pad>"],
        end="<eos>",
        pad="<pad>",
    )
    denoiser = RandomDenoiser(Uniform(0, 12), 4, vocabulary.size, scale=0.0)  # every digit is as likely
    return Model(
        "digits", denoiser, vocabulary, ChatPrompts("{}"), decoding=DecodingOptions(steps=1), blocks=1
    )


def test_what_a_validator_rejects_is_drawn_anew_independently():
    """Half of all numbers are odd; the first answer, the best of equals, may be."""
    spec, draws = {"x": 1} and Even, []
    for seed in range(60):
        draws.append(
            digits().generate("5", spec, redraws=40, seed=seed, whitespace="compact", details=True).draws
        )
    first = digits().generate("5", sg.JsonSchema({"type": "object", "properties": {"number": {"type": "integer"}},
        "required": ["number"]}, whitespace="compact"))["number"]  # fmt: skip
    assert min(draws) == (2 if first % 2 else 1)
    if first % 2:  # then the number of further draws is geometric with mean 2
        assert 1.5 < sum(draws) / len(draws) - 1 < 2.6


def test_a_rejection_says_how_many_draws_there_were():
    class Never(BaseModel):
        number: int

        @field_validator("number")
        @classmethod
        def never(cls, value: int) -> int:
            raise ValueError("no number will do")

    with pytest.raises(sg.Rejected, match=r"no number will do.*all 4 draws were rejected") as caught:
        digits().generate("5", Never, redraws=3, whitespace="compact")
    assert caught.value.draws == 4
    with pytest.raises(sg.Rejected, match="no number will do") as caught:
        digits().generate("5", Never, whitespace="compact")
    assert caught.value.draws == 1
    assert "draws" not in str(caught.value)
    with pytest.raises(sg.Rejected, match="no number will do"):
        digits().generate("5", Never, n=3, whitespace="compact")
    assert [one.number % 2 for one in digits().generate("5", Even, n=3, whitespace="compact")] == [0, 0, 0]


@pytest.mark.parametrize(
    "option", [{"n": 0}, {"n": "3"}, {"n": 101}, {"redraws": -1}, {"redraws": 1.5}], ids=repr
)
def test_numbers_of_answers_out_of_range_name_themselves(option: dict[str, Any]):
    with pytest.raises(sg.InvalidOption, match=next(iter(option))):
        sg.load().extract("a", {"type": "boolean"}, **option)


def test_redraws_are_refused_where_they_mean_nothing():
    with pytest.raises(sg.InvalidOption, match="redraws"):
        sg.load().extract("a", {"type": "boolean"}, n=2, redraws=2)  # type: ignore[call-overload]
    with pytest.raises(sg.InvalidOption, match="redraws"):
        sg.load().stream("a", {"type": "boolean"}, redraws=2)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="no argument 'step'"):
        sg.load().extract("a", {"type": "boolean"}, step=2)  # type: ignore[call-overload]
