"""Byte automata against the definition of each expression, and the laws of minimal automata."""

from __future__ import annotations

import itertools
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expressions import NULL, TOKENS, accepts, assert_minimal, expressions, grammar, near
from structgen.automata import Table, compile_bytes
from structgen.automata.finite import crawl, nfa, regular
from structgen.automata.finite.fragments import Fragments
from structgen.automata.finite.nfa import TooLarge
from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import (
    EMPTY,
    NOTHING,
    TEXT,
    Expr,
    Grammar,
    alt,
    both,
    char_ranges,
    chars,
    complement,
    difference,
    literal,
    optional,
    ref,
    repeat,
    seq,
    star,
    token,
)
from structgen_engine.automata.dfa import Dfa

SEEDS = st.integers(0, 2**32)
SHORT = [text for n in range(4) for text in itertools.product((97, 98, 0xC3, 0x9F), repeat=n)]


def compiled(expr: Expr, *, null: str | None = None) -> Dfa:
    return compile_bytes(grammar(expr), TOKENS, null).dfa()


def same_language(one: Expr, other: Expr) -> bool:
    """Minimal automata are unique up to numbering, and the numbering is breadth-first by class."""
    a, b = compiled(one), compiled(other)
    sides = [(d.delta[:, d.alphabet.class_of.long()]) for d in (a, b)]
    pairs, waiting = {(1, 1)}, [(1, 1)]
    while waiting:
        s, t = waiting.pop()
        if bool(a.accepting[s]) != bool(b.accepting[t]):
            return False
        fresh = set(zip(sides[0][s].tolist(), sides[1][t].tolist(), strict=True)) - pairs
        pairs |= fresh
        waiting += fresh
    return True


@settings(max_examples=300)
@given(expressions(), SEEDS)
def test_an_automaton_accepts_what_its_expression_means(expr, seed):
    dfa, rng = compiled(expr), random.Random(seed)
    for text in {near(expr, rng) for _ in range(12)}:
        assert dfa.accepts(list(text)) == accepts(expr, text), bytes(text)


@settings(max_examples=60)
@given(expressions())
def test_an_automaton_accepts_what_its_expression_means_on_every_short_string(expr):
    dfa = compiled(expr)
    for text in SHORT:
        assert dfa.accepts(list(text)) == accepts(expr, text), bytes(text)


@settings(max_examples=200)
@given(expressions(marks=True), st.booleans(), SEEDS)
def test_tokens_slack_and_rules_mean_what_they_say(expr, slack, seed):
    null = 256 + TOKENS.index(NULL) if slack else None
    dfa, rng = compiled(expr, null=NULL if slack else None), random.Random(seed)
    for _ in range(12):
        text = near(expr, rng, null=null, symbols=(97, 98, 256, 257))
        assert dfa.accepts(list(text)) == accepts(expr, text, null), text


@settings(max_examples=200)
@given(expressions(marks=True))
def test_an_automaton_is_minimal(expr):
    assert_minimal(compiled(expr, null=NULL))


@settings(max_examples=50)
@given(expressions(leaves=4))
def test_the_complement_of_a_complement_is_the_text_of_the_expression(expr):
    text = both(expr, TEXT)
    assert same_language(complement(seq(complement(expr), EMPTY)), text)
    assert same_language(difference(TEXT, difference(TEXT, expr)), text)


@settings(max_examples=30)
@given(expressions(leaves=3), expressions(leaves=3), expressions(leaves=3))
def test_boolean_laws_hold(a, b, c):
    assert same_language(both(a, b), both(b, a))
    assert same_language(alt(a, b), alt(b, a))
    assert same_language(both(a, alt(b, c)), alt(both(a, b), both(a, c)))
    assert same_language(complement(alt(a, b)), both(complement(a), complement(b)))
    assert same_language(complement(both(a, b)), alt(complement(a), complement(b)))
    assert same_language(difference(a, a), NOTHING)


@settings(max_examples=50)
@given(expressions(leaves=3), st.integers(0, 3), st.integers(0, 3))
def test_a_repetition_is_its_unrolling(expr, low, more):
    unrolled = seq(*[expr] * low, *[optional(expr)] * more)
    assert same_language(repeat(expr, low, low + more), unrolled)
    assert same_language(repeat(expr, low, None), seq(*[expr] * low, star(expr)))


def test_nothing_and_the_empty_string_have_the_smallest_automata():
    nothing, empty = compile_bytes(Grammar(NOTHING)), compile_bytes(Grammar(EMPTY))
    assert nothing.empty
    assert not empty.empty
    assert (len(nothing.accepting), nothing.classes, len(nothing.source)) == (2, 1, 0)
    assert (empty.accepting.tolist(), empty.classes, len(empty.source)) == ([False, True], 1, 0)


@settings(max_examples=100)
@given(expressions(marks=True, leaves=4))
def test_a_fragment_is_the_automaton_itself(expr):
    table = compile_bytes(grammar(expr), TOKENS, NULL)
    delta, classes = table.delta(), table.class_of.tolist()
    moves = {(s, x, t) for s, low, high, t in table.fragment(0).moves.tolist() for x in range(low, high + 1)}
    live = {(s, x, int(delta[s, classes[x]])) for s in range(len(delta)) for x in range(len(classes))}
    assert moves == {move for move in live if move[2]}


@settings(max_examples=200)
@given(expressions(leaves=5), st.integers(1, 60), st.integers(0, 3))
def test_what_fits_a_limit_does_not_depend_on_the_fragments_that_were_kept(expr, most, times):
    text = seq(repeat(expr, 0, 5), alt(*(literal(f"{n:05d}") for n in range(times))), expr)
    outcomes = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regular, "FRAGMENTS", Fragments())
        for limit in (most, None, most):  # with nothing kept, then with every fragment
            try:
                outcomes.append(len(compile_bytes(grammar(text), TOKENS, most=limit).accepting))
            except TooLarge:
                outcomes.append(None)
    assert outcomes[0] == outcomes[2]
    assert outcomes[0] in (None, outcomes[1])


# UTF-8

EDGES = [
    0,
    0x7F,
    0x80,
    0x7FF,
    0x800,
    0xD7FF,
    0xE000,
    0xFFFF,
    0x10000,
    0x3FFFF,
    0x40000,
    0xFFFFF,
    0x100000,
    0x10FFFF,
]
NEIGHBOURS = sorted({c + d for c in EDGES for d in (-1, 0, 1) if 0 <= c + d <= 0x10FFFF})


def spelled(code_point: int, length: int | None = None) -> bytes:
    """UTF-8 by arithmetic, surrogates and overlong forms included."""
    length = length or 1 + sum(code_point > limit for limit in (0x7F, 0x7FF, 0xFFFF))
    if length == 1:
        return bytes([code_point])
    tail = [0x80 | code_point >> 6 * i & 0x3F for i in reversed(range(length - 1))]
    return bytes([(0xF00 >> length & 0xFF) | code_point >> 6 * (length - 1), *tail])


@pytest.mark.parametrize("low", EDGES)
@pytest.mark.parametrize("high", EDGES)
def test_a_character_range_accepts_exactly_its_code_points(low, high):
    dfa = compiled(char_ranges([(low, high)]))
    for c in NEIGHBOURS:
        surrogate = 0xD800 <= c <= 0xDFFF
        assert dfa.accepts(list(spelled(c))) == (low <= c <= high and not surrogate), hex(c)


@given(st.integers(0, 0x10FFFF), st.integers(0, 0x10FFFF), st.integers(0, 0x10FFFF))
def test_any_character_range_accepts_exactly_its_code_points(one, other, c):
    low, high = min(one, other), max(one, other)
    dfa = compiled(char_ranges([(low, high)]))
    for point in (c, low, high, max(low - 1, 0), min(high + 1, 0x10FFFF)):
        assert dfa.accepts(list(spelled(point))) == (low <= point <= high and not 0xD800 <= point <= 0xDFFF)


def test_text_is_what_python_decodes():
    dfa = compiled(TEXT)
    second = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
    heads = [bytes(pair) for pair in itertools.product(range(256), second)]
    tails = [b"", b"\x80", b"\xbf", b"\x80\x80", b"\x7f", b"\x8f\xbf", b"\x90\x80", b"\xc0"]
    sides = {head: dfa.run(list(head)) for head in heads}
    for head, tail in itertools.product(heads, tails):
        try:
            (head + tail).decode()
            well_formed = True
        except UnicodeDecodeError:
            well_formed = False
        assert bool(dfa.accepting[dfa.run(list(tail), sides[head])]) == well_formed, (head + tail).hex()


@pytest.mark.parametrize("c", [0, 0x2F, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF])
def test_overlong_encodings_are_never_accepted(c):
    dfa, shortest = compiled(TEXT), len(spelled(c))
    for length in range(shortest + 1, 5):
        assert not dfa.accepts(list(spelled(c, length)))


# What is refused


def message(error: pytest.ExceptionInfo[Exception]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 250
    return text


@pytest.mark.parametrize(
    "around",
    [
        lambda e: e,
        lambda e: seq(literal("("), e, literal(")")),
        lambda e: repeat(seq(literal(","), e), 0, 9),
        lambda e: both(TEXT, e),
        lambda e: seq(literal("a"), complement(e)),
    ],
    ids=["alone", "sequence", "repetition", "intersection", "complement"],
)
def test_recursion_is_refused_naming_the_cycle(around):
    rules = {"value": alt(literal("1"), around(ref("list"))), "list": seq(literal("["), around(ref("value")))}
    with pytest.raises(Unsupported) as error:
        compile_bytes(Grammar(ref("value"), rules))
    assert "value → list → value" in message(error)
    assert error.value.remedy


def test_a_rule_used_twice_is_not_recursive():
    rules = {"twice": seq(ref("once"), repeat(seq(ref("once"), literal("b")), 0, 5)), "once": literal("a")}
    assert compile_bytes(Grammar(seq(ref("twice"), ref("twice")), rules)).dfa().accepts(list(b"aabaababab"))


def test_unknown_names_are_refused():
    with pytest.raises(InvalidSource, match="no rule is called 'nobody'"):
        compile_bytes(Grammar(ref("nobody")))
    with pytest.raises(InvalidSource, match="no special token called '<nobody>'"):
        compile_bytes(Grammar(token("<nobody>")), TOKENS)


LARGE = {
    "states of a repetition": (repeat(chars("az"), 0, 10**9), nfa, "MAX_STATES", 1000),
    "states of a copied body": (
        repeat(seq(star(literal("ab")), literal("c")), 500, 500),
        nfa,
        "MAX_STATES",
        1000,
    ),
    "moves of copied bodies": (repeat(complement(literal("a")), 0, 500), nfa, "MAX_MOVES", 1000),
    "members": (seq(TEXT, repeat(chars("az"), 200, 200)), crawl, "MAX_MEMBERS", 1000),
    "edges": (seq(star(chars("ab")), literal("a"), repeat(chars("ab"), 12, 12)), crawl, "MAX_EDGES", 1000),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_refused_in_one_sentence(name, monkeypatch):
    expr, module, limit, value = LARGE[name]
    monkeypatch.setattr(module, limit, value)
    with pytest.raises(Unsupported) as error:
        compile_bytes(Grammar(expr))
    assert "needs more memory" in message(error)
    assert "lower the bounds" in message(error)
    compile_bytes(Grammar(repeat(chars("az"), 0, 20)))


def test_what_takes_too_long_is_refused_within_seconds():
    begun = time.process_time()
    with pytest.raises(Unsupported, match="takes too long to compile") as error:
        compile_bytes(Grammar(repeat(seq(complement(literal("a")), literal("b")), 0, 2000)))
    assert "lower the bounds" in message(error)
    assert time.process_time() - begun < 30


def test_deep_nesting_compiles_or_is_refused():
    members = EMPTY
    for index in reversed(range(2000)):
        members = optional(seq(literal(f"{index},"), members))
    assert compile_bytes(Grammar(members)).dfa().accepts(list(b"0,1,2,3,"))
    counted = literal("a")
    for _ in range(2000):
        counted = optional(seq(literal("("), complement(counted)))
    with pytest.raises(Unsupported, match="too deeply"):
        compile_bytes(Grammar(counted))


def test_a_grammar_with_a_thousand_optional_members_costs_a_thousand_members():
    members = EMPTY
    for index in reversed(range(1000)):
        members = seq(optional(literal(f'"k{index:03}",')), members)
    table: Table = compile_bytes(Grammar(members))
    assert len(table.accepting) < 10_000
