"""What a canvas holds where nothing is decided yet: a mask token, or a token drawn at random.

Axes: B batch, N block.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Absorbing:
    """Undecided positions hold the mask token; what a step decides stays (Austin et al. 2021, absorbing D3PM)."""

    mask_id: int

    def start(
        self, shape: tuple[int, ...], generator: torch.Generator, device: torch.device | str = "cpu"
    ) -> Tensor:
        """A canvas [B, N] int64 that says nothing."""
        return torch.full(shape, self.mask_id, dtype=torch.int64, device=device)

    def renoise(self, canvas: Tensor, keep: Tensor, generator: torch.Generator) -> Tensor:
        """The canvas [B, N] with every position outside `keep` [B, N] bool made unknown again."""
        return canvas.masked_fill(~keep, self.mask_id)


@dataclass(frozen=True)
class Uniform:
    """Undecided positions hold ids drawn uniformly from [low, high); any step may revise any position."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high:
            raise ValueError(f"need 0 <= low < high to draw ids from, not [{self.low}, {self.high})")

    def start(
        self, shape: tuple[int, ...], generator: torch.Generator, device: torch.device | str = "cpu"
    ) -> Tensor:
        """A canvas [B, N] int64 that says nothing."""
        ids = torch.randint(self.low, self.high, shape, generator=generator, device=generator.device)
        return ids.to(device)

    def renoise(self, canvas: Tensor, keep: Tensor, generator: torch.Generator) -> Tensor:
        """The canvas [B, N] with every position outside `keep` [B, N] bool drawn anew."""
        return torch.where(keep, canvas, self.start(tuple(canvas.shape), generator, canvas.device))


Noise = Absorbing | Uniform
