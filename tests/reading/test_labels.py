"""Fields are named by their own words and by words of the same meaning, in many languages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen.reading.labels import meanings, named_in
from structgen.reading.stated import Stated

LINES = list(meanings())


@given(st.sampled_from(LINES).flatmap(lambda line: st.tuples(st.sampled_from(line), st.sampled_from(line))))
def test_any_word_of_a_meaning_names_a_field_called_by_another(words: tuple[str, str]):
    name, label = (one.strip("-") for one in words)
    assert named_in([name], f"1. {label}: ") == 1


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_a_meaning_has_each_word_once_and_no_lone_ideograph(line: list[str]):
    assert len({*line}) == len(line)
    assert not [one for one in line if re.fullmatch("[\u3040-\u30ff\u3400-\u9fff]", one)]


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("number", "rechnungsnr.: ", 1),
        ("invoice_number", "rechnungsnummer ", 2),
        ("invoiceNumber", "facture n° ", 2),
        ("phone", "请注意电话：", 1),
        ("due_date", "fällig am ", 1),
        ("city", "sofort ", 0),
        ("total", "insgesamt ", 1),
        ("id", "paid ", 0),
        ("0", "0 ", 0),
        ("quux", "the quux ", 1),
    ],
)
def test_words_of_a_name_are_counted_in_other_languages(name: str, text: str, count: int):
    assert named_in([name], text) == count


@pytest.mark.parametrize(
    "text",
    [
        "Ort: Köln",
        "Ort\n\nKöln\n",
        "城市：Köln",
        "Lieferort | Köln",
        "- City Köln",
        "Name\tOrt\nAnn\tKöln",
        "| Ort | Name |\n|---|---|\n| Bonn | Ann |\n| Köln | Ben |",
        "Datum       Stadt\n03.05.2026  Köln",
        "name,city,age\nAnn,Bonn,4\nBen,Köln,5",
    ],
)
def test_a_label_or_a_heading_names_a_value(text: str):
    stated = Stated(f"Köln\n{text}")
    places = stated.places("Köln", ["city"])
    assert [stated.named(place, ["city"]) for place in places] == [1, 0]


def test_the_head_of_another_column_names_nothing():
    stated = Stated("Name\tCity\nKöln\tAnn")
    assert not stated.named(stated.places("Köln")[0], ["city"])


def test_a_long_line_above_is_no_heading():
    stated = Stated(f"The city {'is old and ' * 9}grey.\nBonn")
    assert not stated.named(stated.places("Bonn")[0], ["city"])
