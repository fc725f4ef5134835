"""Groups of strings in order of their probability, against enumeration; a group may hold any number of strings."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import structgen as sg
from engine.decoding.test_region import enumerated, regions
from oracle import enumerate_blocks
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Absorbing, Uniform
from structgen_engine.decoding.options import DecodingOptions
from structgen_engine.decoding.ranking import ranked
from structgen_engine.decoding.region import region


@settings(max_examples=50)
@given(regions(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_groups_come_in_the_order_of_their_sums(drawn, most, kinds, spellings):
    """A spelling is the sum of the ids modulo kinds · spellings, a group that modulo kinds; group 0 is left out."""
    case, ids, first, last = drawn
    lattice = region(case.automaton, ids, first, last, case.logits, temperature=case.temperature)
    strings = enumerated(*drawn)
    total = sum(math.exp(weight) for _, weight in strings)
    sums: dict[int, float] = defaultdict(float)
    groups: dict[int, float] = defaultdict(float)
    for string, weight in strings:
        spelled = sum(string) % (kinds * spellings)
        sums[spelled] += math.exp(weight) / total
        if spelled % kinds or kinds == 1:
            groups[spelled % kinds] += math.exp(weight) / total
    found = ranked(
        lattice,
        lambda string: sum(string) % (kinds * spellings),
        lambda spelled: spelled % kinds if spelled % kinds or kinds == 1 else None,
        lambda spelled: math.log(sums[spelled]),
        most,
    )
    expected = sorted(groups.values(), reverse=True)[:most]
    assert [groups[one.key] for one in found] == pytest.approx(expected, abs=1e-5)
    assert all(one.certified for one in found)
    for one in found:
        assert math.exp(one.log_prob) <= groups[one.key] + 1e-5
        assert any(tuple(one.ids) == string for string, _ in strings)


@settings(max_examples=50)
@given(regions(), st.integers(1, 2))
def test_an_order_that_was_not_searched_through_is_not_certified(drawn, effort):
    case, ids, first, last = drawn
    lattice = region(case.automaton, ids, first, last, case.logits, temperature=case.temperature)
    strings = enumerated(*drawn)
    total = sum(math.exp(weight) for _, weight in strings)
    shares = {string: math.exp(weight) / total for string, weight in strings}
    found = ranked(
        lattice, tuple, lambda string: string, lambda string: math.log(shares[string]), 3, effort=effort
    )
    best = sorted(shares.values(), reverse=True)
    for k, one in enumerate(found):
        if one.certified:
            assert math.exp(one.log_prob) == pytest.approx(best[k], abs=1e-5)


@pytest.mark.parametrize("noise", [Absorbing(0), Uniform(1, 4)], ids=["absorbing", "uniform"])
def test_the_last_look_is_the_distribution_that_the_last_step_saw(noise):
    vocabulary = Vocabulary.from_tokens([b"x", b"a", b"b", b"ab", "<eos>", "<pad>"])
    automaton = sg.compile(sg.Regex("(a|b){2,3}"), vocabulary).automaton
    denoiser = RandomDenoiser(noise, 5, vocabulary.size, seed=2)
    (done,) = decode(
        denoiser,
        [[1]],
        [automaton],
        max_tokens=5,
        generators=[torch.Generator().manual_seed(0)],
        options=DecodingOptions(steps=2, keep=True),
    )
    assert done.look is not None
    truth = enumerate_blocks(
        automaton.block(automaton.start, 0), done.look.logits, done.look.settled, done.look.temperature
    )
    lattice = done.look.lattice(done.ids)
    strings = [(tuple(ids), weight) for ids, weight in lattice.heaviest(100)]
    expected = sorted(
        zip(map(tuple, truth.strings.tolist()), truth.log_probs.tolist(), strict=True), key=lambda p: -p[1]
    )
    assert [ids for ids, _ in strings] == [ids for ids, _ in expected]
    assert [w for _, w in strings] == pytest.approx([w for _, w in expected], abs=1e-4)
    assert strings[0][0] == tuple(done.ids.tolist())
