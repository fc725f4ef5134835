"""Verbatim values are pieces of the document: whatever is generated stands there, where its offsets say."""

from __future__ import annotations

import itertools
import json
import re
from functools import cache
from typing import Annotated, Any, TypedDict

import pytest
import torch
from pydantic import BaseModel, Field

import structgen as sg
from structgen.compiler.constraint import Constraint
from structgen.reading.boundaries import ALIGNS, boundaries
from structgen.reading.copying import Copied, Copying
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.lattice.lattice import BlockLattice
from structgen_mini import mini_folder

DOCUMENTS = {
    "english": "Invoice INV-204 from Acme & Sons Ltd, 12 March 2026.\nTotal due: 289.50 EUR, total paid: 0.",
    "chinese": "合同编号：甲2026-07，乙方为上海明光贸易有限公司。总额人民币一万二千元整，合同自签字之日起生效。",
    "arabic": "فاتورة رقم ٢٠٤ من شركة النور للتجارة، بتاريخ ١٢ مارس ٢٠٢٦. المجموع ٢٨٩٫٥٠ يورو.",
    "emoji": "Team 👩‍💻👨‍👩‍👧‍👦 met 🇩🇪🇫🇷 on day 1️⃣ 👍🏽 e\u0301té 👩‍💻 again",
    "crlf": "First line\r\nsecond\tline\r\n\r\nSecond line, again\rlast\x0b\x0cend\x00",
    "quotes": 'She said "no \\ yes" and \'C:\\new\\table\', "\\"" \\\\ "" \x1f end',
}
WAYS = [{"align": align} for align in ALIGNS] + [
    {"align": "word", "whitespace": "folded"},
    {"min_length": 3, "max_length": 9},
]
OUTPUTS = 9  # for each document and way: 9 × 6 ways, as values of their own and in JSON


class Note(BaseModel):
    whole: sg.Verbatim
    word: Annotated[str, sg.Verbatim(align="word")]
    parts: list[sg.Verbatim] = Field(min_length=1, max_length=2)
    perhaps: sg.Verbatim | None


@cache
def vocabulary() -> Vocabulary:
    return Vocabulary.from_file(mini_folder() / "tokenizer.json")


def drawn(constraint: Constraint[Any], count: int, seed: int, tokens: int = 200) -> list[str]:
    """Texts that random scores draw from the automaton of a constraint."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(count, tokens, vocabulary().size, generator=generator) * 3
    state = constraint.automaton
    lattice = BlockLattice([state.block(state.start, 0)] * count, scores)  # type: ignore[arg-type]
    rows = lattice.sample(generator).tolist()
    return [vocabulary().decode(row).decode() for row in rows]


@pytest.mark.parametrize("way", range(len(WAYS)))
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_output_stands_in_the_document_at_its_offsets(name: str, way: int):
    document, terms = DOCUMENTS[name], WAYS[way]
    source = sg.Verbatim(document, **terms)
    for text in drawn(sg.compile(source, vocabulary()), OUTPUTS, way):
        assert text
        places = source.places(text)
        assert places
        if terms.get("whitespace") != "folded":
            assert {document[start:end] for start, end in places} == {text}
            begins, ends = boundaries(document, terms.get("align", "char"))  # type: ignore[arg-type]
            expected = [(at, at + len(text)) for at in range(len(document)) if document.startswith(text, at)]
            assert places == [(a, b) for a, b in expected if a in begins and b in ends]
        assert terms.get("min_length", 1) <= len(text) <= terms.get("max_length", len(document))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_json_strings_come_back_as_they_stand_in_the_document(name: str):
    document = DOCUMENTS[name]
    constraint = sg.compile(Note, vocabulary()).bind(document)
    words = Copied(document, Copying("word"))
    for text in drawn(constraint, 2 * OUTPUTS, 0, tokens=300):
        note = constraint.parse(text)
        copies = [note.whole, *note.parts, *([note.perhaps] if note.perhaps else [])]
        assert all(isinstance(one, str) and one and one in document for one in copies)
        assert words.places(str(note.word))
        assert constraint.accepts(json.dumps(note.model_dump()))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("source", [sg.Verbatim('ab"a\nab'), {"x-verbatim": {"max_length": 3}}])
def test_every_result_is_that_of_enumeration(source: Any, seed: int):
    document, length = 'ab"a\nab', 5
    names = ["a", "b", 'b"', '"', "\\", "n", "\\n", '\\"a', "\n", "ab"]
    tokens = Vocabulary.from_tokens([*(name.encode() for name in names), "<end>"], end="<end>", pad="<end>")
    pieces = {document[i:j] for i in range(7) for j in range(i + 1, 8)}
    texts = (
        pieces
        if isinstance(source, sg.Verbatim)
        else {json.dumps(piece) for piece in pieces if len(piece) <= 3}
    )
    blocks = [
        ids
        for ids in itertools.product(range(len(names) + 1), repeat=length)
        if (end := ids.index(10) if 10 in ids else 0)
        and set(ids[end:]) == {10}
        and "".join(names[one] for one in ids[:end]) in texts
    ]
    assert blocks
    scores = torch.randn(length, tokens.size, generator=torch.Generator().manual_seed(seed)).double() * 2
    constraint = sg.compile(source, tokens, document=document)
    lattice = BlockLattice(constraint.dfa.block(constraint.dfa.start, 0), scores[None])
    weights = torch.stack([scores[range(length), list(ids)].sum() for ids in blocks])
    torch.testing.assert_close(lattice.log_partition()[0], weights.logsumexp(0), atol=1e-5, rtol=1e-5)
    truth = torch.zeros_like(scores)
    for ids, share in zip(blocks, weights.softmax(0), strict=True):
        truth[range(length), list(ids)] += share
    torch.testing.assert_close(lattice.marginals()[0].double(), truth, atol=1e-5, rtol=1e-5)
    assert tuple(lattice.argmax().ids[0].tolist()) == blocks[int(weights.argmax())]
    draws = {tuple(lattice.sample(torch.Generator().manual_seed(n))[0].tolist()) for n in range(20)}
    assert draws <= {*blocks}


class Typed(TypedDict):
    name: Annotated[str, sg.Verbatim(min_length=2)]


@pytest.mark.parametrize(
    ("spec", "yes", "no"),
    [
        ({"x-verbatim": True}, '"Acme"', '"acme"'),
        ({"type": "string", "x-verbatim": {"align": "word"}}, '"Acme Ltd"', '"Acm"'),
        ({"type": ["string", "null"], "x-verbatim": True}, "null", '"x"'),
        ({"x-verbatim": True, "pattern": "^[A-Z]"}, '"Acme"', '"cme"'),
        ({"x-verbatim": True, "maxLength": 3}, '"Acm"', '"Acme"'),
        ({"x-verbatim": True, "enum": ["Acme", "Foo"]}, '"Acme"', '"Foo"'),
        ({"not": {"x-verbatim": True}, "type": "string"}, '"Foo"', '"Acme"'),
        ({"x-verbatim": False, "type": "string"}, '"Foo"', "1"),
        ({"type": "array", "items": {"x-verbatim": True}, "uniqueItems": True}, '["A","c"]', '["A","A"]'),
        (list[sg.Verbatim], '["Acme", "Ltd"]', '["Acme", "Foo"]'),
        (sg.Verbatim | None, '"Acme"', '"Foo"'),
        (sg.Verbatim, '"Acme"', "null"),
        (Typed, '{"name": "Ac"}', '{"name": "A"}'),
        (dict[str, sg.Verbatim], '{"x": "\\u0041cme"}', '{"x": "x"}'),
    ],
)
def test_the_keyword_and_the_annotation_hold_in_every_place(spec: Any, yes: str, no: str):
    constraint = sg.compile(spec, document="Acme Ltd")
    assert constraint.accepts(yes)
    assert not constraint.accepts(no)


def test_a_constraint_waits_for_its_document_and_is_bound_to_any_number():
    constraint = sg.compile(Typed)
    assert "no document bound" in repr(constraint)
    for use in (lambda: constraint.accepts("{}"), lambda: constraint.min_tokens, constraint.info):
        with pytest.raises(sg.InvalidSource, match="has no document to copy from"):
            use()
    one, other = constraint.bind("first"), constraint.bind("second").bind("third")
    assert one.accepts('{"name": "irs"}')
    assert other.accepts('{"name": "thi"}')
    assert not other.accepts('{"name": "econ"}')
    assert sg.compile(int).bind("7").accepts("8")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sg.Verbatim(""), "the document to copy from is empty"),
        (lambda: sg.Verbatim("a\nb\ud800"), "line 2, column 2 of the document: half of a surrogate pair"),
        (lambda: sg.Verbatim(5), "a document to copy from is a string, not int"),  # type: ignore[arg-type]
        (lambda: sg.Verbatim("a", align="page"), "align must be one of char, word, line"),  # type: ignore
        (lambda: sg.Verbatim("a", min_length=3, max_length=2), "max_length is 2, below min_length"),
        (lambda: sg.Verbatim("a", min_length=-1), "min_length must be a whole number"),
        (lambda: sg.Verbatim("a", whitespace="any"), "whitespace must be exact or folded"),  # type: ignore
        (lambda: sg.compile(Typed).bind(""), "the document to copy from is empty"),
        (
            lambda: sg.compile({"x-verbatim": {"align": 1}}),
            r"one of char, word, line, not 1 \(at /x-verbatim/align",
        ),
        (
            lambda: sg.compile({"x-verbatim": {"aling": "word"}}),
            r"one of the options .* \(at /x-verbatim/aling",
        ),
        (lambda: sg.compile({"x-verbatim": "yes"}), "must be true, false or an object"),
    ],
)
def test_what_is_wrong_is_refused_in_one_sentence(make: Any, message: str):
    with pytest.raises(sg.StructgenError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("field", ["chars", "words", "chunks"])
@pytest.mark.parametrize("text", ["to be, or not to be", "a a a a", "aaaa"])
def test_substrings_in_lark_are_runs_of_pieces(text: str, field: str):
    pieces = list(text) if field == "chars" else re.findall(r"\w+|\s+|[^\w\s]+", text)
    runs = {"".join(pieces[i:j]) for i in range(len(pieces) + 1) for j in range(i, len(pieces) + 1)}
    given = pieces if field == "chunks" else text
    constraint = sg.compile(sg.Lark(f"start: %regex {json.dumps({f'substring_{field}': given})}"))
    pieces_of_text = {text[i:j] for i in range(len(text) + 1) for j in range(i, len(text) + 1)}
    assert {one for one in pieces_of_text | {"x", "aaaaa"} if constraint.accepts(one)} == runs


def test_a_document_without_long_enough_pieces_is_refused():
    with pytest.raises(sg.Unsatisfiable):
        sg.compile(sg.Verbatim("ab", min_length=3))


def test_many_copies_of_a_long_document_share_one_automaton_and_are_met_lazily():
    document = " ".join(f"{k * 7919 % 10007} words" for k in range(3000))
    fields = {f"f{k}": {"x-verbatim": True} for k in range(4)}
    schema = {"type": "object", "properties": fields, "required": [*fields]}
    info = sg.compile(schema, vocabulary(), document=document).info()
    assert info.regime == "lazy"
    assert info.states < 3 * len(document)
