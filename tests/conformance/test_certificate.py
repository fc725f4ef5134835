"""The certificate of the lazy regime: some random grammars, and that its judge counts what there is."""

from __future__ import annotations

from conformance.certificate import accepted, outcomes
from structgen.grammar import Grammar, alt, literal, ref, seq


def test_no_bound_is_violated_and_only_the_best_is_certified() -> None:
    found = [(seed, one) for seed in range(120) for one in outcomes(seed)]
    assert not [pair for pair in found if pair[1].wrong]
    assert sum(one.missing > 0 for _, one in found) > 20
    assert sum(one.certified for _, one in found) > 60


def test_the_judge_counts_every_way_to_spell_every_beginning() -> None:
    """ab and aabb, of up to 3 tokens with the end, in blocks of 2."""
    grammar = Grammar(ref("v"), {"v": alt(literal("ab"), seq(literal("a"), ref("v"), literal("b")))})
    end, a, b, ab = 1, 2, 3, 4
    assert set(accepted(grammar, 2, 1)) == {(a, b), (ab, end)}
    assert (a, ab) in set(accepted(grammar, 2, 2))
