"""Semirings: three meanings of "sum over paths" for one recursion.

LOG gives partition functions and marginals, MAX the best path, BOOLEAN which paths are possible (Goodman 1999,
"Semiring parsing"). Weights are nats in LOG and MAX, where −inf is the zero, and bool in BOOLEAN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

IMPOSSIBLE = float("-inf")


@dataclass(frozen=True)
class Semiring:
    """A way to add paths and to multiply the weights along one.

    sum: (x, dim) -> x without dim; times: (x, y) -> x ⊗ y; segment_sum: (x [..., E], index [E], size) -> [..., size]
    """

    name: str
    zero: float | bool
    one: float | bool
    sum: Callable[[Tensor, int], Tensor]
    times: Callable[[Tensor, Tensor], Tensor]
    segment_sum: Callable[[Tensor, Tensor, int], Tensor]


def _log_sum(x: Tensor, dim: int) -> Tensor:
    """torch.logsumexp, detached because its gradient is NaN where all terms are −inf; the value is right, −inf."""
    return torch.logsumexp(x.detach(), dim)


def _log_segment_sum(x: Tensor, index: Tensor, size: int) -> Tensor:
    peak = _max_segment_sum(x, index, size)
    shift = torch.where(peak.isfinite(), peak, 0.0)
    mass = torch.zeros_like(peak).index_add_(-1, index, (x - shift[..., index]).exp())
    return mass.log() + shift


def _max_segment_sum(x: Tensor, index: Tensor, size: int) -> Tensor:
    peak = x.new_full((*x.shape[:-1], size), IMPOSSIBLE)
    return peak.scatter_reduce_(-1, index.expand_as(x), x, "amax")


def _any_segment_sum(x: Tensor, index: Tensor, size: int) -> Tensor:
    hits = x.new_zeros((*x.shape[:-1], size), dtype=torch.int32).index_add_(-1, index, x.int())
    return hits > 0


LOG = Semiring("log", IMPOSSIBLE, 0.0, _log_sum, torch.add, _log_segment_sum)
MAX = Semiring("max", IMPOSSIBLE, 0.0, lambda x, dim: x.amax(dim), torch.add, _max_segment_sum)
BOOLEAN = Semiring("boolean", False, True, lambda x, dim: x.any(dim), torch.logical_and, _any_segment_sum)
