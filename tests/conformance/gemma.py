"""Gemma's form of tool calls against the readers of vLLM and SGLang: what is written, all read alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jsonschema import Draft202012Validator

from conformance.noisy_calls import TOOLS, Tally, coerced, outputs, plain
from conformance.readers import taken
from structgen.sources.tools.forms.gemma import CLOSES, OPENS, QUOTES
from structgen.tokens.vocabulary import Vocabulary

FILES = {"vllm": "vllm/parser/gemma4.py", "sglang": "sglang/srt/function_call/gemma4_detector.py"}
ENTRY = "_parse_gemma4_args"
NAMES = (
    ENTRY,
    "_parse_gemma4_fields",
    "_parse_gemma4_array",
    "_parse_gemma4_value",
    "_strip_partial_delim",
    "STRING_DELIM",
    "_DELIM_LEN",
    "_PARTIAL_DELIM_SUFFIXES",
)
Reader = Callable[[str], Mapping[str, Any]]


def reader_of(wheel: Path, package: str) -> Reader:
    """The reader of a call's arguments in a wheel."""
    return taken(wheel, FILES[package], NAMES, {"logger": SimpleNamespace(warning=print)})[ENTRY]


def judged(vocabulary: Vocabulary, count: int, readers: Mapping[str, Reader], first: int = 0) -> Tally:
    """Random outputs, each read by us, by jsonschema and by the foreign readers."""
    tally = Tally()
    for constraint, ids in outputs("gemma", TOOLS, vocabulary, count, first):
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
