"""A filled template keeps every character outside its holes, and its values are what the holes ask for."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import structgen as sg
from structgen.generation.prompts import ChatPrompts
from structgen.model import Model
from structgen.sources.template import HOLE_KINDS
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_engine.decoding.noise import Absorbing, Uniform
from structgen_mini import mini_folder

ASKED = ["", "[A-Z][a-z]+", r"\d{2,3}", r"[{}]{1,2}", "a|bc", "iso-date", "integer", "semver", "arithmetic"]
CONTEXT = "Order of Ada Lovelace: one brass lamp, code QX204. It leaves on 12 March 2026, 12.50 EUR."

texts = st.text(st.sampled_from('ab {}\n"\\:é,'), max_size=6)
holes = st.lists(st.sampled_from(ASKED), min_size=1, max_size=3)


@cache
def random_model(noise: str, fills: Any) -> Model:
    vocabulary = Vocabulary.from_file(mini_folder() / "tokenizer.json")
    kinds = {"absorbing": Absorbing(0), "uniform": Uniform(2, vocabulary.size)}
    denoiser = RandomDenoiser(kinds[noise], 64, vocabulary.size)
    return Model("random", denoiser, vocabulary, ChatPrompts("{}"), fills=fills)


@st.composite
def templates(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """The texts around the holes of a template, and what its holes ask for; free holes end at a text."""
    asked = draw(holes)
    around = [draw(texts) for _ in range(len(asked) + 1)]
    for k, one in enumerate(asked):
        if not one and not around[k + 1] and k + 1 < len(asked):
            around[k + 1] = ", "
    return around, asked


def written(around: list[str], asked: list[str]) -> str:
    """The template with holes h0, h1, …"""
    inside = [f"{{{{h{k}{':' if one else ''}{one}}}}}" for k, one in enumerate(asked)]
    escaped = [text.replace("{", "{{{{") for text in around]
    return "".join(text + hole for text, hole in zip(escaped, [*inside, ""], strict=True))


@settings(max_examples=6)
@given(
    templates(),
    st.sampled_from(["absorbing", "uniform"]),
    st.sampled_from(["text", "object"]),
    st.integers(0, 3),
)
def test_everything_outside_the_holes_stays_as_it_is(
    template: tuple[list[str], list[str]], noise: str, fills: str, seed: int
):
    around, asked = template
    filled = random_model(noise, fills).fill(written(around, asked), steps=2, seed=seed)
    assert isinstance(filled, dict)
    held = [str(filled[f"h{k}"]) for k in range(len(asked))]
    for k, (one, value) in enumerate(zip(asked, held, strict=True)):
        if one in sg.library and one not in HOLE_KINDS:
            assert sg.compile(sg.library[one]).accepts(value)
        elif one not in HOLE_KINDS:
            assert re.fullmatch(one or r"[^\n\r]+", value)
        if not one and around[k + 1]:
            assert around[k + 1] not in value
    patterns = [
        "(?s:.+?)" if one in HOLE_KINDS else re.escape(value) for one, value in zip(asked, held, strict=True)
    ]
    expected = "".join(re.escape(a) + b for a, b in zip(around, [*patterns, ""], strict=True))
    assert re.fullmatch(expected, filled.text)


@pytest.mark.parametrize("fills", ["text", "object"])
def test_details_have_a_probability_for_each_hole(fills: str):
    model = random_model("uniform", fills)
    template = "{{who:(Ms|Mr)}} {{name:[A-C]}} of {{place}}, {{who}}: {{n:integer}}"
    done = model.fill(template, "Ms C of Bonn", details=True, steps=2)
    assert list(done.confidence) == ["/who", "/name", "/place", "/n"]
    assert all(0 <= share <= 1.001 for share in done.confidence.values())
    assert done.value["who"] in ("Ms", "Mr")
    assert done.value.text.startswith(f"{done.value['who']} {done.value['name']} of ")
    assert f", {done.value['who']}: {done.value['n']}" in done.value.text
    assert {one.value for one in done.alternatives["/name"]} <= {"A", "B", "C"}


def test_the_embedded_model_fills_a_letter_from_a_document():
    template = "Your {{item}} ({{code:[A-Z]{2}\\d{3}}}) ships on {{date:iso-date}} for {{price}} EUR."
    done = sg.load().fill(template, CONTEXT, types={"price": Decimal}, details=True)
    assert done.value.text == "Your brass lamp (QX204) ships on 2026-03-12 for 12.50 EUR."
    assert done.value == {
        "item": "brass lamp",
        "code": "QX204",
        "date": date(2026, 3, 12),
        "price": Decimal("12.50"),
    }
    assert {CONTEXT[span.start : span.end] for spans in done.spans.values() for span in spans} == {
        "brass lamp", "QX204", "12 March 2026", "12.50",
    }  # fmt: skip
    assert list(done.confidence) == ["/item", "/code", "/date", "/price"]
    assert not done.warnings


@dataclass
class Order:
    item: str
    price: Decimal


def test_values_make_the_class_that_is_given():
    assert sg.load().fill("{{item}} for {{price}} EUR", CONTEXT, Order) == Order(
        "brass lamp", Decimal("12.50")
    )


def test_a_verbatim_hole_is_copied_from_the_context():
    for model in (sg.load(), random_model("uniform", "text")):
        with warnings.catch_warnings(action="ignore"):
            filled = model.fill("To: {{name}}.", CONTEXT, types={"name": sg.Verbatim})
        assert filled["name"] in CONTEXT
        assert filled.text == f"To: {filled['name']}."


def test_a_value_that_the_context_does_not_state_is_warned_about():
    with pytest.warns(sg.AnswerWarning, match=r"^/id: (excluded|not stated)"):
        sg.load().fill("{{id:uuid}}", CONTEXT)
    with pytest.warns(sg.AnswerWarning, match=r"^/id: (excluded|not stated)"):
        random_model("uniform", "text").fill("{{id:uuid}}", CONTEXT)


def test_a_template_of_its_own_keeps_its_types():
    template = sg.Template("{{n}}", {"n": int})
    with pytest.warns(sg.AnswerWarning, match="not stated"):
        assert isinstance(random_model("uniform", "text").fill(template, "7")["n"], int)
    with pytest.raises(sg.InvalidOption, match="has its own types"):
        sg.load().fill(template, "7", types={"n": float})


def test_an_empty_context_is_refused():
    with pytest.raises(sg.InvalidDocument, match="context is empty"):
        sg.load().fill("{{a}}", " ")


class Unmoved(RandomDenoiser):
    """Logits that depend on the position alone, so that what is right can be added up by hand."""

    def _row(self, tokens: tuple[int, ...], length: int) -> torch.Tensor:
        return super()._row((), length)


def test_a_hole_that_comes_again_has_the_probability_of_its_value_at_both_places():
    """Both places are hidden together and hold the same; the hole between them keeps its value, and has its own."""
    pieces = [*(bytes([byte]) for byte in range(256)), b"ab", b"ba"]
    vocabulary, N = Vocabulary.from_tokens(["<pad>", "<eos>", *pieces]), 24
    denoiser = Unmoved(Uniform(2, vocabulary.size), N, vocabulary.size, seed=4, scale=1.0)
    model = Model("unmoved", denoiser, vocabulary, ChatPrompts("{}"), fills="text")
    done = model.fill("{{who:ab|ba}} is {{what:x|y}} and {{who}}", details=True, steps=1, seed=0)
    assert list(done.confidence) == ["/who", "/what"]
    logits = denoiser(RandomContext(((),)), torch.zeros(1, N, dtype=torch.int64))[0].double()
    token = {piece: index for index, piece in enumerate(pieces, 2)}

    def weight(value: bytes) -> float:
        """The sum over the ways to spell a value with as many tokens as stand at each of its places."""
        ways = ([value], [value[:1], value[1:]])
        return math.prod(
            sum(
                math.exp(sum(float(logits[k, token[piece]]) for k, piece in zip(place, way, strict=True)))
                for way in ways
                if len(way) == len(place)
            )
            for place in (places_of(vocabulary, done.ids, 0, 2), places_of(vocabulary, done.ids, 12, 14))
        )

    value, other = done.value["who"], {"ab": "ba", "ba": "ab"}[done.value["who"]]
    total = weight(b"ab") + weight(b"ba")
    assert done.confidence["/who"] == pytest.approx(weight(value.encode()) / total)
    assert [one.value for one in done.alternatives["/who"]] == [other]
    assert done.alternatives["/who"][0].probability == pytest.approx(weight(other.encode()) / total)
    shares = logits[places_of(vocabulary, done.ids, 6, 7).start, [token[b"x"], token[b"y"]]].softmax(0)
    assert done.confidence["/what"] == pytest.approx(float(shares["xy".index(done.value["what"])]))


def places_of(vocabulary: Vocabulary, ids: Sequence[int], start: int, end: int) -> range:
    """The tokens that spell the characters start … end − 1 of a text in ASCII."""
    before, held = 0, list[int]()
    for k, index in enumerate(ids):
        after = before + len(vocabulary.written(index))
        if before < end and after > start:
            held.append(k)
        before = after
    return range(held[0], held[-1] + 1)
