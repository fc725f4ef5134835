"""Context-free grammars in EBNF: what they derive, and what is said of those that are wrong."""

from __future__ import annotations

import itertools
import re

import pytest

import structgen as sg
from structgen.sources.ebnf import Ebnf

ARITHMETIC = r"""
# sums of numbers and of sums
root   ::= term (("+" | "-") term)*
term   ::= number
         | "(" root ")"
number ::= [0-9]{1,2}
"""


def derives(grammar: str, text: str) -> bool:
    return sg.compile(Ebnf(grammar)).accepts(text)


@pytest.mark.parametrize(
    ("body", "pattern"),
    [
        ('"a" | "bb" "c"', "a|bbc"),
        ('("a" "b"?)+', "(ab?)+"),
        ("[a-c]{2}", "[a-c]{2}"),
        ("[ab]{1,}", "[ab]+"),
        ("[ab]{ 0 , 2 }", "[ab]{0,2}"),
        ("[^a]", "[^a]"),
        ('"a" . "b"', "a[^]b".replace("[^]", r"[\s\S]")),
        ('"" | "a"*', "a*"),
        ('"a" | ', "a?"),
        (r"[a\-c]", "[-ac]"),
        ("[-a]", "[-a]"),
        ("[a-]", "[-a]"),
        ('("a" | ("b"))("c")', "(a|b)c"),
    ],
)
def test_a_body_means_what_the_regular_expression_means(body: str, pattern: str) -> None:
    """On all short strings of a few letters."""
    constraint = sg.compile(Ebnf(f"root ::= {body}"))
    for length in range(5):
        for letters in itertools.product("abc-", repeat=length):
            text = "".join(letters)
            assert constraint.accepts(text) == bool(re.fullmatch(pattern, text)), text


def test_rules_may_be_recursive_and_written_over_several_lines() -> None:
    constraint = sg.compile(Ebnf(ARITHMETIC))
    deep = "(" * 40 + "7" + ")" * 40
    for text in ("1", "12-3", "(1+2)-(3)", deep):
        assert constraint.accepts(text)
        assert constraint.parse(text) == text
    for text in ("", "1+", "123", "(1", deep + ")"):
        assert not constraint.accepts(text)


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"\n"', "\n"),
        (r'"\""', '"'),
        (r'"\\"', "\\"),
        (r'"\x41"', "A"),
        (r'"\u00e9"', "é"),
        ('"😀"', "😀"),
        (r"[\]]", "]"),
    ],
)
def test_escapes_are_resolved(literal: str, text: str) -> None:
    assert derives(f"root ::= {literal}", text)


def test_a_hash_in_a_literal_is_no_comment() -> None:
    assert derives('root ::= "#" # a comment "x"', "#")


def test_another_rule_may_be_the_root() -> None:
    assert sg.compile(Ebnf('start ::= "a"', root="start")).accepts("a")


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        ("root ::= word", "line 1 of the grammar names word, for which there is no rule"),
        ('word ::= "a"', "no rule 'root'"),
        ("", "no rule 'root'"),
        ('root ::= ("a"', "a group is not closed"),
        ('root ::= "a" )', "this sign closes no group"),
        ('root ::= "a"\n\n"b" ::= x', "line 3 .* a rule, name ::= body|line 3 of the grammar cannot be read"),
        ('root ::= "a"{3,2}', "upper bound is below the lower bound"),
        ('root ::= "a"{99999}', "10,000 copies at most"),
        ("root ::= [z-a]", "z-a is an empty range"),
        ('root ::= "a"\nroot ::= "b"', "line 2 .* is already defined"),
        ('start: "a"', "a rule is name ::= body"),
        (r'root ::= "\ud800"', "is not a character"),
        ('root ::= "a" %', "cannot be read from '%'"),
        ('root ::= "a".."z"', r"line 1 .*column 13, .* write the range as \[a-z\]"),
        ('root ::= x\nx ::= "0" .. "9"+', r"line 2 .*column 11, .* \[0-9\]"),
        (r'root ::= "\x41".."]"', r"\[\\x41-\\\]\]"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(grammar: str, reason: str) -> None:
    with pytest.raises(sg.InvalidSource, match=reason):
        sg.compile(Ebnf(grammar))


@pytest.mark.parametrize("grammar", ['"a" . . "z"', '"a"..', '"ab".."z"', '"a"..[z]', '("a")..("z")'])
def test_two_dots_elsewhere_are_any_two_characters(grammar: str) -> None:
    assert derives(f"root ::= {grammar}", "ab..z" if "ab" in grammar else "a..z" if "z" in grammar else "a..")


def test_a_grammar_that_derives_nothing_is_refused() -> None:
    with pytest.raises(sg.Unsatisfiable):
        sg.compile(Ebnf('root ::= "a" root'))


def test_a_grammar_is_a_string() -> None:
    with pytest.raises(sg.InvalidSource, match="not dict"):
        Ebnf({})  # type: ignore[arg-type]


def test_macros_and_attributes_of_xgrammar() -> None:
    for low, high in itertools.combinations_with_replacement(range(4), 2):
        assert derives(
            'root ::= "<" Substring("ab", "c", "ab") ">"', "<" + "".join(["ab", "c", "ab"][low:high]) + ">"
        )
    assert not derives('root ::= Substring("ab", "c")', "b")
    assert derives('root ::= Regex("[0-9]+") "!"', "12!")
    lazy = 'root ::= r ">"\nr[lazy] ::= sub+\nsub ::= [a-z]'
    assert derives(lazy, "a>")
    assert not derives(lazy, "ab>")
    assert not derives("root ::= r\nr[max_chars=2] ::= [a-z]*", "abc")
    captured = Ebnf('root ::= "<" r ">"\nr[capture="n", max_chars=3] ::= [a-z]*').captures("<ab>")
    assert captured == {"n": [("ab", 1, 3)]}


def test_tokens_are_named_or_numbered_as_in_llama() -> None:
    vocabulary = sg.Vocabulary.from_tokens([b"a", b"b", "<think>", b"ab"])
    constraint = sg.compile(Ebnf('root ::= <think> <[3]> !<[0]> "a"'), vocabulary)
    assert constraint.accepts_ids([2, 3, 1, 0])
    assert constraint.accepts_ids([2, 3, 3, 0])
    assert not constraint.accepts_ids([2, 0, 1, 1, 0])
    assert not constraint.accepts_ids([2, 3, 0, 0])


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        ('root ::= "a" (="b")', "look-ahead is not supported"),
        ('root ::= TagDispatch(("a", b))', "TagDispatch.. arguments must be strings"),
        ('root ::= Substring("a", x=1)', "does not accept named arguments"),
        ('root[temperature=1] ::= "a"', "attribute 'temperature=1' is not supported"),
        ('root[max_tokens=0] ::= "a"', "'max_tokens' is not supported"),
        ("root ::= !<think>", "by id"),
    ],
)
def test_what_is_wrong_is_shown_with_a_caret(grammar: str, reason: str) -> None:
    with pytest.raises((sg.InvalidSource, sg.Unsupported), match=reason) as caught:
        Ebnf(grammar).lower()
    assert str(caught.value).endswith("^")
