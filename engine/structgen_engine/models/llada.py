"""LLaDA: a language model that fills masked positions, loaded by the published names of its weights.

Nie et al. 2025, "Large Language Diffusion Models": a Llama-like network without a causal mask, trained to predict the
tokens at masked positions. The published sampler works block by block; each step settles the masked positions whose
best token is likeliest ("low-confidence remasking"), which here is `TopK` over the beliefs under the constraint.

Attention is bidirectional, so no keys or values can be cached: each step reads prompt, committed blocks and canvas.

Axes: B batch, T tokens read, N block, H heads, D model width, W width of a head, V vocabulary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from structgen_engine.decoding.noise import Absorbing
from structgen_engine.models.hf import chosen_device

BLOCK_LENGTH = 32
FIXED = {  # options of the published checkpoints; this file supports no other values
    "block_type": "llama",
    "activation_type": "silu",
    "layer_norm_type": "rms",
    "rope": True,
    "alibi": False,
    "include_bias": False,
    "include_qkv_bias": False,
    "attention_layer_norm": False,
    "scale_logits": False,
}


@dataclass(frozen=True)
class LladaConfig:
    """The sizes of a checkpoint, by the names of its config.json."""

    d_model: int
    n_heads: int
    n_layers: int
    mlp_hidden_size: int
    vocab_size: int
    mask_token_id: int
    n_kv_heads: int | None = None
    embedding_size: int | None = None
    max_sequence_length: int = 4096
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-5
    weight_tying: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> LladaConfig:
        """The sizes in a config.json; raises ValueError if it describes another network."""
        other = {name: config[name] for name, value in FIXED.items() if config.get(name, value) != value}
        if other:
            raise ValueError(f"this is no LLaDA as published: {other}, where {FIXED} is expected")
        return cls(**{name: config[name] for name in cls.__dataclass_fields__ if name in config})

    @property
    def width(self) -> int:
        """V, the width of the logits."""
        return self.embedding_size or self.vocab_size


class RmsNorm(nn.Module):
    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        return self.weight * (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)).to(x.dtype)


class LladaBlock(nn.Module):
    """One layer: attention over all positions, then a gated feed-forward, each after a norm and added to its input."""

    def __init__(self, config: LladaConfig) -> None:
        super().__init__()
        D, self.width = config.d_model, config.d_model // config.n_heads
        inner, keys = config.mlp_hidden_size, (config.n_kv_heads or config.n_heads) * self.width
        self.attn_norm = RmsNorm(D, config.rms_norm_eps)
        self.q_proj = nn.Linear(D, D, bias=False)
        self.k_proj = nn.Linear(D, keys, bias=False)
        self.v_proj = nn.Linear(D, keys, bias=False)
        self.attn_out = nn.Linear(D, D, bias=False)
        self.ff_norm = RmsNorm(D, config.rms_norm_eps)
        self.ff_proj = nn.Linear(D, inner, bias=False)
        self.up_proj = nn.Linear(D, inner, bias=False)
        self.ff_out = nn.Linear(inner, D, bias=False)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        """x [B, T, D]; turn: cosines and sines [T, W]; mask [B, 1, 1, T] bool, False at padding."""
        normed = self.attn_norm(x)
        q, k, v = (
            proj(normed).unflatten(-1, (-1, self.width)).transpose(1, 2)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotated(q, *turn), rotated(k, *turn)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=k.shape[1] != q.shape[1])
        x = x + self.attn_out(seen.transpose(1, 2).flatten(2))
        normed = self.ff_norm(x)
        return x + self.ff_out(F.silu(self.ff_proj(normed)) * self.up_proj(normed))


def rotated(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary embedding of x [B, H, T, W]: the two halves of a head are the two coordinates of W/2 planes."""
    wide = x.float()
    first, second = wide.chunk(2, -1)
    return (wide * cosine + torch.cat([-second, first], -1) * sine).to(x.dtype)


class Llada(nn.Module):
    """The network; its modules have the names of the published weights, as model.transformer.blocks.0.q_proj.weight."""

    def __init__(self, config: LladaConfig) -> None:
        super().__init__()
        self.config = config
        parts: dict[str, nn.Module] = {
            "wte": nn.Embedding(config.width, config.d_model),
            "blocks": nn.ModuleList([LladaBlock(config) for _ in range(config.n_layers)]),
            "ln_f": RmsNorm(config.d_model, config.rms_norm_eps),
        }
        if not config.weight_tying:
            parts["ff_out"] = nn.Linear(config.d_model, config.width, bias=False)
        self.model = nn.ModuleDict({"transformer": nn.ModuleDict(parts)})

    def forward(self, ids: Tensor, mask: Tensor, last: int) -> Tensor:
        """Logits [B, last, V] float32 of the last positions of ids [B, T]; mask [B, T] bool, False at padding."""
        parts: Any = self.model["transformer"]
        x = parts["wte"](ids)
        turn, seen = self._turn(ids), mask[:, None, None]
        for block in parts["blocks"]:
            x = block(x, turn, seen)
        head = parts["wte"].weight if self.config.weight_tying else parts["ff_out"].weight
        return F.linear(parts["ln_f"](x[:, -last:]), head).float()

    def _turn(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines [T, W] float32 of the angles of each position."""
        width = self.config.d_model // self.config.n_heads
        scale = torch.arange(0, width, 2, device=ids.device).float() / width
        angles = (
            torch.arange(ids.shape[1], device=ids.device).float()[:, None] / self.config.rope_theta**scale
        )
        angles = torch.cat([angles, angles], -1)
        return angles.cos(), angles.sin()


def load_llada(folder: str | Path, *, device: str = "cpu", dtype: str = "bfloat16") -> Llada:
    """Read config.json and all *.safetensors of a folder."""
    folder = Path(folder)
    config = LladaConfig.of(json.loads((folder / "config.json").read_text()))
    with torch.device("meta"):
        network = Llada(config)
    weights: dict[str, Tensor] = {}
    for shard in sorted(folder.glob("*.safetensors")):
        weights |= {
            name: weight.to(getattr(torch, dtype)) for name, weight in load_file(shard, device).items()
        }
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)


@dataclass(frozen=True, eq=False)
class LladaContext:
    """The prompts and committed blocks: ids [B, P] int64, padded in front; mask [B, P] bool, False at padding."""

    ids: Tensor
    mask: Tensor

    def select(self, rows: Tensor) -> LladaContext:
        """The context of these rows [b] int64 of the batch."""
        rows = rows.to(self.ids.device)
        return LladaContext(self.ids[rows], self.mask[rows])

    def join(self, *others: LladaContext) -> LladaContext:
        """The rows of all, padded in front to the same length."""
        parts = (self, *others)
        longest = max(part.ids.shape[1] for part in parts)
        pairs = [(part.ids, part.mask, longest - part.ids.shape[1]) for part in parts]
        return LladaContext(
            torch.cat([F.pad(ids, (short, 0)) for ids, _, short in pairs]),
            torch.cat([F.pad(mask, (short, 0)) for _, mask, short in pairs]),
        )


class LladaDenoiser:
    """LLaDA behind the interface of `Denoiser`."""

    self_conditioning = False
    unconditioned_start = False

    def __init__(self, network: Llada, *, block_length: int = BLOCK_LENGTH) -> None:
        """network: the network with its weights, already on its device."""
        self.network, self.block_length = network, block_length
        self.vocabulary_size = network.config.width
        self.noise = Absorbing(network.config.mask_token_id)

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *, device: str = "auto", dtype: str = "bfloat16"
    ) -> LladaDenoiser:
        """Read a folder of weights; device "auto" is the first GPU if there is one. Nothing is downloaded."""
        return cls(load_llada(folder, device=chosen_device(device), dtype=dtype))

    @property
    def prompt_limit(self) -> int:
        """The most prompt tokens: three quarters of the model's positions; the rest is for the answer."""
        return self.network.config.max_sequence_length * 3 // 4

    def start(self, prompts: Sequence[Sequence[int]]) -> LladaContext:
        """The prompts, padded in front; nothing is encoded."""
        longest = max(map(len, prompts))
        device = next(self.network.parameters()).device
        ids = [[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
        mask = [[False] * (longest - len(prompt)) + [True] * len(prompt) for prompt in prompts]
        return LladaContext(torch.tensor(ids, device=device), torch.tensor(mask, device=device))

    @torch.inference_mode()
    def __call__(self, context: LladaContext, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
        """Logits [B, N, V] float32 of canvases [B, N]."""
        whole = self.extend(context, canvas)
        return self.network(whole.ids, whole.mask, canvas.shape[1])

    def extend(self, context: LladaContext, block: Tensor) -> LladaContext:
        """The context with blocks [B, N] appended."""
        ids = torch.cat([context.ids, block.to(context.ids.device)], 1)
        return LladaContext(ids, F.pad(context.mask, (0, block.shape[1]), value=True))
