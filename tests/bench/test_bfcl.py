"""BFCL's AST rule, case by case, and on its own questions: an accepted answer is right, and a changed one is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bench.bfcl import ABSENT, CATEGORIES, Item, arguments_right, as_json_schema, items, value_right
from bench.tools import tally
from structgen.errors import InvalidDocument

DATA = Path(__file__).parents[3] / "shared" / "data" / "bfcl_v4_dev.jsonl.gz"
LIST = {"type": "array", "items": {"type": "string"}}
OBJECTS = {"type": "array", "items": {"type": "dict"}}


@pytest.mark.parametrize(
    ("value", "accepted", "declared", "right"),
    [
        ("April 1, 2024", ["april 1 2024"], {"type": "string"}, True),
        ("it's", ['it"s'], {"type": "string"}, True),
        ("April 2", ["april 1", "April 3"], {"type": "string"}, False),
        (5, [5], {"type": "integer"}, True),
        (5.5, [5], {"type": "integer"}, False),
        (True, [1], {"type": "integer"}, False),
        (1, [True], {"type": "boolean"}, False),
        (False, [False], {"type": "boolean"}, True),
        (5, [5.0], {"type": "float"}, True),
        (5.0, [5], {"type": "float"}, True),
        (True, [1.0], {"type": "float"}, False),
        ("radius", ["radius"], {"type": "integer"}, True),  # a variable where a number is declared
        (["New York", "a-b"], [["newyork", "AB"]], LIST, True),
        (["b", "a"], [["a", "b"]], LIST, False),
        ([[1, 2], [3]], [[[1, 2], [3]]], {"type": "array", "items": {"type": "array"}}, True),
        ({"min": 3}, [{"min": [3], "max": [4, ABSENT]}], {"type": "dict"}, True),
        ({"min": 3}, [{"min": [3], "max": [4]}], {"type": "dict"}, False),
        ({"min": 3, "x": 1}, [{"min": [3]}], {"type": "dict"}, False),
        ({"min": 4}, [{"min": [3]}, ABSENT, {"min": [4]}], {"type": "dict"}, True),
        ([{"f": "Age"}, {"f": "job"}], [[{"f": ["age"]}, {"f": ["job"]}]], OBJECTS, True),
        ([{"f": "job"}, {"f": "age"}], [[{"f": ["age"]}, {"f": ["job"]}]], OBJECTS, False),
        ([{"f": "age"}], [[{"f": ["age"]}, {"f": ["job"]}]], OBJECTS, False),
    ],
    ids=repr,
)
def test_a_value_is_right_if_it_is_among_the_accepted_ones(
    value: Any, accepted: list[Any], declared: dict[str, Any], right: bool
):
    assert value_right(value, accepted, declared) == right


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        ({"base": 10, "unit": "units"}, True),
        ({"base": 10}, True),
        ({"unit": "units"}, False),
        ({"base": 10, "unit": "miles"}, False),
        ({"base": 10, "colour": "red"}, False),
        ({"base": 10, "depth": 3}, False),
    ],
    ids=repr,
)
def test_arguments_may_be_left_out_where_the_answer_says_so_and_never_added(
    arguments: dict[str, Any], right: bool
):
    properties = {name: {"type": "integer"} for name in ("base", "depth")} | {"unit": {"type": "string"}}
    accepted = {"base": [10], "unit": ["units", ABSENT]}
    assert arguments_right(arguments, accepted, {"properties": properties, "required": ["base"]}) == right


def test_types_are_spelled_as_json_schema_has_them():
    given = {
        "type": "dict",
        "properties": {
            "type": {"type": "float", "optional": True, "default": {"type": "dict"}},
            "optional": {"type": "tuple", "items": {"type": "any", "description": "x"}},
        },
        "required": ["type"],
    }
    assert as_json_schema(given) == {
        "type": "object",
        "properties": {
            "type": {"type": "number", "default": {"type": "dict"}},
            "optional": {"type": "array", "items": {"description": "x"}},
        },
        "required": ["type"],
    }


def best(item: Item) -> dict[str, Any]:
    """The first accepted value of every argument."""

    def first(values: Any) -> Any:
        value = next(value for value in values if value != ABSENT)
        return plain(value)

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: first(values) for name, values in value.items() if values != [ABSENT]}
        return [plain(part) for part in value] if isinstance(value, list) else value

    return {name: first(values) for name, values in item.accepted[1].items() if values != [ABSENT]}


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_accepted_answers_of_every_question_are_right(category: str):
    if not DATA.exists():
        pytest.skip(f"{DATA.name} is not in the folder of shared test data")
    asked = list(items(DATA, category))
    assert len(asked) >= 100
    for item in asked:
        name, arguments = item.accepted[0], best(item)
        assert item.is_right(name, arguments), item.name
        assert not item.is_right("nobody", arguments)
        assert not item.is_right(name, {**arguments, "nothing like it": 1})
        for tool in item.tools:
            Draft202012Validator.check_schema(tool["function"]["parameters"])


def test_refused_and_invalid_answers_are_wrong():
    """Of four questions one is right, one calls a tool wrongly, one is invalid and one is refused."""
    function = {
        "name": "add",
        "parameters": {"type": "dict", "properties": {"n": {"type": "float"}}, "required": ["n"]},
    }
    item = Item("q", [{"role": "user", "content": "Add 1."}], [function], ("add", {"n": [1]}))
    texts = iter(
        f'{{"name": "add", "arguments": {arguments}}}' for arguments in ('{"n": 1}', '{"n": 2}', "{}")
    )

    def caller(item: Item) -> tuple[str, int]:
        text = next(texts, None)
        if text is None:
            raise InvalidDocument("too long")
        return text, 3

    figures = tally(caller, [item] * 4).figures()
    assert (figures["items"], figures["refused"], figures["steps"]) == (4, 1, 3)
    assert (figures["valid"], figures["name_right"], figures["right"]) == (2 / 3, 2 / 4, 1 / 4)
    assert figures["refusals"] == {"q": "too long"}
