"""A verbatim value has every place that it stands at, and first the one beside its neighbours."""

from __future__ import annotations

from typing import Any

import pytest

import structgen as sg
from structgen.evidence.spans import spans_of
from structgen.generation.leaves import Answer
from structgen.reading.stated import Stated
from structgen.sources import as_source

ROWS = "2 lamps 10.00\n3 lamps 15.00\n4 chairs 20.00\n5 lamps 30.00"
LINE = {"type": "object", "properties": {"item": {"x-verbatim": True}, "price": {"type": "number"}}}


def spans(schema: Any, text: str, document: str) -> dict[str, list[tuple[int, int]]]:
    outline = as_source(schema).outline().plain()  # type: ignore[attr-defined]
    leaves = list(Answer.of(text).leaves.values())
    return {
        at: [tuple(one) for one in found]
        for at, found in spans_of(leaves, [outline], Stated(document)).items()
    }


@pytest.mark.parametrize(("price", "line"), [(10, 0), (15, 1), (30, 3)])
def test_the_place_beside_the_neighbours_is_first(price: int, line: int):
    found = spans(LINE, f'{{"item": "lamps", "price": {price}}}', ROWS)["/item"]
    starts = [at for at in range(len(ROWS)) if ROWS.startswith("lamps", at)]
    assert sorted(found) == [(at, at + 5) for at in starts]
    assert ROWS.count("\n", 0, found[0][0]) == line


def test_neighbours_are_looked_for_in_the_object_first_and_then_around_it():
    schema = {"type": "object", "properties": {"lines": {"type": "array", "items": LINE}}}
    answer = '{"lines": [{"item": "lamps", "price": 15}, {"item": "lamps", "price": 30}]}'
    found = spans(schema, answer, ROWS)
    assert [ROWS.count("\n", 0, found[f"/lines/{k}/item"][0][0]) for k in (0, 1)] == [1, 3]


def test_a_line_that_names_a_value_comes_before_neighbours():
    schema = {"type": "object", "properties": {"vendor": {"x-verbatim": True}, "total": {"type": "number"}}}
    document = "Vendor: Acme\nother things\nAcme 12.50"
    assert spans(schema, '{"vendor": "Acme", "total": 12.5}', document)["/vendor"] == [(8, 12), (26, 30)]


def test_places_overlap_and_lie_inside_words_as_the_alignment_says():
    document = "banana bandana"
    for terms, expected in ((True, [(1, 4), (3, 6), (11, 14)]), ({"align": "word"}, [])):
        schema = {"x-verbatim": terms}
        assert spans(schema, '"ana"', document)[""] == expected


def test_extract_gives_the_places_of_verbatim_values():
    schema = {
        "type": "object",
        "properties": {"vendor": {"x-verbatim": {"align": "word"}}, "total": {"type": "number"}},
        "required": ["vendor", "total"],
    }
    document = "Invoice from Acme Ltd, total due 289.50 EUR. Acme Ltd thanks you."
    done = sg.load().extract(document, schema, details=True)
    assert done.value["vendor"] in document
    assert done.spans["/vendor"]
    assert {document[start:end] for start, end in done.spans["/vendor"]} == {done.value["vendor"]}
