"""Where a text leaves a language: against every string of small languages, and in the words that a user reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import structgen as sg
from structgen.compiler.check import pointer_at
from structgen.sources.canonical import canonical, respelled

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "age": {"type": "integer", "maximum": 130},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    },
    "required": ["name", "age"],
}
WORDS = st.text("ab", min_size=1, max_size=4)


@given(st.lists(WORDS, min_size=1, max_size=6, unique=True), st.text("abc", max_size=5))
def test_a_text_leaves_where_no_string_goes_on(words, text):
    result = sg.compile(words).check(text)
    assert bool(result) == (text in words)
    if text in words:
        return
    begun = [k for k in range(len(text) + 1) if any(word.startswith(text[:k]) for word in words)]
    assert result.offset == max(begun)
    left = text[: result.offset]
    onward = {word[len(left)] for word in words if word.startswith(left) and word != left}
    assert {one[1] for one in result.possible if one[0] == "'"} == onward
    assert ("the end of the text" in result.possible) == (left in words)


@pytest.mark.parametrize("regime", ["expanded", "lazy"])
@pytest.mark.parametrize(
    ("text", "column", "pointer", "possible"),
    [
        ('{"name":"Ann", "age": 200}', 25, "/age", "'}'"),
        ('{"name":"Annabelle","age":20}', 15, "/name", '\'","age":\''),
        ('{"name":"Ann"}', 14, "/name", "',\"age\":'"),
        ('{"age":20}', 3, "", "'name\":\"'"),
        ('{"name":"\\u0041nn","age":2e2}', 26, "/age", "'}'"),
        (
            '{"name":"Ann","age":20,"tags":["a","a"]}',
            35,
            "/tags",
            "an element that differs from those before it",
        ),
        ('{"name":"Ann","age":20', 23, "/age", "'}'"),
        ("", 1, "", '\'{"name":"\''),
        ("nul", 1, "", '\'{"name":"\''),
    ],
)
def test_the_place_is_named_and_what_was_possible(regime, text, column, pointer, possible):
    result = sg.compile(SCHEMA, regime=regime).check(text)
    assert not result
    assert (result.line, result.column, result.pointer) == (1, column, pointer)
    assert possible in result.possible
    assert f"line 1, column {column}" in str(result)


def test_what_is_accepted_says_so():
    assert str(sg.compile(SCHEMA).check('{"name":"Ann","age":2e1}')) == "accepted"


def test_undeclared_members_are_told_from_errors():
    constraint = sg.compile(SCHEMA)
    assert constraint.check('{"name":"Ann","age":20,\n"extra":1}').undeclared
    assert "additional open" in str(constraint.check('{"name":"Ann","age":20,"extra":1}'))
    assert not constraint.check('{"name":"Ann","age":200,"extra":1}').undeclared


def test_classes_and_patterns_are_checked_too():
    class Point(BaseModel):
        x: int

    assert sg.compile(Point).check('{"x": 1.5}').pointer == "/x"
    assert sg.compile(sg.Regex(r"\d{4}-(01|12)")).check("2024-07").possible == ("'1'",)
    assert sg.compile(sg.Regex(r"\d+")).check("x").possible == ("a digit", "a character beyond ASCII")


@pytest.mark.parametrize(
    ("begun", "pointer"),
    [
        ('{"a": 1', "/a"),
        ('{"a": {"b": [1, 2', "/a/b/1"),
        ('{"a": {"b": []}, "c', "/c"),
        ('{"a": {}', "/a"),
        ('[{"x/y": "', "/0/x~1y"),
        ('{"a": "k", "b": "v', "/b"),
        ("", ""),
        ("12", ""),
    ],
)
def test_the_pointer_of_a_beginning(begun, pointer):
    assert pointer_at(begun) == pointer


@given(
    st.lists(st.sampled_from(['"\\u0041"', "1e2", '"é"', ",", " ", "[", "12", '"\\"x"', "1.50"]), max_size=8)
)
def test_offsets_of_a_respelled_text_lead_back(tokens):
    text = "".join(f"{one} " for one in tokens)
    found = respelled(text)
    assert found.text == canonical(text)
    for at in range(len(found.text) + 1):
        assert 0 <= found.original(at) <= len(text)
        if found.text[at : at + 1] in (",", "["):
            assert text[found.original(at)] == found.text[at]
    assert found.original(len(found.text)) == len(text)


def test_a_lazy_constraint_may_be_checked_again_and_after_it_has_grown():
    constraint = sg.compile(SCHEMA, regime="lazy")
    texts = ['{"age":20}', '{"name":"Ann","age":20,"tags":["a",3]}', '{"name":"Ann"}']
    first = [constraint.check(text) for text in texts]
    assert [constraint.check(text) for text in reversed(texts)] == first[::-1]
    assert [one.possible for one in first] == [
        sg.compile(SCHEMA, regime="expanded").check(text).possible for text in texts
    ]
