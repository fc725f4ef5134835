"""Configurations, effects and distances of a lazily run pushdown agree with its definition."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate, product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from pushdowns import accepts, pushdowns, spelled
from structgen.automata.pushdown.automaton import Pushdown
from structgen.compiler.constraint import compile
from structgen.compiler.lazy import LazyAutomaton
from structgen.compiler.lazy.classes import Classes, Occurring
from structgen.compiler.lazy.configurations import NOWHERE
from structgen.errors import Unsatisfiable
from structgen.grammar import (
    ANY_CHAR,
    EMPTY,
    Expr,
    Grammar,
    alt,
    any_of,
    char_ranges,
    chars,
    chars_except,
    literal,
    optional,
    ref,
    repeat,
    separated,
    seq,
    star,
)
from structgen.sources import Regex
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.dfa import NEVER, REFUSED
from structgen_engine.automata.finishing import Finishing
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Uniform
from structgen_engine.decoding.options import DecodingOptions

TOKENS = Vocabulary.from_tokens([b"a", b"b", b"c", b"ab", b"bca", b"cc", "<e>", None])
FEW = Vocabulary.from_tokens([b"ab", b"ca", b"b", b"bb", "<e>"])  # not every letter is a token
JSON_TOKENS = Vocabulary.from_tokens(
    [
        "<eos>",
        *(bytes([byte]) for byte in range(32, 127)),
        b'{"',
        b'":',
        b'": ',
        b'"}',
        b"]}",
        b"}}",
        b"ab",
        b"12",
        b"true",
    ]
)
SPECIAL = ("<e>",)


def json_text() -> Grammar:
    """Any JSON value, white space between its parts."""
    space = star(any_of(" \t\n\r"))
    escape = alt(any_of('"\\/bfnrt'), seq(literal("u"), *[any_of("0123456789abcdefABCDEF")] * 4))
    plain = chars_except(char_ranges([(0, 31), (34, 34), (92, 92)]))
    digits = seq(chars("09"), star(chars("09")))
    number = seq(
        optional(literal("-")),
        alt(literal("0"), seq(chars("19"), star(chars("09")))),
        optional(seq(literal("."), digits)),
        optional(seq(any_of("eE"), optional(any_of("+-")), digits)),
    )
    comma = seq(space, literal(","), space)
    member = seq(ref("string"), space, literal(":"), space, ref("value"))
    rules = {
        "string": seq(literal('"'), star(alt(plain, seq(literal("\\"), escape))), literal('"')),
        "value": alt(
            seq(literal("{"), space, separated(member, comma), space, literal("}")),
            seq(literal("["), space, separated(ref("value"), comma), space, literal("]")),
            ref("string"),
            number,
            literal("true"),
            literal("false"),
            literal("null"),
        ),
    }
    return Grammar(seq(space, ref("value"), space), rules)


@given(automaton=pushdowns(SPECIAL), vocabulary=st.sampled_from([TOKENS, FEW]))
def test_what_runs_to_an_accepting_configuration_is_what_the_definition_accepts(
    automaton: Pushdown, vocabulary: Vocabulary
) -> None:
    lazy = LazyAutomaton(automaton, vocabulary)
    for length in range(4):
        for ids in product(range(vocabulary.size), repeat=length):
            symbols = spelled(automaton, vocabulary, ids)
            expected = symbols is not None and accepts(automaton, symbols)
            assert lazy.is_accepting(lazy.run(ids)) == expected


@given(automaton=pushdowns(SPECIAL), vocabulary=st.sampled_from([TOKENS, FEW]), seed=st.integers(0, 99))
def test_arcs_are_disjoint_and_lead_where_single_symbols_lead(
    automaton: Pushdown, vocabulary: Vocabulary, seed: int
) -> None:
    lazy, random = LazyAutomaton(automaton, vocabulary), np.random.default_rng(seed)
    at = lazy.start
    for _ in range(6):
        arcs = lazy.arcs(at)
        labels = [label for number in arcs.sets.tolist() for label in lazy.sets[number].tolist()]
        assert len(labels) == len(set(labels))
        target = {}
        for number, to in zip(arcs.sets.tolist(), arcs.targets.tolist(), strict=True):
            target.update(dict.fromkeys(lazy.sets[number].tolist(), to))
        for token in range(vocabulary.size):
            label = int(lazy.alphabet.class_of[token])
            assert lazy.run([token], at) == target.get(label, NOWHERE)
        if not len(arcs.targets):
            break
        at = int(random.choice(arcs.targets))


@pytest.mark.parametrize("high", [0, 1, 3, None])
@pytest.mark.parametrize(
    "inner", [ANY_CHAR, chars("az"), chars_except(any_of('"'))], ids=["any", "letters", "plain"]
)
def test_slices_of_plain_tokens_lead_where_single_symbols_lead(inner: Expr, high: int | None) -> None:
    pieces = ["a", "ab", "é", "éa", "abcd", "€", "😀x", '"', 'a"', '""', "\\", "\n", "a\n", 'ab"', '",']
    vocabulary = Vocabulary.from_tokens(
        [*[piece.encode() for piece in pieces], b"\xc3", b"\xa9", b"\xf0\x9f", b"a\xc3"]
    )
    rule = alt(literal("a"), seq(literal('"'), repeat(inner, 0, high), literal('"'), optional(ref("v"))))
    lazy = LazyAutomaton.of(Grammar(ref("v"), {"v": rule}), vocabulary)
    waiting = [lazy.start]
    for at in waiting:
        arcs, target = lazy.arcs(at), {}
        for number, to in zip(arcs.sets.tolist(), arcs.targets.tolist(), strict=True):
            target.update(dict.fromkeys(lazy.sets[number].tolist(), to))
        for token in range(vocabulary.size):
            assert lazy.run([token], at) == target.get(int(lazy.alphabet.class_of[token]), NOWHERE)
        if len(waiting) < 200:
            waiting += [to for to in arcs.targets.tolist() if to not in waiting]


@given(automaton=pushdowns(SPECIAL), vocabulary=st.sampled_from([TOKENS, FEW]), tokens=st.integers(0, 3))
def test_a_search_tells_whether_so_many_tokens_finish(
    automaton: Pushdown, vocabulary: Vocabulary, tokens: int
) -> None:
    lazy = LazyAutomaton(automaton, vocabulary)
    reached = {lazy.run(ids): ids for k in range(2) for ids in product(range(vocabulary.size), repeat=k)}
    most, least = (
        dict(zip(reached, bounds, strict=True)) for bounds in Finishing(lazy).narrow([*reached], tokens)
    )
    for configuration, begun in reached.items():
        short = any(
            symbols is not None and accepts(automaton, symbols)
            for k in range(tokens + 1)
            for more in product(range(vocabulary.size), repeat=k)
            for symbols in [spelled(automaton, vocabulary, (*begun, *more))]
        )
        assert (most[configuration] <= tokens) == short
        assert (least[configuration] <= tokens) == short


@given(automaton=pushdowns(SPECIAL), vocabulary=st.sampled_from([TOKENS, FEW]))
def test_what_suffices_to_finish_is_attained_token_by_token(
    automaton: Pushdown, vocabulary: Vocabulary
) -> None:
    lazy = LazyAutomaton(automaton, vocabulary)
    needed = int(lazy.distance_upper[lazy.start])
    assume(needed != NEVER)
    at = lazy.start
    while needed:
        targets = lazy.arcs(at).targets
        at = int(targets[lazy.distance_upper[targets].argmin()])
        assert lazy.distance_upper[at] <= needed - 1
        needed = int(lazy.distance_upper[at])
    assert lazy.is_accepting(at)


def test_how_long_a_very_long_answer_is_takes_no_search() -> None:
    lazy = compile(Regex("(a{1000}b{1000}){1000}"), TOKENS).automaton
    assert isinstance(lazy, LazyAutomaton)
    enough, _ = lazy.fewest()
    assert 1_999_000 <= enough <= 2_000_001  # ab may be one token a thousand times, and there is the end
    assert len(lazy.configurations) < 100  # a search would have met thousands


@given(automaton=pushdowns(SPECIAL), vocabulary=st.sampled_from([TOKENS, FEW]))
def test_fewer_tokens_than_the_least_never_finish(automaton: Pushdown, vocabulary: Vocabulary) -> None:
    lazy = LazyAutomaton(automaton, vocabulary)
    level = {lazy.start}
    for _ in range(4):
        onward = {to for at in level for to in lazy.arcs(at).targets.tolist()}
        for at in level:
            reached = lazy.arcs(at).targets.tolist()
            if any(lazy.is_accepting(to) for to in reached):
                assert lazy.distance_lower[at] <= 1
            if lazy.is_accepting(at):
                assert lazy.distance_lower[at] == 0
                assert lazy.distance_upper[at] == 0
        level = onward


@given(automaton=pushdowns(SPECIAL), ids=st.lists(st.integers(0, 6), max_size=5))
def test_a_configuration_is_the_same_whatever_else_has_been_met(automaton: Pushdown, ids: list[int]) -> None:
    lazy, other = LazyAutomaton(automaton, TOKENS), LazyAutomaton(automaton, TOKENS)
    for token in range(TOKENS.size):
        other.arcs(other.run([token]))
    at, again = lazy.run(ids), other.run(ids)
    assert other.is_accepting(again) == lazy.is_accepting(at)
    assert other.distance_upper[again] == lazy.distance_upper[at]
    assert other.distance_lower[again] == lazy.distance_lower[at]
    assert leading(other, again) == leading(lazy, at)


def leading(lazy: LazyAutomaton, at: int) -> list[tuple[bool, int]]:
    """What each token leads to: whether the output may end there, and how many tokens suffice."""
    reached = [lazy.run([token], at) for token in range(lazy.vocabulary.size)]
    return [(lazy.is_accepting(to), int(lazy.distance_upper[to])) for to in reached]


def bytewise(vocabulary: Vocabulary, text: str) -> list[int]:
    """The tokens that each spell one byte of a text."""
    single = {vocabulary.spelling(token): token for token in range(vocabulary.size)}
    return [single[bytes([byte])] for byte in text.encode()]


@given(st.lists(st.sets(st.integers(0, 11), min_size=1), max_size=8))
def test_sets_keep_their_tokens_while_classes_are_split(wanted: list[set[int]]) -> None:
    classes = Classes(Occurring.of(np.arange(12, dtype=np.int32), tokens=14))
    numbers = []
    for tokens in wanted:
        (number,) = classes.sets(np.array(sorted(tokens), np.int32), np.array([0, len(tokens)]))
        numbers.append(number)
    class_of = classes.alphabet.class_of.numpy()
    for tokens, number in zip(wanted, numbers, strict=True):
        assert set(np.flatnonzero(np.isin(class_of, classes.members[number])).tolist()) == tokens
    assert (class_of[12:] == REFUSED).all()
    for one, first in zip(wanted, numbers, strict=True):
        for other, second in zip(wanted, numbers, strict=True):
            assert (one == other) == (first == second)


def test_a_vocabulary_that_spells_no_text_is_refused() -> None:
    with pytest.raises(Unsatisfiable, match="cannot spell"):
        LazyAutomaton.of(Grammar(literal("xyz")), TOKENS)


def test_an_ambiguous_grammar_follows_all_its_ways() -> None:
    rule = alt(EMPTY, seq(literal("a"), ref("v"), literal("b")), seq(literal("a"), ref("v")))
    lazy = LazyAutomaton.of(Grammar(ref("v"), {"v": rule}), TOKENS)
    for text in ("", "a", "ab", "aab", "aabb"):
        assert lazy.accepts_ids(TOKENS.encode(text))
    assert not lazy.accepts_ids(TOKENS.encode("abb"))


def test_a_stored_relaxed_automaton_means_the_same_whatever_was_met_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def arcs(lazy: LazyAutomaton) -> list[tuple[frozenset[int], int]]:
        graph, labels = lazy.outlook.relaxed, lazy.alphabet.class_of.numpy()
        sets = [
            frozenset(np.flatnonzero(np.isin(labels, lazy.sets[number]))) for number in graph.arc_set.tolist()
        ]
        return list(zip(sets, graph.arc_target.tolist(), strict=True))

    def nodes(lazy: LazyAutomaton, text: str) -> list[int]:
        number = lazy.run(JSON_TOKENS.encode(text))
        at, found = lazy.outlook.nodes(number + 1)
        return found[at[number] : at[number + 1]].tolist()

    grammar = json_text()
    monkeypatch.setenv("STRUCTGEN_CACHE", "")
    truth = LazyAutomaton.of(grammar, JSON_TOKENS)
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path))
    first = LazyAutomaton.of(grammar, JSON_TOKENS)
    again, late = (LazyAutomaton.of(grammar, JSON_TOKENS) for _ in range(2))
    late.arcs(late.run(JSON_TOKENS.encode('{"a": [')))
    assert arcs(first) == arcs(truth)
    assert list(tmp_path.glob("outlook/*"))
    assert arcs(again) == arcs(late) == arcs(truth)
    for text in ("", '{"a": ['):
        assert nodes(truth, text) == nodes(again, text)


class TestRealVocabulary:
    """Free-form JSON on 262,144 tokens."""

    @pytest.fixture(scope="class")
    @classmethod
    def lazy(cls, real_vocabulary: Callable[[str], Vocabulary]) -> LazyAutomaton:
        return LazyAutomaton.of(json_text(), real_vocabulary("gemma3"))

    def test_texts_are_accepted_in_any_tokenization(self, lazy: LazyAutomaton) -> None:
        text = json.dumps({"a": [1, -2.5e7, 'ü\n"', {"b": None}], "": {}}, ensure_ascii=False)
        vocabulary = lazy.vocabulary
        assert lazy.accepts_ids(bytewise(vocabulary, text))
        assert lazy.accepts_ids(vocabulary.encode(text))
        assert lazy.accepts_ids([*vocabulary.encode(text), vocabulary.special["<end_of_turn>"]])
        assert not lazy.accepts_ids(bytewise(vocabulary, text[:-1]))
        assert not lazy.accepts_ids([*vocabulary.encode(text), *vocabulary.encode("]")])

    def test_a_new_context_needs_no_new_walk(self, lazy: LazyAutomaton) -> None:
        shallow, deep = (lazy.run(lazy.vocabulary.encode(text + '{"k": "')) for text in ("", "[" * 40))
        lazy.arcs(shallow)
        lazy.arcs(lazy.run(lazy.vocabulary.encode('[{"k": "')))
        known = len(lazy._effects._known)
        assert len(lazy.arcs(deep).sets)
        assert len(lazy._effects._known) == known

    def test_depth_costs_tokens_and_nothing_else(self, lazy: LazyAutomaton) -> None:
        at = lazy.run(lazy.vocabulary.encode("[" * 200))
        assert (
            200 <= lazy.distance_upper[at] <= 202
        )  # a value, 200 brackets in tokens of their own, the end token

    def test_hundreds_of_open_brackets_are_closed_within_the_budget(self, lazy: LazyAutomaton) -> None:
        (row,) = decode(
            opening(lazy.vocabulary),
            [[]],
            [lazy],
            max_tokens=512,
            generators=[torch.Generator().manual_seed(0)],
            options=DecodingOptions(steps=1),
        )
        text = lazy.vocabulary.decode(row.ids.tolist()).decode()
        json.loads(text)
        assert max(accumulate((c == "[") - (c == "]") for c in text)) >= 200
        assert lazy.accepts_ids(row.ids.tolist())
        assert len(row.ids) == 512


@dataclass(frozen=True)
class Constant(RandomDenoiser):
    """The same scores [V] at every position."""

    scores: torch.Tensor = field(default_factory=lambda: torch.zeros(0))

    def __call__(self, context: RandomContext, canvas: torch.Tensor) -> torch.Tensor:
        return self.scores.expand(*canvas.shape, -1)


def opening(vocabulary: Vocabulary) -> Constant:
    """Wants to open a bracket at each of 256 positions; strings, which could hold them too, it likes less."""
    scores = torch.zeros(vocabulary.size)
    quotes = np.flatnonzero(vocabulary.buffer == ord('"'))
    scores[np.searchsorted(vocabulary.offsets, quotes, side="right") - 1] = -100.0
    scores[vocabulary.encode("[")] = 30.0
    return Constant(Uniform(0, vocabulary.size), 256, vocabulary.size, scores=scores)
