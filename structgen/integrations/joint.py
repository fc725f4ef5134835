"""Joint draws and a stopping rule inside transformers' `generate`, which then does all that structgen's loop does.

    arguments = constrain(model, [invoice, None], max_new_tokens=512)
    output = jointly(model, arguments).generate(**inputs, **arguments)

With `constrain` alone, `generate` draws each position independently and averages entropy over all positions, including
forced ones. `jointly` returns a view of the model that shares its weights and overrides three of its methods; the model
and the library are unchanged. Those methods are private to transformers and may change: if one is missing, `jointly`
raises Unsupported, and `constrain` still works.

Axes: B batch, b constrained rows, N block, V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from structgen.errors import Unsupported
from structgen.integrations.rows import HostBatch

HOOKS = ("_prepare_sampler", "_prepare_diffusion_stopping_criteria", "_compile_functions")


def jointly(model: Any, arguments: Mapping[str, Any]) -> Any:
    """A view of the model for one call of `generate` with these arguments, which `constrain` returned.

    Raises Unsupported if this version of transformers lacks the methods to override.
    """
    kind = type(model)
    missing = [hook for hook in HOOKS if not hasattr(kind, hook)]
    if missing:
        raise Unsupported(
            f"{kind.__name__} of this version of transformers has no {', '.join(missing)}",
            remedy="generate with the arguments of constrain alone",
        )
    view = copy.copy(model)
    view.__class__ = type(kind.__name__, (_Joint, kind), {})
    view._structgen_rows = arguments["logits_processor"].rows
    return view


class _Joint:
    """A mixin with the methods that a view overrides."""

    _structgen_rows: HostBatch

    def _prepare_sampler(self, *arguments: Any, **named: Any) -> Any:
        sampler = super()._prepare_sampler(*arguments, **named)  # type: ignore[misc]
        sampler.accept_canvas = _Accept(self._structgen_rows, sampler.accept_canvas)
        return sampler

    def _prepare_diffusion_stopping_criteria(self, generation_config: Any) -> Any:
        stock = super()._prepare_diffusion_stopping_criteria(generation_config)  # type: ignore[misc]
        if stock is None:
            return None
        return _Calm(self._structgen_rows, stock)

    def _compile_functions(self, sampler: Any, stopping: Any) -> Any:
        """Compile the network and the renoising as usual, but keep the lattice out of the graph."""
        accept = sampler.accept_canvas
        sampler.accept_canvas = accept.stock
        stock = None if stopping is None else stopping.stock
        encoder, decoder, sampler, _ = super()._compile_functions(sampler, stock)  # type: ignore[misc]
        accept.stock, sampler.accept_canvas = sampler.accept_canvas, accept
        return encoder, decoder, sampler, stopping


class _Accept:
    """A replacement for a sampler's `accept_canvas`: constrained rows accept positions of a joint draw."""

    def __init__(self, rows: HostBatch, stock: Any) -> None:
        self.rows, self.stock = rows, stock

    def __call__(self, current: Tensor, drawn: Tensor, logits: Tensor, step: Any) -> Tensor:
        """canvases [B, N], logits [B, N, V]"""
        if len(self.rows.index):
            index = self.rows.index.to(drawn.device)
            drawn = drawn.index_copy(0, index, self.rows.drawn().to(drawn))
        return self.stock(current, drawn, logits, step)


class _Calm:
    """A stopping rule: constrained rows stop when free positions are nearly certain and the best block is stable."""

    def __init__(self, rows: HostBatch, stock: Any) -> None:
        self.rows, self.stock = rows, stock
        self._best: Tensor | None = None  # [b, N]
        self._same = torch.zeros(len(rows.index), dtype=torch.int64)  # steps without a change

    def reset(self) -> None:
        self.stock.reset()
        self._best, self._same = None, torch.zeros_like(self._same)

    def __call__(self, argmax_canvas: Tensor, logits: Tensor, **more: Any) -> Tensor:
        """done [B] bool; canvas [B, N], logits [B, N, V]"""
        done = self.stock(argmax_canvas, logits, **more)
        if not len(self.rows.index):
            return done
        beliefs, best = self.rows.beliefs(), self.rows.best()
        unchanged = torch.zeros_like(self._same, dtype=torch.bool)
        if self._best is not None:
            unchanged = (best == self._best).all(-1).cpu()
        self._best, self._same = best, torch.where(unchanged, self._same + 1, 0)
        free = beliefs.free.sum(-1).clamp_min(1)
        doubt = (beliefs.entropy * beliefs.free).sum(-1) / free
        calm = (doubt.cpu() < self.stock.confidence_threshold) & (
            self._same >= self.stock.stability_threshold
        )
        return done.index_copy(0, self.rows.index.to(done.device), calm.to(done.device))
