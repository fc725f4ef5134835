"""Noise: what a canvas holds at undecided positions, either a mask token or a token drawn at random.

Axes: N block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from structgen_engine.decoding.sampling import Decision, View, revise, settle


class Noise(Protocol):
    """A kind of noise: what undecided positions hold, and how a step decides."""

    def start(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """A canvas of noise alone: int64, of this shape, on the CPU."""
        ...

    def hidden(self, canvas: Tensor, where: Tensor, generator: torch.Generator) -> Tensor:
        """The canvas with the positions `where` undecided, both [B, N]."""
        ...

    def choose(self, view: View) -> Decision:
        """The decision of one step."""
        ...


@dataclass(frozen=True)
class Absorbing:
    """Noise of mask tokens: what a step decides stays (Austin et al. 2021, absorbing D3PM)."""

    mask_id: int

    def start(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """A canvas of masks."""
        return torch.full(shape, self.mask_id, dtype=torch.int64)

    def hidden(self, canvas: Tensor, where: Tensor, generator: torch.Generator) -> Tensor:
        """The canvas with masks at the positions `where`."""
        return torch.where(where, self.start(tuple(canvas.shape), generator), canvas)

    def choose(self, view: View) -> Decision:
        """Settle the kept positions; see `settle`."""
        return settle(view)


@dataclass(frozen=True)
class Uniform:
    """Noise of ids drawn uniformly from [low, high); any step may revise any position."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high:
            raise ValueError(f"need 0 <= low < high to draw ids from, not [{self.low}, {self.high})")

    def start(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """A canvas of random tokens."""
        return torch.randint(self.low, self.high, shape, generator=generator, device=generator.device).cpu()

    def hidden(self, canvas: Tensor, where: Tensor, generator: torch.Generator) -> Tensor:
        """The canvas with random tokens at the positions `where`."""
        return torch.where(where, self.start(tuple(canvas.shape), generator), canvas)

    def choose(self, view: View) -> Decision:
        """Settle nothing before the last step; see `revise`."""
        return revise(view)
