"""A copy is found at every place where it stands, and at no other."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen.reading.boundaries import ALIGNS, boundaries
from structgen.reading.copying import Copied, Copying

documents = st.text(st.sampled_from("aab -\n\r\té"), min_size=1, max_size=12)


@given(documents, st.sampled_from(ALIGNS))
def test_places_are_those_of_slices(document: str, align: str):
    begins, ends = boundaries(document, align)  # type: ignore[arg-type]
    places: dict[str, list[tuple[int, int]]] = {}
    for start in begins:
        for end in ends:
            if start < end:
                places.setdefault(document[start:end], []).append((start, end))
    copied = Copied(document, Copying(align))  # type: ignore[arg-type]
    for value, expected in places.items():
        assert copied.places(value) == sorted(expected)
    assert copied.places("ba+") == []


@given(documents)
def test_a_folded_copy_is_what_stands_at_its_places_with_white_space_folded(document: str):
    copied = Copied(document, Copying(folded=True))
    for reading in copied.readings:
        for start in range(len(reading.text)):
            for end in range(start + 1, len(reading.text) + 1):
                value = reading.text[start:end]
                places = copied.places(value)
                assert places
                for one, other in places:
                    shown = re.sub(r"\s+", " ", document[one:other])
                    assert re.sub("[- ]", "", shown) == re.sub("[- ]", "", value)
    assert re.sub(r"\s+", " ", document) in [reading.text for reading in copied.readings]


@pytest.mark.parametrize("value", ["a well-known fee", "a wellknown fee", "a well- known fee", "well-known"])
def test_a_word_that_a_line_end_divides_is_read_in_three_ways(value: str):
    document = "There is a well-\n  known fee."
    copied = Copied(document, Copying("word", folded=True))
    ((start, end),) = copied.places(value)
    assert document[start:end].startswith(value[:4])
    assert document[start:end].endswith(value[-3:])
