"""A denoiser with a prior over whole spans copied from a document.

Logits of single positions cannot say that tokens belong together: between "Volvo V60" and "V60" the best token of each
position may spell a "Volvo V6" that nobody wrote. Suppose a region holds one of C sequences, its choices, or anything
else for `penalty` nats. The max-marginal of token t at position k is the best score of any filling with t at k:

    max( max_{c: c_k = t} Σ_i log p_i(c_i),  Σ_{i ≠ k} max_v log p_i(v) + log p_k(t) − penalty )

The region's logits are replaced by these max-marginals. Max-marginals of one joint distribution share their maximiser,
so the best token of each position is the best filling's, and a lattice that knows nothing of the choices finds it.
Where the lattice's automaton rules that filling out, what it finds may mix two choices.

An example: a region of three positions, the tokens a and b, the choices aaa and bbb, and a penalty of 6 nats.

    position          1       2       3
    log p(a)        −0.60   −0.92   −0.51     aaa: −2.03
    log p(b)        −0.80   −0.51   −0.92     bbb: −2.23
    best token        a       b       a       aba: −1.62, and −7.62 with the penalty
    max-marginal a  −2.03   −2.03   −2.03     the score of aaa
    max-marginal b  −2.23   −2.23   −2.23     the score of bbb
    best token        a       a       a

Choices that copy a piece of the source cost more in two cases: surer regions use the piece already (assignment.py), or
it stands outside the words that describe the region's record (records.py).

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
from structgen_mini.assignment import crowding_costs
from structgen_mini.constants import Copies
from structgen_mini.records import Placed, Run, segment
from structgen_mini.regions import CopySource, Region, unlikelier, weighed


@dataclass(frozen=True, eq=False)
class CopyPriorContext:
    """The denoiser's own context, and the number of the block, from 0."""

    inner: Any
    block: int

    def select(self, rows: Tensor) -> CopyPriorContext:
        """The context of these rows [b] int64 of the batch."""
        return CopyPriorContext(self.inner.select(rows), self.block)

    def join(self, *others: CopyPriorContext) -> CopyPriorContext | None:
        """The contexts as one batch, if they are in the same block."""
        equal = all(other.block == self.block for other in others)
        inner = self.inner.join(*[other.inner for other in others]) if equal else None
        return None if inner is None else CopyPriorContext(inner, self.block)


@dataclass(frozen=True, eq=False)
class RowScores:
    """One row of a step as the regions see it.

    scores: for each region [C], the log-probability of each choice; anything: for each region the log-probability of
    its best tokens, whatever they spell, less the penalty for that
    """

    scores: Sequence[Tensor]
    anything: Sequence[float]


class CopyPrior:
    """A denoiser that prefers its regions' choices in the first block; the regions are the same for every row.

    later: the priors of the blocks behind the first
    """

    def __init__(
        self,
        denoiser: Denoiser,
        regions: Sequence[Region],
        source: CopySource,
        constants: Copies,
        later: Sequence[CopyPrior] = (),
    ) -> None:
        self.later = later
        self._first: dict[int, Tensor] = {}  # logits [N, V] by block
        self.denoiser, self.regions, self.source, self.constants = denoiser, regions, source, constants
        self.occurrences = source.occurrences(len(regions))
        self.placed = [Placed.of(region, source) for region in regions] if source.records else []
        self.self_conditioning = denoiser.self_conditioning
        self.unconditioned_start = denoiser.unconditioned_start

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

    def start(self, prompts: Sequence[Sequence[int]]) -> CopyPriorContext:
        """A context in its first block."""
        return CopyPriorContext(self.denoiser.start(prompts), 0)

    def extend(self, context: CopyPriorContext, block: Tensor) -> CopyPriorContext:
        """A context in the next block."""
        return CopyPriorContext(self.denoiser.extend(context.inner, block), context.block + 1)

    def __call__(self, context: CopyPriorContext, canvas: Tensor, *beliefs: Tensor) -> Tensor:
        """Logits [B, N, V]: the denoiser's, with max-marginals in the regions."""
        logits = self.denoiser(context.inner, canvas, *beliefs)
        self._first.setdefault(context.block, logits[0])
        return self.preferred(context, logits)

    def first_look(self, block: int) -> Tensor | None:
        """[N, V] the denoiser's logits of the first row in the first step of a block with regions; given once only."""
        priors = (self, *self.later)
        known = block < len(priors) and bool(
            priors[block].regions
        )  # others are not copied, and are written over
        first = self._first.pop(block, None)
        return first if known else None

    def plain(self, context: CopyPriorContext) -> tuple[Denoiser, Any]:
        """The denoiser without the prior, and its context."""
        return self.denoiser, context.inner

    def preferred(self, context: CopyPriorContext, logits: Tensor) -> Tensor:
        """Logits [B, N, V] with max-marginals in the regions of the context's block."""
        priors = (self, *self.later)
        return priors[context.block].preferring(logits) if context.block < len(priors) else logits

    def preferring(self, logits: Tensor) -> Tensor:
        """Logits [B, N, V] with max-marginals in the regions of the first block."""
        if not self.regions:
            return logits
        parts = self._parts(logits)
        costs = zip(*map(self._costs, self._rows(parts)), strict=True)
        logits = logits.clone()
        for region, part, rows in zip(self.regions, parts, costs, strict=True):
            free, penalty = self._free(part, region)
            found = max_marginals(free, region.choices, penalty, weighed(part, region) - torch.stack(rows))
            logits[:, region.inside] = found.to(logits.dtype)
        return logits

    def gains(self, logits: Tensor) -> list[list[np.ndarray]]:
        """For each list and each of its records [F, U], from 0 to 1, what each field gains from each word."""
        (row,) = self._rows(self._parts(logits[None]))
        costs = self._own_costs(row)
        return [
            [
                np.stack([self._gains(at, row, costs[at]) for at in record]) / self.constants.away
                for record in records
            ]
            for records in self.source.records
        ]

    def coherence(self, logits: Tensor) -> list[list[float]]:
        """For each list of the source and each of its records, from 0 to 1: how much of it one run of words gives.

        logits: [N, V], of the first block. A record that the source does not describe has a run that gives little.
        """
        (row,) = self._rows(self._parts(logits[None]))
        costs = self._own_costs(row)
        found = []
        for records in self.source.records:
            gains, runs = self._segmented(records, row, costs)
            shares = [
                float(gain[:, start:end].max(-1).mean() / self.constants.away)
                for gain, (start, end) in zip(gains, runs, strict=False)
            ]
            found.append([*shares, *[0.0] * (len(records) - len(shares))])
        return found

    def _penalty(self, region: Region) -> float:
        return self.constants.penalty if region.penalty is None else region.penalty

    def _free(self, part: Tensor, region: Region) -> tuple[Tensor, Tensor]:
        """Log-probabilities [B, L, V] in a region that holds no choice, and the penalty [B] nats for that.

        Where the model wants a character that JSON escapes, it copies: it writes a backslash as it has read it.
        """
        penalty = torch.full(part.shape[:1], self._penalty(region)).to(part)
        if not self.source.escapes:
            return part, penalty
        escapes, never = list(self.source.escapes), unlikelier(part.shape[1])
        wanted = torch.isin(part.argmax(-1), torch.tensor(escapes, device=part.device)).any(-1)
        part = part.clone()
        part[..., escapes] -= never
        return part, penalty.masked_fill(wanted, never)

    def _parts(self, logits: Tensor) -> list[Tensor]:
        """For each region its log-probabilities [B, L, V]."""
        return [logits[:, region.inside].float().log_softmax(-1) for region in self.regions]

    def _rows(self, parts: Sequence[Tensor]) -> list[RowScores]:
        scores = [weighed(part, region) for part, region in zip(parts, self.regions, strict=True)]
        free = [self._free(part, region) for part, region in zip(parts, self.regions, strict=True)]
        anything = [(part.amax(-1).sum(-1) - penalty).tolist() for part, penalty in free]
        return [
            RowScores([one[row] for one in scores], [one[row] for one in anything])
            for row in range(len(scores[0]))
        ]

    def _costs(self, row: RowScores) -> list[Tensor]:
        """For each region the nats [C] of its choices: their own, for standing elsewhere, and for crowding."""
        costs = self._own_costs(row)
        if self.constants.away and self.source.records:
            costs = self._record_costs(row, costs)
        if self.constants.crowding:
            worths = [score - cost for score, cost in zip(row.scores, costs, strict=True)]
            more = crowding_costs(self.regions, worths, self.occurrences, self.constants.crowding)
            costs = [cost + extra for cost, extra in zip(costs, more, strict=True)]
        return costs

    def _own_costs(self, row: RowScores) -> list[Tensor]:
        return [region.own_costs.to(score) for region, score in zip(self.regions, row.scores, strict=True)]

    def _record_costs(self, row: RowScores, costs: Sequence[Tensor]) -> list[Tensor]:
        """The costs, and `away` for each choice from outside the run of its record."""
        found = list(costs)
        for records in self.source.records:
            _, runs = self._segmented(records, row, costs)
            for record, run in zip(records, runs, strict=False):
                for at in record:
                    more = self.placed[at].costs(run, self.constants.away, len(costs[at]))
                    found[at] = found[at] + more.to(found[at].device)
        return found

    def _segmented(
        self, records: Sequence[Sequence[int]], row: RowScores, costs: Sequence[Tensor]
    ) -> tuple[list[np.ndarray], list[Run]]:
        """For the records of a list what each field gains from each word [F, U], and each record's run of words."""
        breaks = np.array(self.source.breaks)
        gains = [np.stack([self._gains(at, row, costs[at]) for at in record]) for record in records]
        return gains, segment(gains, breaks, self.constants.record_words) or []

    def _gains(self, at: int, row: RowScores, cost: Tensor) -> np.ndarray:
        """[U] nats that a region gains from each word of the source."""
        worth = row.scores[at] - cost
        best = max(float(worth.max()), row.anything[at])
        return self.placed[at].gains(worth, best, self.constants.away, len(self.source.breaks))


def max_marginals(scores: Tensor, choices: Tensor, penalty: Tensor, held: Tensor) -> Tensor:
    """Max-marginals [B, L, V] nats of a region with log-probabilities [B, L, V] that holds a choice [C, L] or pays.

    penalty: [B] nats; held: [B, C] nats of each choice, less its cost
    """
    top = scores.amax(-1)
    anything = scores + (top.sum(-1)[:, None] - top - penalty[:, None])[..., None]
    where = choices.to(scores.device).T.expand(len(scores), -1, -1)  # [B, L, C]
    return anything.scatter_reduce(2, where, held[:, None].expand_as(where), "amax")
