"""Beginnings of JSON texts, respelled: whatever follows, they are beginnings of the whole respelled text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen.server.answering.pieces import pieces

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
CHARS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(CHARS, max_size=6) | st.sampled_from(["😀", 'a"b', "\\", "\n\x01", "é"])
VALUES: Any = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def spelled(text: str) -> str:
    return "".join(piece.spelled for piece in pieces(text))


@given(VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]), st.sampled_from([(",", ":"), (" ,", " : ")]))
def test_a_beginning_is_spelled_as_a_beginning_of_the_whole(
    value: Any, ascii: bool, indent: Any, marks: tuple[str, str]
):
    text = json.dumps([value], ensure_ascii=ascii, indent=indent, separators=marks) + " "
    whole, before = json.dumps([value], ensure_ascii=False), ""
    for end in range(len(text) + 1):
        told = spelled(text[:end])
        assert whole.startswith(told)
        assert told.startswith(before)
        before = told
    assert before == whole


@given(VALUES)
def test_strings_are_found_by_their_paths(value: Any):
    found = {piece.path: piece.said for piece in pieces(json.dumps([value])) if piece.said is not None}
    assert found == dict(strings((0,), value))


def strings(path: tuple[Any, ...], value: Any) -> Any:
    if isinstance(value, str):
        yield path, value
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, part in members:
        yield from strings((*path, step), part)


@pytest.mark.parametrize(
    ("beginning", "told"),
    [
        ('{"a":1', '{"a": '),
        ('{"a":1}', '{"a": 1}'),
        ('{"a":1.50 ', '{"a": 1.5'),
        ('{"a":tru', '{"a": '),
        ('{"a', "{"),
        ('["x\\', '["x'),
        ('["x\\u00', '["x'),
        ('["\\u00e9', '["é'),
        ('["\\ud83d', '["'),
        ('["\\ud83d\\ude00', '["😀'),
        ('{"a":1}   \n', '{"a": 1}'),
        ("", ""),
    ],
)
def test_what_may_still_change_waits(beginning: str, told: str):
    assert spelled(beginning) == told
