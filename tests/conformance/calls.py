"""BFCL's questions in every form of tool calls: the accepted answer is accepted by the automaton and comes back equal.

The judge of what is right is bfcl-eval's own `ast_checker`, imported from its wheel without its dependencies: modules
that it imports and does not need here are stubs.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from zlib import crc32

import torch
from jsonschema import Draft202012Validator

import structgen as sg
from bench.bfcl import ABSENT, as_json_schema
from conformance.noisy_calls import BLOCK, Troublesome, vocabulary
from structgen.sources.tools.forms.gemma import CLOSES, OPENS, QUOTES
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.options import DecodingOptions

Judge = Callable[[Mapping[str, Any], list[Any], str], bool]  # of a question, calls, and its category
ALL_FORMS = ("json", "hermes", "gemma", "qwen_xml")
STUBS = ("tree_sitter", "tree_sitter_java", "tree_sitter_javascript")


def checker_of(wheel: Path) -> Judge:
    """bfcl-eval's judge of calls, from its wheel."""
    settings = ModuleType("bfcl_eval.constants.model_config")
    settings.MODEL_CONFIG_MAPPING = _AnyModel()  # type: ignore[attr-defined]
    sys.modules[settings.__name__] = settings
    for name in STUBS:
        stub = ModuleType(name)
        stub.Language = stub.Parser = lambda *given, **named: None  # type: ignore[attr-defined]
        stub.language = lambda: None  # type: ignore[attr-defined]
        sys.modules.setdefault(name, stub)
    sys.path.insert(0, str(wheel))
    from bfcl_eval.constants.enums import Language  # type: ignore[import-not-found]
    from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker  # type: ignore[import-not-found]

    def right(question: Mapping[str, Any], calls: list[Any], category: str) -> bool:
        truth = question["ground_truth"]
        return ast_checker(question["function"], calls, truth, Language.PYTHON, category, "any")["valid"]

    return right


class _AnyModel(dict[str, Any]):
    """Settings of every model: names of functions keep their points."""

    def __missing__(self, name: str) -> Any:
        return SimpleNamespace(underscore_to_dot=False)


def questions(file: Path, every: int = 1, start: int = 0) -> Iterator[dict[str, Any]]:
    """Every so many questions of BFCL."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from islice(map(json.loads, lines), start, None, every)


@dataclass
class Outcome:
    """Counts of questions and of rendered answers by form; faults by kind."""

    questions: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def judge(
        self,
        question: Mapping[str, Any],
        judge: Judge | None,
        random: int = 0,
        forms: Iterable[str] = ALL_FORMS,
    ) -> None:
        """Judge one question in some forms."""
        self.questions += 1
        calls = accepted_calls(question)
        for form in forms:
            try:
                self._judge(question, calls, form, judge, random)
            except sg.StructgenError as error:
                self.faults.append(f"{question['id']}: {form}: {error}")

    def _judge(
        self,
        question: Mapping[str, Any],
        calls: list[tuple[str, Any]],
        form: str,
        judge: Judge | None,
        random: int,
    ) -> None:
        tools = [{**one, "parameters": as_json_schema(one["parameters"])} for one in question["function"]]
        most = max(8, len(calls)) if len(calls) > 1 else None
        source = sg.Tools(tools, "required", form=form, max_calls=most)
        constraint = sg.compile(source, vocabulary(form))
        self.counts[f"{form}: compiled"] += 1
        schemas = {one["name"]: {"type": "object", **one["parameters"]} for one in tools}
        valid = {name: Draft202012Validator(schema).is_valid for name, schema in schemas.items()}
        for text in drawn(constraint, random, crc32(question["id"].encode())):
            self._judge_drawn(constraint, text, valid, f"{question['id']}: {form}", form)
        if not calls:
            return
        if not all(valid[name](arguments) for name, arguments in calls):
            self.counts["accepted answer not valid under its own schema"] += form == "json"
            return
        declared = {name: schema.get("properties", {}) for name, schema in schemas.items()}
        if not all(arguments.keys() <= declared[name].keys() for name, arguments in calls):
            self.counts["accepted answer has members that its tool does not declare"] += form == "json"
            return
        text = WRITERS[form](calls)
        if not constraint.accepts(text):
            self.faults.append(f"{question['id']}: {form}: not accepted: {text[:300]}")
            return
        reply = [(call.name, call.arguments) for call in constraint.parse(text)]
        if reply != calls:
            self.faults.append(f"{question['id']}: {form}: comes back as {reply!r:.300}")
            return
        self.counts[f"{form}: equal"] += 1
        if judge is not None:
            right = judge(question, [{name: arguments} for name, arguments in reply], question["category"])
            self.counts[f"{form}: {'right' if right else 'wrong'} for ast_checker"] += 1

    def _judge_drawn(
        self,
        constraint: sg.Constraint[sg.Reply],
        text: str,
        valid: Mapping[str, Callable[[Any], bool]],
        place: str,
        form: str,
    ) -> None:
        """Judge a random output: some calls of offered tools, whose arguments jsonschema accepts."""
        reply = constraint.parse(text)
        well = bool(reply) and all(call.name in valid and valid[call.name](call.arguments) for call in reply)
        if well and constraint.accepts(text):
            self.counts[f"{form}: random outputs"] += 1
        else:
            self.faults.append(f"{place}: a random output is no valid call: {text[:300]!r}")


def drawn(constraint: sg.Constraint[sg.Reply], count: int, seed: int) -> Iterator[str]:
    """Random outputs."""
    if not count:
        return
    tokens = constraint.vocabulary
    denoiser = Troublesome(tokens, seed, 2.0 + seed % 4)
    rows = decode(
        denoiser,
        [[0, row] for row in range(count)],
        [constraint.automaton] * count,
        max_tokens=BLOCK * (2 + constraint.info().min_tokens // BLOCK),
        options=DecodingOptions(steps=1),
        generators=[torch.Generator().manual_seed(seed * count + row) for row in range(count)],
        reviews=[constraint.reviewer() for _ in range(count)],
    )
    for row in rows:
        yield tokens.decode(row.ids.tolist()).decode()


def accepted_calls(question: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The calls that a question accepts, with the first accepted value of each argument."""
    return [_first(call, question) for call in question.get("ground_truth") or []]


def _first(call: Mapping[str, Any], question: Mapping[str, Any]) -> tuple[str, Any]:
    """The first accepted values of a call, in the order of its schema."""
    ((name, accepted),) = call.items()
    function = next(one for one in question["function"] if one["name"] == name)
    return name, _values(accepted, as_json_schema(function["parameters"]))


def _values(accepted: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    order = [*schema.get("properties", {}), *accepted]
    values = {}
    for name in dict.fromkeys(order):
        given = accepted.get(name, [ABSENT])
        if given and given[0] != ABSENT:
            values[name] = _value(given[0], schema.get("properties", {}).get(name, {}))
    return values


def _value(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value whose objects have lists of accepted values, of which the first is taken."""
    if isinstance(value, Mapping):
        return _values(value, schema)
    if isinstance(value, list):
        return [_value(part, schema.get("items", {})) for part in value]
    return value


def _json(calls: list[tuple[str, Any]]) -> str:
    said = [{"name": name, "arguments": arguments} for name, arguments in calls]
    return json.dumps(said if len(said) > 1 else said[0], ensure_ascii=False)


def _hermes(calls: list[tuple[str, Any]]) -> str:
    said = [json.dumps({"name": name, "arguments": given}, ensure_ascii=False) for name, given in calls]
    return "\n".join(f"<tool_call>\n{one}\n</tool_call>" for one in said)


def _gemma(calls: list[tuple[str, Any]]) -> str:
    return "".join(f"{OPENS}call:{name}{_bare(arguments)}{CLOSES}" for name, arguments in calls)


def _bare(value: Any) -> str:
    if isinstance(value, str):
        return f"{QUOTES}{value}{QUOTES}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_bare(part)}" for key, part in value.items()) + "}"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return "[" + ",".join(map(_bare, value)) + "]" if isinstance(value, list) else json.dumps(value)


def _qwen_xml(calls: list[tuple[str, Any]]) -> str:
    return "\n".join(
        f"<tool_call>\n<function={name}>\n{''.join(_tag(*one) for one in given.items())}</function>\n</tool_call>"
        for name, given in calls
    )


def _tag(key: str, value: Any) -> str:
    """A parameter; a whole number has no point, because int() reads none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"<parameter={key}>\n{shown}\n</parameter>\n"


WRITERS = dict(zip(ALL_FORMS, (_json, _hermes, _gemma, _qwen_xml), strict=True))
