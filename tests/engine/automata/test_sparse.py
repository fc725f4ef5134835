"""An automaton that keeps its live transitions alone answers as one with the whole table."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from strategies import dfas
from structgen_engine.automata.dfa import Dfa, SparseDfa
from structgen_engine.lattice.lattice import BlockLattice, completable, example


def sparse(dfa: Dfa) -> SparseDfa:
    return SparseDfa(dfa.alphabet, dfa.edges, dfa.accepting, dfa.start)


@given(dfas(), st.data())
def test_rows_columns_and_runs_are_those_of_the_table(dfa: Dfa, data: st.DataObject):
    other = sparse(dfa)
    for state in range(dfa.states):
        assert torch.equal(other.row(state), dfa.row(state))
    for label in range(dfa.alphabet.size):
        assert torch.equal(other.column(label), dfa.column(label))
    assert torch.equal(other.delta, dfa.delta)
    assert (other.padded, other.states) == (dfa.padded, dfa.states)
    assert torch.equal(other.distance, dfa.distance)
    symbols = data.draw(st.lists(st.integers(0, len(dfa.alphabet.class_of)), max_size=4))
    assert other.run(symbols) == dfa.run(symbols)
    assert other.accepts(symbols) == dfa.accepts(symbols)
    assert other.completion(other.start) == dfa.completion(dfa.start)


@given(dfas(), st.integers(0, 3))
def test_a_lattice_over_it_is_the_same(dfa: Dfa, seed: int):
    logits = torch.randn(1, 3, len(dfa.alphabet.class_of), generator=torch.Generator().manual_seed(seed))
    one, other = (part.block(part.start, 0) for part in (dfa, sparse(dfa)))
    assert torch.equal(BlockLattice(one, logits).log_partition(), BlockLattice(other, logits).log_partition())
    settled = torch.full((3,), -1)
    assert torch.equal(completable(one, settled), completable(other, settled))
    first, second = example(one, settled), example(other, settled)
    assert (first is None) == (second is None)
    assert first is None or torch.equal(first, second)
