"""DiffusionGemma as a Denoiser: the network is transformers', the loop is `decode`.

A causal encoder reads the prompt and every committed canvas into a cache; a bidirectional decoder refines the canvas
and only reads that cache. From the second step on, the decoder also reads the beliefs after the previous step, which
here are the marginals under the constraint. The first step of a canvas is unconditioned, as in training.

Axes: B batch, N canvas, P tokens read so far, V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from structgen_engine.decoding.noise import Uniform
from structgen_engine.decoding.options import Schedule
from structgen_engine.decoding.policy import EntropyBound
from structgen_engine.models.hf import cache_argument, chat_turn, chosen_device, transformers_for

PAD = 0  # fills the front of shorter prompts, where nothing attends to it
RESERVED = 8  # canvases of the model's positions that a prompt leaves free


class NotLoadable(ValueError):
    """An error for weights of a kind that cannot be run here; its message is one sentence."""


@dataclass(frozen=True)
class Sampling:
    """The sampling options that a checkpoint's generation_config.json recommends.

    steps: the most refinement steps of a canvas; temperature: from the first towards the last step; policy: the bound
    in nats on the entropy of the positions that a step accepts
    """

    steps: int = 48
    temperature: Schedule = Schedule(0.8, 0.4)  # noqa: RUF009  (frozen)
    policy: EntropyBound = EntropyBound(0.1)  # noqa: RUF009  (frozen)


@dataclass(frozen=True, eq=False)
class DiffusionGemmaContext:
    """The prompts and committed canvases that the encoder has read.

    cache: keys and values, a transformers DynamicCache that is never written to; mask: [B, P] bool, False at padding
    """

    cache: Any
    mask: Tensor

    def select(self, rows: Tensor) -> DiffusionGemmaContext:
        """The context of these rows [b] int64 of the batch."""
        cache, rows = _forked(self.cache), rows.to(self.mask.device)
        cache.reorder_cache(rows)
        return DiffusionGemmaContext(cache, self.mask[rows])

    def join(self, *others: DiffusionGemmaContext) -> None:
        """Not possible: the caches differ in length."""


class DiffusionGemmaDenoiser:
    """A `Denoiser` around transformers' DiffusionGemmaForBlockDiffusion."""

    self_conditioning = True
    unconditioned_start = True

    def __init__(self, model: Any) -> None:
        """model: the network with its weights, already on its devices."""
        self.model = model.eval()
        self.block_length: int = model.config.canvas_length
        self.vocabulary_size: int = model.config.text_config.vocab_size
        self.noise = Uniform(0, self.vocabulary_size)

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        device: str = "auto",
        dtype: str = "auto",
        device_map: str | Mapping[str, Any] | None = None,
    ) -> DiffusionGemmaDenoiser:
        """Read a folder with config.json and safetensors. Nothing is downloaded.

        device: "cpu", "cuda", …, or "auto" for the first GPU if there is one; device_map: how to spread the layers
        over several devices (needs accelerate), instead of `device`; dtype: "auto" as stored, or "bfloat16", …

        Raises ImportError if transformers is missing or too old, NotLoadable if transformers cannot read the
        quantisation or weights are missing.
        """
        transformers = _transformers()
        kind = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        check_quantization(transformers, kind)
        if device_map is None:
            device_map = {"": chosen_device(device)} if _has_accelerate(transformers) else None
        elif not _has_accelerate(transformers):
            raise ImportError("a device_map needs one more package: pip install accelerate")
        model, report = transformers.DiffusionGemmaForBlockDiffusion.from_pretrained(
            folder, local_files_only=True, dtype=dtype, device_map=device_map, output_loading_info=True
        )
        check_complete(report["missing_keys"])
        return cls(model if device_map is not None else model.to(chosen_device(device)))

    @property
    def prompt_limit(self) -> int:
        """The most prompt tokens: the model's positions minus RESERVED canvases for the answer."""
        limit: int = self.model.config.text_config.max_position_embeddings
        return max(limit - RESERVED * self.block_length, limit // 2)

    @property
    def sampling(self) -> Sampling:
        """The checkpoint's recommended sampling; options that it omits are those of the released model."""
        config, default = self.model.generation_config, Sampling()
        temperature, bound = default.temperature, getattr(config, "sampler_config", None)
        if config.t_max is not None and config.t_min is not None:
            temperature = Schedule(config.t_max, config.t_min)
        policy = default.policy if bound is None else EntropyBound(bound.entropy_bound)
        return Sampling(config.max_denoising_steps or default.steps, temperature, policy)

    def start(self, prompts: Sequence[Sequence[int]]) -> DiffusionGemmaContext:
        """Read the prompts, each at least one token."""
        if not all(prompts):
            raise ValueError("DiffusionGemma answers what it has read: give every prompt at least one token")
        longest = max(map(len, prompts))
        ids = torch.tensor([[PAD] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
        mask = torch.tensor([[False] * (longest - len(prompt)) + [True] * len(prompt) for prompt in prompts])
        cache = _transformers().DynamicCache(config=self.model.config.get_text_config(decoder=True))
        return self._read(cache, ids, mask)

    @torch.inference_mode()
    def __call__(
        self, context: DiffusionGemmaContext, canvas: Tensor, beliefs: Tensor | None = None
    ) -> Tensor:
        """Logits [B, N, V] float32 of canvases [B, N].

        beliefs: [B, N, V] log-probabilities under the constraint after the previous step, of which the decoder takes a
        softmax; None in the first step
        """
        length, width = context.mask.shape[1], canvas.shape[1]
        output = self.model(
            decoder_input_ids=canvas.to(context.mask.device),
            **cache_argument(self.model.forward, context.cache),
            self_conditioning_logits=beliefs,
            decoder_attention_mask=_longer(context.mask, width),
            decoder_position_ids=torch.arange(length, length + width, device=context.mask.device)[None],
        )
        return output.logits

    def extend(self, context: DiffusionGemmaContext, block: Tensor) -> DiffusionGemmaContext:
        """The context with committed canvases [B, N] appended."""
        return self._read(context.cache, block, _longer(context.mask, block.shape[1]))

    @torch.inference_mode()
    def _read(self, cache: Any, ids: Tensor, mask: Tensor) -> DiffusionGemmaContext:
        """The context after ids [B, n]; mask [B, P + n] covers everything read, including the ids."""
        encoder, device = self.model.model.encoder, self.model.device
        ids, mask, cache = ids.to(device), mask.to(device), _forked(cache)
        positions = torch.arange(mask.shape[1] - ids.shape[1], mask.shape[1], device=device)[None]
        shape = torch.empty(*ids.shape, 0, dtype=self.model.dtype, device=device)
        masks = encoder.create_masks_for_generate(
            config=self.model.config,
            inputs_embeds=shape,
            attention_mask=mask,
            **cache_argument(encoder.create_masks_for_generate, cache),
            position_ids=positions,
        )
        encoder(
            input_ids=ids,
            attention_mask=masks,
            position_ids=positions,
            **cache_argument(encoder.forward, cache),
        )
        return DiffusionGemmaContext(cache, mask)


def chat_template(folder: str | Path, *, thinking: bool = False) -> str:
    """One user turn and the start of the answer in the model's own chat template; {} stands for the message."""
    tokenizer = _transformers().AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return chat_turn(tokenizer, enable_thinking=thinking)


def check_quantization(transformers: Any, config: Any) -> None:
    """Raise NotLoadable if the weights of a checkpoint are quantised in a way that transformers cannot read."""
    packing = getattr(config, "quantization_config", None)
    if packing is None:
        return
    method = packing.get("quant_method") if isinstance(packing, Mapping) else packing.quant_method
    method = str(getattr(method, "value", method))
    readers = transformers.quantizers.auto.AUTO_QUANTIZER_MAPPING
    known = sorted({name.removesuffix("_4bit").removesuffix("_8bit") for name in readers})
    if method not in known:
        raise NotLoadable(
            f"its weights are quantised with {method!r}, which transformers {transformers.__version__} does not read "
            f"(it reads {', '.join(known)}): take the bfloat16 checkpoint, or serve this one with vLLM"
        )


def check_complete(missing: Iterable[str]) -> None:
    """Raise NotLoadable if weights of the text model were not found: transformers would fill them at random."""
    lacking = sorted(name for name in missing if "vision" not in name)
    if lacking:
        raise NotLoadable(
            f"it lacks {len(lacking)} weights, {lacking[0]} among them, as quantised checkpoints do that transformers "
            "cannot read: take the bfloat16 checkpoint, or serve this one with vLLM"
        )


def _forked(cache: Any) -> Any:
    """A new cache with the same keys and values; sharing them is safe because layers replace changed tensors."""
    fork = copy.copy(cache)
    fork.layers = [copy.copy(layer) for layer in cache.layers]
    return fork


def _longer(mask: Tensor, tokens: int) -> Tensor:
    return torch.nn.functional.pad(mask, (0, tokens), value=True)


def _transformers() -> Any:
    """The transformers package; raises ImportError, which says how to install it, if it is absent or too old."""
    transformers = transformers_for("DiffusionGemma")
    if not hasattr(transformers, "DiffusionGemmaForBlockDiffusion"):
        raise ImportError(
            f"transformers {transformers.__version__} has no DiffusionGemma: pip install -U 'transformers>=5.17'"
        )
    return transformers


def _has_accelerate(transformers: Any) -> bool:
    return transformers.utils.is_accelerate_available()
