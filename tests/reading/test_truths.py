"""Words and signs for yes and no, and where they stand."""

from __future__ import annotations

import pytest

from structgen.reading.truths import NO, YES, truths


@pytest.mark.parametrize("text", ["yes", " Ja ", "(x)", "TRUE", "oui.", "✓"])
def test_a_word_for_yes_is_true(text: str):
    ((start, end),) = truths(text)["true"]
    assert text[start:end].casefold() in YES


@pytest.mark.parametrize("text", ["no", "Nein", "[no]", "false", "✗"])
def test_a_word_for_no_is_false(text: str):
    ((start, end),) = truths(text)["false"]
    assert text[start:end].casefold() in NO


@pytest.mark.parametrize("text", ["", " ", "no more", "yes and no", "12", "-", "Norway"])
def test_anything_else_says_neither(text: str):
    assert truths(text) == {}


def test_no_word_says_both():
    assert not YES & NO
