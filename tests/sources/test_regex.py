"""Regular expressions mean what Python's re and ECMA-262 say, or are refused."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

import structgen
from patterns import ASSERTED, PLAIN, TEXTS, WHOLE, WORDS
from regexes import agrees
from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import TEXT, Bytes, Chars, Grammar
from structgen.sources.languages import contains
from structgen.sources.regex import Regex, fullmatch_expr, search_expr
from structgen.sources.regex.dialect import Dialect
from structgen.sources.regex.syntax import parse


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


@given(WHOLE, st.lists(WORDS, min_size=8, max_size=8))
@settings(max_examples=300)
def test_assertions_and_atomic_groups_hold_wherever_they_stand(pattern: str, texts: list[str]):
    """What re refuses is refused too; what is refused beyond that is named below."""
    assert agrees(pattern, texts) is not False


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
        (r"\d{4}-\d\d", ["2026-11", "٢٠٢٦-11"], ["2026-1", "²026-11", ""]),
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
        (r"(?x) a b | [ ] \  # a comment", ["ab", "  "], ["a b", "b"]),
        (r"(?x)a {2} (?-x: )b", ["aa b"], ["aab"]),
        (r"(?i)(?x) a", ["A"], [" a"]),
        (r"(?a)\w+|\d", ["a"], ["é", "٣"]),
        (r"\w+", ["Müller", "x²"], ["a b"]),
        (r"(?m)^a$\n^b$", ["a\nb"], ["ab"]),
        (r"(?s:.)(?-s:.)", ["\na"], ["a\n"]),
        ("a*+a|b++", ["bb"], ["aa", "a"]),
        ("(?>a|ab)c?", ["a", "ac"], ["ab", "abc"]),
        (r'"(?>[^"\\]+|\\.)*+"', ['"a\\"b"'], ['"a"b"']),
        (r"(?:\b\w+\b,?)+", ["a,b", "a"], ["", "a,,b"]),
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
        (r"\bcat\b", ["a cat.", "cat", "écat"], ["concat", "cat_", ""]),
        (r"^\B$|^a\Bb$", ["", "ab"], ["a", "a b"]),
        (r"^(?!foo\b)\w+$", ["fooo", "bar"], ["foo", ""]),
        (r"^(?!.*\bsecret\b)(?=.*\d)[^]{8,300}$", ["no secrets 1"], ["my secret 1", "no secrets", "a1"]),
        (r"(?<=\$|€ *)\d+$", ["$7", "€  7"], ["7", "$ 7"]),
        (r"(?<!-)\b1", ["1", "a 1"], ["-1", "a1"]),
        (r"^(?:(?!--).)*$", ["a-b-"], ["a--b"]),
        (r"(?m:^b$)", ["a\u2028b\nc"], ["ab"]),
        (r"^(?i:k)(?-i:k)$", ["kk", "Kk", "\u212ak"], ["kK"]),
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


def holds(pattern: str, text: str, dialect: Dialect = Dialect.RUST) -> bool:
    return contains(search_expr(pattern, dialect=dialect), text)


@pytest.mark.parametrize("letter", "dws")
def test_classes_are_those_of_the_engine(letter: str):
    """Every character is asked: in Rust, what Python's database does not know is neither in \\w nor in \\W."""
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    for flags in ("", "(?a)"):
        matched = set(map(ord, re.findall(rf"{flags}\{letter}", "".join(every))))
        assert ranges(rf"^{flags}\{letter}$", Dialect.PYTHON_UNICODE) == matched
    rust, no_rust = ranges(rf"^\{letter}$"), ranges(rf"^\{letter.upper()}$")
    asked = {ord(char) for char in every if letter == "s" or unicodedata.category(char) != "Cn"}
    assert not rust & no_rust
    assert rust | no_rust == asked
    for pattern, codes in (
        (rf"^\{letter}+$", rust),
        (rf"^[^\{letter}]+$", no_rust),
    ):  # of texts of all of them
        adapter = TypeAdapter(Annotated[str, Field(pattern=pattern)]).validator
        assert valid(adapter, "".join(map(chr, sorted(codes)))), pattern


def ranges(pattern: str, dialect: Dialect = Dialect.RUST) -> set[int]:
    """The characters that alone match a pattern of one class."""
    expr = parse(pattern.replace("^(?a)", "(?a)").strip("^$"), dialect)
    if isinstance(expr, Bytes):
        return {ord(expr.value.decode())}
    assert isinstance(expr, Chars)
    return {code for low, high in expr.ranges for code in range(low, high + 1)}


def valid(adapter: Any, value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "pattern", ["k", "ß", "[à-ÿ]", "[^k]", "ſ", "Σ", "[ⓐ-ⓓ]", "ı", r"[\W]", "ᾳ", "ǅ", "[A-z]"]
)
def test_python_ignores_case_as_re_does(pattern: str):
    every = "".join(map(chr, range(0x110000)))
    for flags in ("(?i)", "(?ai)"):
        found = ranges(flags + pattern, Dialect.PYTHON_UNICODE)
        assert found == {ord(char) for char in re.findall(flags + pattern, every)} - {*range(0xD800, 0xE000)}


PLACES = ["k", "ß", "[à-ÿ]", "[^k]", "ſ", "Σ", "[ⓐ-ⓓ]", r"\bk\B", r"\<é", r"é\>", r"\b{start}k|x\b{end-half}"]


@pytest.mark.parametrize("pattern", PLACES)
def test_rust_places_and_cases_are_those_of_pydantic(pattern: str):
    for flags in ("", "(?i)"):
        adapter = TypeAdapter(Annotated[str, Field(pattern=flags + pattern)]).validator
        for text in ["kk", "éx", "x é", "-k", *"kK\u212aéÉẞßSſσςΣⒶx"]:
            assert holds(flags + pattern, text) == valid(adapter, text), (flags + pattern, text)


@pytest.mark.parametrize(
    ("pattern", "accepted", "rejected"),
    [
        (r"^.$", ["é", "\r", "\u2028"], ["\n"]),
        (r"^[]a]$", ["]", "a"], ["b"]),
        (r"^a(?i)b(?-i)c$", ["abc", "aBc"], ["ABc", "aBC"]),
        (r"^(?x) a [ b c ] \  # note", ["ab "], ["a b", "a  "]),
        (r"^\pL\x{E9}\U{1F600}$", ["aé😀"], ["1é😀"]),
        (r"^a**$", ["", "aa"], ["b"]),
        (r"(?U)^a+$", ["aa"], [""]),
        (r"(?m)^b$", ["a\nb\nc", "b"], ["ab"]),
    ],
)
def test_rust_patterns(pattern: str, accepted: list[str], rejected: list[str]):
    adapter = TypeAdapter(Annotated[str, Field(pattern=pattern)]).validator
    for text in accepted + rejected:
        assert holds(pattern, text) == valid(adapter, text) == (text in accepted), text


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?<!a)b"])
def test_rust_has_no_look_around(pattern: str):
    with pytest.raises(Unsupported, match="python-re"):
        search_expr(pattern, dialect=Dialect.RUST)


@pytest.mark.parametrize("pattern", ["(?>a)b", "a*+", "(?x)a b"])
def test_what_ecma_does_not_have_is_refused(pattern: str):
    with pytest.raises((InvalidSource, Unsupported)):
        search_expr(pattern)


@pytest.mark.parametrize(
    ("pattern", "position", "reason"),
    [
        ("a**", 2, "repetition of a repetition"),
        ("x(a", 1, "never closed"),
        ("a)", 1, 'unmatched ")"'),
        ("ab[c", 2, "never closed"),
        ("*a", 0, "repetition of nothing"),
        ("a|{2}", 2, "repetition of nothing"),
        ("[z-a]", 1, "the range z-a"),
        ("x{3,1}", 1, "upper bound is below its lower bound"),
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
        "(a)(?(1)b)",
        "(?:a?)*+b",
        "(?:(?!a.{25}b).)*c",
        "(?>(?:a|)+)b",
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
