"""Qwen3-Coder's form of tool calls against the readers of vLLM and SGLang: what is written, all read alike.

vLLM's reader gives texts, which its own functions coerce by the schema. SGLang's coerces each text by one type of the
schema, so it misreads values of places that may hold several types; tools with such places are read by vLLM alone.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jsonschema import Draft202012Validator

from conformance.noisy_calls import TOOLS, Tally, outputs, plain
from conformance.readers import taken
from structgen.sources.tools.forms.hermes import CLOSES, OPENS
from structgen.tokens.vocabulary import Vocabulary

Reader = Callable[
    [str, Mapping[str, Any]], list[tuple[str, Any]]
]  # of a text and the schemas of tools by name
CALL = re.compile(r"<function=(.*?)>(.*?)</function>", re.DOTALL)  # as vLLM's states cut a text
SEVERAL = ("anyOf", "oneOf")


def vllm(wheel: Path) -> Reader:
    """vLLM's reader."""
    reading = ("_PARAM_RE", "_trim_wrapping_newlines", "_qwen3_arg_converter")
    converter = taken(wheel, "vllm/parser/qwen3.py", reading, {"re": re, "json": json})[reading[-1]]
    coercing = ("extract_types_from_schema", "_TYPE_ALIASES", "coerce_to_schema_type", "_is_json_finite")
    known = {"json": json, "math": math}
    space = taken(wheel, "vllm/tool_parsers/utils.py", coercing, known)
    types, coerced = space[coercing[0]], space[coercing[2]]

    def read(text: str, schemas: Mapping[str, Any]) -> list[tuple[str, Any]]:
        found = []
        for name, body in CALL.findall(text):
            declared = schemas[name].get("properties", {})
            given = json.loads(converter(body, False))
            found.append((name, {key: coerced(part, types(declared[key])) for key, part in given.items()}))
        return found

    return read


def sglang(wheel: Path) -> Reader:
    """SGLang's reader."""
    folder = "sglang/srt/function_call"
    helping = ("get_schema_properties", "infer_type_from_json_schema", "safe_literal_eval", "_run_ast_quiet")
    known = {"logger": logging.getLogger("sglang"), "json": json, "re": re}
    helpers = taken(wheel, f"{folder}/utils.py", helping, {**known, **vars(__import__("typing"))})
    made = SimpleNamespace  # of its own classes of results
    names = {"BaseFormatDetector": object, "StreamingParseResult": made, "ToolCallItem": made, "List": list}
    detector = taken(
        wheel, f"{folder}/qwen3_coder_detector.py", ("Qwen3CoderDetector",), {**helpers, **known, **names}
    )
    return partial(_read_by, detector["Qwen3CoderDetector"]())


def _read_by(detector: Any, text: str, schemas: Mapping[str, Any]) -> list[tuple[str, Any]]:
    tools = [
        SimpleNamespace(type="function", function=SimpleNamespace(name=name, parameters=dict(schema)))
        for name, schema in schemas.items()
    ]
    calls = detector.detect_and_parse(text, tools).calls
    return [(call.name, json.loads(call.parameters)) for call in calls]


READERS = {"vllm": vllm, "sglang": sglang}


def judged(vocabulary: Vocabulary, count: int, readers: Mapping[str, Reader], first: int = 0) -> Tally:
    """Random outputs, each read by us, by jsonschema and by the foreign readers."""
    tally = Tally()
    for constraint, ids in outputs("qwen_xml", TOOLS, vocabulary, count, first):
        tally.outputs += 1
        text = constraint.vocabulary.decode(ids).decode()
        if not constraint.accepts(text):
            tally.fault("not accepted", text)
        tags = [vocabulary.special[name] for name in (OPENS, CLOSES)]
        if text.count(OPENS) + text.count(CLOSES) != sum(index in tags for index in ids):
            tally.fault("a string spells a special token", text)
        reply = constraint.parse(text)
        tally.calls += len(reply)
        if not all(Draft202012Validator(call.tool.schema).is_valid(call.arguments) for call in reply):
            tally.fault("not valid", text)
        schemas = {call.name: call.tool.schema for call in reply}
        calls = [[call.name, plain(call.arguments)] for call in reply]
        for name, reader in readers.items():
            if name == "sglang" and any(map(_has_several, schemas.values())):
                continue
            read = [[called, plain(arguments)] for called, arguments in reader(text, schemas)]
            if json.dumps(read, sort_keys=True) != json.dumps(calls, sort_keys=True):
                tally.fault(f"{name} reads something else", f"{text!r}: {read}")
    return tally


def _has_several(schema: Mapping[str, Any]) -> bool:
    """Whether some argument may be of several types."""
    return any(
        isinstance(part.get("type"), list) or any(keyword in part for keyword in SEVERAL)
        for part in schema.get("properties", {}).values()
    )
