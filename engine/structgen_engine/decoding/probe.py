"""One look at a task: what a denoiser that has seen nothing but noise says of whole sets of answers.

A verb that chooses before it writes (an option, a tool, a number of items) asks how probable the answers are that hold
certain ids at certain positions, summed over everything else. Automata in tables and such that grow are asked alike.

Axes: B canvases, N block, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.blocks import first_block, opened, pinned, tables
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.kernels.scores import bounded
from structgen_engine.lattice.beam import TOTAL, Pruning
from structgen_engine.lattice.lattice import BlockLattice, forced

PROBING = Pruning(
    0.0, 256, TOTAL
)  # sums over all answers leave out no way for being unlikely where it begins


@dataclass(frozen=True, eq=False)
class Probe:
    """logits: [B, N, ≥ V] of canvases that hold the ids `settled` [B, N], −1 where they are noise; `remaining` tokens
    of budget are left after the block."""

    automaton: TokenAutomaton
    logits: Tensor
    settled: Tensor
    remaining: int = 0

    @cached_property
    def lattice(self) -> BlockLattice:
        """The answers as the canvases see them."""
        return self._with(self.settled)

    def log_prob(self, ids: Tensor) -> Tensor:
        """[B] float64 nats: log-probability of the answers that hold `ids` [N], anything where those are −1.

        What grows may have left such answers out of its lattice; then it is asked again with the ids settled.
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
    """What the denoiser says of the first block when it holds `settled` [B, N] and is noise where that is −1."""
    noise = denoiser.noise.start((len(settled), settled.shape[1]), generator)
    known = ()
    if denoiser.self_conditioning:
        rows = settled[:1] if (settled == settled[:1]).all() else settled
        parts = tables([first_block(automaton, remaining) for _ in rows], rows)
        known = (forced(parts, rows, denoiser.vocabulary_size).expand(len(settled), -1, -1),)
    context = denoiser.start([prompt]).select(torch.zeros(len(settled), dtype=torch.int64))
    return Probe(
        automaton, denoiser(context, torch.where(settled >= 0, settled, noise), *known), settled, remaining
    )
