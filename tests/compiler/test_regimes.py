"""Expanded or lazy: which is chosen, that both mean the same, and what each says of itself."""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from expressions import json_grammar
from structgen import JsonSchema
from structgen.automata.finite import regular
from structgen.automata.finite.fragments import Fragments
from structgen.automata.pushdown.automaton import pushdown
from structgen.automata.pushdown.unroll import expand
from structgen.compiler import regimes
from structgen.compiler.constraint import compile
from structgen.compiler.lift import lift
from structgen.errors import InvalidOption, Unsatisfiable, Unsupported
from structgen.grammar import Grammar, alt, chars, literal, optional, ref, repeat, seq
from structgen.tokens.vocabulary import BYTES, Vocabulary
from structgen_engine.automata.dfa import Dfa


@dataclass(frozen=True)
class Rules:
    """A source that is a grammar, read back as it stands."""

    grammar: Grammar

    def lower(self) -> Grammar:
        return self.grammar

    def parse(self, text: str) -> str:
        return text


LETTERS = Vocabulary.from_tokens([b"a", b"b", b"ab", b"aab", "<eos>", "<pad>"])
NESTED = Rules(Grammar(ref("s"), {"s": optional(seq(literal("a"), ref("s"), literal("b")))}))
LIST = Rules(Grammar(ref("s"), {"s": alt(literal("a"), seq(literal("a"), literal("b"), ref("s")))}))
LARGE = Rules(Grammar(repeat(chars("az"), 0, 30_000)))


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("vocabulary", [LETTERS, BYTES], ids=["letters", "bytes"])
def test_both_regimes_accept_the_same_as_far_as_the_table_is_deep(vocabulary, monkeypatch, empty_cache):
    monkeypatch.setattr(regimes, "CAP", 40)
    lazy, expanded = (compile(NESTED, vocabulary, regime=regime) for regime in ("lazy", "expanded"))
    depth = expanded.info().depth
    assert depth is not None
    assert depth >= 3
    for nested in range(depth + 3):
        for text in ("a" * nested + "b" * nested, "a" * nested + "b" * (nested + 1)):
            true = text.count("a") == text.count("b")
            assert lazy.accepts(text) == true
            assert expanded.accepts(text) == (true and nested <= depth)
    tokens = range(6) if vocabulary is LETTERS else (97, 98)
    for length in range(5):
        for ids in itertools.product(tokens, repeat=length):
            assert lazy.accepts_ids(ids) == expanded.accepts_ids(ids), ids
    assert lazy.min_tokens == expanded.min_tokens == (1 if vocabulary is LETTERS else 0)


def test_auto_is_expanded_where_the_language_is_whole_and_lazy_elsewhere():
    assert compile(NESTED, BYTES).info().regime == "lazy"
    assert compile(LARGE, BYTES).info().regime == "lazy"
    assert compile(LARGE, BYTES, regime="expanded").info().depth is None
    whole = compile(LIST, BYTES).info()
    assert (whole.regime, whole.depth, whole.components) == ("expanded", None, 2)
    assert compile(LIST, BYTES).accepts("aba" + "ba" * 5000)


def test_a_large_language_without_recursion_is_expanded_on_request():
    word = repeat(alt(literal("ab"), literal("c")), 6000, 6000)
    source = Rules(Grammar(seq(ref("w"), literal("-"), ref("w")), {"w": word}))
    lazy, expanded = (compile(source, BYTES, regime=regime).info() for regime in ("auto", "expanded"))
    assert (lazy.regime, lazy.components) == ("lazy", 2)
    assert (expanded.regime, expanded.depth) == ("expanded", None)
    assert lazy.states < 20_000 < expanded.states


def _words(count: int) -> list[str]:
    syllables = ("ba", "ke", "li", "mo", "nu", "ra", "to", "si")
    pick = random.Random(1)
    return ["".join(pick.choice(syllables) for _ in range(pick.randint(3, 7))) for _ in range(count)]


HISTORIES = {
    "many words": {"enum": _words(10_000)},
    "numbered items": {"enum": [f"item {number:05d} of the list" for number in range(10_000)]},
    "multiples of 997": {"type": "integer", "multipleOf": 997},
    "identifiers": {"enum": [f"{random.Random(n).getrandbits(96):024x}" for n in range(2000)]},
    "a long text": {"type": "string", "maxLength": 30_000},
}


@pytest.mark.parametrize("name", HISTORIES)
def test_what_a_source_compiles_to_does_not_depend_on_what_was_compiled_before(name, monkeypatch):
    monkeypatch.setenv("STRUCTGEN_CACHE", "")
    monkeypatch.setattr(regular, "FRAGMENTS", Fragments())
    infos = [compile(JsonSchema(HISTORIES[name])).info() for _ in range(3)]
    assert len({(info.regime, info.states, info.min_tokens) for info in infos}) == 1, infos


@pytest.mark.parametrize("name", ["many words", "numbered items", "multiples of 997"])
def test_auto_is_expanded_where_merging_makes_a_small_table_of_much_text(name):
    info = compile(JsonSchema(HISTORIES[name])).info()
    assert (info.regime, info.depth) == ("expanded", None)
    assert info.byte_states <= 20_000


def test_a_table_that_is_known_to_be_too_large_is_not_built_a_second_time(monkeypatch, empty_cache):
    compile(LIST, BYTES)  # so that the kernels are loaded
    built = []
    monkeypatch.setattr(regimes, "CAP", 100)
    monkeypatch.setattr(regimes, "unroll", lambda *_: built.append(True))
    assert compile(Rules(Grammar(repeat(chars("az"), 0, 150))), BYTES).info().regime == "lazy"
    assert not built


def test_both_regimes_are_kept_on_disk_and_read_back(empty_cache):
    for regime in ("auto", "expanded", "lazy"):
        first, second = (compile(NESTED, LETTERS, regime=regime) for _ in range(2))
        assert (first.cached, second.cached) == (False, True)
        assert first.info().regime == second.info().regime
        assert first.info().depth == second.info().depth
        assert first.info().states == second.info().states
        assert second.accepts("aabb")
        assert second.accepts_ids([3, 1, 4])


def test_the_lazy_regime_has_no_table_and_says_what_has():
    constraint = compile(NESTED, LETTERS, regime="lazy")
    assert not isinstance(constraint.automaton, Dfa)
    with pytest.raises(Unsupported, match='regime="expanded"'):
        _ = constraint.dfa


def test_what_has_no_answer_is_refused_in_both_regimes():
    unspelled = Rules(Grammar(ref("s"), {"s": alt(literal("x"), seq(literal("a"), ref("s"), literal("b")))}))
    endless = Rules(Grammar(ref("s"), {"s": seq(literal("a"), ref("s"))}))
    for source, regime in itertools.product((unspelled, endless), ("auto", "expanded", "lazy")):
        with pytest.raises(Unsatisfiable):
            compile(source, LETTERS, regime=regime)
    with pytest.raises(InvalidOption, match="regime must be one of auto, expanded, lazy"):
        compile(NESTED, LETTERS, regime="eager")  # pyright: ignore[reportArgumentType]


def test_a_table_for_what_never_fits_one_is_refused(monkeypatch, empty_cache):
    monkeypatch.setattr(regimes, "CAP", 2)
    with pytest.raises(Unsupported, match="needs more than 2 states"):
        compile(NESTED, LETTERS, regime="expanded")


@pytest.mark.parametrize("compact", [True, False], ids=["compact", "flexible"])
def test_free_form_json_of_depth_six_is_a_small_table_on_a_real_tokenizer(compact, real_vocabulary):
    vocabulary = real_vocabulary("gemma3")
    table = expand(pushdown(json_grammar(compact=compact)), 6)
    lift(table, vocabulary)
    begun = time.process_time()
    dfa = lift(table, vocabulary).dfa()
    seconds = time.process_time() - begun
    assert dfa.states - 1 <= 5135  # DEAD aside
    assert dfa.alphabet.size <= 220
    assert len(dfa.edges) <= 98_000
    assert seconds < 0.5, seconds
