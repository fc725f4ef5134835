"""The interface that the decoding loop needs from a model, and a random model for tests.

Axes: B batch, N block, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from structgen_engine.decoding.noise import Noise


class Context(Protocol):
    """What a denoiser has read before the block, such as encoded prompts or caches; opaque to the loop."""

    def select(self, rows: Tensor) -> Context:
        """The context of these rows [b] int64 of the batch, in this order; a row may occur more than once."""
        ...

    def join(self, *others: Any) -> Context | None:
        """The context of this one's rows followed by the others'; None if one pass cannot read all of them."""
        ...


class Denoiser(Protocol):
    """A block-diffusion model, which gives logits for all positions of a block at once.

    Canvases and blocks arrive on the CPU; logits may live on any device.
    """

    @property
    def self_conditioning(self) -> bool:
        """Whether it is called with beliefs: the marginals after the previous step or, before the first step, what the
        constraint forces (see `lattice.forced`)."""
        ...

    @property
    def unconditioned_start(self) -> bool:
        """Whether a denoiser with self-conditioning is called without beliefs in the first step of a block."""
        ...

    @property
    def noise(self) -> Noise:
        """The noise, which says what undecided positions hold."""
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
        """The Context of B prompts, which are encoded once."""
        ...

    def __call__(self, context: Any, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
        """logits [B, N, V] of a canvas [B, N]; beliefs [B, N, V] are log-probabilities, nats.

        The loop writes over the logits, so they must be new in every call.
        """
        ...

    def extend(self, context: Any, block: Tensor) -> Any:
        """The Context after the block [B, N] is committed."""
        ...


@runtime_checkable
class Preferring(Protocol):
    """A denoiser that changes another's logits, so that some answers are likelier than the other makes them."""

    def plain(self, context: Any) -> tuple[Denoiser, Any]:
        """The other denoiser, and its context in this one."""
        ...

    def preferred(self, context: Any, logits: Tensor) -> Tensor:
        """Logits [B, N, V] in place of the other's."""
        ...

    def first_look(self, block: int) -> Tensor | None:
        """[N, V] the other's logits of the first row in the first step of a block; None if not kept or given before."""
        ...


@dataclass(frozen=True)
class RandomContext:
    """The tokens before the block, row by row."""

    tokens: tuple[tuple[int, ...], ...]

    def select(self, rows: Tensor) -> RandomContext:
        """The context of these rows [b]."""
        return RandomContext(tuple(self.tokens[row] for row in rows.tolist()))

    def join(self, *others: RandomContext) -> RandomContext:
        """The rows of all, this one's first."""
        return RandomContext(self.tokens + tuple(row for other in others for row in other.tokens))


@dataclass(frozen=True)
class RandomDenoiser:
    """A model for tests: normal logits times `scale` that depend only on seed, preceding tokens and canvas."""

    noise: Noise
    block_length: int
    vocabulary_size: int
    seed: int = 0
    scale: float = 3.0
    self_conditioning: bool = False
    unconditioned_start: bool = False

    def start(self, prompts: Sequence[Sequence[int]]) -> RandomContext:
        """The prompts themselves, since there is nothing to encode."""
        return RandomContext(tuple(tuple(prompt) for prompt in prompts))

    def __call__(self, context: RandomContext, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
        """logits [B, N, V] float32."""
        rows = zip(context.tokens, canvas.tolist(), strict=True)
        return torch.stack([self._row((*before, -1, *row), len(row)) for before, row in rows])

    def extend(self, context: RandomContext, block: Tensor) -> RandomContext:
        """The context with the block appended."""
        rows = zip(context.tokens, block.tolist(), strict=True)
        return replace(context, tokens=tuple((*before, *row) for before, row in rows))

    def _row(self, tokens: tuple[int, ...], length: int) -> Tensor:
        generator = torch.Generator().manual_seed(
            hash((self.seed, *tokens)) % 2**63
        )  # hashes of ints are the same in every process
        return torch.randn(length, self.vocabulary_size, generator=generator) * self.scale
