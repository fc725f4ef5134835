"""A filled template keeps every character outside its holes, and its values are what the holes ask for."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import structgen as sg
from structgen.model import Model
from structgen.models.embedded import OutlinePrompts
from structgen.sources.template import HOLE_KINDS, Hole, Template
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Absorbing, Uniform
from structgen_mini import mini_folder

ASKED = ["", "[A-Z][a-z]+", r"\d{2,3}", r"[{}]{1,2}", "a|bc", "iso-date", "integer", "semver", "arithmetic"]
CONTEXT = "Order of Ada Lovelace: one brass lamp, code QX204. It leaves on 12 March 2026, 12.50 EUR."

texts = st.text(st.sampled_from('ab {}\n"\\:é,'), max_size=6).filter(lambda text: "{{" not in text)
holes = st.lists(st.sampled_from(ASKED), min_size=1, max_size=3)


@cache
def random_model(noise: str) -> Model:
    vocabulary = Vocabulary.from_file(mini_folder() / "tokenizer.json")
    kinds = {"absorbing": Absorbing(0), "uniform": Uniform(2, vocabulary.size)}
    denoiser = RandomDenoiser(kinds[noise], 64, vocabulary.size)
    return Model("random", denoiser, vocabulary, OutlinePrompts())


@st.composite
def templates(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """The texts around the holes of a template, and what its holes ask for."""
    asked = draw(holes)
    around = [draw(texts) for _ in range(len(asked) + 1)]
    around = [text.rstrip("{") if k < len(asked) else text for k, text in enumerate(around)]
    return around, asked


def written(around: list[str], asked: list[str]) -> str:
    """The template with holes h0, h1, …"""
    inside = [f"{{{{h{k}{':' if one else ''}{one}}}}}" for k, one in enumerate(asked)]
    return "".join(text + hole for text, hole in zip(around, [*inside, ""], strict=True))


@settings(max_examples=40)
@given(templates())
def test_a_template_is_read_as_it_was_written(template: tuple[list[str], list[str]]):
    around, asked = template
    read = Template(written(around, asked))
    assert [hole.asked for hole in read.holes] == asked
    assert [part for part in read.parts if isinstance(part, str)] == around
    lines = read.text.split("\n")
    for hole in read.holes:
        assert lines[hole.line - 1][hole.column - 1 :].startswith("{{" + hole.name)


@settings(max_examples=12)
@given(templates(), st.sampled_from(["absorbing", "uniform"]), st.integers(0, 3))
def test_everything_outside_the_holes_stays_as_it_is(
    template: tuple[list[str], list[str]], noise: str, seed: int
):
    around, asked = template
    filled = random_model(noise).fill(written(around, asked), steps=2, seed=seed)
    held = [str(filled.values[f"h{k}"]) for k in range(len(asked))]
    for one, value in zip(asked, held, strict=True):
        if one not in HOLE_KINDS and one not in sg.library:
            assert re.fullmatch(one or r"[^\n\r]+", value)
        elif one in sg.library and one not in HOLE_KINDS:
            assert sg.compile(sg.library[one]).accepts(value)
    patterns = [
        "(?s:.+?)" if one in HOLE_KINDS else re.escape(value) for one, value in zip(asked, held, strict=True)
    ]
    expected = "".join(re.escape(a) + b for a, b in zip(around, [*patterns, ""], strict=True))
    assert re.fullmatch(expected, filled.text)


def test_the_embedded_model_fills_a_letter_from_a_document():
    template = "Your {{item}} ({{code:[A-Z]{2}\\d{3}}}) ships on {{date:iso-date}} for {{price:number}} EUR."
    done = sg.load().fill(template, CONTEXT, details=True)
    assert done.value.text == "Your brass lamp (QX204) ships on 2026-03-12 for 12.50 EUR."
    assert done.value.values == {
        "item": "brass lamp",
        "code": "QX204",
        "date": date(2026, 3, 12),
        "price": 12.5,
    }
    assert {CONTEXT[span.start : span.end] for spans in done.spans.values() for span in spans} == {
        "brass lamp", "QX204", "12 March 2026", "12.50",
    }  # fmt: skip
    assert list(done.confidence) == ["/item", "/code", "/date", "/price"]
    assert not done.warnings


def test_a_value_that_the_context_does_not_state_is_warned_about():
    with pytest.warns(sg.AnswerWarning, match=r"^/id: (excluded|not stated)"):
        sg.load().fill("{{id:uuid}}", CONTEXT)


@pytest.mark.parametrize(
    ("asked", "text", "value"),
    [
        ("iso-date", "2024-02-29", date(2024, 2, 29)),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("iso-datetime", "2024-02-29T10:00:00Z", datetime.fromisoformat("2024-02-29T10:00:00Z")),
        ("iso-time", "10:00:00", time(10)),
        ("uuid", "12345678-1234-5678-1234-567812345678", UUID("12345678-1234-5678-1234-567812345678")),
        ("integer", "12", 12),
        ("number", "12.50", 12.5),
        ("email", "a@b.org", "a@b.org"),
        ("ipv4", "10.0.0.1", "10.0.0.1"),
    ],
)
def test_values_have_the_types_of_their_kinds(asked: str, text: str, value: Any):
    template = Template(f"<{{{{x:{asked}}}}}>")
    quoted = text if asked in ("integer", "number") else f'"{text}"'
    assert sg.compile(template).accepts(f'{{"x":{quoted}}}')
    filled = template.parse(f'{{"x":{quoted}}}')
    assert filled == sg.Filled(f"<{text}>", {"x": value})
    assert type(filled.values["x"]) is type(value)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("nothing to fill", "the template has no hole"),
        ("", "the template has no hole"),
        ("a\nb {{name", "line 2, column 3: {{ opens a hole that no }} closes"),
        ("{{name\n}}", "line 1, column 1: {{ opens a hole"),
        ("{{}}", "line 1, column 1: a hole has a name"),
        ("é {{ :[a-z]+}}", "line 1, column 3: a hole has a name"),
        ("{{a}}\n{{a}}", "line 2, column 1: the hole 'a' stands there a second time"),
        ("{{a:iso-dat}}", "line 1, column 1: the hole 'a' asks for 'iso-dat', which is no kind"),
        ("x {{a:(b}}", "line 1, column 3: the hole 'a' cannot be filled"),
        (5, "a template is a string, not int"),
    ],
)
def test_a_wrong_template_is_refused_in_one_sentence_with_its_place(template: Any, message: str):
    with pytest.raises(sg.InvalidSource) as refusal:
        sg.load().fill(template, CONTEXT)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


def test_an_empty_context_is_refused():
    with pytest.raises(sg.InvalidDocument, match="context is empty"):
        sg.load().fill("{{a}}", " ")


def test_a_hole_says_where_it_is():
    assert Template("a {{b:c+}}").holes == [Hole("b", "c+", 1, 3)]
