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
is a greedy answer to what is an assignment problem.

Axes: B batch, N block, V vocabulary, C choices, L length of a region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from structgen_engine.denoiser import Denoiser
from structgen_engine.noise import Noise


@dataclass(frozen=True, eq=False)
class Region:
    """Positions start … start + L − 1 of the first block and what they would hold: choices [C, L] int64.

    pieces: [C] int64, the piece of the source that a choice is copied from, −1 for none; None where no choice has one
    """

    start: int
    choices: Tensor
    pieces: Tensor | None = None


@dataclass(frozen=True, eq=False)
class PreferringContext:
    """The denoiser's own context, and whether it is still in its first block."""

    inner: Any
    first: bool

    def select(self, rows: Tensor) -> PreferringContext:
        """The context of these rows [b] int64 of the batch."""
        return PreferringContext(self.inner.select(rows), self.first)


class Preferring:
    """`denoiser` with preferred fillings of regions, the same for every row.

    penalty: nats, for anything else; occurrences: how often each piece of the source may be used for nothing, and
    crowding: nats, what it costs beyond
    """

    def __init__(
        self,
        denoiser: Denoiser,
        regions: Sequence[Region],
        penalty: float,
        *,
        occurrences: Sequence[int] = (),
        crowding: float = 0.0,
    ) -> None:
        self.denoiser, self.regions, self.penalty = denoiser, regions, penalty
        self.occurrences, self.crowding = torch.tensor(occurrences, dtype=torch.int64), crowding
        self.self_conditioning: bool = getattr(denoiser, "self_conditioning", False)
        self.unconditioned_start: bool = getattr(denoiser, "unconditioned_start", False)

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
        costs = self._crowded([filled(part, r.choices) for part, r in zip(parts, self.regions, strict=True)])
        logits = logits.clone()
        for region, part, cost in zip(self.regions, parts, costs, strict=True):
            inside = slice(region.start, region.start + region.choices.shape[1])
            logits[:, inside] = max_marginals(part, region.choices, self.penalty, cost).to(logits.dtype)
        return logits

    def _crowded(self, scores: list[Tensor]) -> list[Tensor]:
        """What the choices cost for the pieces that surer regions use: per region [B, C], from their scores."""
        costs = [torch.zeros_like(score) for score in scores]
        if not self.crowding:
            return costs
        for row in range(len(scores[0])):
            left = self.occurrences.clone()
            for at in sorted(range(len(scores)), key=lambda r: _margin(scores[r][row]), reverse=True):
                pieces = self.regions[at].pieces
                if pieces is None:
                    continue
                gone = (pieces >= 0) & (left[pieces.clamp_min(0)] <= 0)
                costs[at][row] = torch.where(gone, self.crowding, 0.0).to(scores[at].device)
                chosen = int(pieces[int((scores[at][row] - costs[at][row]).argmax())])
                if chosen >= 0:
                    left[chosen] -= 1
        return costs

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
