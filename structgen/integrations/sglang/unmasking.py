"""A step of models with mask tokens in SGLang (LLaDA 2, SDAR): what it unmasks is always part of one accepted block.

SGLang's step unmasks every position whose best token is sure enough. Best tokens of single positions need not go
together, so a constrained row is shown other logits: at every masked position the token of the joint best block, as
sure as its marginal under the constraint, and at all others the token that stands there. Whichever of them the step
takes, the rest of the block can be completed. Tokens that stand are not edited.

Axes: B batch, N block, n positions in play, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from structgen.integrations.sglang.held import Held, of
from structgen_engine.decoding.blocks import nonempty

OTHERS = 1e-30  # probability that all other tokens share, so that its logarithm is a number


def step(
    original: Callable[..., Any], algorithm: Any, batch: Any, logits: Tensor, states: list[Any]
) -> list[bool]:
    """SGLang's step over the changed logits of constrained rows; logits [B · N, V] are overwritten."""
    rows = of(batch)
    if rows:
        N, V = algorithm.block_size, logits.shape[-1]
        table, canvas = logits.view(-1, N, V), batch.input_ids.view(-1, N)
        ids = canvas.cpu()
        for k, held in rows.items():
            start = max(0, held.place(N))
            if start < N:
                _show(table[k, start:], ids[k, start:], held, algorithm.mask_id)
                _lift(table[k], canvas[k], getattr(algorithm, "penalty_lambda", 0))
    return original(algorithm, batch, logits, states)


def _show(rows: Tensor, ids: Tensor, held: Held, mask: int) -> None:
    """Overwrite rows [n, V] of logits so that their softmax names one token of each position, and how sure it is.

    ids: [n], the canvas
    """
    positions = len(ids)
    masked = ids == mask
    best, sure = torch.where(masked, held.padded(None, positions), ids), torch.ones(positions)
    if masked.any() and not held.failed:
        try:
            block, n = held.block(positions)
            settled = torch.where(masked[:n], -1, ids[:n])
            lattice = nonempty([block], rows[None, :n], settled=settled[None])
            found = lattice.argmax().ids[0]
            sure[:n] = lattice.marginals()[0].gather(1, found[:, None])[:, 0].float().cpu()
            best = held.padded(found.cpu(), positions)
        except Exception as error:
            held.fail(error)
    V = rows.shape[1]
    sure = sure.clamp(2 / V, 1.0).to(rows.device)  # above all others
    others = ((1 - sure) / (V - 1)).clamp_min(OTHERS).log()
    rows.copy_(others[:, None].expand_as(rows))
    rows.scatter_(1, best.to(rows.device)[:, None], sure.log()[:, None].to(rows))


def _lift(rows: Tensor, canvas: Tensor, penalty: float) -> None:
    """Add what JointThreshold is about to take from a token that repeats the one before it; rows [N, V], canvas [N]."""
    if penalty > 0:
        before = canvas[:-1, None].long()
        rows[1:].scatter_add_(1, before, torch.full_like(before, penalty, dtype=rows.dtype))
