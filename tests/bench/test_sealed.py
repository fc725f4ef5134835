"""Scores of sealed sets: what they count, and that nothing of a document is printed."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

import structgen as sg
from bench import sealed
from bench.problems import SEALED, SPLITS, Problem

NULLABLE = {"type": ["string", "null"]}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": NULLABLE, "c": NULLABLE, "d": NULLABLE},
}
GOLD = {"a": 1, "b": None, "c": None, "d": "quince"}


def answering(value: Any, *warned: str) -> SimpleNamespace:
    """A model that gives one answer, with a confidence of 0.75 for each value; it refuses if the answer is an error."""

    def extract(*_: Any, **__: Any) -> SimpleNamespace:
        if isinstance(value, Exception):
            raise value
        sure = {f"/{name}": 0.75 for name in value}
        named = [SimpleNamespace(pointer=pointer) for pointer in warned]
        return SimpleNamespace(
            value=value, ids=(1, 2), steps=3, confidence=sure, calibrated={}, warnings=named
        )

    return SimpleNamespace(extract=extract)


def scored(value: Any, *warned: str) -> dict[str, Any]:
    """The figures of one answer to one problem."""
    scores = sealed.Scores()
    scores.add(answering(value, *warned), Problem(SCHEMA, "The quince is no. 1.", GOLD))
    return scores.figures()


def test_a_value_for_an_absent_field_is_an_error_that_a_warning_may_name():
    found = scored({"a": 1, "b": "pear", "c": "plum", "d": "quince"}, "/b")
    assert (found["exact"], found["absent"], found["absent_right"]) == (1 / 2, 2, 0)
    assert (found["invented"], found["invented_warned"], found["wrong_warned"]) == (2, 1 / 2, 1 / 2)
    assert found["right_by_type"] == {"absent": 0, "number": 1, "text": 1}
    assert found["ece"] == found["ece_uncalibrated"] == pytest.approx(1 / 4)


def test_a_refused_document_has_all_fields_wrong():
    found = scored(sg.InvalidDocument("too long"))
    assert (found["refused"], found["fields"], found["exact"], found["valid"]) == (1, 4, 0, 0)
    assert found["ece"] is None


def test_the_gold_value_is_wholly_right():
    found = scored(GOLD)
    assert (found["exact"], found["objects"], found["valid"], found["invented_warned"]) == (1, 1, 1, None)


@pytest.mark.parametrize("value", [GOLD, {**GOLD, "d": "medlar"}, sg.InvalidDocument("medlar")])
def test_nothing_of_a_document_is_printed(value: Any, monkeypatch: pytest.MonkeyPatch):
    problem = Problem(SCHEMA, "The quince is no. 1.", GOLD)
    monkeypatch.setattr(sealed, "written", lambda split: iter([problem]))
    console = Console(width=200, file=io.StringIO())
    shown = str(sealed.run(answering(value), console)) + console.file.getvalue()
    assert [split in shown for split in SEALED] == [True, True]
    assert [word for word in ("quince", "medlar", "/a", "/d") if word in shown] == []


def test_sealed_splits_are_no_splits_of_other_benchmarks():
    assert not set(SEALED) & set(SPLITS)
