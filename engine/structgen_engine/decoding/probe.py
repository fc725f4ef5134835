"""A probe: the probability that a denoiser gives to sets of answers before any token is decided.

A verb that chooses before it writes (an option, a tool, a number of items) asks for the probability of the answers that
hold certain ids at certain positions, summed over everything else. Automata in tables and lazy ones are treated alike.

Axes: B canvases, N block, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.blocks import Block, first_block, opened, pinned, tables
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.kernels.scores import bounded
from structgen_engine.lattice.lattice import BlockLattice, forced
from structgen_engine.lattice.pruning import TOTAL, Pruning

PROBING = Pruning(0.0, 256, TOTAL)  # no epsilon: a prefix that starts unlikely can still dominate the sum


@dataclass(frozen=True, eq=False)
class Probe:
    """The result of one forward pass over canvases of noise, with some ids settled.

    logits: [B, N, ≥ V]; settled: [B, N] the ids that the canvases hold, −1 where they are noise
    remaining: tokens of budget left after the block
    """

    automaton: TokenAutomaton
    logits: Tensor
    settled: Tensor
    remaining: int = 0

    @cached_property
    def lattice(self) -> BlockLattice:
        """The lattice of the answers, one row per canvas."""
        return self._with(self.settled)

    def log_prob(self, ids: Tensor) -> Tensor:
        """[B] float64 nats: log-probability of the answers that hold `ids` [N], with any token where those are −1.

        If a beam has left such answers out of its lattice, the block is explored again with the ids settled.
        """
        wish = ids.expand(len(self.logits), -1)
        found = self.lattice.log_prob(wish).cpu()
        if self.automaton.exact or (found > IMPOSSIBLE).all():
            return found
        open_ = (self.settled < 0) & (wish >= 0)
        fits = ((self.settled < 0) | (wish < 0) | (self.settled == wish)).all(-1)
        own = self.logits.gather(-1, wish.clamp_min(0).to(self.logits.device)[..., None])[..., 0]
        own = bounded(own.double(), 1.0).cpu()
        settled = torch.where(open_, wish, self.settled)
        rest = self._with(settled).log_partition().cpu() - self.lattice.log_partition().cpu()
        again = torch.where(fits, rest + torch.where(open_, own, 0.0).sum(-1), IMPOSSIBLE)
        return torch.where(found > IMPOSSIBLE, found, again)

    def _with(self, settled: Tensor) -> BlockLattice:
        parts = [first_block(self.automaton, self.remaining, PROBING) for _ in settled]
        if (settled >= 0).any():
            pinned(parts, settled)
        return BlockLattice(
            opened(parts, self.logits, settled, [1.0] * len(parts)),
            self.logits,
            settled=settled.to(self.logits.device),
        )


def probe(
    denoiser: Denoiser,
    prompt: Sequence[int],
    automaton: TokenAutomaton,
    settled: Tensor,
    generator: torch.Generator,
    *,
    remaining: int = 0,
) -> Probe:
    """Probe the first block with canvases that hold `settled` [B, N], and noise where that is −1."""
    noise = denoiser.noise.start((len(settled), settled.shape[1]), generator)
    rows = settled[:1] if (settled == settled[:1]).all() else settled
    parts = [first_block(automaton, remaining) for _ in rows]
    context = denoiser.start([prompt])
    if len(settled) > 1:  # else the context itself, by which a denoiser knows a pass that it has made before
        context = context.select(torch.zeros(len(settled), dtype=torch.int64))
    canvas = torch.where(settled >= 0, settled, noise)
    return Probe(automaton, probed(denoiser, context, parts, canvas, settled), settled, remaining)


def probed(
    denoiser: Denoiser, context: Any, parts: Sequence[Block], canvas: Tensor, settled: Tensor
) -> Tensor:
    """Logits [B, N, V] of a first forward pass over canvases [B, N] of which only `settled` [B, N] is decided.

    context: of B rows; parts: the possible blocks of each row, or a single one if all rows are settled alike
    """
    if not denoiser.self_conditioning:
        return denoiser(context, canvas)
    rows = settled[: len(parts)]
    known = forced(tables(parts, rows), rows, denoiser.vocabulary_size)
    return denoiser(context, canvas, known.expand(len(settled), -1, -1))
