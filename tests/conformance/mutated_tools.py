"""Mutated lists of tools and choices: each is read, or refused in a sentence with the place; nothing crashes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import structgen as sg
from structgen.sources.tools.forms import CALL_FORMS, JSON_FORM

SCHEMA = {
    "type": "object",
    "description": "Where.",
    "properties": {
        "city": {"type": "string", "minLength": 1},
        "days": {"type": "integer", "minimum": 1, "default": 3},
        "unit": {"enum": ["C", "F"]},
        "more": {"type": "array", "items": {"$ref": "#/$defs/place"}, "uniqueItems": True},
    },
    "required": ["city"],
    "$defs": {"place": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}}},
}
SAID = {"description": "The weather in a city."}
LARK = {"type": "grammar", "grammar": {"syntax": "lark", "definition": 'start: "a" | "(" start ")"'}}
REGEX = {"type": "grammar", "syntax": "regex", "definition": "a|b+"}
TOOLS: Sequence[dict[str, Any]] = [
    {"type": "function", "function": {"name": "weather", **SAID, "parameters": SCHEMA, "strict": True}},
    {"type": "function", "name": "sun", **SAID, "parameters": SCHEMA},
    {"name": "rain", **SAID, "input_schema": SCHEMA},
    {
        "name": "snow",
        **SAID,
        "title": "Weather",
        "inputSchema": SCHEMA,
        "annotations": {"readOnlyHint": True},
    },
    {"type": "custom", "custom": {"name": "code", "format": LARK}},
    {"type": "custom", "name": "plain", "format": REGEX},
    {"name": "ping"},
]
CHOICES: Sequence[Any] = [
    "auto",
    "required",
    "none",
    {"type": "auto"},
    "weather",
    {"type": "function", "function": {"name": "weather"}},
    {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "name": "ping"}]},
    },
]
JUNK: Sequence[Any] = [
    *(None, "", "x", "\ud800", "\0", "é" * 300, 0, -1, 1.5, float("nan"), 10**400, True, [], {}, [[]]),
    *({"type": 3}, {"$ref": "#/nowhere"}, {"": None}, {3: 4}, object(), b"x", print, int, {"name": "ping"}),
]
KEYS = ("nme", "type", "format", "function", "custom", "name", "properties", "$ref", "enum", "x", "")


def mutated(value: Any, rng: random.Random) -> Any:
    """The value with one part of it replaced, dropped, renamed or doubled."""
    if isinstance(value, list) and value and rng.random() < 0.95:
        at, parts = rng.randrange(len(value)), list(value)
        other = [mutated(parts[at], rng)]
        parts[at : at + 1] = rng.choices([other, [], [parts[at], parts[at]]], [18, 1, 1])[0]
        return parts
    if not isinstance(value, dict) or not value or rng.random() < 0.06:
        return rng.choice(JUNK)
    deep = [key for key, part in value.items() if isinstance(part, dict | list)]
    key = rng.choice(deep if deep and rng.random() < 0.7 else sorted(value, key=str))
    rest = {name: part for name, part in value.items() if name != key}
    change = rng.random()
    if change < 0.1:
        return rest
    if change < 0.2:
        return {**rest, rng.choice(KEYS): value[key]}
    return {**value, key: mutated(value[key], rng)}


def case(seed: int) -> tuple[Any, Any, str]:
    """A list of tools, a choice and a form; one of the first two is mutated, sometimes twice."""
    rng = random.Random(seed)
    tools: Any = rng.sample(TOOLS, rng.randint(1, 3))
    choice: Any = rng.choice(CHOICES[:4] if rng.random() < 0.7 else CHOICES)
    for _ in range(rng.randint(1, 2)):
        if rng.random() < 0.8:
            tools = mutated(tools, rng)
        else:
            choice = mutated(choice, rng) if rng.random() < 0.7 else rng.choice(JUNK)
    return tools, choice, rng.choice([JSON_FORM, *CALL_FORMS])


def outcomes(count: int, first: int = 0) -> Iterator[tuple[str, int]]:
    """What becomes of each case, with its seed; faults begin with FAULT."""
    for seed in range(first, first + count):
        tools, choice, form = case(seed)
        try:
            sg.Tools(tools, choice, form=form).lower()
        except sg.StructgenError as error:
            text = str(error)
            shown = text.partition(" of the grammar: ")[0]  # a grammar's errors show its line
            yield f"FAULT said: {text!r}" if not text or "\n" in shown else "refused", seed
        except Exception as error:  # whatever it is, it is a crash
            yield f"FAULT {type(error).__name__}: {error}", seed
        else:
            yield "read", seed
