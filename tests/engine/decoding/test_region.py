"""The region of a block against enumeration: sums, the order of strings, and sums over what spells the same."""

from __future__ import annotations

import math
from itertools import islice

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from oracle import enumerate_blocks
from strategies import Case, cases
from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.decoding.region import RegionLattice, region
from structgen_engine.lattice.lattice import BlockLattice


@st.composite
def regions(draw: st.DrawFn) -> tuple[Case, torch.Tensor, int, int]:
    """A case with one entry and unweighted ends, one of its accepted blocks, and a region of it."""
    case = draw(cases())
    ends = case.automaton.exit[case.automaton.exit > IMPOSSIBLE]
    assume((case.automaton.entry > IMPOSSIBLE).sum() == 1 and not ends.any())
    lattice = BlockLattice(case.automaton, case.logits[None], temperature=case.temperature)
    assume(float(lattice.log_partition()) > IMPOSSIBLE)
    ids = lattice.sample(torch.Generator().manual_seed(draw(st.integers(0, 99))))[0]
    first = draw(st.integers(0, len(ids) - 1))
    return case, ids, first, draw(st.integers(first + 1, len(ids)))


def enumerated(case: Case, ids: torch.Tensor, first: int, last: int) -> list[tuple[tuple[int, ...], float]]:
    """Every string of the region with its weight in nats, the heaviest first."""
    settled = ids.clone()
    settled[first:last] = -1
    truth = enumerate_blocks(case.automaton, case.logits, settled, case.temperature)
    strings = [tuple(one) for one in truth.strings[:, first:last].tolist()]
    return sorted(zip(strings, truth.weights.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))


def summed(nats: list[float]) -> float:
    return float(torch.tensor(nats, dtype=torch.float64).logsumexp(0))


def found(case: Case, ids: torch.Tensor, first: int, last: int) -> RegionLattice:
    return region(case.automaton, ids, first, last, case.logits, temperature=case.temperature)


@given(regions())
def test_the_sum_over_a_region_is_that_of_its_strings(drawn):
    case, _, first, last = drawn
    one, truth = found(*drawn), enumerated(*drawn)
    assert one.log_partition == pytest.approx(summed([w for _, w in truth]), abs=1e-4)
    everything = float((case.logits[first:last].double() / case.temperature).logsumexp(-1).sum())
    assert one.log_open == pytest.approx(everything, abs=1e-3)
    assert one.pressure == pytest.approx(-math.expm1(min(0.0, one.log_partition - everything)), abs=1e-4)


@given(regions(), st.integers(1, 12))
def test_strings_come_in_the_order_of_their_weight(drawn, most):
    one, truth = found(*drawn), enumerated(*drawn)
    heaviest = list(one.heaviest(most))
    assert len(heaviest) == min(most, len(truth)) == len({tuple(ids) for ids, _ in heaviest})
    by_string = dict(truth)
    for (ids, log_prob), (_, weight) in zip(heaviest, islice(truth, most), strict=True):
        assert log_prob + one.log_partition == pytest.approx(by_string[tuple(ids)], abs=1e-3)
        assert log_prob + one.log_partition == pytest.approx(weight, abs=1e-3)


@given(regions(), st.lists(st.sampled_from(["", "a", "b", "aa"]), min_size=4, max_size=4))
def test_a_spelling_sums_over_every_division_into_tokens(drawn, pieces):
    case, ids, first, last = drawn
    spelled = pieces[: len(case.automaton.dfa.alphabet.class_of)]

    def text(tokens) -> str:
        return "".join(spelled[token] for token in tokens)

    wanted = text(ids[first:last].tolist())
    ways = [
        {
            token: place + len(piece)
            for token, piece in enumerate(spelled)
            if wanted.startswith(piece, place) and place + len(piece) <= len(wanted)
        }
        for place in range(len(wanted) + 1)
    ]
    truth = enumerated(*drawn)
    same = summed([w for tokens, w in truth if text(tokens) == wanted]) - summed([w for _, w in truth])
    assert found(*drawn).log_prob(ways) == pytest.approx(same, abs=1e-4)
