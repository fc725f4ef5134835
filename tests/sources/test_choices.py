"""A choice is exactly one of its strings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import structgen
from structgen.errors import InvalidSource
from structgen.sources import Choices


@given(
    st.lists(st.text(min_size=1, max_size=5).filter(lambda s: s.isprintable()), min_size=1, unique=True),
    st.text(),
)
@settings(max_examples=20)
def test_exactly_the_options_are_accepted(values: list[str], other: str):
    constraint = structgen.compile(Choices(values))
    assert all(constraint.accepts(value) for value in values)
    assert constraint.accepts(other) == (other in values)
    assert constraint.parse(values[0]) == values[0]


@pytest.mark.parametrize("values", [[], ["a", "a"], [""], ["a", 1], "abc"])
def test_a_choice_needs_different_non_empty_strings(values):
    with pytest.raises(InvalidSource):
        Choices(values)
