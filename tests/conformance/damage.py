"""Damaged answers with known values: real schemas, valid instances, and the faults that hosted models make.

Every fault works on the value or on its finished text, as a model would get it wrong, and knows nothing of how answers
are mended.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema

from conformance.suites import maskbench
from structgen.compiler.constraint import Constraint, compile
from structgen.errors import StructgenError

KINDS = ("wrapping", "truncation", "types", "enums")
SHORTEST, LONGEST = 24, 4096  # characters of an answer

BEFORE = (
    "Here is the JSON you asked for:\n\n",
    "Sure! Based on the document, I extracted the following information.\n",
    'Of course. The schema {"type": "object"} asks for these fields, so here\'s my answer:\n',
    "<think>\nThe user wants JSON. Let me see: the keys should be in [order], I guess.\nOkay.\n</think>\n\n",
    "**Answer**\n",
    "I've read the text twice; it isn't entirely clear, but this is what it says. ",
    "json\n",
    "Final output: ",
)
AFTER = (
    "\n\nLet me know if you need anything else!",
    "\n\nNote: fields that weren't in the document were left empty.",
    "\n\n*The values above follow the schema {see the specification}.*",
    '\nExplanation:\n1. I took the first match.\n2. I checked the "required" members.',
    "\n<|end|>",
    "  \n\n",
)
FENCES = (
    ("```json\n", "\n```"),
    ("```\n", "\n```"),
    ("```JSON\n", "\n```\n"),
    ("~~~\n", "\n~~~"),
    ("```json\n", "\n"),
)


@dataclass(frozen=True)
class Damaged:
    """An answer that a constraint refuses, and the value that it was made from."""

    kind: str
    name: str
    schema: Any
    constraint: Constraint[Any]
    value: Any
    answer: str


def damaged(count: int, seed: int, longest: int = LONGEST) -> Iterator[Damaged]:
    """`count` answers of each kind."""
    dice = random.Random(seed)
    missing = dict.fromkeys(KINDS, count)
    for name, schema, constraint, value in _material(dice, longest):
        kinds = [kind for kind in KINDS if missing[kind]]
        if not kinds:
            return
        dice.shuffle(kinds)
        kinds.sort(key=lambda kind: kind != "enums")  # which few schemas have
        for kind in kinds:
            answer = FAULTS[kind](dice, value, schema)
            if answer and len(answer) <= longest and not constraint.accepts(answer):
                missing[kind] -= 1
                yield Damaged(kind, name, schema, constraint, value, answer)
                break


def _material(dice: random.Random, longest: int) -> Iterator[tuple[str, Any, Constraint[Any], Any]]:
    """Schemas with a valid instance that their constraint accepts as it is written."""
    groups = list(maskbench())
    dice.shuffle(groups)
    for group in groups:
        values = [value for value, valid in group.instances if valid]
        if not values or len(json.dumps(group.schema)) > 40_000:
            continue
        value = dice.choice(values)
        text = json.dumps(value, ensure_ascii=False)
        if not SHORTEST <= len(text) <= longest:
            continue
        try:
            constraint = compile(group.schema, seconds=5)
        except StructgenError:
            continue
        if constraint.accepts(text) and _valid(value, group.schema):
            yield group.name, group.schema, constraint, value


def _valid(value: Any, schema: Any) -> bool:
    """Whether jsonschema accepts a value."""
    kind = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    try:
        return kind(schema).is_valid(value)
    except Exception:  # a reference that leads elsewhere
        return False


def _written(dice: random.Random, value: Any) -> str:
    layout = dice.choice([{}, {"indent": 2}, {"separators": (",", ":")}, {"indent": 4}])
    return json.dumps(value, ensure_ascii=dice.random() < 0.3, **layout)


def _wrapped(dice: random.Random, value: Any, schema: Any) -> str:
    text = _written(dice, value)
    kind = dice.randrange(5)
    if kind == 0:
        return json.dumps(text)
    if kind <= 2:
        opens, closes = dice.choice(FENCES)
        text = opens + text + closes
    before = dice.choice(BEFORE) if kind != 1 and dice.random() < 0.8 else ""
    after = dice.choice(AFTER) if dice.random() < 0.6 else ""
    return before + text + after


def _cut(dice: random.Random, value: Any, schema: Any) -> str:
    text = _written(dice, value)
    how = dice.random()
    if how < 0.4:  # the last brackets are missing
        return text[: len(text.rstrip("}] \n")) + dice.randrange(len(text) - len(text.rstrip("}] \n")))]
    if how < 0.6:
        return text[: -dice.randint(1, min(12, len(text) - 4))]
    kept = text[: dice.randint(len(text) // 3, len(text) - 2)]
    return dice.choice(("", "```json\n")) + kept


def _mistyped(dice: random.Random, value: Any, schema: Any) -> str:
    if dice.random() < 0.2:
        text = repr(value)
        return "" if text == json.dumps(value) else text
    wrong, places = value, list(_leaves(value))
    for place, leaf in dice.sample(places, min(len(places), dice.randint(1, 3))):
        others = [one for one in _other_types(leaf) if not _valid(_with(value, place, one), schema)]
        if others:
            wrong = _with(wrong, place, dice.choice(others))
    return "" if wrong is value else _written(dice, wrong)


def _other_types(leaf: Any) -> list[Any]:
    """What a model might write instead of a value: another type that says the same."""
    match leaf:
        case bool():
            return [str(leaf).lower(), str(leaf), int(leaf)]
        case None:
            return ["null", "None", ""]
        case int() | float():
            return [str(leaf), f"{leaf:,}", [leaf], *([float(leaf)] if isinstance(leaf, int) else [])]
        case str() if leaf.lstrip("-").isdigit():
            return [int(leaf), [leaf]]
        case str():
            return [[leaf]]
    return []


def _misspelt(dice: random.Random, value: Any, schema: Any) -> str:
    places = [(place, leaf) for place, leaf in _leaves(value) if isinstance(leaf, str) and len(leaf) > 2]
    dice.shuffle(places)
    for place, leaf in places:
        if f'"{leaf}"' not in json.dumps(schema, ensure_ascii=False):
            continue
        if _valid(_with(value, place, leaf + "\u2603"), schema):
            continue  # any string will do here
        wrong = _with(value, place, dice.choice(SLIPS)(dice, leaf))
        if not _valid(wrong, schema):
            return _written(dice, wrong)
    return ""


def _drop(dice: random.Random, word: str) -> str:
    at = dice.randrange(len(word))
    return word[:at] + word[at + 1 :]


def _swap(dice: random.Random, word: str) -> str:
    at = dice.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _double(dice: random.Random, word: str) -> str:
    at = dice.randrange(len(word))
    return word[:at] + word[at] + word[at:]


def _mistype(dice: random.Random, word: str) -> str:
    at = dice.randrange(len(word))
    return word[:at] + dice.choice("aeinorst") + word[at + 1 :]


SLIPS: tuple[Callable[[random.Random, str], str], ...] = (
    _drop,
    _swap,
    _double,
    _mistype,
    lambda dice, word: word.upper() if word != word.upper() else word.lower(),
    lambda dice, word: word.capitalize(),
    lambda dice, word: word.replace("_", " ").replace("-", "_") + dice.choice(["", "s", "."]),
    lambda dice, word: f" {word} ",
)
FAULTS: dict[str, Callable[[random.Random, Any, Any], str]] = {
    "wrapping": _wrapped,
    "truncation": _cut,
    "types": _mistyped,
    "enums": _misspelt,
}


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value that holds no others, with the way to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*place, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _leaves(inner, (*place, at))
    else:
        yield place, value


def _with(value: Any, place: tuple[Any, ...], leaf: Any) -> Any:
    """The value with another one at a place."""
    if not place:
        return leaf
    copy = value.copy()
    copy[place[0]] = _with(value[place[0]], place[1:], leaf)
    return copy
