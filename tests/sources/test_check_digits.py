"""Check digits: just those texts of a form whose remainder is right, by Python's own arithmetic."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg
from structgen.grammar import Grammar
from structgen.sources.check_digits import with_check_digits
from structgen.sources.combined import Combined

FORM = r"(DE[0-9]{2}[0-9]{3}|(GB|IE)[0-9]{2}[A-Z]{2}[0-9]|MU[0-9]{2}[0-9][A-Z])"
CHECKED = sg.compile(Combined(Grammar(with_check_digits(sg.Regex(FORM).lower()))))


def is_right(text: str) -> bool:
    moved = text[4:] + text[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


@given(st.from_regex(FORM, fullmatch=True))
def test_one_of_all_check_digits_is_right(text: str) -> None:
    for digits in range(100):
        changed = f"{text[:2]}{digits:02}{text[4:]}"
        assert CHECKED.accepts(changed) == is_right(changed)


@given(st.text("DEGBIMU0123456789AZ", max_size=9))
def test_other_texts_are_rejected(text: str) -> None:
    assert CHECKED.accepts(text) == (bool(re.fullmatch(FORM, text)) and is_right(text))


def test_a_form_that_does_not_fix_the_places_is_refused() -> None:
    with pytest.raises(sg.Unsupported, match="a letter or a digit may stand at one place"):
        with_check_digits(sg.Regex("FR[0-9]{2}[0-9A-Z]{2}[0-9]").lower())


def test_the_automaton_of_ibans_is_small() -> None:
    assert sg.compile(sg.library["iban"]).info().states < 50_000
