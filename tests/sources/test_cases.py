"""Small inputs that once failed, here or in other tools; each stands for a kind of fault."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import structgen as sg
from structgen.sources import Choices, Source, TypeSource
from structgen.tokens.vocabulary import BYTES, Vocabulary

FOLDER = Path(__file__).parents[3] / "shared" / "cases"
IMPORTS = """
from datetime import date
from enum import IntEnum
from typing import Annotated
from pydantic import AliasPath, AwareDatetime, BaseModel, EmailStr, Field, NaiveDatetime
"""
Case = Mapping[str, Any]


def cases() -> Iterator[Any]:
    """The cases of both files, in one form; none where the folder is absent."""
    if not FOLDER.is_dir():
        return
    for case in json.loads((FOLDER / "compiler.json").read_text()):
        yield pytest.param({**case, "options": [case.get("options", {})]}, id=case["id"])
    for case in json.loads((FOLDER / "bug_reports.json").read_text()):
        if case["kind"] in ("schema", "python", "regex", "grammar", "choice"):
            yield pytest.param(_reported(case), id=case["id"])


def _reported(case: Case) -> Case:
    what, expected = case["what"], case["expect"]
    same = {key: value for key, value in expected.items() if key in ("accept", "reject", "refuse")}
    values = [json.dumps(value, ensure_ascii=False) for value in expected.get("accept_values", ())]
    return {
        **what,
        **same,
        "accept": [*expected.get("accept", ()), *values],
        "options": what.get("options", [{}]),
        "with": expected.get("accept_with", {}),
    }


def source_of(case: Case, options: Mapping[str, Any]) -> Source[Any]:
    """What a case compiles."""
    if "python" in case or "pydantic" in case:
        names: dict[str, Any] = {"__name__": __name__}
        code = IMPORTS + case.get("code", case.get("pydantic", ""))
        exec(compile(code, "<case>", "exec", dont_inherit=True), names)  # annotations are not strings there
        return TypeSource(eval(case.get("python", "M"), names), **options)
    if "regex" in case:
        return sg.Regex(case["regex"])
    if "ebnf" in case:
        return sg.Ebnf(case["ebnf"])
    if "choices" in case:
        return Choices(case["choices"])
    if "enum_of" in case:
        return sg.JsonSchema({"enum": [case["enum_of"] % (i, i) for i in range(case["count"])]})
    schema = json.loads(case["schema_text"]) if "schema_text" in case else case["schema"]
    return sg.JsonSchema(schema, **options)


@pytest.fixture(params=["bytes", "gemma3"])
def vocabulary(request: pytest.FixtureRequest, real_vocabulary: Any) -> Vocabulary:
    """Single bytes, and a real vocabulary of 262,145 tokens."""
    return BYTES if request.param == "bytes" else real_vocabulary(request.param)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="there is no ../shared/cases")
@pytest.mark.parametrize("case", list(cases()))
def test_what_once_failed_is_right(case: Case, vocabulary: Vocabulary) -> None:
    for options in case["options"]:
        if "refuse" in case:
            with pytest.raises(sg.StructgenError) as refused:
                sg.compile(source_of(case, options), vocabulary)
            said = [case["refuse"]] if isinstance(case["refuse"], str) else case["refuse"]
            assert all(part in str(refused.value).replace('"', "").replace("'", "") for part in said)
            continue
        try:
            constraint = sg.compile(source_of(case, options), vocabulary)
        except sg.Unsatisfiable:  # nothing is accepted, so all is well where only texts to reject are listed
            assert not case.get("accept")
            continue
        named = [f"{name}={value}" for name, value in options.items()]
        extra = [text for name in named for text in case.get("with", {}).get(name, ())]
        assert [text for text in [*case.get("accept", ()), *extra] if not constraint.accepts(text)] == []
        assert [text for text in case.get("reject", ()) if constraint.accepts(text)] == []


def reports(kind: str) -> list[Any]:
    """The reports of this kind."""
    path = FOLDER / "bug_reports.json"
    found = json.loads(path.read_text()) if path.is_file() else []
    return [pytest.param(case, id=case["id"]) for case in found if case["kind"] == kind]


@pytest.mark.skipif(not FOLDER.is_dir(), reason="there is no ../shared/cases")
@pytest.mark.parametrize("case", reports("text"))
def test_a_budget_that_is_too_small_is_refused_before_anything_is_written(case: Case) -> None:
    what = case["what"]
    type_ = source_of(what, {})
    with pytest.raises(sg.Unsatisfiable) as refused:
        sg.load().extract(what["text"], type_, max_tokens=what["max_tokens"])
    assert all(part in str(refused.value) for part in case["expect"]["refuse"])


@pytest.mark.skipif(not FOLDER.is_dir(), reason="there is no ../shared/cases")
@pytest.mark.parametrize("case", reports("tool"))
def test_a_tool_that_must_be_called_is_called(case: Case) -> None:
    what, expected = case["what"], case["expect"]
    for choice in expected["choices"]:
        (call,) = sg.load().call(what["message"], what["tools"], tool_choice=choice)
        assert (call.name, set(call.arguments)) == (expected["call"], set(expected["arguments_have"]))
