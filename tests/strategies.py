"""Hypothesis strategies for automata, logits and settled positions, small enough to enumerate.

Axes: N block, V vocabulary, K classes, S states.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from hypothesis import assume
from hypothesis import strategies as st
from torch import Tensor

from structgen_engine.automata.dfa import DEAD, NEVER, REFUSED, Alphabet, BlockAutomaton, Dfa, block

IMPOSSIBLE = float("-inf")


@dataclass(frozen=True, eq=False)
class Case:
    """One row of a lattice: an automaton, logits [N, V] float32, settled [N] int64 (−1 open) and a temperature."""

    automaton: BlockAutomaton
    logits: Tensor
    settled: Tensor
    temperature: float


@st.composite
def alphabets(draw: st.DrawFn, max_symbols: int = 4) -> Alphabet:
    """Up to 4 symbols in up to 4 classes besides REFUSED; any class may be empty."""
    size = draw(st.integers(2, 5))
    label = st.one_of(st.integers(1, size - 1), st.integers(0, size - 1))
    labels = draw(st.lists(label, min_size=1, max_size=max_symbols))
    return Alphabet(torch.tensor(labels, dtype=torch.int32), size)


@st.composite
def dfas(draw: st.DrawFn, max_states: int = 5) -> Dfa:
    """Random tables; the language may be empty."""
    alphabet = draw(alphabets())
    states = draw(st.integers(2, max_states))
    target = st.one_of(
        st.integers(1, states - 1), st.integers(0, states - 1)
    )  # DEAD less often than at random
    targets = st.lists(target, min_size=alphabet.size, max_size=alphabet.size)
    delta = torch.tensor([draw(targets) for _ in range(states)], dtype=torch.int32)
    delta[DEAD], delta[:, REFUSED] = DEAD, DEAD
    accepting = torch.tensor(
        [False, *(draw(st.sampled_from([True, True, False])) for _ in range(states - 1))]
    )
    return Dfa(alphabet, delta, accepting, draw(st.integers(1, states - 1)))


@st.composite
def padded_dfas(draw: st.DrawFn) -> Dfa:
    """A random language, then an end token, then padding for ever; as outputs of a model are. Never empty."""
    inner = draw(dfas())
    (states, size), end = inner.delta.shape, inner.states
    label = torch.tensor(
        [size, size + 1], dtype=torch.int32
    )  # the end token and the padding: the two last ids
    delta = torch.zeros(states + 1, size + 2, dtype=torch.int32)
    delta[:states, :size] = inner.delta
    delta[:states, size] = torch.where(inner.accepting, end, DEAD).int()
    delta[end, size + 1] = end
    accepting = torch.zeros(states + 1, dtype=torch.bool)
    accepting[end] = True
    dfa = Dfa(Alphabet(torch.cat([inner.alphabet.class_of, label]), size + 2), delta, accepting, inner.start)
    assume(int(dfa.distance[dfa.start]) != NEVER)
    return dfa


def scores() -> st.SearchStrategy[float]:
    """Ordinary logits, −inf, and peaks of ±200 nats."""
    plain, extreme = st.floats(-5, 5, width=32), st.sampled_from([IMPOSSIBLE, -200.0, 200.0])
    return st.integers(0, 5).flatmap(lambda k: extreme if k == 0 else plain)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A block of up to 4 positions over a random automaton, entered anywhere, with a budget left or not."""
    dfa = draw(dfas())
    N, V = draw(st.integers(1, 4)), len(dfa.alphabet.class_of)
    automaton = block(dfa, entry=draw(st.integers(1, dfa.states - 1)), remaining=draw(st.integers(0, 2)))
    if draw(st.integers(0, 3)) == 3:  # several entries and weighted exits
        weight = torch.tensor([draw(st.sampled_from([0.0, -1.5, IMPOSSIBLE])) for _ in range(dfa.states)])
        weight[DEAD] = IMPOSSIBLE
        automaton = BlockAutomaton(dfa, weight, automaton.exit + weight.roll(1).nan_to_num(neginf=-2.0))
    logits = torch.tensor([[draw(scores()) for _ in range(V)] for _ in range(N)])
    settled = torch.tensor(
        [draw(st.integers(0, V - 1)) if draw(st.integers(0, 7)) == 7 else -1 for _ in range(N)]
    )
    return Case(automaton, logits, settled, draw(st.sampled_from([0.5, 1.0, 2.0])))
