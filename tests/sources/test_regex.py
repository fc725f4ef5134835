"""Regular expressions mean what Python's re and ECMA-262 say, or are refused."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import StringConstraints, TypeAdapter

import structgen
from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import TEXT, Grammar
from structgen.sources.languages import contains
from structgen.sources.regex import Regex, fullmatch_expr, search_expr
from structgen.sources.regex_syntax import Dialect

TEXTS = st.text("abcAB01_- \n.é]^", max_size=6)

_atoms = st.sampled_from(
    [
        "a",
        "b",
        "c",
        "0",
        "é",
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\D",
        r"\W",
        r"\S",
        r"\.",
        r"\-",
        r"\x61",
        r"\u0062",
        r"\n",
        "[ab]",
        "[^ab]",
        "[a-c0]",
        r"[\w-]",
        r"[\W\D]",
        "[]a]",
        "[^]a]",
        r"[\d.]",
        r"[^\s]",
        r"[\]^-]",
        "]",
        r"[\101-C]",
    ]
)
_quantifiers = st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{,2}", "{0,2}", "*?", "+?", "??", "{1,2}?"])


def _composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    grouped = inner.map("(?:{})".format) | inner.map("({})".format) | inner.map("(?i:{})".format)
    return st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{}|{}".format, inner, inner),
        st.builds("{}{}".format, grouped, _quantifiers),
        st.builds("{}{}".format, _atoms, _quantifiers),
        grouped,
    )


PLAIN = st.recursive(_atoms, _composed, max_leaves=6)
# A look-ahead or anchor somewhere among plain parts.
_asserted = (
    st.builds("(?={})".format, PLAIN) | st.builds("(?!{})".format, PLAIN) | st.sampled_from(["^", "$"])
)
_row = st.lists(PLAIN.map("(?:{})".format) | _asserted, min_size=1, max_size=4).map("".join)
ASSERTED = st.lists(_row, min_size=1, max_size=2).map("|".join)


@given(PLAIN | ASSERTED, st.lists(TEXTS, min_size=8, max_size=8))
@settings(max_examples=400)
def test_a_regex_matches_what_fullmatch_matches(pattern: str, texts: list[str]):
    expected = re.compile(pattern, re.ASCII)
    expr = fullmatch_expr(pattern)
    for text in texts:
        assert contains(expr, text) == bool(expected.fullmatch(text)), (pattern, text)


@given(PLAIN | ASSERTED, st.lists(st.text("abcAB01_-.]^", max_size=6), min_size=8, max_size=8))
@settings(max_examples=300)
def test_a_pattern_of_a_schema_is_searched_for(pattern: str, texts: list[str]):
    if "[]" in pattern or "[^]" in pattern or "{,2}" in pattern or "\\101" in pattern:
        return  # there the dialects differ; the examples below say how
    expected = re.compile(pattern, re.ASCII)
    expr = search_expr(pattern)
    for text in texts:
        assert contains(expr, text) == bool(expected.search(text)), (pattern, text)


@given(PLAIN | ASSERTED, st.lists(TEXTS, min_size=4, max_size=4))
@settings(max_examples=40)
def test_the_compiled_automaton_agrees(pattern: str, texts: list[str]):
    from structgen.automata import compile_bytes

    dfa = compile_bytes(Grammar(fullmatch_expr(pattern))).dfa()
    for text in texts:
        assert dfa.accepts(list(text.encode())) == bool(re.compile(pattern, re.ASCII).fullmatch(text)), (
            pattern
        )


@pytest.mark.parametrize(
    ("pattern", "accepted", "rejected"),
    [
        (r"\d{4}-\d\d", ["2026-11"], ["2026-1", "٢٠٢٦-11", ""]),
        ("(?P<year>[0-9]+)", ["7"], ["", "x"]),
        (r"(?i)total", ["TOTAL", "Total"], ["total "]),
        (r"(?i:a)b", ["Ab"], ["AB"]),
        (r"(?s).", ["\n"], [""]),
        (r"\Aa\Z", ["a"], ["a\n"]),
        ("a$\n", ["a\n"], ["a"]),
        (r"(?!.*\.\.)[a-z.]+", ["a.b"], ["a..b"]),
        ("(^a|b)*", ["", "a", "ab", "bb"], ["aa", "ba"]),
        ("(?:(?=a)[ab]){2}", ["aa"], ["ab"]),
        ("x{,2}y{", ["y{", "xxy{"], ["xxxy{"]),
        ("(?#note)a", ["a"], [""]),
        (r"\N{EURO SIGN}\U0001F600", ["€😀"], ["€"]),
        ("", [""], ["a"]),
    ],
)
def test_python_patterns(pattern: str, accepted: list[str], rejected: list[str]):
    constraint = structgen.compile(Regex(pattern))
    assert [constraint.accepts(text) for text in accepted] == [True] * len(accepted)
    assert [constraint.accepts(text) for text in rejected] == [False] * len(rejected)
    assert constraint.parse(accepted[0]) == accepted[0]


@pytest.mark.parametrize(
    ("pattern", "accepted", "rejected"),
    [
        ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
        ("a", ["xax"], ["x"]),
        ("^$", [""], ["x", "\n"]),
        ("^([^,]|$)", ["", "a,"], [",a"]),
        ("^[^]$", ["\n", "x"], [""]),
        ("^[]$", [], ["", "x"]),
        (r"^\cA$", ["\x01"], ["A"]),
        (r"^\p{Lu}\P{L}$", ["É1"], ["é1", "ÉE"]),
        (r"^\u{1F600}\uD83D\uDE00$", ["😀😀"], ["😀"]),
        (r"^\s$", ["\ufeff", "\u2028"], ["x"]),
        ("^.$", ["é"], ["\r", "\u2029"]),
        (r"^[\w-.]$", ["-", ".", "a"], ["~"]),
        ("^(?<name>a)$", ["a"], [""]),
        (r"^\/\-$", ["/-"], ["/"]),
        ("^(?!-)[a-z-]{1,3}$", ["a-b"], ["-ab", "abcd"]),
        ("", ["", "x"], []),
    ],
)
def test_ecma_patterns(pattern: str, accepted: list[str], rejected: list[str]):
    expr = search_expr(pattern)
    assert [contains(expr, text) for text in accepted] == [True] * len(accepted)
    assert [contains(expr, text) for text in rejected] == [False] * len(rejected)


def test_a_pattern_that_says_nothing_is_all_text():
    assert search_expr("") is TEXT
    assert search_expr(".*") is TEXT


UNICODE = [r"^\w$", r"^\W$", r"^\d$", r"^[^\d]$", r"^[^\D]$", r"^\s$", r"^\S$", "(?i)^[^k]$", "(?i)^[^åσ]$"]
CHARS = [
    chr(c) for c in [*range(0x600), *range(0x1E00, 0x2200), *range(0xD7FF, 0x110000, 977)] if c >> 11 != 27
]


@pytest.mark.parametrize("pattern", UNICODE)
def test_classes_of_rust_are_unicode_and_never_hold_more(pattern: str):
    judge = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)]).validator.isinstance_python
    ours = search_expr(pattern, dialect=Dialect.RUST)
    held = [char for char in CHARS if contains(ours, char)]
    assert [char for char in held if not judge(char)] == []
    known = [char for char in CHARS if judge(char) and unicodedata.category(char)[0] in "LNZ"]
    assert len(set(known) - set(held)) <= len(known) // 50


@pytest.mark.parametrize("pattern", UNICODE)
def test_classes_of_python_are_those_of_the_running_python(pattern: str):
    ours = search_expr(pattern, dialect=Dialect.PYTHON_UNICODE)
    held, found = (
        {char for char in CHARS if holds(char)}
        for holds in (lambda char: contains(ours, char), re.compile(pattern).search)
    )
    assert held <= found
    assert "(?i)" in pattern or held == found


@pytest.mark.parametrize(
    ("pattern", "position", "reason"),
    [
        ("a**", 2, "repetition of a repetition"),
        ("x(a", 1, "never closed"),
        ("a)", 1, "without its ("),
        ("ab[c", 2, "never closed"),
        ("*a", 0, "repetition of nothing"),
        ("a|{2}", 2, "repetition of nothing"),
        ("[z-a]", 1, "the range z-a"),
        ("x{3,1}", 1, "exceeds"),
        (r"\q", 0, "no escape"),
        (r"\x1", 0, "hexadecimal"),
        ("a\\", 1, "backslash at the end"),
        ("(?", 0, "unknown kind of group"),
        ("a(?i)", 1, "do not stand at its start"),
        ("^*", 1, "repetition of an anchor"),
        (r"\N{no such thing}", 0, "no character"),
    ],
)
def test_a_malformed_pattern_is_quoted_with_the_position(pattern: str, position: int, reason: str):
    with pytest.raises(InvalidSource) as error:
        Regex(pattern).lower()
    assert repr(pattern) in str(error.value)
    assert f"at position {position}" in str(error.value)
    assert reason in str(error.value)
    with pytest.raises(re.error):
        re.compile(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1",
        "(?P<a>b)(?P=a)",
        r"\bword",
        "(?<=a)b",
        "(?<!a)b",
        "a*+",
        "(?>a)",
        "(a)(?(1)b)",
        "(?x)a",
        "(?m)^a",
        "(?:(?!b)a)*c",
        "(?:a$)*",
        "(?:a$){200}",
    ],
)
def test_what_cannot_be_honoured_is_refused_with_a_remedy(pattern: str):
    with pytest.raises(Unsupported) as error:
        Regex(pattern).lower()
    assert error.value.remedy
    assert repr(pattern) in str(error.value)


def test_no_pattern_raises_anything_but_structgen_errors():
    for pattern in [
        "(?P",
        "(?P<",
        "[\\",
        "(?<",
        "\\u{",
        "\\p{",
        "[a-",
        "(?#",
        "(?:",
        "(?i",
        "(?-",
        "\\c",
        "\\k<",
        "[^",
    ]:
        for lower in (fullmatch_expr, search_expr):
            with pytest.raises((InvalidSource, Unsupported)):
                lower(pattern)
