"""What the decoding loop asks of a model.

Axes: B batch, N block, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from structgen_engine.decoding.noise import Noise


class Context(Protocol):
    """What a denoiser knows before the block: encoded prompts, caches. Opaque to the loop."""

    def select(self, rows: Tensor) -> Context:
        """The context of these rows [b] int64 of the batch, in this order; a row may come more than once."""
        ...

    def join(self, other: Any) -> Context | None:
        """The context of this one's rows and then the other's; None where one pass cannot read both."""
        ...


class Denoiser(Protocol):
    """A block-diffusion model: logits for all positions of a block at once.

    Canvases and blocks arrive on the CPU; logits may live on any device.
    """

    @property
    def self_conditioning(self) -> bool:
        """Whether it is called with beliefs: the marginals after the step before, and before the first step what the
        constraint forces (see `lattice.forced`)."""
        ...

    @property
    def unconditioned_start(self) -> bool:
        """Whether a denoiser with self-conditioning is called without beliefs in the first step of a block."""
        ...

    @property
    def noise(self) -> Noise:
        """What undecided positions hold."""
        ...

    @property
    def block_length(self) -> int:
        """N, in tokens."""
        ...

    @property
    def vocabulary_size(self) -> int:
        """V, the width of the logits."""
        ...

    def start(self, prompts: Sequence[Sequence[int]]) -> Any:
        """The Context of B prompts, encoded once."""
        ...

    def __call__(self, context: Any, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
        """logits [B, N, V] of a canvas [B, N]; beliefs [B, N, V] are probabilities."""
        ...

    def extend(self, context: Any, block: Tensor) -> Any:
        """The Context after the block [B, N] is committed."""
        ...


@dataclass(frozen=True)
class RandomContext:
    """The tokens before the block, row by row."""

    tokens: tuple[tuple[int, ...], ...]

    def select(self, rows: Tensor) -> RandomContext:
        """The context of these rows [b]."""
        return RandomContext(tuple(self.tokens[row] for row in rows.tolist()))

    def join(self, other: RandomContext) -> RandomContext:
        """One after the other."""
        return RandomContext(self.tokens + other.tokens)


@dataclass(frozen=True)
class RandomDenoiser:
    """Normal logits times `scale` that depend on seed, tokens before and canvas alone: a model for tests."""

    noise: Noise
    block_length: int
    vocabulary_size: int
    seed: int = 0
    scale: float = 3.0
    self_conditioning: bool = False
    unconditioned_start: bool = False

    def start(self, prompts: Sequence[Sequence[int]]) -> RandomContext:
        """Nothing to encode."""
        return RandomContext(tuple(tuple(prompt) for prompt in prompts))

    def __call__(self, context: RandomContext, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
        """logits [B, N, V] float32."""
        rows = zip(context.tokens, canvas.tolist(), strict=True)
        return torch.stack([self._row((*before, -1, *row)) for before, row in rows])

    def extend(self, context: RandomContext, block: Tensor) -> RandomContext:
        """The block follows the tokens before it."""
        rows = zip(context.tokens, block.tolist(), strict=True)
        return replace(context, tokens=tuple((*before, *row) for before, row in rows))

    def _row(self, tokens: tuple[int, ...]) -> Tensor:
        generator = torch.Generator().manual_seed(
            hash((self.seed, *tokens)) % 2**63
        )  # ints hash to the same everywhere
        return torch.randn(self.block_length, self.vocabulary_size, generator=generator) * self.scale
