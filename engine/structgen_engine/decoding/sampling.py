"""The samplers: given a lattice, which accepted block a step draws, which positions stay, and which rows are done.

Every step draws whole accepted blocks from the lattice, so a valid answer is always available.

* `settle`, for absorbing noise: the positions that the policy names are settled to the drawn tokens. The rest of the
  draw proves that they can be completed, so no row gets stuck. Each step settles its share, so `steps` always suffice.
* `revise`, for uniform noise: the named positions stay on the canvas and the others are drawn anew; the last step
  commits the joint best block (or a joint draw), never the best token of each position, which need not form an
  accepted block.

Axes: b rows with the same options, n positions in play, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from structgen_engine.decoding.options import DecodingOptions, Finish
from structgen_engine.decoding.policy import surest
from structgen_engine.lattice.lattice import OPEN, Beliefs, Best, BlockLattice


@dataclass(eq=False)
class Stability:
    """A counter of the consecutive steps in which a row was nearly certain of the same best block.

    seed: of the noise that stays the same in all steps of the block, None until it is drawn
    """

    best: Tensor | None = None
    count: int = 0
    seed: int | None = None

    def steps(self, best: Tensor | None) -> int:
        """Count this step's best block [n], or None if the row was not certain; returns the consecutive steps."""
        same = best is not None and self.best is not None and torch.equal(best, self.best)
        self.best, self.count = best, 0 if best is None else self.count + 1 if same else 1
        return self.count


@dataclass(frozen=True, eq=False)
class View:
    """The input of a sampler: one step of b rows.

    lattice: the accepted blocks under the step's logits [b, n, V]; beliefs: those of the lattice, on the CPU
    canvas, settled: [b, n] int64, before the step; settled is −1 where a position is open
    step: [b] int64, steps already taken on the block; cold: whether the step takes the best block instead of a draw
    """

    lattice: BlockLattice
    logits: Tensor
    beliefs: Beliefs
    canvas: Tensor
    settled: Tensor
    step: Tensor
    cold: bool
    options: DecodingOptions
    generators: Sequence[torch.Generator]
    stability: Sequence[Stability]

    @property
    def last(self) -> Tensor:
        """[b] bool: whether this is the last step that the options allow."""
        return self.step == self.options.steps - 1

    def drawn(self) -> tuple[Tensor, Tensor]:
        """Accepted blocks [b, n], a joint draw or the best, and which of them are certified as the best [b]."""
        if self.cold:
            best = self.lattice.argmax()
            return finished(best, torch.ones(len(best.ids), dtype=torch.bool), best.ids.cpu())
        ids = self.lattice.sample(self.generators).cpu()
        return ids, torch.zeros(len(ids), dtype=torch.bool)


@dataclass(frozen=True, eq=False)
class Decision:
    """The output of a sampler: what a step decides for b rows.

    ids: [b, n] accepted blocks; keep: [b, n] bool, the positions that stay on the canvas; settled: [b, n] int64, −1
    where the next step may still choose; done: [b] bool; gain: [b] float64 nats, log-probability of what was newly
    committed; certified: [b] bool, whether the block is certainly the best
    """

    ids: Tensor
    keep: Tensor
    settled: Tensor
    done: Tensor
    gain: Tensor
    certified: Tensor


Sampler = Callable[[View], Decision]


def settle(view: View) -> Decision:
    """Settle the positions that the policy names, and at least this step's share of the open ones."""
    lattice, beliefs, settled = view.lattice, view.beliefs, view.settled
    share = -((settled < 0).sum(-1) // -(view.options.steps - view.step))
    keep = view.options.policy(beliefs, settled) | (settled >= 0)
    lacking = (share - (keep & (settled < 0)).sum(-1)).clamp_min(0)
    keep |= surest(beliefs.entropy, torch.where(keep, 0, settled), lacking)
    done = keep.all(-1)
    ids, certified = view.drawn()
    if view.options.finish is Finish.BEST and done.any():
        ids, certified = finished(lattice.argmax(), done, ids)
    kept = torch.where(keep, ids, OPEN)
    return Decision(ids, keep, kept, done, lattice.log_prob(kept).cpu(), certified)


def revise(view: View) -> Decision:
    """Keep the policy's positions of a fresh draw; done when the stopping rule holds, or at the last step."""
    lattice, beliefs, settled, options = view.lattice, view.beliefs, view.settled, view.options
    share = torch.tensor([options.pace.at(step + 1, options.steps) for step in view.step.tolist()])
    forced = torch.where(beliefs.free, settled, 0)  # a position with one possible token need not be kept
    quota = ((forced < 0).sum(-1) * share).ceil().long()
    keep = options.policy(beliefs, settled) | (settled >= 0) | surest(beliefs.entropy, forced, quota)
    done = _converged(view) | view.last
    (ids, certified), gain = view.drawn(), torch.zeros(len(keep), dtype=torch.float64)
    if done.any():
        if options.finish is Finish.BEST:
            ids, certified = finished(lattice.argmax(), done, ids)
        gain = torch.where(done, lattice.log_prob(ids).cpu(), 0.0)
    return Decision(ids, keep | done[:, None], settled, done, gain, certified)


def finished(best: Best, done: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """The best block for rows that are done [b] and the draw `ids` [b, n] for the others; which are certified [b]."""
    certified = done if best.certified is None else done & best.certified
    return torch.where(done[:, None], best.ids.cpu(), ids), certified


def _converged(view: View) -> Tensor:
    """[b] bool: the rows whose stopping rule holds; the best block is computed only for rows that may stop."""
    beliefs, rule = view.beliefs, view.options.stop
    free = beliefs.free.sum(-1).clamp_min(1)
    mean = (beliefs.entropy * beliefs.free).sum(-1) / free
    low = mean < rule.entropy
    best = view.lattice.argmax().ids.cpu() if low.any() else None
    stable = [
        seen.steps(None if best is None or not low[k] else best[k]) >= rule.repeats
        for k, seen in enumerate(view.stability)
    ]
    return torch.tensor(stable) | (mean < rule.sure)
