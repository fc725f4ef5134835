"""Sources combined in Python: what combinations accept, on all short strings, is what their parts say."""

from __future__ import annotations

import itertools
import re

import pytest

import structgen as sg
from structgen.grammar import (
    Grammar,
    alt,
    both,
    char_ranges,
    complement,
    literal,
    optional,
    ref,
    repeat,
    seq,
    star,
    token,
)

NESTED = sg.Ebnf('root ::= "(" root ")" | "a"')
TEXTS = ["".join(letters) for n in range(6) for letters in itertools.product("ab()", repeat=n)]


def accepted(source: object) -> set[str]:
    constraint = sg.compile(source)
    return {text for text in TEXTS if constraint.accepts(text)}


def matching(pattern: str) -> set[str]:
    return {text for text in TEXTS if re.fullmatch(pattern, text)}


@pytest.mark.parametrize(
    ("source", "pattern"),
    [
        (sg.Regex("a+") | sg.Regex("b"), "a+|b"),
        (sg.Regex("a") + sg.Regex("b*"), "ab*"),
        (sg.Regex("[ab]*") & sg.Regex("a.*"), "a[ab]*"),
        (sg.Regex("[ab]{0,3}") & ~sg.Regex("a*"), "(?!a*$)[ab]{0,3}"),
        (sg.Regex("a") | "b", "a|b"),
        ("b" + sg.Regex("a?") + "b", "ba?b"),
        (seq("a", optional("b"), sg.Regex("a*")), "ab?a*"),
        (alt("a", "bb", sg.Ebnf('root ::= "ab"')), "a|bb|ab"),
        (repeat(sg.Regex("a|b"), 2, 3), "[ab]{2,3}"),
        (star("ab"), "(ab)*"),
        (both(sg.Regex("a*"), sg.Regex("..")), "aa"),
        (complement("a") & repeat(char_ranges([(97, 98)]), 0, 2), "(?!a$)[ab]{0,2}"),
        (["a", "b"] and seq(sg.compile(["a", "b"]).source, "b"), "[ab]b"),
    ],
)
def test_combinations_of_regular_sources(source: object, pattern: str) -> None:
    assert accepted(source) == matching(pattern)


def test_rules_of_the_same_name_stay_apart() -> None:
    other = sg.Ebnf('root ::= "b" root | "b"')
    both_of_them = accepted(NESTED + other)
    assert both_of_them == {left + right for left in accepted(NESTED) for right in accepted(other)} & {*TEXTS}
    assert accepted(NESTED | other) == accepted(NESTED) | accepted(other)
    assert accepted(other + other) == matching("b{2,}")


def test_a_combination_is_a_source_itself() -> None:
    either = NESTED | "b"
    assert accepted(sg.compile(either).source) == accepted(either)
    assert accepted(either + either) == {a + b for a in accepted(either) for b in accepted(either)} & {*TEXTS}
    constraint = sg.compile(either)
    assert constraint.parse("b") == "b"
    assert constraint.info().regime == "lazy"


def test_rules_may_name_each_other() -> None:
    grammar = Grammar(ref("list"), {"list": alt("a", seq("(", ref("list"), star(ref("list")), ")"))})
    assert {"a", "(a)", "(aa)", "((a))"} <= accepted(grammar)
    assert not {"", "()", "(a", "aa"} & accepted(grammar)


def test_a_rule_that_is_missing_is_named() -> None:
    with pytest.raises(sg.InvalidSource, match="names 'lst', for which there is no rule"):
        sg.compile(seq("a", ref("lst")))


def test_special_tokens_are_never_spelled_by_letters() -> None:
    vocabulary = sg.Vocabulary.from_tokens([b"a", b"<", b"call", b">", "<call>", "<end>"], end="<end>")
    constraint = sg.compile(seq(token("<call>"), "a"), vocabulary)
    assert constraint.accepts_ids([4, 0])
    assert not constraint.accepts_ids([1, 2, 3, 0])


def test_types_and_schemas_are_parts_too() -> None:
    source = "n = " + sg.JsonSchema({"type": "integer", "minimum": 3, "maximum": 5}) + ";"
    constraint = sg.compile(source)
    assert [n for n in range(10) if constraint.accepts(f"n = {n};")] == [3, 4, 5]


def test_what_cannot_be_checked_inside_is_refused() -> None:
    unique = sg.JsonSchema({"type": "array", "items": {"type": "string"}, "uniqueItems": True})
    with pytest.raises(sg.Unsupported, match="uniqueItems cannot be checked inside another grammar"):
        sg.compile("x" + unique)


def test_a_part_that_is_none_is_refused() -> None:
    with pytest.raises(sg.InvalidSource, match="5 is no part of a grammar"):
        seq("a", 5)  # type: ignore[arg-type]


def test_a_recursive_source_inside_an_intersection_is_refused() -> None:
    with pytest.raises(sg.Unsupported, match="recursive"):
        sg.compile(NESTED & "a")


def test_literals_and_strings_are_the_same() -> None:
    assert seq("é", "b") is seq(literal("é"), literal("b"))
    assert sg.grammar.seq is seq


@pytest.mark.parametrize(
    ("pattern", "least", "most"),
    [("a", 1, 1), ("a{2,5}", 2, 5), ("a|bbb", 1, 3), ("a*", 0, None), ("(ab){1,3}c?", 2, 7), ("é", 2, 2)],
)
def test_info_says_the_fewest_and_the_most_tokens(pattern: str, least: int, most: int | None) -> None:
    """Over single bytes; with an end token, which counts, and padding, which does not."""
    info = sg.compile(sg.Regex(pattern)).info()
    assert (info.min_tokens, info.max_tokens) == (least, most)
    tokens = [bytes([b]) for b in range(256)]
    vocabulary = sg.Vocabulary.from_tokens([*tokens, "<pad>", "<end>"], end="<end>", pad="<pad>")
    ended = sg.compile(sg.Regex(pattern), vocabulary).info()
    assert (ended.min_tokens, ended.max_tokens) == (least + 1, None if most is None else most + 1)


def test_the_most_tokens_of_a_recursive_source_are_not_known() -> None:
    assert sg.compile(NESTED).info().max_tokens is None
