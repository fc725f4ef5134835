"""The table format."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strategies import dfas
from structgen_engine.automata.dfa import DEAD, NEVER, Alphabet, Dfa, block


@given(dfas())
def test_distance_is_the_length_of_the_shortest_accepted_continuation(dfa: Dfa) -> None:
    by_symbol = dfa.delta[:, dfa.alphabet.class_of.long()].long()  # classes without symbols lead nowhere
    reach, found = dfa.accepting.clone(), torch.where(dfa.accepting, 0, NEVER)
    for length in range(1, dfa.states + 1):
        reach = reach[by_symbol].any(-1)
        found = torch.where(reach & (found == NEVER), length, found)
    assert torch.equal(found.int(), dfa.distance)


@given(dfas())
def test_edges_are_the_live_entries_of_the_table(dfa: Dfa) -> None:
    table, edges = torch.full_like(dfa.delta, DEAD), dfa.edges
    table[edges.source.long(), edges.label.long()] = edges.target
    assert torch.equal(table, dfa.delta)
    assert edges.offsets[-1] == len(edges)


@given(dfas())
def test_members_list_every_symbol_once_by_class(dfa: Dfa) -> None:
    order, offsets = dfa.alphabet.members
    for c in range(dfa.alphabet.size):
        assert (dfa.alphabet.class_of[order[offsets[c] : offsets[c + 1]].long()] == c).all()
    assert sorted(order.tolist()) == list(range(len(order)))


@given(dfas())
def test_a_block_ends_only_where_the_budget_left_suffices(dfa: Dfa) -> None:
    for remaining in range(3):
        ends = block(dfa, remaining=remaining).exit == 0
        assert torch.equal(ends, dfa.distance <= remaining)


@given(dfas(), st.lists(st.integers(0, 3), max_size=3), st.integers())
def test_a_symbol_outside_the_alphabet_leads_to_dead(dfa: Dfa, before: list[int], symbol: int) -> None:
    known = range(len(dfa.alphabet.class_of))
    before = [one for one in before if one in known]
    symbol = symbol % 2**31 + len(known) if symbol >= 0 else max(symbol, -(2**31))
    for after in ([], [0]):
        assert dfa.run([*before, symbol, *after]) == DEAD
        assert not dfa.accepts([*before, symbol, *after])


def test_a_dead_state_that_lives_is_refused() -> None:
    alphabet = Alphabet(torch.tensor([1], dtype=torch.int32), 2)
    live = torch.tensor([[0, 1], [0, 0]], dtype=torch.int32)
    with pytest.raises(ValueError, match="DEAD"):
        Dfa(alphabet, live, torch.tensor([False, True]), 1)
