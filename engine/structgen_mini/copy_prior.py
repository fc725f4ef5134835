"""A denoiser that prefers to fill regions of its first block with one of given sequences.

Per-position logits cannot say that tokens belong together: between "Volvo V60" and "V60" the best token of each
position is a "Volvo V6" that nobody wrote. Where a region is known to hold one of C sequences, or something else at a
cost of `penalty` nats, the best score of all fillings that have token t at position k, their max-marginal, is

    max( max_{c: c_k = t} Σ_i log p_i(c_i),  Σ_{i ≠ k} max_v log p_i(v) + log p_k(t) − penalty )

The logits of the region are replaced by these. Each position's best token is then the best filling's (max-marginals of
one joint distribution share their maximiser), so a lattice that knows nothing of the sequences finds the best of them;
where its automaton rules that one out, what it finds may mix two.

Two regions seldom hold the same piece of a source. So choices may name the piece that they are copied from, and a piece
that is used up, as often as it occurs, costs `crowding` nats more. The regions choose in turn, the surest first, which
is a greedy answer to what is an assignment problem. And the regions of one record are filled from one run of the
source's words (records.py): a piece that is nowhere in the run costs `away` nats more.

Axes: B batch, N block, V vocabulary, C choices, L length of a region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.noise import Noise
from structgen_mini.constants import Copies
from structgen_mini.records import told


@dataclass(frozen=True, eq=False)
class Region:
    """Positions start … start + L − 1 of the first block and what they would hold: choices [C, L] int64.

    pieces: [C] int64, the piece of the source that a choice is copied from, −1 for none; None where no choice has one
    costs: [C] nats, of each choice; None where all are free
    """

    start: int
    choices: Tensor
    pieces: Tensor | None = None
    costs: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Text:
    """The source of the choices.

    places: for each of its pieces the words where it begins, once for each time it occurs; breaks: [U] nats, what it
    costs a record to go on from the word before; records: lists whose records are told one after the other, each with
    the indices of its regions; plenty: pieces that any number of regions may hold
    """

    places: Sequence[Sequence[int]] = ()
    breaks: Sequence[float] = ()
    records: Sequence[Sequence[Sequence[int]]] = ()
    plenty: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class PreferringContext:
    """The denoiser's own context, and whether it is still in its first block."""

    inner: Any
    first: bool

    def select(self, rows: Tensor) -> PreferringContext:
        """The context of these rows [b] int64 of the batch."""
        return PreferringContext(self.inner.select(rows), self.first)

    def join(self, other: PreferringContext) -> PreferringContext | None:
        """Both, where both or neither are in their first block."""
        inner = self.inner.join(other.inner) if self.first == other.first else None
        return None if inner is None else PreferringContext(inner, self.first)


class Preferring:
    """`denoiser` with preferred fillings of regions, the same for every row; costs: of whatever differs from them."""

    def __init__(
        self,
        denoiser: Denoiser,
        regions: Sequence[Region],
        text: Text,
        costs: Copies,
    ) -> None:
        self.denoiser, self.regions, self.text, self.costs = denoiser, regions, text, costs
        often = [
            len(self.regions) if at in self.text.plenty else len(one)
            for at, one in enumerate(self.text.places)
        ]
        self.occurrences = torch.tensor(often, dtype=torch.int64)
        self.placed = [self._placed(region) for region in regions] if self.text.records else []
        self.self_conditioning, self.unconditioned_start = (
            denoiser.self_conditioning,
            denoiser.unconditioned_start,
        )

    @property
    def noise(self) -> Noise:
        """The denoiser's own."""
        return self.denoiser.noise

    @property
    def block_length(self) -> int:
        """The denoiser's own."""
        return self.denoiser.block_length

    @property
    def vocabulary_size(self) -> int:
        """The denoiser's own."""
        return self.denoiser.vocabulary_size

    def start(self, prompts: Sequence[Sequence[int]]) -> PreferringContext:
        """The first block is the one that the regions are of."""
        return PreferringContext(self.denoiser.start(prompts), True)

    def __call__(self, context: PreferringContext, canvas: Tensor, *beliefs: Tensor) -> Tensor:
        """Logits [B, N, V]: the denoiser's, but max-marginals in the regions."""
        logits = self.denoiser(context.inner, canvas, *beliefs)
        if not context.first or not self.regions:
            return logits
        parts = [
            logits[:, r.start : r.start + r.choices.shape[1]].float().log_softmax(-1) for r in self.regions
        ]
        scores = [filled(part, r.choices) for part, r in zip(parts, self.regions, strict=True)]
        costs = [
            torch.zeros_like(score) if r.costs is None else r.costs.to(score).expand_as(score).clone()
            for r, score in zip(self.regions, scores, strict=True)
        ]
        if self.costs.away and self.text.records:
            self._scatter(costs, scores, parts)
        if self.costs.crowding:
            self._crowd(costs, scores)
        logits = logits.clone()
        for region, part, cost in zip(self.regions, parts, costs, strict=True):
            inside = slice(region.start, region.start + region.choices.shape[1])
            logits[:, inside] = max_marginals(part, region.choices, self.costs.penalty, cost).to(logits.dtype)
        return logits

    def _placed(self, region: Region) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of a choice and a word where its piece begins, as two arrays."""
        pieces = [] if region.pieces is None else region.pieces.tolist()
        pairs = [(at, word) for at, one in enumerate(pieces) if one >= 0 for word in self.text.places[one]]
        table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    def coherence(self, logits: Tensor) -> list[list[float]]:
        """For each list of the text and each record of it: what its run of words gives of all that it could, 0 … 1.

        logits: [N, V], of the first block; one record more than the text tells of has a run that gives little
        """
        parts = [
            logits[None, r.start : r.start + r.choices.shape[1]].float().log_softmax(-1) for r in self.regions
        ]
        scores = [filled(part, r.choices) for part, r in zip(parts, self.regions, strict=True)]
        costs = [torch.zeros(1) if r.costs is None else r.costs[None] for r in self.regions]
        found = []
        for records in self.text.records:
            gains, runs = self._told(records, 0, costs, scores, parts)
            given = [
                gain[:, start:end].max(-1).mean() / self.costs.away
                for gain, (start, end) in zip(gains, runs, strict=False)
            ]
            found.append([*map(float, given), *[0.0] * (len(records) - len(given))])
        return found

    def _scatter(self, costs: list[Tensor], scores: list[Tensor], parts: list[Tensor]) -> None:
        """Add to costs [B, C] of each region what its choices cost that are told elsewhere than their record."""
        for row in range(len(scores[0])):
            for records in self.text.records:
                _, runs = self._told(records, row, costs, scores, parts)
                for record, run in zip(records, runs, strict=False):
                    for at in record:
                        costs[at][row] += self._elsewhere(at, run, len(scores[at][row])).to(costs[at].device)

    def _told(
        self,
        records: Sequence[Sequence[int]],
        row: int,
        costs: Sequence[Tensor],
        scores: Sequence[Tensor],
        parts: Sequence[Tensor],
    ) -> tuple[list[np.ndarray], list[tuple[int, int]]]:
        """For the records of a list what each field gains from each word [F, U], and each record's run of words."""
        breaks = np.array(self.text.breaks)
        gains = [
            np.stack(
                [
                    self._gain(at, scores[at][row] - costs[at][row], parts[at][row], len(breaks))
                    for at in record
                ]
            )
            for record in records
        ]
        return gains, told(gains, breaks, self.costs.record_words) or []

    def _gain(self, at: int, scores: Tensor, part: Tensor, words: int) -> np.ndarray:
        """[U] nats from 0 to `away`: what a region with choices' scores [C] gains from each word of the text."""
        choice, word = self.placed[at]
        best = max(float(scores.max()), float(part.amax(-1).sum()) - self.costs.penalty)
        held = np.full(words, -np.inf)
        np.maximum.at(held, word, scores.double().cpu().numpy()[choice])
        return np.clip(held - best + self.costs.away, 0.0, self.costs.away)

    def _elsewhere(self, at: int, run: tuple[int, int], count: int) -> Tensor:
        """[C] nats for the choices that are pieces of the text but nowhere in a run of its words."""
        choice, word = self.placed[at]
        cost = np.zeros(count)
        cost[choice] = self.costs.away
        cost[choice[(word >= run[0]) & (word < run[1])]] = 0.0
        return torch.from_numpy(cost).float()

    def _crowd(self, costs: list[Tensor], scores: list[Tensor]) -> None:
        """Add to costs [B, C] of each region what its choices cost for the pieces that surer regions use."""
        for row in range(len(scores[0])):
            left = self.occurrences.clone()
            for at in sorted(
                range(len(scores)), key=lambda r: _margin(scores[r][row] - costs[r][row]), reverse=True
            ):
                pieces = self.regions[at].pieces
                if pieces is None:
                    continue
                gone = (pieces >= 0) & (left[pieces.clamp_min(0)] <= 0)
                costs[at][row] += torch.where(gone, self.costs.crowding, 0.0).to(scores[at].device)
                chosen = int(pieces[int((scores[at][row] - costs[at][row]).argmax())])
                if chosen >= 0:
                    left[chosen] -= 1

    def extend(self, context: PreferringContext, block: Tensor) -> PreferringContext:
        """Later blocks are the denoiser's alone."""
        return PreferringContext(self.denoiser.extend(context.inner, block), False)


def filled(scores: Tensor, choices: Tensor) -> Tensor:
    """Log-probability [B, C] nats of each of choices [C, L] under independent log-probabilities [B, L, V]."""
    return scores.gather(2, choices.to(scores.device).T.expand(len(scores), -1, -1)).sum(1)


def max_marginals(scores: Tensor, choices: Tensor, penalty: float, cost: Tensor | float = 0.0) -> Tensor:
    """Max-marginals [B, L, V] nats of log-probabilities [B, L, V] of a region that holds a choice [C, L] or pays.

    cost: [B, C] nats, of each choice
    """
    top = scores.amax(-1)
    anything = scores + (top.sum(-1)[:, None] - top - penalty)[..., None]
    where = choices.to(scores.device).T.expand(len(scores), -1, -1)  # [B, L, C]
    held = filled(scores, choices) - cost
    return anything.scatter_reduce(2, where, held[:, None].expand_as(where), "amax")


def _margin(scores: Tensor) -> float:
    """Nats between the best of scores [C] and the next."""
    best = scores.topk(min(2, len(scores))).values
    return float(best[0] - best[-1])
