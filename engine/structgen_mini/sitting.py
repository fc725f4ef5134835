"""A sitting: a denoiser that works on one prompt, encoded once, with a canvas as long as the layout needs.

An answer takes several looks (to count items, to enlarge slots) and the writing itself. All of them read the same
prompt, and the writing begins where the look at the chosen layout did, with the same noise. So a sitting keeps the
encoded prompt, and the logits of a few passes.

Axes: B batch, N block, V vocabulary.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.noise import Noise

KEPT = 8  # passes; an array is looked at with up to five numbers of items


class Sitting:
    """A denoiser that encodes `prompt` once, and whose block may be shorter than the denoiser's own."""

    def __init__(
        self, denoiser: Denoiser, prompt: Sequence[int] = (), block_length: int | None = None
    ) -> None:
        """denoiser: must read canvases of any length up to its block; block_length: its own by default."""
        self.denoiser, self.prompt = denoiser, list(prompt)
        self.block_length = block_length or denoiser.block_length
        self.self_conditioning = denoiser.self_conditioning
        self.unconditioned_start = denoiser.unconditioned_start
        self._contexts: list[Any] = []  # of the prompt, once it is encoded; shared by all cuts
        self._passes = deque[tuple[tuple[Tensor, ...], Tensor]](maxlen=KEPT)  # canvas and beliefs; logits

    @property
    def noise(self) -> Noise:
        """The denoiser's own."""
        return self.denoiser.noise

    @property
    def vocabulary_size(self) -> int:
        """The denoiser's own."""
        return self.denoiser.vocabulary_size

    def cut(self, length: int) -> Sitting:
        """The same sitting with a shorter block."""
        shorter = Sitting(self.denoiser, self.prompt, length)
        shorter._contexts, shorter._passes = self._contexts, self._passes
        return shorter

    def start(self, prompts: Sequence[Sequence[int]]) -> Any:
        """The denoiser's context of the prompts."""
        if not self.prompt or len(prompts) != 1 or list(prompts[0]) != self.prompt:
            return self.denoiser.start(prompts)
        if not self._contexts:
            self._contexts.append(self.denoiser.start(prompts))
        return self._contexts[0]

    def extend(self, context: Any, block: Tensor) -> Any:
        """The denoiser's own."""
        return self.denoiser.extend(context, block)

    def __call__(self, context: Any, canvas: Tensor, *beliefs: Tensor) -> Tensor:
        """The denoiser's own logits [B, N, V]; a pass over a canvas of one row is made once."""
        if not self._contexts or context is not self._contexts[0]:
            return self.denoiser(context, canvas, *beliefs)
        given = canvas, *beliefs
        for known, logits in self._passes:
            if len(known) == len(given) and all(map(torch.equal, known, given)):
                return logits.clone()
        logits = self.denoiser(context, canvas, *beliefs)
        self._passes.append((given, logits.clone()))  # a loop writes over the logits that it gets
        return logits
