"""Which words of a source describe each record of a list: one run of words each, one after the other.

A model that fills the fields of a list's items one by one may take the first item's name from one row of a table and
its price from another. But a source nearly always describes one record in one run of its words, and the next record
further on. So the runs are chosen together. Given what each field gains from each word, the best increasing, disjoint
runs are found by a dynamic program over (record, word): a segmentation, as in alignments (Needleman & Wunsch 1970).

Axes: F fields of a record, U words of the source, C choices of a region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from structgen_mini.regions import CopySource, Region

Run = tuple[int, int]  # the words start … end − 1


@dataclass(frozen=True, eq=False)
class Placed:
    """The places in the source of a region's choices, as pairs: choice[i] begins at word[i]."""

    choice: np.ndarray
    word: np.ndarray

    @classmethod
    def of(cls, region: Region, source: CopySource) -> Placed:
        """The places of all choices that are copied from the source."""
        pieces = [] if region.pieces is None else region.pieces.tolist()
        pairs = [(at, word) for at, one in enumerate(pieces) if one >= 0 for word in source.places[one]]
        table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return cls(table[:, 0], table[:, 1])

    def gains(self, worth: Tensor, best: float, away: float, words: int) -> np.ndarray:
        """[U] nats from 0 to `away`: what the region gains if each word is in its record's run.

        worth: [C] nats, what each choice is worth; best: the worth of the best filling
        """
        held = np.full(words, -np.inf)
        np.maximum.at(held, self.word, worth.double().cpu().numpy()[self.choice])
        return np.clip(held - best + away, 0.0, away)

    def costs(self, run: Run, away: float, count: int) -> Tensor:
        """[C] nats: `away` for each of the `count` choices that is copied from the source, but not from the run."""
        cost = np.zeros(count)
        cost[self.choice] = away
        cost[self.choice[(self.word >= run[0]) & (self.word < run[1])]] = 0.0
        return torch.from_numpy(cost).float()


def segment(gains: Sequence[np.ndarray], breaks: np.ndarray, longest: int) -> list[Run] | None:
    """The best run of words for each record, in order; None if there are fewer words than records.

    gains: for each record [F, U] ≥ 0, what each field gains if a word is in the run; a field counts its best word
    breaks: [U], the cost for a run to go on to each word from the word before it
    longest: the most words of a run
    """
    words = len(breaks)
    if words < len(gains):
        return None
    before = np.zeros(words + 1)  # [u]: the best value so far with all runs among the first u words
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
    """For every end [U + 1] the best value of a run up to it, with the runs before it, and where that run starts."""
    words = len(breaks)
    padded = np.pad(held, ((0, 0), (longest - 1, 0)), constant_values=-np.inf)
    runs = np.lib.stride_tricks.sliding_window_view(padded, longest, 1)[..., ::-1]  # [F, end, length]
    best = np.maximum.accumulate(runs, -1).sum(0)
    starts = np.arange(1, words + 1)[:, None] - np.arange(1, longest + 1)  # negative: no such run
    passed = np.concatenate([[0.0], breaks.cumsum()])
    cost = passed[1:, None] - passed[np.maximum(starts, 0) + 1]
    total = np.where(starts >= 0, before[np.maximum(starts, 0)] + best - cost, -np.inf)
    chosen = total.argmax(-1)  # the shortest of the best runs
    rows = np.arange(words)
    value = np.concatenate([[-np.inf], total[rows, chosen]])
    return value, np.concatenate([[0], starts[rows, chosen]])
