"""`structgen call` prints the calls as JSON, and nothing else."""

from __future__ import annotations

import json

import pytest

BOOK = {
    "name": "book_flight",
    "parameters": {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]},
}
TOOLS = [{"type": "function", "function": BOOK}]
FAST = ("--steps", "2", "--tool-choice", "required")


@pytest.mark.parametrize("content", [TOOLS, BOOK, {"tools": TOOLS}], ids=["list", "one", "request"])
def test_tools_come_from_a_file(run, folder, content):
    (folder / "tools.json").write_text(json.dumps(content))
    result = run("call", "-t", "tools.json", "book a flight to Oslo", *FAST)
    assert (result.code, result.err, result.written) == (0, "", ())
    call = json.loads(result.out)
    assert call["name"] == "book_flight"
    assert isinstance(call["arguments"]["to"], str)


def test_tools_are_functions_and_the_request_is_on_stdin(run, folder):
    (folder / "desk.py").write_text('def greet(name: str, loud: bool = False): """Say hello."""\n')
    (folder / "tools.json").write_text(json.dumps(TOOLS))
    tools = ("-t", "desk.py:greet", "-t", "tools.json")
    result = run("call", *tools, "-", "--compact", "--parallel", *FAST, stdin=b"Greet Ann")
    assert (result.code, result.err) == (0, "")
    assert {call["name"] for call in json.loads(result.out)} <= {"greet", "book_flight"}
    assert result.out.count("\n") == 1


def test_an_off_topic_request_prints_no_call_and_a_warning(run, folder):
    (folder / "tools.json").write_text(json.dumps([{**BOOK, "description": "Book a flight."}]))
    result = run("call", "-t", "tools.json", "Tell me a joke.")
    assert (result.code, result.out) == (0, "[]\n")
    assert "too little in common with any tool's description" in result.err


def test_calls_in_another_form_are_printed_as_json(run, folder):
    (folder / "tools.json").write_text(json.dumps(TOOLS))
    result = run("call", "-t", "tools.json", "book a flight to Oslo", *FAST, "--form", "hermes")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["name"] == "book_flight"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-t", "nowhere.json", "x"), 1, "the tools file nowhere.json does not exist"),
        (("-t", "bad.json", "x"), 1, "tool 'f': 'x' is no part of a function (at /x)"),
        (("-t", "tools.json", "x", "--tool-choice", "y"), 1, "tool_choice must be one of"),
        (("-t", "tools.json", " "), 2, "the request is empty"),
        (("-t", "-", "-"), 2, "only one of REQUEST and --tools can be -"),
        (("x",), 2, "missing option '--tools'"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(run, folder, arguments, code, message):
    (folder / "tools.json").write_text(json.dumps(TOOLS))
    (folder / "bad.json").write_text('{"name": "f", "x": 1}')
    result = run("call", *arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert result.err.count("\n") == 1
