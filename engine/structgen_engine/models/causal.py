"""Any causal language model of transformers, read as a parallel denoiser.

One forward pass over prompt and canvas gives logits for every position; those of position i condition on the canvas's
tokens before i. Each pass reads the block greedily, and the reading becomes the next canvas. After at most as many
passes as the block has tokens, the reading equals token-by-token decoding (see `structgen_engine.decoding.jacobi`). A
causal model settles little more than one token a pass, so this is a baseline for users who have only such weights.

Blocks are short, because every pass computes the whole block but a position is useful only once all positions before it
are right.

Axes: B batch, P tokens read, N block, V vocabulary.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from structgen_engine.decoding.jacobi import JacobiNoise
from structgen_engine.models.hf import cache_argument, cache_of, chat_turn, chosen_device, transformers_for

BLOCK_LENGTH = 16
UNLIMITED = 2048  # positions of a model whose config names no limit


class Pretrained(NamedTuple):
    """A model with its tokenizer's file and the text around a chat turn, in which {} stands for the message."""

    denoiser: CausalDenoiser
    tokenizer_file: Path
    template: str


@dataclass(frozen=True, eq=False)
class CausalContext:
    """The prompts and committed blocks that the model has read, padded in front."""

    cache: Any  # keys and values of P tokens, a transformers Cache; a pass works on a copy
    mask: Tensor  # [B, P] int64, 1 at tokens and 0 at padding
    following: Tensor  # [B, V] float32, logits of the token after the last one

    def select(self, rows: Tensor) -> CausalContext:
        """The context of these rows [b]."""
        cache = copy.deepcopy(self.cache)
        cache.reorder_cache(rows.to(self.following.device))
        return CausalContext(cache, self.mask[rows], self.following[rows.to(self.following.device)])

    def join(self, *others: CausalContext) -> None:
        """Not possible: the caches differ in length."""


class CausalDenoiser:
    """A `Denoiser` around a transformers model with a language-modelling head."""

    self_conditioning = False
    unconditioned_start = False

    def __init__(self, model: Any, *, block_length: int = BLOCK_LENGTH) -> None:
        """model: a causal language model, already on its device."""
        self.model = model.eval()
        self.block_length = block_length
        self.vocabulary_size: int = model.get_output_embeddings().weight.shape[0]
        self.noise = JacobiNoise(0, self.vocabulary_size)

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path,
        tokenizer_folder: str | Path,
        *,
        device: str = "auto",
        block_length: int = BLOCK_LENGTH,
    ) -> Pretrained:
        """Read a folder with config.json, safetensors and tokenizer.json, or one .gguf file. Nothing is downloaded.

        tokenizer_folder: where the tokenizer of a .gguf file is stored, so that it is converted only once
        device: "cpu", "cuda", …, or "auto" for the first GPU if there is one

        Raises ImportError if transformers, or a package that it needs for .gguf files, is not installed.
        """
        path = Path(path)
        transformers = _transformers(gguf=path.suffix == ".gguf")
        device = chosen_device(device)
        folder, where = (path.parent, {"gguf_file": path.name}) if path.suffix == ".gguf" else (path, {})
        if where:
            tokenizer = _converted(transformers, folder, path.name, Path(tokenizer_folder))
            tokenizer_file = Path(tokenizer_folder) / "tokenizer.json"
        else:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            tokenizer_file = folder / "tokenizer.json"
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32 if device == "cpu" else "auto", **where
        )
        return Pretrained(
            cls(model.to(device), block_length=block_length), tokenizer_file, chat_turn(tokenizer)
        )

    @property
    def prompt_limit(self) -> int:
        """The most prompt tokens: three quarters of the model's positions; the rest is for the answer."""
        limit = getattr(self.model.config.get_text_config(), "max_position_embeddings", None) or UNLIMITED
        return limit * 3 // 4

    def start(self, prompts: Sequence[Sequence[int]]) -> CausalContext:
        """Read the prompts, each at least one token."""
        if not all(prompts):
            raise ValueError(
                "a causal model predicts from what it has read: give every prompt at least one token"
            )
        longest = max(map(len, prompts))
        ids = torch.tensor([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        logits, cache = self._read(None, ids, mask, last_only=True)
        return CausalContext(cache, mask, logits[:, -1])

    def __call__(self, context: CausalContext, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
        """Logits [B, N, V] float32 of every position of canvases [B, N], given the canvas's tokens before it."""
        following = context.following[:, None]
        if canvas.shape[1] == 1:
            return following
        logits, _ = self._read(context.cache, canvas[:, :-1], _longer(context.mask, canvas.shape[1] - 1))
        return torch.cat([following, logits], 1)

    def extend(self, context: CausalContext, block: Tensor) -> CausalContext:
        """The context with committed blocks [B, N] appended."""
        mask = _longer(context.mask, block.shape[1])
        logits, cache = self._read(context.cache, block, mask, last_only=True)
        return CausalContext(cache, mask, logits[:, -1])

    @torch.inference_mode()
    def _read(self, cache: Any, ids: Tensor, mask: Tensor, *, last_only: bool = False) -> tuple[Tensor, Any]:
        """Logits after each of the ids [B, N], or only after the last, and the cache extended by the ids.

        mask: [B, P + N] of everything read so far, including the ids
        """
        device = self.model.device
        positions = (mask.cumsum(1) - 1).clamp_min(0)[:, -ids.shape[1] :]
        output = self.model(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            position_ids=positions.to(device),
            **cache_argument(self.model.forward, copy.deepcopy(cache)),
            use_cache=True,
            logits_to_keep=1 if last_only else 0,
        )
        return output.logits.float(), cache_of(output)


def _longer(mask: Tensor, tokens: int) -> Tensor:
    return torch.cat([mask, mask.new_ones(len(mask), tokens)], 1)


def _transformers(*, gguf: bool) -> Any:
    """The transformers package; raises ImportError, which says how to install it, if it is absent."""
    transformers = transformers_for("a causal language model")
    if gguf and not all(importlib.util.find_spec(name) for name in ("gguf", "accelerate")):
        raise ImportError("reading a .gguf file needs two more packages: pip install gguf accelerate")
    return transformers


def _converted(transformers: Any, folder: Path, name: str, target: Path) -> Any:
    """The tokenizer of a .gguf file; it is kept in the `target` folder, because converting it takes seconds."""
    if (target / "tokenizer.json").is_file():
        return transformers.AutoTokenizer.from_pretrained(target, local_files_only=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name, local_files_only=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent))
    tokenizer.save_pretrained(draft)
    with contextlib.suppress(OSError):  # another process has written it first
        draft.rename(target)
    shutil.rmtree(draft, ignore_errors=True)
    return tokenizer
