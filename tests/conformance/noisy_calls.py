"""Random outputs of tool calls, whose strings are full of what may break a reader; and the values of a reader's types.

Readers of texts without quotes give values whose types they do not know, so values are coerced by the schema, as
readers do when they hand a call on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch

import structgen as sg
from structgen.sources.tools.forms import CALL_FORMS
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Uniform
from structgen_engine.decoding.options import DecodingOptions

BLOCK = 64
ROWS = 8  # outputs that are decoded together
TROUBLE = [
    "}",
    "{",
    "]",
    "[",
    ",",
    ":",
    '"',
    "\n",
    "<",
    "|",
    ">",
    "\\",
    "null",
    "true",
    "1",
    " ",
]  # in strings
PIECES = [
    "<|",
    "|>",
    '"|>',
    '<|"',
    '<|"|',
    "},",
    '"}',
    "}}",
    "]]",
    '",',
    "\n\n",
    "null",
    "true",
    "12",
    "é",
    "你好",
    "call:",
]
TEXT = {"type": "string", "maxLength": 20}
TOOLS: list[dict[str, Any]] = [
    {
        "name": "say",
        "parameters": {"properties": {"text": TEXT, "loud": {"type": "boolean"}}, "required": ["text"]},
    },
    {
        "name": "plot.curve",
        "parameters": {
            "properties": {
                "points": {"type": "array", "items": {"type": "number"}, "maxItems": 4},
                "scale": {"type": "number", "exclusiveMinimum": 0},
                "label": {"anyOf": [TEXT, {"type": "null"}]},
                "size": {"type": "integer", "multipleOf": 3},
            },
            "required": ["points", "label"],
        },
    },
    {
        "name": "save",
        "parameters": {
            "properties": {
                "rows": {
                    "type": "array",
                    "maxItems": 3,
                    "items": {
                        "type": "object",
                        "properties": {
                            "id": {"type": "integer"},
                            "note": TEXT,
                            "tags": {"type": "array", "items": TEXT},
                        },
                        "required": ["note"],
                    },
                },
                "kind": {"enum": ["a,b", "}", "null", 'say "x"', "two\nlines"]},
                "either": {"type": ["string", "integer", "boolean"], "maxLength": 8},
                "note": {"type": ["string", "null"], "maxLength": 8},
            },
            "required": ["rows", "kind", "either"],
        },
    },
    {
        "name": "nested",
        "parameters": {
            "properties": {
                "lists": {
                    "type": "array",
                    "maxItems": 3,
                    "items": {"type": "array", "maxItems": 2, "items": TEXT},
                },
                "map": {
                    "type": "object",
                    "additionalProperties": {"type": "string", "maxLength": 10},
                    "maxProperties": 3,
                },
            },
            "required": ["lists", "map"],
        },
    },
    {
        "name": "collect",
        "parameters": {
            "properties": {
                "set": {
                    "type": "array",
                    "items": {"type": "string", "maxLength": 3},
                    "uniqueItems": True,
                    "maxItems": 4,
                }
            },
        },
    },
    {"name": "ping"},
]


@cache
def vocabulary(form: str) -> Vocabulary:
    """Every byte, the special tokens of a form, and pieces of text that may break a reader."""
    names = ["<pad>", "<eos>", *(CALL_FORMS[form].markup if form in CALL_FORMS else ())]
    return Vocabulary.from_tokens([*names, *(bytes([byte]) for byte in range(256)), *map(str.encode, PIECES)])


class Troublesome(RandomDenoiser):
    """Random logits, and higher ones for what may break a reader, for spelled names of tokens, and for endings."""

    def __init__(self, vocabulary: Vocabulary, seed: int, bonus: float) -> None:
        super().__init__(Uniform(2, vocabulary.size), BLOCK, vocabulary.size, seed=seed)
        loved = [*map(vocabulary.encode, TROUBLE), vocabulary.special.values()]
        loved.append(range(vocabulary.size - len(PIECES), vocabulary.size))
        self._loved, self._bonus = torch.tensor(sorted({index for ids in loved for index in ids})), bonus

    def __call__(
        self, context: RandomContext, canvas: torch.Tensor, beliefs: torch.Tensor | None = None
    ) -> torch.Tensor:
        logits = super().__call__(context, canvas)
        logits[:, :, self._loved] += self._bonus
        return logits


@dataclass
class Tally:
    """What was written and read: outputs, calls, faults of each kind."""

    outputs: int = 0
    calls: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)

    def fault(self, kind: str, text: str) -> None:
        """Note a fault."""
        self.faults.setdefault(kind, []).append(text)

    def __str__(self) -> str:
        shown = [f"{kind}: {fault}\n" for kind, faults in self.faults.items() for fault in faults[:5]]
        counted = {kind: len(faults) for kind, faults in self.faults.items()}
        return "".join(shown) + f"{self.outputs} outputs, {self.calls} calls: {counted or 'all read alike'}"


def outputs(
    form: str, tools: list[dict[str, Any]], vocabulary: Vocabulary, count: int, first: int = 0
) -> Iterator[tuple[sg.Constraint[sg.Reply], list[int]]]:
    """Random outputs in a form: the constraint and the ids; each tool in its turn, then two tools together."""
    constraints = [sg.compile(sg.Tools([tool], "required", form=form), vocabulary) for tool in tools]
    constraints.append(
        sg.compile(sg.Tools([tools[0], tools[-1]], "required", form=form, max_calls=2), vocabulary)
    )
    for start in range(first, first + count, ROWS):
        constraint = constraints[start // ROWS % len(constraints)]
        denoiser = Troublesome(vocabulary, start, 2.0 + start // ROWS % 5)
        rows = decode(
            denoiser,
            [[0, start + row] for row in range(ROWS)],
            [constraint.automaton] * ROWS,
            max_tokens=6 * BLOCK,
            options=DecodingOptions(steps=2),
            generators=[torch.Generator().manual_seed(start + row) for row in range(ROWS)],
            reviews=[constraint.reviewer() for _ in range(ROWS)],
        )
        for row in rows:
            yield constraint, row.ids.tolist()


def plain(value: Any) -> Any:
    """The value with whole floats as integers, as JSON has one kind of number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


def coerced(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value that a foreign reader gives, of the types of its schema."""
    ways = schema.get("anyOf", [schema])
    types = {kind for way in ways for kind in _types(way)}
    if isinstance(value, Mapping):
        declared, more = schema.get("properties", {}), schema.get("additionalProperties", {})
        return {key: coerced(part, declared.get(key, more)) for key, part in value.items()}
    if isinstance(value, list):
        return [coerced(part, schema.get("items", {})) for part in value]
    if isinstance(value, str):
        return _coerced_text(value, types)
    return plain(value)


def _types(schema: Mapping[str, Any]) -> list[str]:
    if "enum" in schema:
        return ["string"]
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _coerced_text(text: str, types: set[str]) -> Any:
    """A text that stands for null, a boolean or a number, if the schema has such values; otherwise a string."""
    if text == "null" and "null" in types:
        return None
    if text in ("true", "false") and "boolean" in types:
        return text == "true"
    if types & {"integer", "number"}:
        try:
            number = json.loads(text)
        except ValueError:
            return text
        return plain(number) if isinstance(number, int | float) and not isinstance(number, bool) else text
    return text
