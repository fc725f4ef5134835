"""Mini behind the Denoiser interface: uniform noise, prompts encoded once, committed text as clean canvas on the left.

Axes: B batch, N block, P prompt, C committed positions kept, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from structgen_engine.decoding.noise import Uniform
from structgen_mini.lexicon import UNKNOWN, Lexicon
from structgen_mini.model import PAD, Memory, Mini
from structgen_mini.overlap import Overlap

FIRST_NOISE_ID = 2  # below it are the pad and end tokens, which noise never has
KEPT = 256  # committed positions that the decoder still sees
PROMPT_LIMIT = 1400  # tokens; training had prompts of up to 512, and positions are rotary


@dataclass(frozen=True, eq=False)
class MiniContext:
    """An encoded prompt and the text committed so far: committed [B, C] int64."""

    memory: Memory
    committed: Tensor

    def select(self, rows: Tensor) -> MiniContext:
        """The context of these rows [b] int64 of the batch."""
        memory: dict[str, Any] = {
            field.name: tuple(part[rows] for part in value) if isinstance(value, tuple) else value[rows]
            for field in fields(Memory)
            for value in [getattr(self.memory, field.name)]
        }
        return MiniContext(Memory(**memory), self.committed[rows])

    def join(self, *others: MiniContext) -> MiniContext | None:
        """The rows of all, with prompts padded to the longest; None if their committed texts differ in length."""
        contexts = (self, *others)
        if len({one.committed.shape[1] for one in contexts}) > 1:
            return None
        return MiniContext(
            Memory.joined([one.memory for one in contexts]), torch.cat([one.committed for one in contexts])
        )


class MiniDenoiser:
    """The embedded model behind the interface of `Denoiser`."""

    self_conditioning = True
    unconditioned_start = False

    def __init__(
        self,
        model: Mini,
        lexicon: Lexicon | None = None,
        *,
        block_length: int = 256,
        prompt_limit: int = PROMPT_LIMIT,
    ) -> None:
        """lexicon: of a model with vectors of words; prompt_limit: the longest prompt that it reads, in tokens.

        Raises ValueError if a lexicon is missing or does not have the model's words.
        """
        known = 0 if lexicon is None else len(lexicon.index) + 1
        if known != model.config.words:
            raise ValueError(f"the model has vectors of {model.config.words} words, the lexicon has {known}")
        self.model = model
        self.lexicon = lexicon
        self.overlap = None if lexicon is None else Overlap(lexicon, model.words)
        self.block_length = block_length
        self.prompt_limit = prompt_limit
        self.vocabulary_size = model.config.vocabulary
        self.noise = Uniform(FIRST_NOISE_ID, self.vocabulary_size)

    def start(self, prompts: Sequence[Sequence[int]]) -> MiniContext:
        """Encode prompts, padded at the end to a common length."""
        device = self.model.embedding.weight.device
        longest = max(len(prompt) for prompt in prompts)
        ids = _padded(prompts, longest, PAD).to(device)
        words = None
        if self.lexicon is not None:
            words = _padded([self.lexicon.of(prompt) for prompt in prompts], longest, UNKNOWN).to(device)
        return MiniContext(self.model.encode(ids, words), ids.new_empty(len(prompts), 0))

    def __call__(self, context: MiniContext, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
        """Log-probabilities [B, N, V] of the canvas [B, N]; committed text stands in front of it.

        beliefs: [B, N, V] log-probabilities after the constraint, of the step before; committed text is certain
        """
        left, hint = context.committed.shape[1], None
        if beliefs is not None:
            certain = self.model.embedding(context.committed)
            hint = torch.cat([certain, self._hint(beliefs.float())], 1)
        return self.model.logits(context.memory, torch.cat([context.committed, canvas], 1), hint)[:, left:]

    def _hint(self, beliefs: Tensor) -> Tensor:
        """`Mini.hint` [B, N, D] of beliefs [B, N, V] nats, quickly where they are certain or flat, as most are."""
        rows = beliefs.flatten(0, 1)
        top = rows.amax(-1)
        certain, flat = top >= 0, top == rows.amin(-1)
        hint = rows.new_zeros(len(rows), self.model.config.width)
        hint[certain] = self.model.embedding(rows[certain].argmax(-1))
        mixed = ~(certain | flat)
        hint[mixed] = self.model.hint(rows[mixed].exp())
        return hint.unflatten(0, beliefs.shape[:2])

    def extend(self, context: MiniContext, block: Tensor) -> MiniContext:
        """The context after `block` [B, N] was committed."""
        return replace(context, committed=torch.cat([context.committed, block], 1)[:, -KEPT:])


def _padded(rows: Sequence[Sequence[int]], length: int, behind: int) -> Tensor:
    """[B, length] int64."""
    return torch.tensor([[*row, *[behind] * (length - len(row))] for row in rows], dtype=torch.int64)
