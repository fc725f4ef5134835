"""Confidence, alternatives and pressure against enumeration: every string that could stand in a value's place.

The judge is jsonschema. The vocabulary is small enough to try every string of tokens of the same length.
"""

from __future__ import annotations

import json
import math
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import structgen as sg
from bench.scores import leaves as json_leaves
from bench.scores import normal
from structgen.evidence.gather import evidence
from structgen.evidence.looks import looks
from structgen.evidence.tokens import Spelled
from structgen.evidence.values import calibrated
from structgen.generation.leaves import Answer
from structgen.generation.options import Options
from structgen.generation.prompts import ChatPrompts
from structgen.generation.runtime import Runtime
from structgen.generation.writer import request, write
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Absorbing, Uniform

TOKENS = [*'{}[]:,"ab12xy', "12", "xy", '"x', '{"a":', ',"b":', "null", "true"]
MASK = len(TOKENS)
VOCABULARY = Vocabulary.from_tokens(
    [*map(str.encode, TOKENS), "<mask>", "<eos>", "<pad>"], end="<eos>", pad="<pad>"
)
ANY = {"enum": [1, 12, "x", None]}
SCHEMAS: list[dict[str, Any]] = [
    {"properties": {"a": {"type": "integer", "maximum": 20}}, "required": ["a"]},
    {"properties": {"a": {"type": "string", "maxLength": 3}}, "required": ["a"]},
    {"properties": {"a": {"enum": [1, 12, "x", "xy", None]}}, "required": ["a"]},
    {"properties": {"a": {"enum": [True, None, 1]}, "b": {"type": "string"}}, "required": ["a"]},
    {"properties": {"a": {"type": "array", "items": {"enum": [1, 2, 12]}, "minItems": 2}}, "required": ["a"]},
    {
        "properties": {
            "a": {
                "type": "array",
                "items": {"properties": {"a": ANY}, "required": ["a"], "additionalProperties": False},
            },
            "b": {"const": 1},
        },
        "required": ["a"],
    },
]


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, **schema}


def texts(ids: tuple[int, ...]) -> str | None:
    """The text of a whole answer: tokens, the end, padding; None if it does not end so."""
    names = [*TOKENS, None, "<eos>", "<pad>"]
    spelled = [names[one] for one in ids]
    if None in spelled or "<eos>" not in spelled:
        return None
    end = spelled.index("<eos>")
    return "".join(spelled[:end]) if all(one == "<pad>" for one in spelled[end + 1 :]) else None


def valid(text: str | None, schema: dict[str, Any]) -> Any:
    """The value of a text that is JSON and satisfies the schema; ... for any other."""
    try:
        value = json.loads(text or "", parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        return ...
    return value if Draft202012Validator(closed(schema)).is_valid(value) else ...


@pytest.fixture(params=["table", "lazy"])
def regime(request: pytest.FixtureRequest) -> str:
    return "lazy" if request.param == "lazy" else "expanded"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema["properties"]["a"])[:40])
@pytest.mark.parametrize("noise", [Absorbing(MASK), Uniform(0, MASK)], ids=["absorbing", "uniform"])
def test_evidence_is_what_enumeration_gives(schema, noise, regime, seed):
    constraint = sg.compile(sg.JsonSchema(closed(schema), whitespace="compact"), VOCABULARY, regime=regime)
    denoiser = RandomDenoiser(noise, 12, VOCABULARY.size, seed=seed)
    runtime = Runtime("tiny", denoiser, VOCABULARY, ChatPrompts("{}"))
    asked = request(runtime, ("1",), constraint, Options(seed=seed, max_tokens=12, steps=3))
    written = write(runtime, asked)
    text = VOCABULARY.decode(written.ids.tolist()).decode()
    answer, spelled = Answer(text), Spelled(written.ids.tolist(), VOCABULARY)
    found = evidence(runtime, asked, written, answer)
    assert [(leaf.pointer, normal(leaf.value)) for leaf in answer.leaves.values()] == [
        (pointer, normal(value)) for pointer, value in json_leaves(json.loads(text))
    ]
    places = list(answer.leaves.values())
    seen = looks(asked, written, spelled, places, text, pad=VOCABULARY.special["<pad>"])
    for leaf in places:
        (look,) = seen[leaf.pointer]
        first, last = look.whole.first, look.whole.last
        if len(TOKENS) ** (last - first) > 2e4:
            continue
        shares, total = enumerated(look, written.ids, schema, leaf.pointer)
        own = shares[normal_key(leaf.value)] / total
        assert found.confidence[leaf.pointer] == pytest.approx(own, rel=1e-3, abs=1e-6)
        for other in found.alternatives[leaf.pointer]:
            assert other.probability == pytest.approx(
                shares[normal_key(other.value)] / total, rel=1e-3, abs=1e-6
            )
        best = sorted((share for key, share in shares.items() if key != normal_key(leaf.value)), reverse=True)
        if best and found.alternatives[leaf.pointer]:
            assert found.alternatives[leaf.pointer][0].probability == pytest.approx(
                best[0] / total, rel=1e-3, abs=1e-6
            )
        kept = math.log(total) if first == look.inner.first and last == look.inner.last else None
        if kept is not None:
            assert look.inner.lattice.pressure == pytest.approx(
                1 - math.exp(kept - look.inner.lattice.log_open), abs=1e-4
            )


def normal_key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def enumerated(
    look, ids: torch.Tensor, schema: dict[str, Any], pointer: str
) -> tuple[dict[str, float], float]:
    """The weight of each value in the hidden place, and of all accepted strings there."""
    first, last = look.whole.first, look.whole.last
    scores = look.whole.lattice.logits.double()
    shares: dict[str, float] = {}
    total = 0.0
    for string in product(range(VOCABULARY.size), repeat=last - first):
        value = valid(texts((*ids[:first].tolist(), *string, *ids[last:].tolist())), schema)
        if value is ...:
            continue
        weight = math.exp(float(sum(scores[place, token] for place, token in enumerate(string))))
        total += weight
        own = dict(json_leaves(value)).get(pointer, ...)
        if own is not ...:
            shares[normal_key(own)] = shares.get(normal_key(own), 0.0) + weight
    return shares, total


@given(st.floats(0, 1), st.floats(0, 1), st.floats(1, 50))
def test_a_calibrated_confidence_keeps_the_order_and_moves_towards_a_half(one, other, temperature):
    low, high = sorted((one, other))
    assert 0 < calibrated(low, temperature) <= calibrated(high, temperature) < 1
    assert abs(calibrated(one, temperature) - 0.5) <= abs(one - 0.5) + 1e-9
    assert calibrated(one, 1.0) == pytest.approx(min(max(one, 1e-3), 1 - 1e-3))
