"""Scores of 200 nats at temperatures from 0.005 to 2: no error, and every output accepted, closed and within budget.

Small constraints, tables and lazy ones, over a vocabulary in which one class holds most of 3,000 tokens. Block length,
budget, noise, steps, temperature and finish are drawn from the run's number alone. What comes out is judged by Python's
`re` and by jsonschema.
"""

from __future__ import annotations

import json
import math
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice, product
from string import ascii_lowercase
from typing import Any

import jsonschema
import torch
from rich.console import Console

import structgen as sg
from structgen_engine.automata.dfa import Dfa
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Absorbing, Uniform
from structgen_engine.decoding.options import DecodingOptions, Finish, Schedule

SCALE = 200.0  # nats, of the normal logits
COLD, HOT = 0.005, 2.0
WORDS = [b"".join(letters) for letters in islice(product(*[[c.encode() for c in ascii_lowercase]] * 3), 2900)]
VOCABULARY = sg.Vocabulary.from_tokens(["<pad>", "<eos>", *(bytes([b]) for b in range(32, 127)), *WORDS])
PATTERNS = {
    "a word": "[a-z]*",
    "a short word": "[a-z]{1,9}",
    "a number": r"(\d{3}-){2}\d{4}",
    "words": "([a-z]+ )*[a-z]+",
    "a count from the end": "(a|b)*a(a|b){5}",
}
NODE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2},
    },
    "required": ["name"],
    "additionalProperties": False,
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "a record": {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "kind": {"enum": ["new", "old"]},
            "note": {"type": "string"},
        },
        "required": ["id", "kind"],
        "additionalProperties": False,
    },
    "a tree": {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
}


@dataclass(frozen=True, eq=False)
class Subject:
    """A constraint and its judge."""

    name: str
    constraint: sg.Constraint[Any]
    accepts: Callable[[str], bool]


def subjects() -> list[Subject]:
    """Every pattern as a table and lazily, the schemas as they come."""
    found = [
        Subject(
            f"{name}, {regime}",
            sg.compile(sg.Regex(pattern), VOCABULARY, regime=regime),
            partial(_fits, pattern),
        )
        for name, pattern in PATTERNS.items()
        for regime in ("expanded", "lazy")
    ]
    return found + [
        Subject(name, sg.compile(schema, VOCABULARY, whitespace="compact"), partial(_valid, schema))
        for name, schema in SCHEMAS.items()
    ]


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


def _valid(schema: dict[str, Any], text: str) -> bool:
    return jsonschema.Draft202012Validator(schema).is_valid(json.loads(text))


def run(console: Console, *, runs: int) -> dict[str, Any]:
    """Make the runs; AssertionError where an output is wrong, and whatever error one ends in."""
    every, begun, lazy, dropped = subjects(), time.process_time(), 0, 0.0
    for number in range(runs):
        subject = every[number % len(every)]
        try:
            share = _run(subject, number)
        except Exception as error:
            error.add_note(f"run {number}, {subject.name}")
            raise
        lazy += not isinstance(subject.constraint.automaton, Dfa)
        dropped = max(dropped, share)
    seconds = time.process_time() - begun
    console.print(
        f"{runs:,} runs at {SCALE:g} nats and temperatures {COLD}–{HOT:g}, {lazy:,} lazy: no error, every output "
        f"accepted; {seconds:.0f} s",
        highlight=False,
    )
    return {"runs": runs, "lazy": lazy, "largest_dropped_share": dropped, "seconds": round(seconds, 1)}


def _run(subject: Subject, number: int) -> float:
    """One output, judged; the share that was left out."""
    draw, V, constraint = random.Random(number), VOCABULARY.size, subject.constraint
    budget = constraint.min_tokens + draw.choice([0, 1, 8, 40])
    heats = [math.exp(draw.uniform(math.log(COLD), math.log(HOT))) for _ in range(2)]
    (row,) = decode(
        RandomDenoiser(
            Absorbing(V) if draw.random() < 0.5 else Uniform(0, V),
            draw.choice([4, 8, 32]),
            V + 1,
            number,
            SCALE,
        ),
        [[1]],
        [constraint.automaton],
        max_tokens=budget,
        generators=[torch.Generator().manual_seed(number)],
        options=DecodingOptions(
            steps=draw.randint(1, 4),
            temperature=Schedule(*draw.choice([heats, [COLD, COLD], [HOT, COLD]])),
            finish=draw.choice(list(Finish)),
        ),
    )
    text = VOCABULARY.decode(row.ids.tolist()).decode()
    if len(row.ids) > budget or not 0 <= row.dropped <= 1 or not subject.accepts(text):
        raise AssertionError(f"run {number}, {subject.name}: {row} says {text!r}")
    return row.dropped
