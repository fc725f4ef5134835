"""The laws of the smart constructors: one object for one structure, and the identities they promise."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressions import expressions
from structgen.automata import compile_bytes
from structgen.grammar import (
    ANY_CHAR,
    EMPTY,
    NOTHING,
    SLACK,
    TEXT,
    Alt,
    And,
    Bytes,
    Chars,
    Expr,
    Grammar,
    Not,
    Ref,
    Repeat,
    Seq,
    Slack,
    Token,
    alt,
    any_of,
    both,
    char_ranges,
    chars,
    chars_except,
    complement,
    literal,
    optional,
    ref,
    repeat,
    separated,
    seq,
    star,
    token,
    tokens_of,
)
from structgen.grammar import expr as expr_module

EXPRESSIONS = expressions(marks=True)


def rebuilt(expr: Expr) -> Expr:
    """The same structure, built again from its leaves."""
    match expr:
        case Seq(parts):
            return seq(*map(rebuilt, parts))
        case Alt(parts):
            return alt(*map(rebuilt, parts))
        case And(parts):
            return both(*map(rebuilt, parts))
        case Repeat(body, low, high):
            return repeat(rebuilt(body), low, high)
        case Not(body):
            return complement(rebuilt(body))
        case Bytes(value):
            return literal(bytes(bytearray(value)))
        case Chars(ranges):
            return char_ranges(list(ranges))
        case Token(name):
            return token(name)
        case Ref(name):
            return ref(name)
        case Slack():
            return SLACK
    raise AssertionError(expr)


@given(EXPRESSIONS)
def test_building_the_same_structure_twice_gives_the_same_object(expr):
    assert rebuilt(expr) is expr


@given(EXPRESSIONS, EXPRESSIONS)
def test_fingerprints_are_equal_exactly_where_the_structure_is(one, other):
    assert (one.fingerprint == other.fingerprint) == (one is other)


@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS)
def test_sequences_are_associative_with_empty_as_unit_and_nothing_as_zero(a, b, c):
    assert seq(seq(a, b), c) is seq(a, seq(b, c)) is seq(a, b, c)
    assert seq(a, EMPTY) is a is seq(EMPTY, a)
    assert seq(a, NOTHING, b) is NOTHING


@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS)
def test_alternatives_are_associative_and_idempotent_with_nothing_as_unit(a, b, c):
    assert alt(alt(a, b), c) is alt(a, alt(b, c)) is alt(a, b, c)
    assert alt(a, a) is a is alt(a, NOTHING)
    assert alt(a, b, a) is alt(a, b)


@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS)
def test_intersections_are_associative_and_idempotent_with_nothing_as_zero(a, b, c):
    assert both(both(a, b), c) is both(a, both(b, c))
    assert both(a, a) is a
    assert both(a, NOTHING) is NOTHING
    assert both() is TEXT


@given(EXPRESSIONS)
def test_a_complement_taken_twice_is_the_expression_itself(expr):
    assert complement(complement(expr)) is expr


@given(EXPRESSIONS, st.integers(0, 3))
def test_repetitions_know_their_trivial_cases(expr, low):
    assert repeat(expr, 1, 1) is expr
    assert repeat(expr, 0, 0) is EMPTY
    assert repeat(EMPTY, low, None) is EMPTY
    assert repeat(NOTHING, low, None) is (NOTHING if low else EMPTY)
    assert repeat(SLACK, low, low + 1) is SLACK
    assert star(expr) is repeat(expr)
    assert optional(expr) is repeat(expr, 0, 1)


BOUNDS = st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 3))).map(
    lambda bounds: (bounds[0], None if bounds[1] is None else sum(bounds))
)
MOST = 60  # copies that are looked at


@given(st.lists(BOUNDS, min_size=1, max_size=3))
def test_repetitions_of_repetitions_are_one_where_no_count_is_left_out(nested):
    expr, meant = literal("x"), {1}
    for low, high in nested:
        expr = repeat(expr, low, high)
        sums, found = {0}, set()
        for times in range(1 + (MOST if high is None else high)):
            found |= sums if times >= low else set()
            sums = {a + b for a in sums for b in meant if a + b <= MOST}
        meant = found
    assert _counts(expr) == meant
    if len(nested) == 2 and meant and meant == set(range(min(meant), max(meant) + 1)) != {0}:
        assert isinstance(expr, Bytes) or (isinstance(expr, Repeat) and expr.body is literal("x"))


def _counts(expr: Expr) -> set[int]:
    """How many copies of x an expression holds."""
    if isinstance(expr, Bytes):
        return {len(expr.value)}
    assert isinstance(expr, Repeat)
    body, sums, found = _counts(expr.body), {0}, set[int]()
    for times in range(1 + (MOST if expr.high is None else expr.high)):
        found |= sums if times >= expr.low else set()
        sums = {a + b for a in sums for b in body if a + b <= MOST}
    return found


@pytest.mark.parametrize(("low", "high"), [(-1, None), (2, 1)])
def test_a_repetition_without_a_meaning_is_refused(low, high):
    with pytest.raises(ValueError, match=f"{low} to {high} times"):
        repeat(literal("a"), low, high)


@given(st.lists(st.tuples(st.integers(-9, 0x110010), st.integers(-9, 0x110010)), max_size=4))
def test_character_ranges_are_sorted_disjoint_apart_and_without_surrogates(ranges):
    expr = char_ranges(ranges)
    kept = expr.ranges if isinstance(expr, Chars) else ()
    assert expr is NOTHING or kept
    for (_, high), (low, _) in pairwise(kept):
        assert high + 1 < low
    inside = [c for c in _edges(ranges) if any(low <= c <= high for low, high in kept)]
    wanted = [c for c in _edges(ranges) if any(low <= c <= high for low, high in ranges)]
    assert inside == [c for c in wanted if 0 <= c <= 0x10FFFF and not 0xD800 <= c <= 0xDFFF]


def _edges(ranges: list[tuple[int, int]]) -> list[int]:
    marks = {0, 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0x10FFFF, 0x110000, *(c for pair in ranges for c in pair)}
    return sorted({c + step for c in marks for step in (-1, 0, 1)})


@given(st.lists(st.tuples(st.integers(0, 0x10FFFF), st.integers(0, 0x10FFFF)), max_size=4))
def test_all_characters_but_a_set_and_that_set_share_nothing_and_miss_nothing(ranges):
    inside = char_ranges(ranges)
    outside = chars_except(inside)
    assert chars_except(outside) is inside
    pieces = [pair for part in (inside, outside) if isinstance(part, Chars) for pair in part.ranges]
    assert char_ranges(pieces) is ANY_CHAR
    assert sum(high - low + 1 for low, high in pieces) == 0x110000 - 0x800


def test_all_characters_but_a_text_are_refused_since_a_text_is_no_set_of_characters():
    with pytest.raises(ValueError, match="set of characters"):
        chars_except(literal("a"))


def test_neighbouring_literals_are_joined_and_characters_may_be_written_in_three_ways():
    assert seq(literal("a"), literal("b"), literal("c")) is literal("abc")
    assert chars("ac") is any_of("abc") is char_ranges([(98, 99), (97, 98)])
    assert literal("ß") is literal("ß".encode())


@pytest.mark.parametrize(("low", "high"), [(0, None), (0, 0), (0, 1), (1, None), (2, 3)])
def test_separated_items_are_the_items_with_separators_between(low, high):
    text, bounds = (
        separated(literal("a"), literal(","), low, high),
        range(low, 6 if high is None else high + 1),
    )
    dfa = compile_bytes(Grammar(text)).dfa()
    for count in range(6):
        assert dfa.accepts(list(b",".join([b"a"] * count))) == (count in bounds)
    assert not dfa.accepts(list(b"a,"))


def test_expressions_nobody_holds_are_forgotten():
    interned = expr_module._interned
    gc.collect()
    before = len(interned)
    expr = seq(*(optional(literal(f"forgotten {index}")) for index in range(100)))
    assert len(interned) > before + 100
    del expr
    gc.collect()
    assert len(interned) <= before


@given(EXPRESSIONS, EXPRESSIONS)
def test_a_grammars_fingerprint_sees_its_start_its_rules_and_their_names(one, other):
    grammars = [Grammar(one), Grammar(other), Grammar(one, {"r": other}), Grammar(one, {"s": other})]
    prints = [grammar.fingerprint for grammar in grammars]
    assert len(set(prints)) == (3 if one is other else 4)
    assert (
        Grammar(one, {"r": one, "s": other}).fingerprint == Grammar(one, {"s": other, "r": one}).fingerprint
    )


def test_fingerprints_are_the_same_in_another_process():
    program = (
        "from structgen.grammar import *\n"
        "rule = alt(seq(ref('x'), token('<end>'), SLACK), both(TEXT, complement(literal('ß'))))\n"
        "print(Grammar(repeat(rule, 2, 5), {'x': chars('az'), 'y': EMPTY}).fingerprint)"
    )
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": f"{root}{os.pathsep}{root / 'engine'}"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    rule = alt(seq(ref("x"), token("<end>"), SLACK), both(TEXT, complement(literal("ß"))))
    here = Grammar(repeat(rule, 2, 5), {"x": chars("az"), "y": EMPTY})
    assert done.stdout.strip() == here.fingerprint


def test_the_tokens_of_a_grammar_are_found_wherever_they_stand():
    rule = both(TEXT, complement(repeat(alt(literal("a"), token("<b>")), 2, 3)))
    assert tokens_of(Grammar(seq(token("<c>"), ref("r")), {"r": rule, "s": token("<a>")})) == [
        "<a>",
        "<b>",
        "<c>",
    ]


def test_no_depth_of_nesting_is_too_deep_to_build_or_to_fingerprint():
    expr = EMPTY
    for index in range(5000):
        expr = optional(seq(literal(f"{index},"), expr))
    assert len(Grammar(expr).fingerprint) == 32
