"""White space between JSON tokens: bounded where it is generated, whole where it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg

LINE = {"type": "object", "properties": {"n": {"type": "integer"}, "ok": {"type": "boolean"}}}
SCHEMA = {
    "type": "object",
    "properties": {"lines": {"type": "array", "items": LINE}, "total": {"type": "integer"}, "by": LINE},
}
VALUE = {"lines": [{"n": 1, "ok": True}, {"n": 2}], "total": 3, "by": {"ok": False}}
TREE = {
    "$defs": {
        "tree": {"type": "object", "properties": {"v": {"type": "integer"}, "l": {"$ref": "#/$defs/tree"}}}
    },
    "$ref": "#/$defs/tree",
}
TOO_MUCH = r"(?s).*( {17}|\n *\n|[\t\r]).*"


def generated(constraint: sg.Constraint[Any], text: str) -> bool:
    """Whether a constraint over bytes generates the text."""
    return constraint.accepts_ids([*text.encode()])


@pytest.mark.parametrize("indent", [None, 0, 1, 2, 3, 4])
def test_what_printers_write_is_generated(indent: int | None) -> None:
    assert generated(sg.compile(SCHEMA), json.dumps(VALUE, indent=indent))
    deep = {"v": 1, "l": {"v": 2, "l": {"l": {"v": 3}}}}
    assert generated(sg.compile(TREE, regime="lazy"), json.dumps(deep, indent=indent))


@pytest.mark.parametrize("schema", [SCHEMA, {**LINE, "minProperties": 1}, {"type": "array", "items": SCHEMA}])
def test_no_more_than_a_line_and_sixteen_spaces_are_generated(schema: dict[str, Any]) -> None:
    with pytest.raises(sg.Unsatisfiable):
        sg.compile(sg.grammar.nested(sg.JsonSchema(schema).lower()) & sg.Regex(TOO_MUCH))


@given(st.lists(st.text(" \t\n\r", max_size=30), min_size=9, max_size=9))
def test_any_amount_is_accepted(gaps: list[str]) -> None:
    parts = iter(gaps)
    constraint = sg.compile(SCHEMA)
    tokens = ["{", '"lines"', ":", "[", "]", ",", '"total"', ":", "3", "}"]
    text = tokens[0] + "".join(next(parts) + token for token in tokens[1:])
    assert json.loads(text) == {"lines": [], "total": 3}
    assert constraint.accepts(text)
    assert constraint.check(text)


def test_tools_are_read_with_any_amount() -> None:
    tools = sg.Tools([{"name": "add", "parameters": LINE}])
    constraint = sg.compile(tools)
    for text in (
        '{"name": "add", "arguments": {"n": 1}}',
        '{\n\n "name" :\t"add",  "arguments":{ \r\n"n" : 1}  }',
    ):
        assert constraint.accepts(text)


WIDE = '{\n\n   "n" :\t1,  "ok":true  }'


@pytest.mark.parametrize(
    "source",
    [
        sg.Lark('start: "x=" json\njson[capture]: inner\ninner: %json ' + json.dumps(LINE)),
        sg.Lark('start: "x=" @line', grammars={"line": sg.JsonSchema(LINE)}),
        sg.StructuralTag({"begin": "x=", "content": {"type": "json_schema", "json_schema": LINE}, "end": ""}),
    ],
)
def test_json_inside_other_grammars_is_bounded_and_read_whole(source: Any) -> None:
    constraint = sg.compile(source)
    assert generated(constraint, 'x={\n  "n": 1\n}')
    assert not generated(constraint, f"x={WIDE}")
    assert constraint.accepts(f"x={WIDE}")
    assert constraint.check(f"x={WIDE}")
    assert not constraint.accepts(f"x={WIDE},")
    left = constraint.check('x={   "n": true}')
    assert (left.offset, left.column) == (11, 12)


def test_captures_are_found_among_any_white_space() -> None:
    source = sg.Lark('start: "x=" json\njson[capture]: inner\ninner: %json ' + json.dumps(LINE))
    assert source.captures(f"x={WIDE}") == {"json": [(WIDE, 2, 2 + len(WIDE))]}


def test_combinations_read_any_amount() -> None:
    assert sg.compile(sg.JsonSchema(LINE) | sg.Regex("none")).accepts(WIDE)


def test_spaces_are_not_counted_where_configurations_are_searched() -> None:
    """A lazy search would keep the same text at several counts; a table has a state for each."""
    many = json.dumps({"v": 1}, indent=30)
    assert generated(sg.compile(TREE), many)
    assert generated(sg.compile(SCHEMA, regime="lazy"), json.dumps(VALUE, indent=30))
    assert not generated(sg.compile(SCHEMA), json.dumps(VALUE, indent=30))
