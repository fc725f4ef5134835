"""The law of the lift: the token automaton accepts exactly the tokenizations of what the byte automaton accepts."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expressions import NULL, TOKENS, assert_minimal, expressions, grammar
from structgen.automata import compile_bytes
from structgen.compiler import lift as lift_module
from structgen.compiler.framing import answer_tokens, framed
from structgen.compiler.lift import lift
from structgen.errors import Unsupported
from structgen.grammar import (
    SLACK,
    Expr,
    Grammar,
    alt,
    any_of,
    chars,
    chars_except,
    complement,
    literal,
    optional,
    repeat,
    separated,
    seq,
    star,
    token,
)
from structgen.tokens.vocabulary import BYTES, Vocabulary
from structgen_engine.automata.dfa import DEAD, NEVER, Dfa

# Single bytes, repeated bytes, tokens that cut characters in two or join several, special tokens, ids never used.
PIECES = [
    *(b"a", b"b", b"ab", b"ba", b"aa", b"aba", b"abab", b"a", b"ab"),
    *(
        "ß".encode(),
        b"\xc3",
        b"\x9f",
        b"a\xc3",
        b"\x9fb",
        b"\xe2",
        b"\x82\xac",
        b"\xe2\x82",
        "€a".encode(),
        b"\xff",
    ),
    *("<end>", "<null>", "<other>", None),
]
VOCABULARIES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=7).map(Vocabulary.from_tokens)


def symbols_of(vocabulary: Vocabulary, token_id: int) -> list[int] | None:
    """What an id means to a byte automaton over TOKENS; None if nothing."""
    names = {index: name for name, index in vocabulary.special.items()}
    if token_id in names:
        return [256 + TOKENS.index(names[token_id])] if names[token_id] in TOKENS else None
    return list(vocabulary.spelling(token_id)) or None


@settings(max_examples=150)
@given(expressions(marks=True), VOCABULARIES)
def test_a_token_automaton_accepts_exactly_the_tokenizations_of_accepted_bytes(expr, vocabulary):
    table = compile_bytes(grammar(expr), TOKENS, NULL)
    by_bytes, by_tokens = table.dfa(), lift(table, vocabulary, TOKENS).dfa()
    meanings = [symbols_of(vocabulary, v) for v in range(vocabulary.size)]
    pairs = {(by_bytes.start, by_tokens.start)}
    for _ in range(5):  # all id strings up to length 4, told apart by the two states they lead to
        for s, t in pairs:
            assert bool(by_bytes.accepting[s]) == bool(by_tokens.accepting[t])
        pairs = {
            (DEAD if meaning is None else by_bytes.run(meaning, s), by_tokens.run([v], t))
            for s, t in pairs
            for v, meaning in enumerate(meanings)
        }


@settings(max_examples=150)
@given(expressions(marks=True), VOCABULARIES)
def test_a_token_automaton_is_minimal(expr, vocabulary):
    assert_minimal(lift(compile_bytes(grammar(expr), TOKENS, NULL), vocabulary, TOKENS).dfa())


@settings(max_examples=60)
@given(expressions(marks=True), VOCABULARIES)
def test_a_states_distance_is_the_length_of_its_shortest_completion(expr, vocabulary):
    dfa = lift(compile_bytes(grammar(expr), TOKENS, NULL), vocabulary, TOKENS).dfa()
    for state in range(dfa.states):
        lengths = (
            len(ids)
            for n in range(4)
            for ids in _strings(vocabulary, n)
            if dfa.accepting[dfa.run(ids, state)]
        )
        shortest, distance = next(lengths, None), int(dfa.distance[state])
        assert shortest == distance if distance < 4 else shortest is None


@settings(max_examples=150)
@given(expressions(marks=True), VOCABULARIES)
def test_the_shortest_string_of_a_table_is_accepted_and_none_is_shorter(expr, vocabulary):
    table = lift(compile_bytes(grammar(expr), TOKENS, NULL), vocabulary, TOKENS)
    dfa, found = table.dfa(), table.shortest_string()
    assert (found is None) == table.empty
    if found is not None:
        assert dfa.accepting[dfa.run(found)]
        assert len(found) == int(dfa.distance[dfa.start])


def _strings(vocabulary: Vocabulary, length: int) -> list[list[int]]:
    return [list(ids) for ids in itertools.product(range(vocabulary.size), repeat=length)]


@settings(max_examples=60)
@given(expressions(leaves=4))
def test_over_single_bytes_the_token_automaton_is_the_byte_automaton(expr):
    table = compile_bytes(grammar(expr))
    by_bytes, by_tokens = table.dfa(), lift(table, BYTES).dfa()
    assert by_tokens.states == by_bytes.states
    assert by_tokens.alphabet.size == by_bytes.alphabet.size


def test_ids_without_a_meaning_are_refused():
    table = lift(
        compile_bytes(Grammar(star(chars("ab")))),
        Vocabulary.from_tokens([b"a", None, "<x>", b"c", b"b", b"ca"]),
    )
    assert table.class_of.tolist() == [1, 0, 0, 0, 1, 0]


def test_a_vocabulary_of_nothing_accepts_at_most_the_empty_string():
    nothing = Vocabulary.from_tokens([None, "<x>"])
    assert lift(compile_bytes(Grammar(star(literal("a")))), nothing).accepts([])
    assert not lift(compile_bytes(Grammar(literal("a"))), nothing).accepting.any()


# Framing

FRAMED = {
    "end and pad": ("(an*b|c)ep*", [b"a", b"b", b"ab", "<eos>", "<pad>", "<null>"], "abcepn"),
    "the end token pads": ("(ab|c)ee*", [b"a", b"b", b"ab", "<eos>", "<unused0>", None], "abceux"),
    "slack but no end": ("an*b|c", [b"a", b"b", b"ab", "<x>", "<y>", "<null>"], "abcxyn"),
    "neither": ("ab|c", [b"a", b"b", b"ab", None, "<y>", "<z>"], "abcxyz"),
}


@pytest.mark.parametrize("name", FRAMED)
def test_an_answer_is_the_text_the_end_token_and_pads_with_null_only_where_slack_stands(name):
    pattern, tokens, letters = FRAMED[name]
    vocabulary, text = Vocabulary.from_tokens(tokens), Grammar(seq(literal("a"), SLACK, literal("b")))
    names = answer_tokens(text, vocabulary)
    dfa = lift(compile_bytes(framed(text, vocabulary), names, vocabulary.null), vocabulary, names).dfa()
    for n in range(6):
        for ids in _strings(vocabulary, n):
            wanted = re.fullmatch(pattern, "".join(letters[v] for v in ids))
            assert dfa.accepts(ids) == (wanted is not None), ids


def test_slack_inside_intersections_and_complements_is_the_empty_string():
    vocabulary = Vocabulary.from_tokens([b"a", "<null>"])
    text = Grammar(complement(seq(literal("a"), SLACK)))
    dfa = lift(compile_bytes(text, ("<null>",), "<null>"), vocabulary, ("<null>",)).dfa()
    verdicts = {ids: dfa.accepts(list(ids)) for ids in [(), (0,), (0, 0), (1,), (0, 1)]}
    assert verdicts == {(): True, (0,): False, (0, 0): True, (1,): False, (0, 1): False}


def test_tokens_a_grammar_names_are_part_of_the_answer():
    vocabulary = Vocabulary.from_tokens([b"a", "<q>", "<eos>"])
    text = Grammar(seq(token("<q>"), literal("a"), token("<q>")))
    names = answer_tokens(text, vocabulary)
    dfa = lift(compile_bytes(framed(text, vocabulary), names), vocabulary, names).dfa()
    assert names == ("<eos>", "<q>")
    assert dfa.accepts([1, 0, 1, 2, 2])
    assert not dfa.accepts([0, 2])


# Limits

LIMITS = {"MAX_PAIRS": 100, "MAX_CELLS": 200, "MAX_EDGES": 100}


@pytest.mark.parametrize("name", LIMITS)
def test_tables_that_would_not_fit_are_refused(name, monkeypatch):
    table = compile_bytes(Grammar(repeat(chars("az"), 0, 200)))
    vocabulary = Vocabulary.from_tokens([b"a" * n for n in range(1, 20)])
    assert lift(table, vocabulary).accepts([0, 1, 2])
    monkeypatch.setattr(lift_module, name, LIMITS[name])
    with pytest.raises(Unsupported, match="needs more memory"):
        lift(table, vocabulary)


# Real tokenizers

SPACE = star(any_of(" \t\n\r"))
HEX = chars("09", "af", "AF")
ESCAPE = seq(literal("\\"), alt(any_of('"\\/bfnrt'), seq(literal("u"), repeat(HEX, 4, 4))))
PLAIN = chars_except(chars("\x00\x1f", '""', "\\\\"))
STRING = seq(literal('"'), star(alt(PLAIN, ESCAPE)), literal('"'))
INTEGER = seq(optional(literal("-")), alt(literal("0"), seq(chars("19"), star(chars("09")))))
EXPONENT = seq(any_of("eE"), optional(any_of("+-")), repeat(chars("09"), 1))
NUMBER = seq(INTEGER, optional(seq(literal("."), repeat(chars("09"), 1))), optional(EXPONENT))


def members(**values: Expr) -> Expr:
    """A JSON object with exactly these members, in order."""
    colon, comma = seq(SPACE, literal(":"), SPACE), seq(SPACE, literal(","), SPACE)
    inside: list[Expr] = []
    for name, value in values.items():
        inside += [*([comma] if inside else []), literal(json.dumps(name)), colon, value]
    return seq(literal("{"), SPACE, *inside, SPACE, literal("}"))


LINE = members(text=STRING, amount=NUMBER)
LINES = seq(literal("["), SPACE, separated(LINE, seq(SPACE, literal(","), SPACE)), SPACE, literal("]"))
DOCUMENT = members(name=STRING, lines=LINES, note=alt(STRING, literal("null")))


def document(rng: random.Random) -> bytes:
    """A text that DOCUMENT contains."""
    alphabet = 'ab Zé€ß漢😀"\\/\n\t\x7f0-'
    word = lambda: "".join(rng.choice(alphabet) for _ in range(rng.randrange(8)))  # noqa: E731
    lines = [
        {"text": word(), "amount": rng.choice([0, -7, 12.5, 1e30, 1e-9])} for _ in range(rng.randrange(3))
    ]
    value = {"name": word(), "lines": lines, "note": rng.choice([None, word()])}
    layout = {"indent": rng.choice([None, 0, 2]), "separators": rng.choice([None, (",", ":"), (" ,", " : ")])}
    return json.dumps(value, ensure_ascii=rng.random() < 0.5, **layout).encode()


def mutated(text: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(text))
    insert = bytes([rng.choice([0, 10, 0x22, 0x5C, 0x2C, 0x7D, 0x80, 0xC3, 0xFF, rng.randrange(256)])])
    return text[:at] + rng.choice([b"", insert]) + text[at + rng.randrange(2) :]


def segmented(text: bytes, ids_of: dict[bytes, list[int]], rng: random.Random) -> list[int]:
    """Any tokenization of `text`: at each place any token that fits, mostly long or mostly short ones."""
    ids, at, greedy = [], 0, rng.random()
    while at < len(text):
        fits = [text[at : at + n] for n in range(1, 24) if text[at : at + n] in ids_of]
        piece = fits[-1] if rng.random() < greedy else rng.choice(fits)
        ids.append(rng.choice(ids_of[piece]))
        at += len(piece)
    return ids


@pytest.fixture(scope="module")
def byte_table():
    return compile_bytes(Grammar(DOCUMENT))


@pytest.mark.parametrize("name", ["gemma3", "qwen3", "llama3"])
def test_on_real_tokenizers_tokens_are_accepted_exactly_where_their_bytes_are(
    name, byte_table, real_vocabulary
):
    vocabulary, rng = real_vocabulary(name), random.Random(1)
    ids_of: dict[bytes, list[int]] = {}
    for index in range(vocabulary.size):
        ids_of.setdefault(vocabulary.spelling(index), []).append(index)
    del ids_of[b""]
    by_bytes, by_tokens = Walker(byte_table.dfa()), Walker(lift(byte_table, vocabulary).dfa())
    for _ in range(40):
        text = document(rng)
        assert by_bytes.accepts(text)
        for ids in (
            vocabulary.encode(text.decode()),
            segmented(text, ids_of, rng),
            segmented(text, ids_of, rng),
        ):
            assert by_tokens.accepts(ids)
            assert by_tokens.distance[1] <= len(ids)
            compare(by_bytes, by_tokens, vocabulary, ids)
            compare(by_bytes, by_tokens, vocabulary, segmented(mutated(text, rng), ids_of, rng))
            noise = [rng.randrange(vocabulary.size) for _ in range(5)]
            compare(by_bytes, by_tokens, vocabulary, ids[: rng.randrange(len(ids))] + noise)


class Walker:
    """A Dfa as arrays that single steps read quickly."""

    def __init__(self, dfa: Dfa):
        self.class_of, self.delta = dfa.alphabet.class_of.numpy(), dfa.delta.numpy()
        self.accepting, self.distance = dfa.accepting.numpy(), dfa.distance.numpy()

    def run(self, symbols: Iterable[int], state: int = 1) -> int:
        for symbol in symbols:
            state = self.delta[state, self.class_of[symbol]]
        return state

    def accepts(self, symbols: Iterable[int]) -> bool:
        return bool(self.accepting[self.run(symbols)])


def compare(by_bytes: Walker, by_tokens: Walker, vocabulary: Vocabulary, ids: list[int]) -> None:
    """After every id both automata agree whether the text is accepted, and whether it can still be completed."""
    s = t = 1
    for token_id in ids:
        spelled = vocabulary.spelling(token_id)
        s, t = by_bytes.run(spelled, s) if spelled else DEAD, by_tokens.run([token_id], t)
        assert by_bytes.accepting[s] == by_tokens.accepting[t]
        assert (by_bytes.distance[s] < NEVER) == (by_tokens.distance[t] < NEVER) == (t != DEAD)
        assert by_tokens.distance[t] <= by_bytes.distance[s]
