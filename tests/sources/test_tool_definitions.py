"""Tools as people have them: functions with their docstrings and the definitions of four APIs are one kind of tool."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

import structgen as sg
from conformance.mutated_tools import outcomes
from structgen.errors import StructgenError

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SAID = {"name": "weather", "description": "The weather in a city."}
DEFINITIONS: list[Any] = [
    {"type": "function", "function": {**SAID, "parameters": SCHEMA, "strict": True}},
    {"type": "function", **SAID, "parameters": SCHEMA, "strict": None},
    {**SAID, "parameters": SCHEMA},
    {**SAID, "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}},
    {"type": "custom", **SAID, "input_schema": SCHEMA},
    {**SAID, "title": "Weather", "inputSchema": SCHEMA, "annotations": {"readOnlyHint": True}, "_meta": {}},
    SimpleNamespace(**SAID, inputSchema=SCHEMA),
    SimpleNamespace(**SAID, input_schema=SCHEMA),
]
RIGHT, WRONG = '{"name":"weather","arguments":{"city":"Oslo"}}', '{"name":"weather","arguments":{}}'


@pytest.mark.parametrize("given", DEFINITIONS, ids=range(len(DEFINITIONS)))
def test_every_api_defines_the_same_tool(given: Any):
    source = sg.Tools([given], "required")
    assert (source.callable[0].description, source.callable[0].schema) == (SAID["description"], SCHEMA)
    constraint = sg.compile(source)
    assert constraint.accepts(RIGHT)
    assert not constraint.accepts(WRONG)


@pytest.mark.parametrize(
    "given",
    [
        {"name": "ping", "inputSchema": {"type": "object"}},
        {"name": "ping", "input_schema": {"type": "object", "properties": {}}},
        {"name": "ping", "inputSchema": {"type": "object", "additionalProperties": False}},
        {"name": "ping", "parameters": {}},
        {"name": "ping"},
    ],
)
def test_a_tool_without_parameters_takes_an_empty_object(given: Any):
    constraint = sg.compile(sg.Tools([given], "required"))
    assert constraint.accepts('{"name":"ping","arguments":{}}')
    assert not constraint.accepts('{"name":"ping","arguments":{"x":1}}')


def custom(format_: Any, **more: Any) -> dict[str, Any]:
    return {"type": "custom", "custom": {"name": "code", "format": format_, **more}}


def test_a_custom_tool_takes_a_text():
    grammar = {"syntax": "regex", "definition": "a|b+"}
    for given in (
        custom({"type": "grammar", "grammar": grammar}),
        {"type": "custom", "name": "code", "format": {"type": "grammar", **grammar}},
    ):
        constraint = sg.compile(sg.Tools([given], "required"))
        for text, right in (("a", True), ("bb", True), ("ab", False), ("", False)):
            assert constraint.accepts(f'{{"name":"code","arguments":{{"input":"{text}"}}}}') == right
        (call,) = constraint.parse('{"name":"code","arguments":{"input":"bb"}}')
        assert (call.arguments, call.text) == ("bb", "bb")
        assert call.to_dict()["custom"] == {"name": "code", "input": "bb"}
    free = sg.compile(sg.Tools([custom({"type": "text"}), {"type": "custom", "name": "plain"}], "required"))
    assert free.accepts('{"name":"code","arguments":{"input":"x \\n y"}}')
    assert free.accepts('{"name":"plain","arguments":{"input":""}}')


LIST = 'start: "[" [item ("," item)*] "]"\nitem: start | WORD | TEXT\nWORD: /[a-z]+/\nTEXT: /"[^"]*"/\n'
WRITTEN = {
    "json": lambda text: json.dumps({"name": "code", "arguments": {"input": text}}),
    "hermes": lambda text: f"<tool_call>\n{WRITTEN['json'](text)}\n</tool_call>",
    "gemma": lambda text: f'<|tool_call>call:code{{input:<|"|>{text}<|"|>}}<tool_call|>',
    "harmony": lambda text: (
        f"<|channel|>commentary to=functions.code <|constrain|>json<|message|>{json.dumps({'input': text})}<|call|>"
    ),
    "qwen_xml": lambda text: (
        f"<tool_call>\n<function=code>\n<parameter=input>\n{text}\n</parameter>\n</function>\n</tool_call>"
    ),
}
CUT = {
    "json": [],
    "hermes": ["</tool_call>"],
    "gemma": ['<|"|>'],
    "harmony": ["<|call|>"],
    "qwen_xml": ["</function>"],
}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_custom_tool_takes_texts_of_a_grammar_in_every_form(form: str):
    """Its rules may contain themselves; what cuts a text of the form is no text of it."""
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": LIST}}
    constraint = sg.compile(sg.Tools([custom(grammar)], "required", form=form))
    for text in ("[]", "[[a,b],c]", '["<|x,\\\n",a]'):
        (call,) = constraint.parse(WRITTEN[form](text))
        assert constraint.accepts(WRITTEN[form](text))
        assert call.arguments == text
    for text in ("", "[a", "[a,]", *(f'["{cut}"]' for cut in CUT[form])):
        assert not constraint.accepts(WRITTEN[form](text)), text
    assert LIST in constraint.source.callable[0].schema["properties"]["input"]["description"]


class Where(BaseModel):
    street: str


GOOGLE = """Look up.

    Args:
        city (str): The name
            of the city.
        days: How many
            days: from today.

    Returns:
        str: nothing
    """
NUMPY = """Look up.

    Parameters
    ----------
    city : str
        The name
        of the city.
    days : int, optional
        How many days: from today.

    Returns
    -------
    str
        Nothing.
    """
SPHINX = """Look up.

    :param city: The name
        of the city.
    :type city: str
    :param int days: How many days: from today.
    :returns: nothing
    """


@pytest.mark.parametrize("documented", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_a_docstring_describes_the_parameters(documented: str):
    def look_up(city: str, days: int | None = 3) -> str:
        return ""

    look_up.__doc__ = documented
    (tool,) = sg.Tools([look_up]).callable
    properties = tool.schema["properties"]
    assert tool.description == "Look up."
    assert {name: part["description"] for name, part in properties.items()} == {
        "city": "The name of the city.",
        "days": "How many days: from today.",
    }


def test_a_description_of_its_own_is_kept():
    def go(
        to: Annotated[Where, Field(description="Where to.")], how: Literal["foot", "car"] = "foot"
    ) -> None:
        """Go.

        Args:
            to: Another description.
            how: By what means.
        """

    properties = sg.Tools([go]).callable[0].schema["properties"]
    assert (properties["to"]["description"], properties["how"]["description"]) == (
        "Where to.",
        "By what means.",
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            custom({"type": "grammar", "grammar": {"syntax": "regex"}}),
            r"a grammar needs a definition",
        ),
        (
            custom({"type": "grammar", "grammar": {"syntax": "abnf", "definition": "x"}}),
            r"syntax 'abnf' .*/syntax",
        ),
        (
            custom({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: x"}}),
            r"(?s)tool 'code': line 1, column 8.* \(at /custom/format/grammar/definition\)",
        ),
        (
            custom({"type": "grammar", "syntax": "lark", "definition": "start: <|x|>"}),
            r"tool 'code': tokens in the text of a tool.*",
        ),
        (custom({"type": "image"}), r"must be of type \"text\" or \"grammar\" \(at /custom/format/type\)"),
        (custom({"type": "grammar", "syntax": "regex", "definition": "("}), r"tool 'code'.*"),
        (
            {"name": "x", "inputSchema": []},
            r"tool 'x': the parameters must be a JSON Schema \(at /inputSchema\)",
        ),
        (
            {"name": "x", "input_schema": {}, "color": 1},
            r"tool 'x': 'color' is no part of a function \(at /color\)",
        ),
        ({"name": "x\0"}, r"NUL or half a surrogate pair \(at /name\)"),
        ({"name": "x", "description": "\ud800"}, r"NUL or half a surrogate pair \(at /description\)"),
        ({"name": "x", "description": 3}, r"the description must be a string \(at /description\)"),
    ],
)
def test_a_bad_definition_is_refused_with_its_place(given: Any, message: str):
    with pytest.raises(StructgenError, match=message):
        sg.compile(sg.Tools([given]))


def test_mutated_lists_are_read_or_refused_in_a_sentence():
    """Never a crash: whatever is wrong is said in one line."""
    kinds = Counter(word for word, _ in outcomes(600))
    assert kinds.keys() == {"read", "refused"}
