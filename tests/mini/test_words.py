"""Runs of words that a value may be copied from: quotes and brackets are whole, and lines are joined."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen_mini.words import UNIT, WordRun, run_of, word_runs


def runs(document: str, over: int = 0, longest: int = 40) -> dict[str, WordRun]:
    """The runs of a document by their texts; a token is a character."""
    units = [match.span() for match in UNIT.finditer(document)]
    found = word_runs(document, units, lambda text: [*map(ord, text)], longest, over=over)
    return {one.text: one for one in found}


lines = st.lists(
    st.lists(st.sampled_from(["Oak", "12", "Hill,", "Rd.", "北京", "市"]), max_size=4), max_size=6
)


@given(lines, st.integers(0, 3))
def test_a_run_is_what_stands_in_its_spans_apart_from_line_ends(words: list[list[str]], over: int) -> None:
    document = "\n".join(map(" ".join, words))
    for text, run in runs(document, over).items():
        for start, end in run.spans:
            held = document[start:end]
            assert re.sub(r"\s", "", text) == re.sub(r"\s", "", held)
            assert run.lines <= held.count("\n") <= over
            assert "\n" not in text
            assert "\n\n" not in held


def test_an_address_goes_on_to_the_end_of_another_line() -> None:
    document = "SHOP 12\nNO 4, JALAN BESAR,\n81100 JOHOR BAHRU\nTotal 9.00"
    assert "NO 4, JALAN BESAR, 81100 JOHOR BAHRU" in runs(document, 3)
    assert "JALAN BESAR, 81100" not in runs(document, 3)
    assert "NO 4, JALAN BESAR, 81100 JOHOR BAHRU" not in runs(document)


def test_a_value_of_wrapped_text_may_end_anywhere() -> None:
    document = (
        "We deliver the goods that were ordered by Nordwind\nTrading and no other company, as was agreed upon"
    )
    assert "Nordwind Trading" in runs(document, 1)
    assert "北京华信科技有限公司" in runs("供应商 北京华信\n科技有限公司", 1)


def test_a_new_paragraph_ends_every_run() -> None:
    assert not any("Oak" in one and "Elm" in one for one in runs("Oak\n\nElm\n \nOak", 3))


@pytest.mark.parametrize(
    ("document", "whole", "parts"),
    [
        (r"it is D:\new\table today", r"D:\new\table", ["D", "new", r"\new\table", r"D:\new", "D:\\"]),
        ('a 5" pipe, 6" long', '5" pipe', []),
        ('the "big" house', '"big" house', ['"big', '" house']),
        ('it says "size 5" there', '"size 5"', []),
    ],
)
def test_a_path_or_quotation_is_whole(document: str, whole: str, parts: list[str]) -> None:
    found = runs(document)
    assert whole in found
    assert not found.keys() & set(parts)


words = st.sampled_from(['"big"', '5"', r"D:\new", r"\\host\share", "x\tz", "k\x0cb", "house", "№7"])


@settings(max_examples=50)
@given(st.lists(words, min_size=1, max_size=4).map(" ".join))
def test_what_has_quotes_and_backslashes_is_offered_as_it_stands(value: str) -> None:
    assert value in runs(f"path: {value}\nend")


@pytest.mark.parametrize(
    ("found", "value"),
    [
        ("'ABC Ltd.", "ABC Ltd."),
        ("ABC Ltd.'", "ABC Ltd."),
        (" 'Income' ", "Income"),
        ("'Jack']", "Jack"),
        ("['Sam'", "Sam"),
        ("„Oak“", "Oak"),
        ("O'Brien", "O'Brien"),
        ("The 'Big' one", "The 'Big' one"),
        ('"x" and "y"', '"x" and "y"'),
        ("Oak (Leeds)", "Oak (Leeds)"),
        ("(", "("),
    ],
)
def test_what_a_reader_finds_is_offered_without_quotes_around_it(found: str, value: str) -> None:
    document = f"It says {found} here"
    run = run_of(document, 8, 8 + len(found), lambda text: [*map(ord, text)])
    assert run is not None
    assert run.text == value
    assert [document[start:end] for start, end in run.spans] == [value]
