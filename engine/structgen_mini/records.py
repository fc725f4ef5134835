"""Where a source tells of each record of a list: in one place each, one after the other.

A model that fills the fields of a list's items one by one may take the first item's name from one row of a table and
its price from another. But a source nearly always tells of one record in one run of its words, and of the next further
on. So the runs are chosen together: given what each field would gain from each word, the best increasing, disjoint runs
are a dynamic program over (record, word), as in alignments (Needleman & Wunsch 1970).

Axes: F fields of a record, U words of the source, L the longest run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def told(gains: Sequence[np.ndarray], breaks: np.ndarray, longest: int) -> list[tuple[int, int]] | None:
    """The run [start, end) of words for each record, in order; None where there are fewer words than records.

    gains: for each record [F, U] ≥ 0, what each field gains where a word is in the run; a field counts its best word
    breaks: [U], what it costs a run to go on from the word before
    """
    words = len(breaks)
    if words < len(gains):
        return None
    before = np.zeros(words + 1)  # [u]: the best so far with all runs among the first u words
    starts = []
    for held in gains:
        ending, start = _ending(held, breaks, before, min(longest, words))
        best = np.maximum.accumulate(ending)
        # the last word at which a best value was reached for the first time
        fresh = np.where(ending >= best, np.arange(words + 1), 0)
        starts.append((np.maximum.accumulate(fresh), start))
        before = best
    found, end = [], words
    for last, start in reversed(starts):
        end = int(last[end])
        found.append((int(start[end]), end))
        end = int(start[end])
    return found[::-1]


def _ending(
    held: np.ndarray, breaks: np.ndarray, before: np.ndarray, longest: int
) -> tuple[np.ndarray, np.ndarray]:
    """For every end [U + 1] the best value of a run up to there, behind what came before, and where it starts."""
    words = len(breaks)
    value = np.full(words + 1, -np.inf)
    start = np.zeros(words + 1, dtype=np.int64)
    best, cost = held.copy(), np.zeros(words)
    for length in range(1, longest + 1):
        count = words - length + 1  # runs of this length, by their start
        if length > 1:
            best = np.maximum(best[:, :count], held[:, length - 1 :])
            cost = cost[:count] + breaks[length - 1 :]
        total = before[:count] + best.sum(0) - cost
        better = total > value[length:]
        value[length:][better] = total[better]
        start[length:][better] = np.flatnonzero(better)
    return value, start
