"""One constraint for many requests: by several threads, and for longer than its tables may grow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest
import torch

import structgen as sg
from earley import Earley
from structgen.automata.pushdown.automaton import pushdown
from structgen.compiler.framing import answer_tokens, framed
from structgen.compiler.lazy import LazyAutomaton, Renewal
from structgen.grammar import EMPTY, Grammar, alt, literal, ref, seq, star
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Absorbing
from structgen_engine.decoding.options import DecodingOptions
from structgen_engine.lattice.beam import Beam
from structgen_engine.lattice.lattice import BlockLattice

WORDS = sg.Vocabulary.from_tokens(
    ["<pad>", "<eos>", b"a", b"b", b"[", b"]", b",", b"[a", b"]]", b"],[", b"a,b", b"ab", b"aa", b"[["]
)
RULES = {
    "v": alt(literal("a"), seq(literal("["), star(seq(ref("v"), literal(","))), ref("w"), literal("]"))),
    "w": alt(EMPTY, literal("b"), seq(literal("["), ref("v"), literal("]"), ref("w"))),
}
GRAMMAR = Grammar(ref("v"), RULES)
PARTS = pushdown(framed(GRAMMAR, WORDS), answer_tokens(GRAMMAR, WORDS))


@dataclass(frozen=True)
class Rules:
    """A source that is a grammar."""

    grammar: Grammar

    def lower(self) -> Grammar:
        return self.grammar

    def parse(self, text: str) -> str:
        return text


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def outputs(automaton: Any, seed: int) -> list[bytes]:
    """The texts of two outputs."""
    rows = decode(
        RandomDenoiser(Absorbing(WORDS.size), 8, WORDS.size + 1, seed, 4.0),
        [[1], [2]],
        [automaton, automaton],
        max_tokens=24,
        generators=[torch.Generator().manual_seed(seed)] * 2,
        options=DecodingOptions(steps=2),
    )
    return [WORDS.decode(row.ids.tolist()) for row in rows]


def found(automaton: LazyAutomaton, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Marginals [1, N, V] and the best block [1, N] of random scores."""
    logits = torch.randn(10, WORDS.size, generator=torch.Generator().manual_seed(seed)) * 3
    explored = Beam(automaton, automaton.start, 4).explore(logits)
    lattice = BlockLattice([explored], logits[None])
    return lattice.marginals(), lattice.argmax().ids


@pytest.mark.usefixtures("restless")
def test_threads_that_begin_together_find_what_each_would_find_alone() -> None:
    alone = [found(LazyAutomaton(PARTS, WORDS), seed) for seed in range(4)]
    for _ in range(8):
        automaton, barrier = LazyAutomaton(PARTS, WORDS), Barrier(4)

        def together(seed: int, automaton=automaton, barrier=barrier) -> tuple[torch.Tensor, torch.Tensor]:
            barrier.wait()
            return found(automaton, seed)

        with ThreadPoolExecutor(4) as threads:
            for one, other in zip(threads.map(together, range(4)), alone, strict=True):
                assert torch.allclose(one[0], other[0], atol=1e-6)
                assert torch.equal(one[1], other[1])


@pytest.mark.usefixtures("restless")
def test_outputs_of_threads_that_share_a_constraint_are_accepted() -> None:
    constraint, judge = sg.compile(Rules(GRAMMAR), WORDS, regime="lazy"), Earley(GRAMMAR)
    with ThreadPoolExecutor(4) as threads:
        texts = list(threads.map(lambda seed: outputs(constraint.automaton, seed), range(8)))
    assert all(judge.accepts(text) for pair in texts for text in pair)


def test_what_has_grown_too_large_is_begun_anew_for_the_next_request() -> None:
    renewal = Renewal(PARTS, WORDS)
    first = renewal.current()
    before = outputs(first, 0), found(first, 0)
    renewal.room = first.nbytes + 50_000
    assert renewal.current() is first
    held, seed = first.run(WORDS.encode("[[a,")), 0
    while first.nbytes <= renewal.room:
        seed += 1
        outputs(first, seed)
    second = renewal.current()
    assert second is not first
    assert second.nbytes < first.nbytes
    assert outputs(second, 0) == before[0]
    for one, other in zip(found(second, 0), before[1], strict=True):
        assert torch.equal(one, other)
    again = second.run(WORDS.encode("[[a,"))
    for rest, true in {"],]": True, "b],b]": True, "a]]": False, "a,]": False, "": False}.items():
        after = [lazy.run(WORDS.encode(rest), at) for lazy, at in ((first, held), (second, again))]
        assert first.is_accepting(after[0]) == second.is_accepting(after[1])
        assert first.distance_upper[after[0]] == second.distance_upper[after[1]]
        whole = f"[[a,{rest}"
        assert first.accepts_ids(WORDS.encode(whole)) == Earley(GRAMMAR).accepts(whole.encode()) == true
