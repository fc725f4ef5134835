"""What a canvas holds where nothing is decided yet: a mask token, or a token drawn at random.

Axes: N block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from structgen_engine.decoding.sampling import Decision, View, revise, settle


class Noise(Protocol):
    """What undecided positions hold, and what a step makes of a lattice under such noise."""

    def start(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """A canvas, int64 of this shape on the CPU, that says nothing."""
        ...

    def choose(self, view: View) -> Decision:
        """What a step decides."""
        ...


@dataclass(frozen=True)
class Absorbing:
    """Undecided positions hold the mask token; what a step decides stays (Austin et al. 2021, absorbing D3PM)."""

    mask_id: int

    def start(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """All masks."""
        return torch.full(shape, self.mask_id, dtype=torch.int64)

    def choose(self, view: View) -> Decision:
        """What is kept is settled."""
        return settle(view)


@dataclass(frozen=True)
class Uniform:
    """Undecided positions hold ids drawn uniformly from [low, high); any step may revise any position."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high:
            raise ValueError(f"need 0 <= low < high to draw ids from, not [{self.low}, {self.high})")

    def start(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Tokens at random."""
        return torch.randint(self.low, self.high, shape, generator=generator, device=generator.device).cpu()

    def choose(self, view: View) -> Decision:
        """Nothing is settled before the last step."""
        return revise(view)
