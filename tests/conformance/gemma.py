"""Gemma's form of tool calls against the readers of vLLM and SGLang: what is written, all read alike.

The readers are a few pure functions in a file of a wheel. They are taken out of the file by their names, because the
packages need a GPU to be imported. Both give values whose types they do not know, so values are coerced by the schema,
as both do when they hand a call on.
"""

from __future__ import annotations

import ast
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from jsonschema import Draft202012Validator

import structgen as sg
from structgen.sources.tools.forms.gemma import CLOSES, OPENS, QUOTES
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Uniform
from structgen_engine.decoding.options import DecodingOptions

FILES = {"vllm": "vllm/parser/gemma4.py", "sglang": "sglang/srt/function_call/gemma4_detector.py"}
ENTRY = "_parse_gemma4_args"
READERS = (
    ENTRY,
    "_parse_gemma4_fields",
    "_parse_gemma4_array",
    "_parse_gemma4_value",
    "_strip_partial_delim",
)
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
Reader = Callable[[str], Mapping[str, Any]]

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


def reader_of(wheel: Path, package: str) -> Reader:
    """The reader of a call's arguments in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read(FILES[package]).decode())
    taken: list[ast.stmt] = []
    for node in tree.body:
        constant = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Call)
        if (isinstance(node, ast.FunctionDef) and node.name in READERS) or (
            constant
            and isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id in ("STRING_DELIM", "_DELIM_LEN", "_PARTIAL_DELIM_SUFFIXES")
        ):
            taken.append(node)
    names: dict[str, Any] = {"logger": SimpleNamespace(warning=print)}
    exec(
        compile(
            ast.Module([ast.parse("from __future__ import annotations").body[0], *taken], []), package, "exec"
        ),
        names,
    )
    return names[ENTRY]


def vocabulary() -> Vocabulary:
    """Every byte, Gemma's special tokens, and pieces of text that may break a reader."""
    names = ["<pad>", "<eos>", OPENS, CLOSES, QUOTES]
    return Vocabulary.from_tokens([*names, *(bytes([byte]) for byte in range(256)), *map(str.encode, PIECES)])


class Troublesome(RandomDenoiser):
    """Random logits, and higher ones for what may break a reader, for spelled names of tokens, and for endings."""

    def __init__(self, vocabulary: Vocabulary, seed: int, bonus: float) -> None:
        super().__init__(Uniform(2, vocabulary.size), BLOCK, vocabulary.size, seed=seed)
        loved = [*map(vocabulary.encode, TROUBLE), [vocabulary.special[QUOTES], vocabulary.special[CLOSES]]]
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
    strings: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)

    def fault(self, kind: str, text: str) -> None:
        """Note a fault."""
        self.faults.setdefault(kind, []).append(text)


def outputs(
    vocabulary: Vocabulary, count: int, first: int = 0
) -> Iterator[tuple[sg.Constraint[sg.Reply], list[int]]]:
    """Random outputs in Gemma's form: the constraint and the ids."""
    constraints = [sg.compile(sg.Tools([tool], "required", form="gemma"), vocabulary) for tool in TOOLS]
    constraints.append(
        sg.compile(sg.Tools([TOOLS[0], TOOLS[-1]], "required", form="gemma", max_calls=2), vocabulary)
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


def judged(vocabulary: Vocabulary, count: int, readers: Mapping[str, Reader], first: int = 0) -> Tally:
    """Random outputs, each read by us, by jsonschema and by the foreign readers."""
    tally = Tally()
    for constraint, ids in outputs(vocabulary, count, first):
        tally.outputs += 1
        text = constraint.vocabulary.decode(ids).decode()
        if not constraint.accepts(text):
            tally.fault("not accepted", text)
        reply = constraint.parse(text)
        tokens = [index for index in ids if index in constraint.vocabulary.special.values()]
        names = {constraint.vocabulary.special[name]: name for name in (OPENS, CLOSES, QUOTES)}
        shown = "".join(names.get(index, "") for index in tokens)
        if any(text.count(name) != shown.count(name) for name in names.values()):
            tally.fault("a string spells a special token", text)
        bodies = _bodies(text, [call.name for call in reply])
        for call, body in zip(reply, bodies, strict=True):
            tally.calls += 1
            schema = call.tool.schema
            if not Draft202012Validator(schema).is_valid(call.arguments):
                tally.fault("not valid", text)
            for name, reader in readers.items():
                read = coerced(reader(body), {"type": "object", **schema})
                if json.dumps(read, sort_keys=True) != json.dumps(plain(call.arguments), sort_keys=True):
                    tally.fault(f"{name} reads something else", f"{text!r}: {read}")
    return tally


def _bodies(text: str, names: list[str]) -> list[str]:
    """What stands between the braces of each call: the texts are cut as readers cut them."""
    calls = text.split(OPENS)[1:]
    assert len(calls) == len(names)
    return [
        call.removesuffix(CLOSES).removeprefix(f"call:{name}").removeprefix("{").removesuffix("}")
        for call, name in zip(calls, names, strict=True)
    ]


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
