"""A template's texts are its fixed text with the holes' languages between, and each text says what fills its holes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

import structgen as sg
from structgen.sources.template import Template
from structgen.sources.template.parts import parts_of
from structgen_engine.lattice.lattice import BlockLattice

LETTER = "Dear {{name:[A-Z][a-z]+}}, due {{date:iso-date}}, total {{total:number}}."


class Title(Enum):
    MS, MR = "Ms", "Mr"


fixed = st.text(st.sampled_from('ab {}\n"\\:é,'), max_size=6)


@settings(max_examples=60)
@given(
    st.lists(fixed, min_size=2, max_size=4),
    st.sampled_from([r"[{}]{1,2}", "a|b", r"\d{2}", "x[}]?", "iso-date"]),
)
def test_a_template_is_read_as_it_was_written(around: list[str], asked: str):
    holes = [f"{{{{h{k}:{asked}}}}}" for k in range(len(around) - 1)]
    escaped = [text.replace("{", "{{{{") for text in around]
    text = "".join(a + b for a, b in zip(escaped, [*holes, ""], strict=True))
    parts = parts_of(text)
    assert parts[::2] == around
    lines = text.split("\n")
    for k, hole in enumerate(parts[1::2]):
        assert not isinstance(hole, str)
        assert (hole.name, hole.asked) == (f"h{k}", asked)
        assert lines[hole.line - 1][hole.column - 1 :].startswith("{{" + hole.name)


def test_the_text_is_accepted_checked_and_read_as_values():
    constraint = sg.compile(Template(LETTER))
    text = "Dear Ada, due 2026-03-01, total 12.50."
    assert constraint.accepts(text)
    filled = constraint.parse(text)
    assert filled == {"name": "Ada", "date": date(2026, 3, 1), "total": 12.5}
    assert filled.text == text
    assert constraint.info().regime == "expanded"
    wrong = constraint.check(text.replace("Ada", "ada"))
    assert "column 6" in str(wrong)
    with pytest.raises(sg.Rejected, match="no filled template"):
        constraint.parse("Dear Ada")


@pytest.mark.parametrize(
    ("type_", "text", "value"),
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
        (int, "-12", -12),
        (float, "1.5", 1.5),
        (Decimal, "12.50", Decimal("12.50")),
        (bool, "true", True),
        (date, "2024-02-29", date(2024, 2, 29)),
        (Title, "Mr", Title.MR),
        (Literal["x", 'y "z"'], 'y "z"', 'y "z"'),
        (Literal[1, 2], "2", 2),
        (int | date, "7", 7),
        (int | date, "2024-02-29", date(2024, 2, 29)),
        (Annotated[int, Field(ge=10, le=12)], "11", 11),
        (Annotated[str, Field(pattern="^[a-c]+$")], "abc", "abc"),
        (str, "any text", "any text"),
    ],
)
def test_values_have_the_types_of_their_holes(type_: Any, text: str, value: Any):
    inline = isinstance(type_, str)
    template = Template(f"<{{{{x:{type_}}}}}>") if inline else Template("<{{x}}>", {"x": type_})
    constraint = sg.compile(template)
    assert constraint.accepts(f"<{text}>")
    assert not constraint.accepts("<>")
    filled = constraint.parse(f"<{text}>")
    assert filled["x"] == value
    assert type(filled["x"]) is type(value)


@pytest.mark.parametrize(
    ("template", "yes", "no"),
    [
        ("{{{{{{a:[x]}}}", ["{x}"], ["x", "{{x}"]),
        ("{{a}}, {{b}}", ["x, y", "x, y, z"], ["x", ", y", "x,, "]),
        ("{{a}}aba", ["xaba", "abaxaba"][:1], ["abaaba", "xabaaba", "ababa"]),
        ("{{a}}", ["two words"], ["two\nlines", "", " x"]),
        ("{{t:(Ms|Mr)}} {{n}}, {{t}}", ["Ms A, Ms", "Mr Ms, Mr"], ["Ms A, Mr"]),
        ("{{t}} {{t}}", ["Ms Ms"], ["Ms Mr"]),
        ("{{a:[ab]}}{{b:[cd]}}{{a}}{{b}}", ["acac", "bdbd"], ["acad", "acbc", "ac"]),
    ],
)
def test_which_texts_there_are(template: str, yes: list[str], no: list[str]):
    types = {"t": Title} if template.startswith("{{t}}") else {}
    constraint = sg.compile(Template(template, types))
    assert [text for text in yes if not constraint.accepts(text)] == []
    assert [text for text in no if constraint.accepts(text)] == []


HOLES = {"[ab]{1,2}": "[ab]{1,2}", "a|bb": "(?:a|bb)", "b?": "(?:b?)"}
triples = st.tuples(st.sampled_from(["", "a", "-", "b-"]), st.sampled_from([*HOLES]), st.sampled_from("xyz"))


@given(st.lists(triples, min_size=1, max_size=3), st.text("ab-", max_size=7))
def test_pieces_are_those_of_a_match(pairs: list[tuple[str, str, str]], text: str):
    """Python's re judges: named groups for first places, back-references for later ones."""
    kinds: dict[str, str] = {}
    pattern, written = "", ""
    for before, asked, name in pairs:
        asked = kinds.setdefault(name, asked)
        again = f"(?P={name})" if f"(?P<{name}>" in pattern else f"(?P<{name}>{HOLES[asked]})"
        pattern += re.escape(before) + again
        written += f"{before}{{{{{name}:{asked}}}}}"
    template, match = Template(written), re.fullmatch(pattern, text)
    assert sg.compile(template).accepts(text) == (match is not None)
    if match:
        values = template.parse(text)
        assert set(values) == set(match.groupdict())
        rebuilt = "".join(part if isinstance(part, str) else values[part.name] for part in template.parts)
        assert rebuilt == text


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("written", ["{{x:[ab]+}}-{{y:b?}}", "{{x:(a|ab)}}{{y:(b?)}}-{{x}}", "-{{x}}a{{y}}"])
def test_every_result_is_that_of_enumeration_and_holes_may_be_filled_in_any_order(written: str, seed: int):
    names, length = ["a", "b", "ab", "-", "-a"], 4
    tokens = sg.Vocabulary.from_tokens(
        [*(name.encode() for name in names), "<end>"], end="<end>", pad="<end>"
    )
    pattern = {
        "{{x:[ab]+}}-{{y:b?}}": "[ab]+-b?",
        "{{x:(a|ab)}}{{y:(b?)}}-{{x}}": r"(a|ab)b?-\1",
        "-{{x}}a{{y}}": "-[b-]+a[ab-]+",
    }[written]
    blocks = [
        ids
        for ids in itertools.product(range(6), repeat=length)
        if 5 in ids
        and set(ids[ids.index(5) :]) == {5}
        and re.fullmatch(pattern, "".join(names[one] for one in ids[: ids.index(5)]))
    ]
    scores = torch.randn(length, tokens.size, generator=torch.Generator().manual_seed(seed)).double() * 2
    dfa = sg.compile(Template(written), tokens).dfa
    automaton = dfa.block(dfa.start, 0)
    lattice = BlockLattice(automaton, scores[None])
    weights = torch.stack([scores[range(length), list(ids)].sum() for ids in blocks])
    shares = weights.softmax(0)
    torch.testing.assert_close(lattice.log_partition()[0], weights.logsumexp(0), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        lattice.marginals()[0].double(), summed(blocks, shares, scores), atol=1e-5, rtol=1e-5
    )
    assert tuple(lattice.argmax().ids[0].tolist()) == blocks[int(weights.argmax())]
    draws = {tuple(lattice.sample(torch.Generator().manual_seed(n))[0].tolist()) for n in range(20)}
    assert draws <= {*blocks}
    for order in ([0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]):
        for ids, share in list(zip(blocks, shares.tolist(), strict=True))[::3]:
            chance, settled = 1.0, torch.full((1, length), -1)
            for at in order:
                one = BlockLattice(automaton, scores[None], settled=settled)
                chance *= float(one.marginals()[0, at, ids[at]])
                settled[0, at] = ids[at]
            assert chance == pytest.approx(share, rel=1e-4)


def summed(blocks: Iterable[tuple[int, ...]], shares: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    truth = torch.zeros_like(scores)
    for ids, share in zip(blocks, shares, strict=True):
        truth[range(len(ids)), list(ids)] += share
    return truth


@pytest.mark.parametrize(
    ("template", "place", "message"),
    [
        ("", "line 1, column 1", "the template is empty"),
        ("nothing to fill", "line 1, column 1", "the template has no hole"),
        ("a\nb {{name", "line 2, column 3", "no }} closes this hole on its line"),
        ("{{name\n}}", "line 1, column 1", "no }} closes this hole"),
        ("{{}}", "line 1, column 1", "a hole has a name, not ''"),
        ("é {{ :[a-z]+}}", "line 1, column 3", "a hole has a name"),
        (
            "{{a}}\n{{a}}",
            "line 2, column 1",
            "the hole 'a' stands there a second time, and may hold more than 1,000",
        ),
        ("{{a:x}} {{a:y}}", "line 1, column 9", "stands there with another type before"),
        ("x {{a}}{{b:y}}", "line 1, column 3", "has no type, and another hole follows at once"),
        ("{{a:iso-dat}}", "line 1, column 1", "asks for 'iso-dat', which is no known type"),
        ("x {{a:(b}}", "line 1, column 3", "the hole 'a' cannot be filled"),
        ("x\n\0{{a}}", "line 2, column 1", "no NUL character"),
        ("x {{a}} \udc80", "line 1, column 9", "half of a surrogate pair"),
    ],
)
def test_a_wrong_template_is_refused_in_one_sentence_with_its_place_and_a_caret(
    template: str, place: str, message: str
):
    with pytest.raises(sg.InvalidSource) as refusal:
        Template(template)
    sentence, *excerpt = str(refusal.value).split("\n")
    assert sentence.startswith(f"{place} of the template: ")
    assert message in sentence
    assert len(excerpt) == 2
    assert excerpt[1].strip() == "^"
    assert len(excerpt[1]) == int(place.rpartition(" ")[2])


@pytest.mark.parametrize(
    ("template", "types", "message"),
    [
        (5, {}, "a template is a string, not int"),
        ("{{a}}", {"b": int}, "types names 'b', which is no hole"),
        ("{{a:x}}", {"a": int}, "has a type in the template and another in types"),
        ("{{a}}", {"a": list[int]}, "asks for a type with several values or none"),
        ("{{a}}", {"a": int | None}, "asks for a type with several values or none"),
        ("{{a}}", {"a": object()}, "cannot be filled: pydantic cannot"),
    ],
)
def test_wrong_types_are_refused(template: Any, types: Any, message: str):
    with pytest.raises(sg.InvalidSource, match=re.escape(message)):
        Template(template, types)


PIECES = [
    *("{{", "}}", "{", "}", "{{{{", "a", "b", ":", "[a-z]+", "iso-date", "number", "|", "(", ")", "\\"),
    *("?", "*", "{2}", "é", "\n", "\0", "\ud800", " "),
]


@settings(max_examples=150)
@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_no_text_makes_a_template_crash(pieces: list[str]):
    try:
        template = Template("".join(pieces))
    except sg.StructgenError as error:
        said = str(error)
    else:
        said = f"line 1, column 1 of the template: {len(template.holes)} holes"
    assert re.match(r"line \d+, column \d+ of the template: ", said)
