"""uniqueItems over more values than an automaton can remember: checked while generating, and drawn again.

What is drawn again, and from what, is compared with brute force over all texts of a small schema: the kept beginning
stays as it is, and of all texts that begin so those are left out in which a further element equals one of it.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from itertools import product
from typing import Annotated, Any

import pytest
import torch
from jsonschema import Draft202012Validator
from pydantic import Field
from torch import Tensor

import structgen as sg
from structgen.compiler.witness import Checker, Narrowing
from structgen.generation.options import Options
from structgen.model import Model
from structgen.models.embedded import OutlinePrompts
from structgen.sources.tools import Tools
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Absorbing, Noise, Uniform
from structgen_engine.decoding.options import DecodingOptions, Finish
from structgen_mini import mini_folder
from writing import generate

STRINGS = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
INTEGERS = {"type": "array", "items": {"type": "integer"}}


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.from_file(mini_folder() / "tokenizer.json")


class RepeatingDenoiser(RandomDenoiser):
    """Random logits, and high ones for a text that is written again and again, at any phase."""

    def __init__(self, noise: Noise, block: int, vocabulary: Vocabulary, text: str, bonus: float, seed: int):
        super().__init__(noise, block, vocabulary.size, seed=seed)
        self.loved, self.bonus = torch.tensor(vocabulary.encode(text)), bonus

    def __call__(self, context: RandomContext, canvas: Tensor) -> Tensor:
        logits = super().__call__(context, canvas)
        phase = torch.arange(canvas.shape[1]) % len(self.loved)
        logits[:, torch.arange(canvas.shape[1]), self.loved[phase]] += self.bonus
        logits[:, :, self.loved] += self.bonus / 2
        return logits


def noises(vocabulary: Vocabulary) -> dict[str, Noise]:
    return {"uniform": Uniform(2, vocabulary.size), "absorbing": Absorbing(0)}


def a_schema(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """A schema with uniqueItems somewhere in it."""
    kinds = (
        ["strings", "numbers", "enum", "pairs", "prefix"]
        if depth
        else ["strings", "object", "lists", "either"]
    )
    kind = rng.choice([*kinds, "object", "lists"] if depth < 2 else kinds)
    if kind == "object":
        members = {key: a_schema(rng, depth + 1) for key in ("a", "b")[: rng.randint(1, 2)]}
        return {
            "type": "object",
            "properties": members,
            "required": list(members),
            "additionalProperties": False,
        }
    if kind == "lists":
        return _array(rng, a_schema(rng, depth + 1), 3)
    if kind == "either":
        return {
            "anyOf": [
                _array(rng, {"type": "string", "maxLength": 3}, 4),
                {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
            ]
        }
    if kind == "enum":
        return _array(rng, {"enum": [*range(8), "x", "y", "xy", None, True, 1.5]}, 9)
    if kind == "numbers":
        return _array(rng, {"type": rng.choice(["integer", "number"])}, 6)
    if kind == "pairs":
        pair = {"type": "object", "properties": {"k": {"type": "string", "maxLength": 2}, "n": {"type": "integer"}},
                "required": ["k"], "additionalProperties": False}  # fmt: skip
        return _array(rng, pair, 4)
    if kind == "prefix":
        return {**_array(rng, {"type": "string"}, 5), "prefixItems": [{"enum": ["a", 1]}]}
    return _array(rng, {"type": "string", **({"maxLength": 2} if rng.random() < 0.5 else {})}, 6)


def _array(rng: random.Random, items: dict[str, Any], most: int) -> dict[str, Any]:
    bounds = {"minItems": rng.randint(0, most // 2 + 1), "maxItems": most} if rng.random() < 0.7 else {}
    return {"type": "array", "items": items, "uniqueItems": True, **bounds}


LOVED = ['"a",', '"",', "1,", '["a","a"],', '{"k":"a"},', '"a","a"],["a"],', "[", '"xy",']


@pytest.mark.parametrize("regime", ["auto", "lazy"])
@pytest.mark.parametrize("seed", range(10))
def test_outputs_of_a_model_that_loves_to_repeat_are_valid_and_closed(
    seed: int, regime: Any, vocabulary: Vocabulary
):
    """Random nested schemas, peaked logits, both noises, one block or several; judged by jsonschema."""
    for number in range(seed, 300 if regime == "auto" else 60, 10):
        rng = random.Random(number)
        schema = a_schema(rng)
        constraint = sg.compile(schema, vocabulary, regime=regime)
        noise = noises(vocabulary)[rng.choice(["uniform", "absorbing"])]
        bonus, block = rng.choice([0.0, 4.0, 15.0, 60.0]), rng.choice([8, 16, 48])
        denoiser = RepeatingDenoiser(noise, block, vocabulary, rng.choice(LOVED), bonus, number)
        model = Model("repeating", denoiser, vocabulary, OutlinePrompts())
        budget = constraint.min_tokens + rng.choice([0, 3, 48])
        done = generate(
            model, ("x",), constraint, Options(max_tokens=budget, steps=rng.randint(1, 4), seed=number)
        )
        Draft202012Validator(schema).validate(json.loads(done.text))
        assert constraint.accepts(done.text)
        assert constraint.accepts_ids(done.ids)
        assert len(done.ids) <= budget


@pytest.mark.parametrize(
    ("schema", "accepted", "rejected"),
    [
        (STRINGS, ['["a","b"]', "[]", '["a"]'], ['["a","a"]', '["a" , "b", "a"]']),
        ({"items": {"type": "number"}, "uniqueItems": True}, ["[1,2]", "[1,10]"], ["[1,1.0]", "[0,-0]", "[10,1E1]"]),
        ({"items": {}, "uniqueItems": True}, ["[1,true]", '[0,false,null,"",[]]'], ['[{"a":1,"b":2},{"b":2,"a":1}]']),
        ({"items": {"enum": [*range(12)]}, "uniqueItems": True}, ["[11,3]"], ["[11,3,11]", "[12]"]),
        ({"properties": {"t": {"$ref": "#/$defs/u"}}, "$defs": {"u": STRINGS}}, ['{"t":["a"]}'], ['{"t":["a","a"]}']),
        ({"allOf": [{"items": {"type": "string"}}, {"uniqueItems": True}], "type": "array"}, ['["a"]'], ['["a","a"]']),
        (
            {"anyOf": [STRINGS, {"type": "array", "items": {"type": "string"}, "minItems": 3}]},
            ['["a","a","a"]', '["a","b"]'],
            ['["a","a"]'],
        ),
        (
            {"type": "object", "properties": {"k": {"enum": ["set", "list"]}, "v": INTEGERS},
             "required": ["k", "v"], "if": {"properties": {"k": {"const": "set"}}},
             "then": {"properties": {"v": {"uniqueItems": True}}}},
            ['{"k":"list","v":[1,1]}', '{"k":"set","v":[1,2]}'],
            ['{"k":"set","v":[1,1]}'],
        ),
        ({**STRINGS, "x-set": True}, ['["a","b"]'], ['["a","a"]']),
        ({"type": "array", "items": STRINGS, "uniqueItems": True}, ['[["a"],["b"]]'], ['[["a"],["a"]]', '[["a","a"]]']),
        (
            {"type": "array", "contains": STRINGS, "items": {"type": "array"}},
            ['[["a","a"],["a"]]'],
            ['[["a","a"]]'],
        ),
    ],
)  # fmt: skip
def test_what_is_accepted_is_what_jsonschema_accepts(schema: Any, accepted: list[str], rejected: list[str]):
    constraint = sg.compile(sg.JsonSchema(schema, additional="open"))
    judge = Draft202012Validator(schema)
    assert [
        text for text in accepted if not (constraint.accepts(text) and judge.is_valid(json.loads(text)))
    ] == []
    assert [text for text in rejected if constraint.accepts(text) or judge.is_valid(json.loads(text))] == []


def test_a_constraint_says_what_is_checked_while_generating():
    constraint = sg.compile({"type": "object", "properties": {"tags": STRINGS}, "required": ["tags"]})
    assert constraint.needs_checks
    assert constraint.info().checked == ("/properties/tags/uniqueItems",)
    few = sg.compile({"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True})
    assert (few.needs_checks, few.info().checked) == (False, ())


def test_the_least_budget_counts_different_elements():
    bytewise = sg.compile({**STRINGS, "minItems": 3})
    assert bytewise.min_tokens == len('["","a","b"]')
    assert (
        sg.compile(
            {"items": {"enum": [*range(12)]}, "uniqueItems": True, "minItems": 12, "type": "array"}
        ).min_tokens
        > 0
    )
    with pytest.raises(sg.Unsatisfiable):
        sg.compile({"items": {"enum": [*range(12)]}, "uniqueItems": True, "minItems": 13, "type": "array"})


@pytest.mark.parametrize("regime", ["auto", "lazy"])
def test_the_least_budget_is_enough_and_one_token_less_is_refused(regime: Any, vocabulary: Vocabulary):
    constraint = sg.compile({**STRINGS, "minItems": 4}, vocabulary, regime=regime)
    denoiser = RepeatingDenoiser(Uniform(2, vocabulary.size), 8, vocabulary, '"",', 60.0, 0)
    model, least = Model("repeating", denoiser, vocabulary, OutlinePrompts()), constraint.min_tokens
    done = generate(model, ("x",), constraint, Options(max_tokens=least, steps=3))
    assert len(set(json.loads(done.text))) >= 4
    with pytest.raises(sg.Unsatisfiable, match=f"at least {least}"):
        generate(model, ("x",), constraint, Options(max_tokens=least - 1, steps=3))


def test_arguments_of_tools_are_checked():
    tool = {
        "name": "tag",
        "parameters": {"type": "object", "properties": {"names": STRINGS}, "required": ["names"]},
    }
    constraint = sg.compile(Tools([tool], parallel=True))
    assert constraint.accepts('[{"name":"tag","arguments":{"names":["a","b"]}}]')
    assert not constraint.accepts('[{"name":"tag","arguments":{"names":["a","a"]}}]')
    good = '{"name":"tag","arguments":{"names":["a"]}}'
    assert not constraint.accepts(f'[{good}, {{"name":"tag", "arguments":{{"names":["ä", "ä"]}} }}]')


def test_a_set_of_several_strings_or_integers_has_as_many_values():
    for kind, text in ((int, "[1,1,1]"), (str, '["a","a"]')):
        constraint = sg.compile(Annotated[set[kind], Field(min_length=2)])
        assert not constraint.accepts(text)
    assert sg.compile(Annotated[set[int], Field(min_length=2)]).parse("[1,2]") == {1, 2}


LETTERS = "abcdefghijk"
SMALL = {"type": "array", "items": {"enum": list(LETTERS)}, "uniqueItems": True, "maxItems": 3}
TEXTS = [
    "[" + ",".join(f'"{x}"' for x in items) + "]" for n in range(4) for items in product(LETTERS, repeat=n)
]


def by_hand(*more: bytes) -> Vocabulary:
    """Single characters, some longer tokens that reach across the ends of elements, end and padding."""
    return Vocabulary.from_tokens(["<pad>", "<eos>", *(c.encode() for c in '[]",' + LETTERS), *more])


def spelled(vocabulary: Vocabulary, text: str) -> list[int]:
    """The ids of a text's single characters, and the end."""
    single = {vocabulary.spelling(i): i for i in reversed(range(vocabulary.size))}
    return [*(single[c.encode()] for c in text), vocabulary.special["<eos>"]]


@pytest.mark.parametrize("regime", ["expanded", "lazy"])
@pytest.mark.parametrize("faulty", ['["a","a"]', '["c","k","c"]', '["c","k","k"]', '["b","b","b"]'])
def test_what_is_left_are_the_texts_that_begin_alike_and_repeat_nothing_of_it(faulty: str, regime: Any):
    vocabulary = by_hand(b'","', b'a"', b'"c', b'k","k')
    constraint = sg.compile(sg.JsonSchema(SMALL, whitespace="compact"), vocabulary, regime=regime)
    assert constraint.rule is not None
    checker, written = Checker(constraint.rule, constraint.compiled), spelled(vocabulary, faulty)
    detour = checker.fault(written)
    assert detour is not None
    narrowing = Narrowing(checker, constraint.automaton).with_detour(written, detour)
    kept = narrowing.active[-1].start
    automaton, state = narrowing.after([], written[:kept])
    begun, values = faulty[: detour.at], json.loads(faulty[: detour.at] + "]")
    alike = [text for text in TEXTS if text.startswith(begun)]  # the kept tokens are settled in any case
    found = [
        text for text in alike if automaton.is_accepting(automaton.run(spelled(vocabulary, text), state))
    ]
    wanted = [text for text in alike if not set(json.loads(text)[len(values) :]) & set(values)]
    assert len(wanted) > 1
    assert found == wanted


def test_outputs_have_the_distribution_of_drawing_again_what_follows_the_first_repetition():
    """One step over fixed logits; the truth is added up over all texts, as often as they are drawn again."""
    vocabulary, N = by_hand(), 15
    constraint = sg.compile(sg.JsonSchema(SMALL, whitespace="compact"), vocabulary)
    logits = torch.randn(N, vocabulary.size, generator=torch.Generator().manual_seed(3))
    loved = spelled(vocabulary, '["a","a","b"]')
    logits[torch.arange(len(loved)), torch.tensor(loved)] += 2.5
    weight = {}
    for text in TEXTS:
        ids = spelled(vocabulary, text)
        ids += [vocabulary.special["<pad>"]] * (N - len(ids))
        weight[text] = float(logits[torch.arange(N), torch.tensor(ids)].exp().prod())
    truth = dict.fromkeys(TEXTS, 0.0)
    _spread(weight, "", frozenset(), 1.0, truth)

    class Fixed(RandomDenoiser):
        def __call__(self, context: RandomContext, canvas: Tensor) -> Tensor:
            return logits.expand(len(canvas), -1, -1)

    draws, generator = 600, torch.Generator().manual_seed(0)
    counts = Counter[str]()
    for _ in range(draws):
        row = decode(
            Fixed(Uniform(0, vocabulary.size), N, vocabulary.size),
            [[0]],
            [constraint.automaton],
            max_tokens=N,
            generators=[generator],
            reviews=[constraint.reviewer()],
            options=DecodingOptions(steps=1, temperature=1.0, finish=Finish.SAMPLE),
        )[0]
        counts[vocabulary.decode(row.ids.tolist()).decode()] += 1
    assert all(truth[text] > 0 for text in counts)
    likely = [text for text in TEXTS if truth[text] > 0.01]
    assert len(likely) > 5
    for text in likely:
        deviation = (truth[text] * (1 - truth[text]) / draws) ** 0.5
        assert abs(counts[text] / draws - truth[text]) < 4 * deviation, text


def _spread(
    weight: dict[str, float], begun: str, never: frozenset[str], mass: float, truth: dict[str, float]
) -> None:
    """Add to the truth what comes of texts that begin so, further elements being none of `never`."""
    count = len(json.loads(begun + "]")) if begun else 0
    here = {
        text: w
        for text, w in weight.items()
        if text.startswith(begun) and not set(json.loads(text)[count:]) & never
    }
    again: Counter[str] = Counter()
    for text, w in here.items():
        values, share = json.loads(text), mass * w / sum(here.values())
        first = next((i for i, value in enumerate(values) if value in values[:i]), None)
        if first is None:
            truth[text] += share
        else:
            again["[" + ",".join(f'"{x}"' for x in values[:first])] += share
    for beginning, share in again.items():
        _spread(weight, beginning, frozenset(json.loads(beginning + "]")), share, truth)
