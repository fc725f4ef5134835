"""Compiling a source for a vocabulary: what comes back, what is kept on disk, what is refused."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from expressions import expressions
from structgen.compiler.constraint import Constraint, Info, compile
from structgen.errors import InvalidSource, Unsatisfiable, Unsupported
from structgen.grammar import (
    SLACK,
    Expr,
    Grammar,
    both,
    chars,
    complement,
    literal,
    optional,
    ref,
    repeat,
    seq,
    star,
    token,
)
from structgen.tokens.vocabulary import BYTES, Vocabulary
from structgen_engine.automata.dfa import Dfa


@dataclass(frozen=True)
class Text:
    """The smallest source: an expression, read back as it stands."""

    expr: Expr

    def lower(self) -> Grammar:
        return Grammar(self.expr)

    def parse(self, text: str) -> str:
        return text


LETTERS = Vocabulary.from_tokens([b"a", b"b", b"ab", b"aba", None, "<eos>", "<pad>", "<null>"])
PLAIN = Vocabulary.from_tokens([b"a", b"b", b"ab", b"aba"])
A, B, AB, ABA, UNUSED, EOS, PAD, NULL = range(8)
WORDS = Text(seq(literal("a"), star(literal("ba"))))


def same(one: Dfa, other: Dfa) -> bool:
    tables = [(dfa.alphabet.class_of, dfa.delta, dfa.accepting) for dfa in (one, other)]
    return one.start == other.start and all(torch.equal(a, b) for a, b in zip(*tables, strict=True))


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("vocabulary", [LETTERS, PLAIN, BYTES], ids=["letters", "plain", "bytes"])
def test_the_second_compilation_is_read_from_disk_and_is_the_same(vocabulary, empty_cache):
    first, second = compile(WORDS, vocabulary), compile(Text(rebuilt()), vocabulary)
    assert (first.cached, second.cached) == (False, True)
    assert same(first.dfa, second.dfa)
    assert same(first.compiled.text.dfa(), second.compiled.text.dfa())


def rebuilt() -> Expr:
    return seq(literal(b"a"), repeat(literal(b"ba"), 0, None))


def test_another_grammar_another_vocabulary_and_another_role_are_other_constraints(empty_cache):
    compile(WORDS, LETTERS)
    assert not compile(Text(literal("a")), LETTERS).cached
    assert not compile(WORDS, PLAIN).cached
    tokens = [b"a", b"b", b"ab", b"aba", None, "<eos>", "<pad>", "<null>"]
    assert not compile(WORDS, Vocabulary.from_tokens(tokens, end="<pad>")).cached
    assert compile(WORDS, Vocabulary.from_tokens(tokens)).cached


def test_without_a_cache_everything_is_compiled_each_time(monkeypatch):
    monkeypatch.setenv("STRUCTGEN_CACHE", "")
    one, other = compile(WORDS, LETTERS), compile(WORDS, LETTERS)
    assert (one.cached, other.cached) == (False, False)
    assert same(one.dfa, other.dfa)


def test_a_damaged_file_is_compiled_anew(empty_cache):
    first = compile(WORDS, LETTERS)
    for path in empty_cache.rglob("*.arrays"):
        path.write_bytes(path.read_bytes()[:-1])
    second = compile(WORDS, LETTERS)
    assert not second.cached
    assert same(first.dfa, second.dfa)


def test_info_tells_the_size_of_the_automaton(empty_cache):
    constraint = compile(WORDS, LETTERS)
    info = constraint.info()
    assert isinstance(info, Info)
    assert info.states == constraint.dfa.states == len(constraint.dfa.accepting)
    assert info.classes == constraint.dfa.alphabet.size
    assert info.edges == int((constraint.dfa.delta != 0).sum())
    assert info.byte_states == constraint.compiled.text.states
    assert info.min_tokens == constraint.min_tokens == 2
    assert info.milliseconds > 0
    assert (info.cached, compile(WORDS, LETTERS).info().cached) == (False, True)


@settings(max_examples=80)
@given(expressions(leaves=4), st.sampled_from([LETTERS, PLAIN]))
def test_the_least_number_of_tokens_is_attained_by_an_answer_and_by_none_shorter(expr, vocabulary):
    try:
        constraint = compile(Text(expr), vocabulary)
    except Unsatisfiable:
        return
    attained = (n for n in range(6) if any(constraint.dfa.accepts(ids) for ids in answers(vocabulary, n)))
    assert next(attained, None) == (constraint.min_tokens if constraint.min_tokens < 6 else None)


def answers(vocabulary: Vocabulary, length: int) -> list[list[int]]:
    """Strings of text tokens, with the end token last where there is one."""
    end = [] if vocabulary.end is None else [EOS]
    texts = itertools.product((A, B, AB, ABA), repeat=length - len(end)) if length >= len(end) else ()
    return [[*ids, *end] for ids in texts]


@settings(max_examples=80)
@given(expressions(leaves=4), st.sampled_from([LETTERS, PLAIN, BYTES]))
def test_ids_are_accepted_if_and_only_if_their_text_is(expr, vocabulary):
    try:
        constraint = compile(Text(expr), vocabulary)
    except Unsatisfiable:
        return
    some = [97, 98, 0xC3] if vocabulary is BYTES else [A, B, AB, ABA]
    for n in range(4):
        for ids in map(list, itertools.product(some, repeat=n)):
            assert constraint.accepts_ids(ids) == constraint.accepts(vocabulary.decode(ids))


def test_an_answer_may_stop_before_or_after_the_end_token_and_be_padded_behind_it():
    constraint = compile(WORDS, LETTERS)
    for text in ([A], [ABA], [AB, A], [A, B, A]):
        for tail in ([], [EOS], [EOS, PAD], [EOS, PAD, PAD, PAD]):
            assert constraint.accepts_ids(text + tail)
        for tail in ([PAD], [EOS, EOS], [EOS, PAD, A], [EOS, NULL], [NULL], [UNUSED], [EOS, A]):
            assert not constraint.accepts_ids(text + tail)
    for ids in ([], [EOS], [A, B], [A, B, EOS]):
        assert not constraint.accepts_ids(ids)


@pytest.mark.parametrize("wrong", [-1, -8, 8, 10**9, 10**30])
def test_ids_out_of_range_are_not_accepted(wrong):
    constraint = compile(WORDS, LETTERS)
    assert not constraint.accepts_ids([wrong])
    assert not constraint.accepts_ids([A, EOS, wrong])


def test_slack_may_be_filled_with_null_tokens_and_reads_as_nothing():
    constraint = compile(Text(seq(literal("a"), SLACK, literal("b"))), LETTERS)
    assert constraint.accepts_ids([A, NULL, NULL, B, EOS])
    assert constraint.accepts_ids([AB, EOS])
    assert not constraint.accepts_ids([NULL, A, B, EOS])
    assert constraint.accepts("ab")
    assert LETTERS.decode([A, NULL, B, EOS]) == b"ab"
    assert constraint.min_tokens == 2


def test_special_tokens_that_a_grammar_names_are_found_in_the_vocabulary_or_refused():
    vocabulary = Vocabulary.from_tokens([b"a", "<q>", "<eos>"])
    constraint = compile(Text(seq(token("<q>"), literal("a"), token("<q>"))), vocabulary)
    assert constraint.accepts_ids([1, 0, 1, 2])
    assert not constraint.accepts_ids([0, 2])
    assert constraint.min_tokens == 4
    with pytest.raises(InvalidSource, match="no special token called '<nobody>'"):
        compile(Text(seq(literal("a"), token("<nobody>"))), vocabulary)


def test_contradictions_are_unsatisfiable():
    for vocabulary in (LETTERS, BYTES):
        with pytest.raises(Unsatisfiable, match="contradict"):
            compile(Text(both(literal("a"), literal("b"))), vocabulary)


def test_what_the_vocabulary_cannot_spell_is_unsatisfiable():
    with pytest.raises(Unsatisfiable, match="vocabulary cannot spell"):
        compile(Text(chars("cz")), LETTERS)
    assert compile(Text(chars("az")), LETTERS).accepts_ids([A])


def test_a_refusal_is_not_kept(empty_cache):
    for _ in range(2):
        with pytest.raises(Unsatisfiable):
            compile(Text(chars("cz")), PLAIN)
    assert not list(empty_cache.rglob("constraint/*"))


def test_a_source_reads_its_texts_back_and_tells_what_it_cannot_enforce():
    constraint: Constraint[str] = compile(WORDS, LETTERS)
    assert constraint.parse("aba") == "aba"
    assert constraint.accepts("aba")
    assert not constraint.accepts("ab")
    with pytest.raises(Unsupported, match="recursive"):
        compile(Excluding(literal("a")), LETTERS)


@dataclass(frozen=True)
class Excluding(Text):
    def lower(self) -> Grammar:
        inner = ref("r")
        return Grammar(complement(inner), {"r": optional(seq(self.expr, inner, self.expr))})


@pytest.mark.parametrize("regime", ["expanded", "lazy"])
def test_compiling_and_judging_a_text_load_no_torch(regime):
    program = (
        "import sys, structgen\n"
        f"constraint = structgen.compile({{'type': 'array', 'items': {{'type': 'null'}}}}, regime={regime!r})\n"
        "assert constraint.accepts('[null, null]') and not constraint.accepts('[null, 1]')\n"
        "assert constraint.accepts_ids(list(b'[null]')) and constraint.info().min_tokens == 2\n"
        "schema = {'type': 'array', 'uniqueItems': True, 'items': {'type': 'number'}, 'minItems': 1}\n"
        f"assert structgen.compile(schema, regime={regime!r}).info().min_tokens == 3\n"
        "sys.exit('torch' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
