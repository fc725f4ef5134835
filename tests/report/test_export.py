"""An export names the same characters in the text as the result does, in whatever unit its reader counts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg
from structgen.report.export import export
from structgen.report.proof import Entry

TEXTS = st.text(alphabet="ab \U0001f600\u00e9\n", min_size=1, max_size=30)


def utf16(text: str, start: int, end: int) -> str:
    """What JavaScript's substring gives."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


@given(TEXTS, st.data())
def test_offsets_name_the_same_characters_in_both_units(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, len(text)))
    rows = [Entry("/a", '"x"', 0.5, spans=[(start, end), (0, 1)], doubts=["why"])]
    for unit, cut in (("code-points", lambda a, b: text[a:b]), ("utf-16", lambda a, b: utf16(text, a, b))):
        (task,) = export("label-studio", rows, text, name="n", unit=unit)
        region = task["predictions"][0]["result"][0]["value"]
        assert cut(region["start"], region["end"]) == region["text"] == text[start:end]
        (note,) = export("w3c", rows, text, name="n", unit=unit)
        position, quote = note["target"]["selector"]
        assert cut(position["start"], position["end"]) == quote["exact"] == text[start:end]
        assert quote["prefix"] + quote["exact"] + quote["suffix"] in text


def test_nothing_is_lost_that_has_no_place():
    rows = [Entry("/a", '"x"', None, doubts=["not stated"]), Entry("/b", "2", 0.25, spans=[(0, 1)])]
    (task,) = export("label-studio", rows, "2", name="n")
    assert task["data"]["values"] == {"/a": '"x"', "/b": "2"}
    assert task["data"]["warnings"] == ["/a: not stated"]
    assert task["predictions"][0]["score"] == 0.25
    assert [one["id"] for one in task["predictions"][0]["result"]] == ["/b"]
    first, second = export("w3c", rows, "2", name="n")
    assert first["target"] == {"source": "n"}
    assert [one["value"] for one in first["body"]] == ["/a", '"x"', "not stated"]
    assert second["target"]["selector"][0] == {"type": "TextPositionSelector", "start": 0, "end": 1}


@pytest.mark.parametrize(("form", "unit"), [("brat", "utf-16"), ("w3c", "bytes")])
def test_an_unknown_form_or_unit_is_refused_by_name(form, unit):
    with pytest.raises(sg.StructgenError, match=r"brat|bytes"):
        export(form, [], "", unit=unit)


def test_a_result_exports_itself():
    result = sg.Generation({"a": 1}, '{"a": 1}', (1,), 0.0, 1, 1, document=sg.Document("1", name="n.txt"))
    assert result.export("w3c")[0]["target"]["source"] == "n.txt"
    json.dumps(result.export("label-studio"))
