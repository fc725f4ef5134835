"""Tools as a source: what is accepted calls a tool that may be called, with arguments that its own reader validates."""

from __future__ import annotations

import datetime
import functools
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

import structgen as sg
from structgen.grammar import Grammar, alt, literal, ref, repeat, seq
from structgen.sources.json_schema import JsonSchema
from structgen.sources.tools import Tools, rebased


def get_weather(city: str, unit: Literal["c", "f"] = "c") -> str:
    """The weather in a city.

    A paragraph that no model needs.
    """
    return f"{city}/{unit}"


def book(flight: str, day: datetime.date, /, *, seats: Annotated[int, Field(ge=1)] = 1) -> tuple[Any, ...]:
    return flight, day, seats


class Refund(BaseModel):
    """Money back."""

    order: str
    amount: Decimal = Field(ge=0)


class Place(TypedDict, total=False):
    street: str


@dataclass
class Move:
    to: Place


def openai(name: str, parameters: Any = None, **more: Any) -> dict[str, Any]:
    inner = {"name": name, "description": f"Does {name}.", **more}
    return {
        "type": "function",
        "function": inner if parameters is None else {**inner, "parameters": parameters},
    }


LOOKUP = openai("lookup", {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]})
WEATHER = '{"name": "get_weather", "arguments": {"city": "Oslo"}}'
BOOK = '{"name":"book","arguments":{"flight":"LH1","day":"2026-01-02","seats":2}}'
ANSWER = '{"answer": "No tool is needed."}'
TOOLS = [get_weather, book, Refund, Move, LOOKUP]


def accepts(text: str, tools: list[Any] = TOOLS, choice: str = "auto", parallel: bool = False) -> bool:
    return sg.compile(Tools(tools, choice, parallel)).accepts(text)


@pytest.mark.parametrize(
    ("choice", "called", "answered"),
    [("auto", True, True), ("required", True, False), ("none", False, True), ("book", False, False)],
)
def test_the_choice_says_what_a_reply_may_be(choice: str, called: bool, answered: bool):
    assert accepts(WEATHER, choice=choice) == called
    assert accepts(ANSWER, choice=choice) == answered
    assert accepts(BOOK, choice=choice) == (choice != "none")


def test_with_parallel_a_reply_is_one_to_eight_calls():
    for count in (1, 2, 8):
        assert accepts(
            f"[{','.join([WEATHER, BOOK] * 4)}]" if count == 8 else f"[{','.join([BOOK] * count)}]",
            parallel=True,
        )
    for text in ("[]", BOOK, f"[{','.join([BOOK] * 9)}]", f"[{ANSWER}]"):
        assert not accepts(text, parallel=True)
    assert accepts(ANSWER, parallel=True)


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("choice", ["auto", "required", "none", "lookup"])
def test_the_schema_describes_the_replies(choice: str, parallel: bool):
    """What the grammar accepts the schema validates; what neither accepts is a call of another tool."""
    source = Tools(TOOLS, choice, parallel)
    judge, constraint = Draft202012Validator(source.schema), sg.compile(source)
    calls = ['{"name":"lookup","arguments":{"id":5}}', WEATHER, BOOK, '{"name":"nobody","arguments":{}}']
    for text in [*calls, ANSWER, *(f"[{call}]" for call in calls)]:
        assert judge.is_valid(json.loads(text)) == constraint.accepts(text), text


def test_calls_are_typed_and_run():
    weather, booked = Tools(TOOLS, parallel=True).parse(f"[{WEATHER}, {BOOK}]")
    assert (weather.name, weather.arguments, weather.run()) == ("get_weather", {"city": "Oslo"}, "Oslo/c")
    assert booked.arguments["day"] == datetime.date(2026, 1, 2)
    assert booked.run() == ("LH1", datetime.date(2026, 1, 2), 2)
    refund = '{"name":"Refund","arguments":{"order":"A1","amount":9.5}}'
    moved = '{"name":"Move","arguments":{"to":{"street":"Elm"}}}'
    assert Tools(TOOLS).parse(refund)[0].arguments == Refund(order="A1", amount=Decimal("9.5"))
    assert Tools(TOOLS).parse(moved)[0].arguments == Move({"street": "Elm"})
    looked = Tools(TOOLS).parse('{"name":"lookup","arguments":{"id":5}}')[0]
    assert (looked.arguments, looked.tool.given) == ({"id": 5}, LOOKUP)
    with pytest.raises(sg.InvalidOption, match="'lookup' is no function"):
        looked.run()


def test_an_answer_is_no_call():
    reply = Tools(TOOLS).parse(ANSWER)
    assert (list(reply), reply.answer) == ([], "No tool is needed.")
    assert Tools([], "none").parse(ANSWER) == reply


def test_a_method_is_a_tool_and_forgets_its_self():
    class Desk:
        def greet(self, name: str) -> str:
            return f"{id(self)}{name}"

    desk = Desk()
    call = Tools([desk.greet]).parse('{"name":"greet","arguments":{"name":"Ann"}}')[0]
    assert call.run() == desk.greet("Ann")


def test_tools_describe_themselves_by_their_first_paragraph():
    tools = Tools(TOOLS).callable
    assert [tool.description for tool in tools[:3]] == ["The weather in a city.", "", "Money back."]
    assert tools[-1].description == "Does lookup."


def test_both_forms_of_a_dict_and_no_parameters_at_all():
    for given in (
        openai("ping"),
        {"name": "ping"},
        {"type": "function", "name": "ping", "parameters": None},
        openai("ping", {}),
    ):
        assert accepts('{"name":"ping","arguments":{}}', [given])
        assert not accepts('{"name":"ping","arguments":{"x":1}}', [given])


def test_parameters_are_an_object_though_they_do_not_say_so():
    lookup = openai("lookup", {"properties": {"id": {"type": "integer"}}, "required": ["id"]})
    assert accepts('{"name":"lookup","arguments":{"id":5}}', [lookup])
    for arguments in ("5", "[]", "{}", '{"id":"x"}'):
        assert not accepts(f'{{"name":"lookup","arguments":{arguments}}}', [lookup])


def test_references_hold_inside_the_schema_of_all_replies():
    """Each tool's `#/$defs` are its own; what is named `$ref` or stands in a const is left alone."""
    tools = [
        openai(
            name,
            {
                "$defs": {"Id": {"type": kind}},
                "type": "object",
                "properties": {"id": {"$ref": "#/$defs/Id"}, "$ref": {"enum": [{"$ref": "#/x"}]}},
                "required": ["id"],
            },
        )
        for name, kind in (("a", "integer"), ("b", "boolean"))
    ]
    for parallel in (False, True):
        source = Tools(tools, "auto", parallel)
        judge, constraint = Draft202012Validator(source.schema), sg.compile(source)
        for value in (5, True, "x"):
            for name in "ab":
                call: Any = {"name": name, "arguments": {"id": value}}
                call = [call] if parallel else call
                valid = (name, type(value)) in (("a", int), ("b", bool))
                assert judge.is_valid(call) == constraint.accepts(json.dumps(call)) == valid
    schema = {"properties": {"$ref": {"const": {"$ref": "#/a"}}}}
    assert rebased(schema, "/x") == schema


def test_tools_may_have_rules_of_the_same_name(monkeypatch: pytest.MonkeyPatch):
    """Equal rules are shared; others get names of their own."""

    def lowered(self: JsonSchema, spelling: object) -> Grammar:
        name = self.schema["title"]  # type: ignore[index]
        start = seq(literal("{"), repeat(ref("own"), 1, 2), ref("shared"), literal("}"))
        return Grammar(start, {"own": alt(literal(name), ref("shared")), "shared": literal("s")})

    monkeypatch.setattr(JsonSchema, "spelled", lowered)
    equal = Tools([openai(name, {"title": "t"}) for name in "ab"], "required").lower()
    assert set(equal.rules) == {"own", "shared"}
    grammar = Tools([openai(name, {"title": name}) for name in "ab"], "required").lower()
    assert set(grammar.rules) == {"own", "shared", "tool 1 own", "tool 1 shared"}
    assert grammar.rules["own"] is alt(literal("a"), ref("shared"))
    assert grammar.rules["tool 1 own"] is alt(literal("b"), ref("tool 1 shared"))


def everything(*names: str) -> None: ...
def untyped(name) -> None: ...
def unknown(name: Nowhere) -> None: ...  # type: ignore[name-defined] # noqa: F821


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        (3, r"tool 0 is 3: give a function"),
        (lambda: 3, r"tool 0 is <function .*: give a function"),
        (functools.partial(get_weather, "Oslo"), r"tool 0 is functools.partial.*: give a function"),
        (list[int], r"tool 'list': the parameters must describe an object, not 'array' \(at /type\)"),
        (everything, r"tool 'everything': \*names takes any number of arguments.* \(at /properties/names\)"),
        (untyped, r"tool 'untyped': parameter 'name' has no type; annotate it \(at /properties/name\)"),
        (
            unknown,
            r"tool 'unknown': the type of parameter 'name' cannot be read: name 'Nowhere' is not defined",
        ),
        ({}, r"tool 0 has no name, which must be a string \(at /name\)"),
        ({"function": {"name": 3}}, r"tool 0 has no name, which must be a string \(at /function/name\)"),
        ({"function": []}, r"tool 0: a function is an object .* \(at /function\)"),
        (
            {"type": "web_search", "name": "x"},
            r"tool 0 is of type 'web_search' \(at /type\); only \"function\"",
        ),
        (openai("x", color=1), r"tool 'x': 'color' is no part of a function \(at /function/color\)"),
        (openai("x", []), r"tool 'x': the parameters must be a JSON Schema \(at /function/parameters\)"),
        (
            openai("x", {"type": "array"}),
            r"tool 'x': .* object, not 'array' \(at /function/parameters/type\)",
        ),
        (
            openai("x", {"type": "object", "properties": {"a": {"type": "strin"}}}),
            r"tool 'x': .*strin.* \(at /function/parameters/properties/a/type\)",
        ),
        (
            {
                "name": "x",
                "parameters": {"type": "object", "properties": {"a": {"minLength": "x", "type": "string"}}},
            },
            r"tool 'x': .* \(at /parameters/properties/a.*\)",
        ),
    ],
)
def test_a_bad_tool_is_named_with_a_pointer(tool: Any, message: str):
    with pytest.raises(sg.StructgenError, match=f"^{message}"):
        sg.compile(Tools([tool]))


@pytest.mark.parametrize(
    ("tools", "choice", "message"),
    [
        (get_weather, "auto", "tools are a list, not function"),
        (LOOKUP, "auto", "tools are a list, not dict"),
        ([], "auto", "there is no tool to call"),
        ([get_weather, get_weather], "auto", "two tools are named 'get_weather'"),
        ([get_weather], "nobody", "tool_choice must be one of 'auto', .* 'get_weather', not 'nobody'"),
    ],
)
def test_bad_sets_of_tools(tools: Any, choice: str, message: str):
    with pytest.raises(sg.StructgenError, match=message):
        Tools(tools, choice)


@pytest.mark.parametrize("form", ["json", "gemma"])
def test_a_verbatim_parameter_is_refused_with_the_tools_name(form: str):
    schema = {
        "type": "object",
        "properties": {"who": {"type": "string", "x-verbatim": True}},
        "required": ["who"],
    }
    tool = {"type": "function", "function": {"name": "note", "parameters": schema}}
    with pytest.raises(sg.InvalidSource, match=r"tool 'note': a parameter is verbatim, .*: make it a string"):
        sg.compile(sg.Tools([tool], form=form))
