"""Constraints for DiffusionGemmaPipeline of diffusers, as a scheduler, which controls the pipeline's sampling.

    pipe.scheduler = ConstrainedScheduler(EntropyBoundScheduler(), [invoice, None], gen_length=512)
    output = pipe(messages=..., gen_length=512)

The inner scheduler steps the rows without a constraint. Constrained rows keep the positions of a joint draw whose
entropy under the constraint fits that scheduler's bound, and the last step leaves the joint best block. The pipeline
may end a row earlier: it then takes the best token of each position of `pred_logits`. Therefore each token of the joint
best block is made the best of its position there, which changes nothing if the model is sure enough to stop.

Axes: B batch, b constrained rows, N block, V vocabulary.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from structgen.compiler.constraint import Constraint
from structgen.errors import InvalidOption, StructgenError
from structgen.generation.options import check_whole
from structgen.integrations.answers import read, vocabulary_of
from structgen.integrations.rows import HostBatch
from structgen_engine.decoding.policy import EntropyBound

__all__ = ["ConstrainedScheduler", "mismatch", "read", "vocabulary_of"]

RENAMED = "past_key_values"  # the argument that transformers 5.24 calls `cache`
OLD_NAME = "0.42."  # releases of diffusers whose pipeline passes it under the old name
LEAD = 1e-3  # nats by which a token of the joint best block leads if it was not the best of its position


def mismatch() -> str | None:
    """Why the installed diffusers cannot run DiffusionGemma on the installed transformers; None if it can.

    transformers 5.24 renamed an argument that the pipeline of diffusers 0.42 passes.
    """
    import diffusers  # pyright: ignore[reportMissingImports]
    import transformers  # pyright: ignore[reportMissingImports]

    if not hasattr(diffusers, "DiffusionGemmaPipeline"):
        return f"diffusers {diffusers.__version__} has no DiffusionGemma: pip install 'diffusers>=0.42'"
    from transformers.models.diffusion_gemma import (  # pyright: ignore[reportMissingImports]
        modeling_diffusion_gemma as modeling,
    )

    masks = modeling.DiffusionGemmaDecoderModel.create_diffusion_decoder_attention_mask
    if RENAMED in inspect.signature(masks).parameters or not diffusers.__version__.startswith(OLD_NAME):
        return None
    return (
        f"the DiffusionGemma pipeline of diffusers {diffusers.__version__} does not run on transformers "
        f"{transformers.__version__}: pip install 'transformers<5.24'"
    )


class ConstrainedScheduler:
    """An EntropyBoundScheduler of diffusers with constraints, for any number of calls of the pipeline."""

    def __init__(
        self,
        scheduler: Any,
        constraints: Sequence[Constraint[Any] | None],
        *,
        canvas_length: int = 256,
        gen_length: int = 256,
        seed: int = 0,
    ) -> None:
        """scheduler: an EntropyBoundScheduler; constraints: one per row, None for an unconstrained row

        canvas_length: of the model; gen_length: tokens, the same value as in the call of the pipeline
        seed: of the joint draws; unconstrained rows draw from the pipeline's generator as usual
        """
        if not hasattr(scheduler.config, "entropy_bound"):
            raise InvalidOption(
                f"{type(scheduler).__name__} has no entropy bound: give ConstrainedScheduler an EntropyBoundScheduler"
            )
        if fault := mismatch():
            raise StructgenError(fault)
        check_whole("canvas_length", canvas_length, 1)
        check_whole("gen_length", gen_length, 1)
        self.scheduler, self.config = scheduler, scheduler.config
        self._constraints, self._seed = list(constraints), seed
        self._block_length, self._max_tokens = canvas_length, gen_length
        self._begin()

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
        """Begin a call of the pipeline."""
        self.scheduler.set_timesteps(num_inference_steps, device=device)
        self._begin()

    def step(
        self,
        model_output: Tensor,
        timestep: int | Tensor,
        sample: Tensor,
        *,
        generator: torch.Generator | None = None,
        return_dict: bool = True,
    ) -> Any:
        """The next canvas [B, N] and the logits that it was drawn from, given logits [B, N, V] and a canvas [B, N]."""
        step = int(timestep)
        output = self.scheduler.step(model_output, step, sample, generator=generator, return_dict=True)
        if len(self._rows.index):
            self._replace_(output, step, sample, last=step == self.scheduler.num_inference_steps - 1)
        return output if return_dict else tuple(output.values())

    def _begin(self) -> None:
        self._rows = HostBatch(
            self._constraints, block_length=self._block_length, max_tokens=self._max_tokens, seed=self._seed
        )
        self._noise = torch.Generator().manual_seed(self._seed)
        self._best: Tensor | None = None  # [b, N], of the previous step

    def _replace_(self, output: Any, step: int, sample: Tensor, *, last: bool) -> None:
        """Put the constrained rows of a step into the scheduler's output."""
        rows, index = self._rows, self._rows.index.to(sample.device)
        if step == 0 and self._best is not None:
            rows.commit(self._best)
            self._best = None
        logits = rows.constrained(output.pred_logits)
        best = rows.best().to(sample.device)
        if self._best is not None:  # the pipeline has ended a row that holds the best block: keep it
            ended = (sample[index] == self._best).all(-1, keepdim=True)
            best = torch.where(ended, self._best, best)
        beliefs = rows.beliefs()
        open_ = torch.full(best.shape, -1, device=beliefs.entropy.device)
        keep = EntropyBound(self.config.entropy_bound)(beliefs, open_).to(sample.device)
        noise = torch.randint(logits.shape[-1], best.shape, generator=self._noise).to(sample.device)
        drawn = rows.drawn().to(sample.device)
        output.prev_sample = output.prev_sample.index_copy(
            0, index, best if last else torch.where(keep, drawn, noise)
        )
        output.accepted_index = output.accepted_index.index_copy(0, index, keep)
        output.sampled_tokens = output.sampled_tokens.index_copy(0, index, drawn)
        output.pred_logits = _led(logits, index, best)
        self._best = best


def _led(logits: Tensor, index: Tensor, best: Tensor) -> Tensor:
    """The logits [B, N, V], with the tokens of `best` [b, N] made the best of their positions in rows `index` [b]."""
    top, place = logits[index].max(-1)
    row, position = (place != best).nonzero(as_tuple=True)
    lead = top[row, position] + LEAD
    return logits.index_put((index[row], position, best[row, position]), lead)
