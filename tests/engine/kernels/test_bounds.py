"""Bounds from behind equal their formulas in logarithms, however far weights lie apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen_engine.automata.arrays import NEVER
from structgen_engine.kernels.cpu.blocks import blocks_of, highest, shared, summed
from structgen_engine.kernels.cpu.bounds import FromBehind, bound_nodes, log_of, weigh_sets
from structgen_engine.kernels.cpu.selection import heaviest

FAR = (0.0, 3.0, 40.0, 400.0, 740.0, 5_000.0)  # nats between weights


def graphs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """The fields of a random relaxed automaton: node 0 is free, and references go to earlier nodes."""
    count = int(rng.integers(2, 12))
    arcs, refs = rng.integers(0, 5, count), np.minimum(rng.integers(0, 3, count), np.arange(count))
    most = rng.random(count) < 0.3
    arcs[most] = arcs[0] = 0
    return (
        most,
        np.arange(count) == 0,
        rng.choice([0, 1, NEVER], count),
        np.append(0, arcs.cumsum()),
        rng.integers(0, 4, arcs.sum()),
        rng.integers(0, count, arcs.sum()),
        np.append(0, refs.cumsum()),
        np.concatenate(
            [rng.integers(0, n, size) for n, size in enumerate(refs) if size] or [np.zeros(0, int)]
        ),
        np.arange(count),
    )


def bounds_by_formula(graph, masses, tops, caps, remaining):
    """[2, N + 1, M] nats, term by term."""
    most, free, least, arc_at, arc_set, arc_target, ref_at, ref, order = graph
    N = len(masses)
    out = np.full((2, N + 1, len(most)), -np.inf)
    for i in range(N, -1, -1):
        for n in order:
            for way, weights in enumerate((masses, tops)):
                terms = [0.0] if i == N and least[n] <= remaining else []
                if i < N:
                    own = slice(arc_at[n], arc_at[n + 1])
                    terms += (weights[i, arc_set[own]] + out[way, i + 1, arc_target[own]]).tolist()
                terms += out[way, i, ref[ref_at[n] : ref_at[n + 1]]].tolist()
                join = max if way or most[n] else np.logaddexp.reduce
                value = caps[way, i] if free[n] else join(terms) if terms else -np.inf
                out[way, i, n] = min(value, caps[way, i])
    return out


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_bounds_are_the_sums_and_maxima_of_their_terms(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, N = graphs(rng), int(rng.integers(1, 9))
    masses = -rng.random((N, 4)) * rng.choice(FAR, (N, 1)) * rng.choice(FAR[:3], (N, 4))
    masses[rng.random((N, 4)) < 0.2] = -np.inf
    tops = masses - rng.random((N, 4))
    caps = -rng.random((2, N + 1)).cumsum(1)[:, ::-1] * rng.choice(FAR)
    expected = bounds_by_formula(graph, masses, tops, caps, 1)
    planes = np.full((3, *expected.shape[1:]), np.nan)
    out = FromBehind(planes[0], planes[1], np.zeros(N + 1), planes[2])
    bound_nodes(graph, masses, tops, caps, 1, out)
    found = np.array([[log_of(out, i, n) for n in range(expected.shape[2])] for i in range(N + 1)])
    np.testing.assert_allclose(found, expected[0], rtol=1e-9, atol=1e-9)
    finite = expected[0] > -np.inf
    assert (found >= expected[0] - 1e-11 * (1 + np.abs(expected[0])))[finite].all(), (
        "an upper bound stays one"
    )
    np.testing.assert_allclose(out.best, expected[1], rtol=1e-12)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_weights_of_sets_are_sums_over_their_classes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, classes = int(rng.integers(1, 40)), 6
    log_sum = rng.standard_normal((rows, classes)) * rng.choice(FAR, (rows, 1))
    log_sum[rng.random((rows, classes)) < 0.2] = -np.inf
    peak = log_sum - rng.random((rows, classes))
    sets = [rng.choice(classes, int(rng.integers(1, classes)), replace=False) for _ in range(5)]
    offsets, member = np.cumsum([0, *map(len, sets)]), np.concatenate(sets)
    mass, top = np.full((2, rows, 7), np.nan)
    blocks = blocks_of(offsets, member, classes, 0 if seed % 2 else 99)
    norm, high = weigh_sets(blocks, offsets, member, log_sum, peak, 0, mass, top)
    some = norm > -np.inf
    whole = np.logaddexp.reduce(log_sum, axis=1)
    np.testing.assert_allclose(norm, whole, rtol=1e-12)
    np.testing.assert_allclose(high[some], (peak.max(1) - whole)[some], rtol=1e-9, atol=1e-12)
    for g, (low, end) in enumerate(pairwise(offsets.tolist())):
        inside = member[low:end]
        expected = np.logaddexp.reduce(log_sum[some][:, inside], axis=1) - whole[some]
        np.testing.assert_allclose(mass[some, g], expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(
            top[some, g], peak[some][:, inside].max(1) - whole[some], rtol=1e-9, atol=1e-9
        )
    assert np.isneginf(mass[~some, :5]).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 99]))
@settings(max_examples=200, deadline=None)
def test_a_tree_of_sums_changes_nothing(seed: int, dense: int) -> None:
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(1, 20))
    held = rng.random((int(rng.integers(1, 9)), classes)) < rng.choice([0.1, 0.5, 0.9])
    offsets, member = np.append(0, held.sum(1).cumsum()), np.nonzero(held)[1]
    blocks, weight, value = (
        blocks_of(offsets, member, classes, dense),
        rng.random(classes),
        rng.random(len(held)),
    )
    assert len(blocks.node) <= len(member)
    sums, tops, shares = np.empty(len(held)), np.empty(len(held)), np.empty(classes)
    summed(blocks, weight, sums)
    highest(blocks, weight, tops)
    shared(blocks, value, shares)
    np.testing.assert_allclose(sums, held @ weight, rtol=1e-12)
    np.testing.assert_array_equal(tops, np.where(held, weight, -np.inf).max(1))
    np.testing.assert_allclose(shares, value @ held, rtol=1e-12)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30), st.integers(0, 10))
def test_the_heaviest_are_those_with_the_largest_keys_and_among_equals_the_first(
    entries: list[tuple[int, bool]], count: int
) -> None:
    keys, marks = (np.array(column) for column in zip(*entries, strict=True))
    keys = np.where(keys == 0, -np.inf, keys.astype(float))
    ranked = sorted(np.flatnonzero(marks).tolist(), key=lambda k: (-keys[k], k))
    assert np.flatnonzero(heaviest(keys, marks, count)).tolist() == sorted(ranked[:count])
