"""Where a source tells of each record: the dynamic program against every way there is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from structgen_mini.records import segment

Runs = list[tuple[int, int]]


def every_way(records: int, start: int, words: int, longest: int) -> Iterator[Runs]:
    """All increasing, disjoint, non-empty runs."""
    if not records:
        yield []
        return
    for first in range(start, words):
        for end in range(first + 1, min(words, first + longest) + 1):
            for rest in every_way(records - 1, end, words, longest):
                yield [(first, end), *rest]


def value(runs: Runs, gains: list[np.ndarray], breaks: np.ndarray) -> float:
    return sum(
        held[:, start:end].max(1).sum() - breaks[start + 1 : end].sum()
        for held, (start, end) in zip(gains, runs, strict=True)
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_best_runs_are_found(seed: int) -> None:
    draw = np.random.default_rng(seed)
    words, records, longest = int(draw.integers(3, 8)), int(draw.integers(1, 4)), int(draw.integers(1, 5))
    gains = [draw.exponential(size=(int(draw.integers(1, 4)), words)) for _ in range(records)]
    breaks = draw.exponential(0.5, size=words)
    found = segment(gains, breaks, longest)
    assert found is not None
    assert found in list(every_way(records, 0, words, longest))
    best = max(value(way, gains, breaks) for way in every_way(records, 0, words, longest))
    assert value(found, gains, breaks) == pytest.approx(best)


def test_more_records_than_words_are_told_nowhere() -> None:
    assert segment([np.ones((1, 1))] * 2, np.zeros(1), 80) is None
