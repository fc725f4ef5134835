"""Where a text states a value, in the text's own words or in another spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen.reading.stated import Stated

DOCUMENT = """Invoice 4471 of 14 March 2026
Northwind  Paper Ltd, Rua Nova 12
Total: 1.289,50 EUR, paid at 8:30 pm, VAT 12 %"""


@pytest.mark.parametrize(
    ("value", "stated"),
    [
        ("northwind paper ltd", ["Northwind  Paper Ltd"]),
        ("Northwind Pap", []),
        ("2026-03-14", ["14 March 2026"]),
        ("2026-03-14T20:30:00", ["14 March 2026", "8:30 pm"]),
        ("2026-03-14T08:30:00", []),
        ("20:30:00", ["8:30 pm"]),
        (1289.5, ["1.289,50"]),
        (4471, ["4471"]),
        ("4471", ["4471"]),
        (12, ["12", "12"]),
        (447, []),
        (True, []),
        (None, []),
        ([], []),
        ({}, []),
        ("", []),
        ("%", ["%"]),
    ],
)
def test_places_are_the_places_that_state_a_value(value, stated):
    assert [DOCUMENT[start:end] for start, end in Stated(DOCUMENT).places(value)] == stated


@given(st.text(max_size=40), st.text(min_size=1, max_size=10), st.text(max_size=40))
def test_a_text_between_white_space_is_found_where_it_stands(before, value, after):
    document = f"{before} {value} {after}"
    if value.split() != [value]:
        return
    assert any(
        (start, end) == (len(before) + 1, len(before) + 1 + len(value))
        for start, end in Stated(document).places(value)
    )


def test_a_text_that_ends_inside_a_word_is_not_whole():
    stated = Stated("We meet for the budget review.")
    assert stated.whole("the budget re") == "the budget review"
    assert stated.whole("the budget review") is None
    assert stated.whole("the budgets") is None


def test_the_place_on_a_line_that_names_the_field_comes_first():
    document = "Room 12\nGuests: 12"
    places = Stated(document).places(12, ["guests"])
    assert [start for start, _ in places] == [16, 5]
