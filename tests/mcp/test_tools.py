"""An agent's client lists the tools, calls them, and reads errors as one sentence."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from jsonschema import Draft202012Validator

import structgen as sg
from structgen.mcp.server import server

TEXT = "Invoice INV-204 from Acme Ltd, 12 March 2026, total 289.50 EUR"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "vendor": {"type": "string", "x-verbatim": True},
        "total": {"type": "number", "minimum": 0},
    },
    "required": ["vendor", "total"],
}
LETTER = "Paid {{total:number}} EUR to {{vendor}} on {{date:iso-date}}."
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def served() -> Any:
    return server(sg.load())


@pytest.fixture
def call(served: Any) -> Call:
    """Call a tool as a client in the same process does; what it gives is judged by the tool's own output schema."""

    async def asked(tool: str, arguments: dict[str, Any]) -> Any:
        async with Client(served) as client:
            result = await client.call_tool(tool, arguments, raise_on_error=False)
            if not result.is_error:
                schema = next(one.output_schema for one in await client.list_tools() if one.name == tool)
                Draft202012Validator(schema).validate(result.structured_content)
            return result

    return lambda tool, **arguments: asyncio.run(asked(tool, arguments))


def test_the_tools_say_what_they_take_and_give(served: Any):
    async def listed() -> Any:
        async with Client(served) as client:
            return await client.list_tools()

    tools = {tool.name: tool for tool in asyncio.run(listed())}
    assert tools.keys() == {"extract", "decide", "fill"}
    for tool in tools.values():
        assert tool.description
        assert tool.annotations.read_only_hint
        for schema in (tool.input_schema, tool.output_schema):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
    assert tools["extract"].input_schema["required"] == ["text", "schema"]


def test_extract_gives_a_value_that_satisfies_the_schema(call: Call):
    answer = call("extract", text=TEXT, schema=SCHEMA).structured_content
    assert answer == {"value": {"vendor": "Acme Ltd", "total": 289.5}, "warnings": [], "evidence": None}
    Draft202012Validator(SCHEMA).validate(answer["value"])


def test_details_say_how_sure_each_value_is_and_where_it_stands(call: Call):
    result = call("extract", text=TEXT, schema=SCHEMA, details=True)
    evidence = result.structured_content["evidence"]
    assert {"/vendor", "/total"} == evidence["confidence"].keys()
    assert {TEXT[one["start"] : one["end"]] for one in evidence["spans"]["/vendor"]} == {"Acme Ltd"}
    assert json.loads(result.content[0].text) == result.structured_content


def test_a_value_that_the_text_does_not_state_comes_with_a_warning(call: Call):
    schema = {
        "type": "object",
        "required": ["iban"],
        "properties": {"iban": {"type": "string", "pattern": "^DE[0-9]{20}$"}},
    }
    (warning,) = call("extract", text=TEXT, schema=schema).structured_content["warnings"]
    assert warning["pointer"] == "/iban"


def test_decide_gives_each_answer_its_probability(call: Call):
    questions = {
        "paid": [True, False],
        "team": ["billing", "sales"],
        "anger": {"least": 0, "most": 2},
        "code": [1, "1"],
    }
    answers = call("decide", text=TEXT, questions=questions).structured_content["answers"]
    assert answers.keys() == questions.keys()
    options = {name: [one["value"] for one in answer["probabilities"]] for name, answer in answers.items()}
    assert [repr(one) for one in options["code"]] == ["1", "'1'"]
    assert options | {"code": ...} == {**questions, "anger": [0, 1, 2], "code": ...}
    for answer in answers.values():
        assert sum(one["probability"] for one in answer["probabilities"]) == pytest.approx(1)
        best = max(answer["probabilities"], key=lambda one: one["probability"])
        assert best["value"] == answer["value"]


def test_fill_changes_nothing_outside_the_holes(call: Call):
    answer = call("fill", template=LETTER, context=TEXT).structured_content
    assert answer["text"] == "Paid 289.50 EUR to Acme Ltd on 2026-03-12."
    assert answer["values"] == {"total": 289.5, "vendor": "Acme Ltd", "date": "2026-03-12"}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("extract", {"text": "", "schema": SCHEMA}, "the document is empty"),
    ("extract", {"text": TEXT}, "/schema is missing"),
    ("extract", {"text": TEXT, "schema": [1]}, "/schema must be an object"),
    ("extract", {"text": TEXT, "schema": SCHEMA, "model": "x"}, "/model is no argument of this tool"),
    ("extract", {"text": TEXT, "schema": SCHEMA, "order": "random"}, "/order"),
    ("extract", {"text": TEXT, "schema": {"type": "objekt"}}, "at /type"),
    ("extract", {"text": TEXT, "schema": {"$ref": "other.json"}}, 'the argument "resources"'),
    ("extract", {"text": TEXT, "schema": SCHEMA, "max_tokens": 2}, 'the argument "max_tokens": '),
    ("decide", {"text": TEXT, "questions": {}}, "/questions"),
    (
        "decide",
        {"text": TEXT, "questions": {"a": ["x"]}},
        "/questions/a is wrong: list should have at least 2",
    ),
    ("decide", {"text": TEXT, "questions": {"a": "yes"}}, "a list of answers, or a range"),
    ("decide", {"text": TEXT, "questions": {"a": {"least": 4}}}, "/questions/a/most is missing"),
    ("decide", {"text": TEXT, "questions": {"a": {"least": 4, "most": 1}}}, "most must be a whole number"),
    ("fill", {"template": "a {{x", "context": TEXT}, "line 1, column 3 of the template"),
    ("translate", {}, "the tools are extract, decide and fill"),
]


@pytest.mark.parametrize(("tool", "arguments", "said"), WRONG)
def test_an_error_is_one_sentence(
    call: Call, tool: str, arguments: dict[str, Any], said: str, capfd: pytest.CaptureFixture[str]
):
    result = call(tool, **arguments)
    (content,) = result.content
    assert result.is_error
    assert said in content.text
    assert "\n" not in content.text
    assert not any(word in content.text for word in ("pydantic", "Traceback", "Error calling", "dictionary"))
    assert TEXT not in "".join(capfd.readouterr())


def test_a_client_over_stdio_gets_the_same():
    async def asked() -> Any:
        transport = StdioTransport(sys.executable, ["-m", "structgen.cli", "mcp"], keep_alive=False)
        async with Client(transport) as client:
            return (await client.call_tool("extract", {"text": TEXT, "schema": SCHEMA})).structured_content

    assert asyncio.run(asked())["value"] == {"vendor": "Acme Ltd", "total": 289.5}


def test_the_block_of_the_page_runs():
    page = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.S)
    exec(compile(block, "mcp.md", "exec", dont_inherit=True), {"__name__": "mcp.md"})
