"""LangExtract itself, with the provider that it finds by the entry point: every extraction lines up exactly."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import structgen as sg

lx: Any = pytest.importorskip("langextract", reason="`make test-outside` installs langextract")

DOCUMENTS = Path(__file__).parents[2] / "examples" / "documents"
NAMES = (
    "de_ch_tabelle.md",
    "de_rechnung.txt",
    "en_capitals.txt",
    "en_email.txt",
    "en_key_value.txt",
    "en_markdown.md",
    "en_prose.txt",
    "nl_factuur.txt",
    "pl_faktura.txt",
    "pt_fatura.txt",
)
EXAMPLE = "Invoice A-17 of Globex Inc, 3 May 2025. Due: 17.00 EUR"
STATED = {"vendor": "Globex Inc", "date": "3 May 2025", "total": "17.00"}
ITEM = {"type": "object", "properties": {"vendor": {"type": "string"}}}
OUTPUT = {
    "type": "object",
    "properties": {"extractions": {"type": "array", "items": ITEM}},
    "required": ["extractions"],
}
TASK = "What an invoice says: who sends it, its date and its total."


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the embedded model doubts some of its values
        yield


def examples() -> list[Any]:
    extractions = [lx.data.Extraction(name, text) for name, text in STATED.items()]
    return [lx.data.ExampleData(text=EXAMPLE, extractions=extractions)]


def extract(text: str, **how: Any) -> Any:
    how = {"examples": examples(), "model_id": "structgen", "show_progress": False} | how
    return lx.extract(text, prompt_description=TASK, **how)


@pytest.mark.parametrize("name", NAMES)
def test_every_extraction_is_matched_exactly_where_we_say(name: str) -> None:
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    found = extract(text).extractions
    assert found
    for one in found:
        assert one.alignment_status.value == "match_exact"
        place = one.char_interval.start_pos, one.char_interval.end_pos
        assert text[slice(*place)] == one.extraction_text
        assert place in sg.Verbatim(text, align="word").places(one.extraction_text)


def test_a_long_text_is_read_in_passages_with_offsets_of_the_whole() -> None:
    paragraphs = [
        f"Vendor: Firm {name} Ltd\nQ: when?\nDate: {day} May 2026" for day, name in enumerate("ABCDEF", 1)
    ]
    text = "\n\n".join(paragraphs)
    found = extract(text, max_char_buffer=len(paragraphs[0]) + 2).extractions
    assert [one.extraction_text for one in found if one.extraction_class == "date"] == [
        f"{day} May 2026" for day in range(1, 7)
    ]
    for one in found:
        assert one.alignment_status.value == "match_exact"
        assert text[one.char_interval.start_pos : one.char_interval.end_pos] == one.extraction_text


def test_an_extraction_inside_another_has_the_right_place_though_langextract_calls_it_fuzzy() -> None:
    text = (DOCUMENTS / "fr_facture.txt").read_text(encoding="utf-8")
    for one in extract(text).extractions:
        assert text[one.char_interval.start_pos : one.char_interval.end_pos] == one.extraction_text


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"model_id": "structgen:/no/such/folder"}, "/no/such/folder"),
        ({"temperature": 0.5}, "no option 'temperature'"),
        ({"language_model_params": {"top_k": 3}}, "no option 'top_k'"),
        ({"language_model_params": {"seed": -1}}, "seed must be a whole number"),
        ({"use_schema_constraints": False}, "leave use_schema_constraints on"),
        ({"output_schema": OUTPUT}, "output_schema"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(how: dict[str, Any], said: str) -> None:
    with pytest.raises(lx.exceptions.LangExtractError, match=said):
        extract("Invoice of Acme Ltd", **how)


def test_the_page_says_what_happens() -> None:
    page = (DOCUMENTS.parents[1] / "docs" / "langextract.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.S)
    exec(compile(block, "langextract.md", "exec", dont_inherit=True), {})
