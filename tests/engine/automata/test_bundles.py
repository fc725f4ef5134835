"""Bundles are the edges again: the same triples, each set of classes kept once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strategies import dfas, padded_dfas
from structgen_engine.automata.bundles import Bundles, bundle_arcs, bundle_edges
from structgen_engine.automata.dfa import Dfa, Edges


def members(bundles: Bundles) -> list[tuple[int, ...]]:
    """The classes of every bundle."""
    return [tuple(part.tolist()) for part in np.split(bundles.member, bundles.offsets[1:-1])]


def triples(edges: Edges) -> set[tuple[int, int, int]]:
    return set(zip(edges.source.tolist(), edges.label.tolist(), edges.target.tolist(), strict=True))


def expanded(bundles: Bundles) -> list[tuple[int, int, int]]:
    """Every (source, class, target) that the bundles stand for."""
    sets = members(bundles)
    pairs = zip(bundles.source.tolist(), bundles.bundle.tolist(), bundles.target.tolist(), strict=True)
    return [(source, label, target) for source, bundle, target in pairs for label in sets[bundle]]


@st.composite
def edge_lists(draw: st.DrawFn) -> tuple[Edges, int]:
    """Any deterministic edges between up to 6 states over up to 12 classes: more classes than `dfas` draws."""
    states = draw(st.integers(1, 6))
    state, label = st.integers(0, states - 1), st.integers(0, 11)
    found = draw(st.dictionaries(st.tuples(state, label), state, max_size=60))
    rows = np.array([(*key, target) for key, target in sorted(found.items())], np.int32).reshape(-1, 3)
    return Edges.of(*rows.T, states), states


def check(edges: Edges, states: int) -> None:
    bundles = bundle_edges(edges, states)
    assert len(expanded(bundles)) == len(edges)
    assert set(expanded(bundles)) == triples(edges)
    pairs = list(zip(bundles.source.tolist(), bundles.target.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    if pairs:
        sets = members(bundles)
        assert all(one and list(one) == sorted(set(one)) for one in sets)
        assert len(set(sets)) == len(sets) == len(bundles.offsets) - 1
        assert set(bundles.bundle.tolist()) == set(range(len(sets)))


@given(st.one_of(dfas(), padded_dfas()))
def test_the_bundles_of_an_automaton_are_its_edges(dfa: Dfa) -> None:
    check(dfa.edges, dfa.states)


@given(edge_lists())
def test_bundles_expand_to_the_edges_and_every_set_is_kept_once(drawn: tuple[Edges, int]) -> None:
    check(*drawn)


def test_parallel_edges_between_different_states_share_a_bundle() -> None:
    source, label, target = np.array([(1, 3, 2), (1, 5, 2), (2, 3, 1), (2, 5, 1), (2, 7, 2)]).T
    bundles = bundle_edges(Edges.of(source, label, target, 3), 3)
    assert sorted(members(bundles)) == [(3, 5), (7,)]
    assert bundles.bundle[0] == bundles.bundle[1] != bundles.bundle[2]


def test_no_edges_are_no_bundles() -> None:
    none = np.zeros(0, np.int32)
    bundles = bundle_edges(Edges.of(none, none, none, 2), 2)
    assert (len(bundles.source), len(bundles.member), bundles.offsets.tolist()) == (0, 0, [0])


@given(edge_lists(), st.integers(1, 4))
def test_arcs_with_disjoint_sets_have_the_bundles_of_their_edges(
    given: tuple[Edges, int], parts: int
) -> None:
    edges, states = given
    arcs: dict[tuple[int, int, int], list[int]] = {}
    for source, label, target in sorted(triples(edges)):
        arcs.setdefault((source, target, label % parts), []).append(label)
    ends = np.array([key[:2] for key in arcs], np.int64).reshape(-1, 2).T
    offsets = np.cumsum([0, *map(len, arcs.values())])
    member = np.array([label for labels in arcs.values() for label in labels], np.int64)
    bundles = bundle_arcs(ends[0], np.arange(len(arcs)), ends[1], states, offsets, member)
    assert sorted(expanded(bundles)) == sorted(triples(edges))
    pairs = list(zip(bundles.source.tolist(), bundles.target.tolist(), strict=True))
    assert pairs == sorted({key[:2] for key in arcs})
