"""Mini: an encoder–decoder denoiser of ten million parameters that copies values from a prompt into a canvas.

The prompt is encoded once; every refinement step runs only the decoder, bidirectionally over the canvas. A
pointer head (See et al. 2017, "Get to the point") mixes the vocabulary with a copy of the prompt's tokens:

    p(v | i) = g_i · softmax(W h_i)_v + (1 − g_i) · Σ_{j: prompt_j = v} a_ij

which is still a distribution over the vocabulary, so every lattice routine works on its logarithm.

* Neighbours vote for the pointer: if positions i and i + r copy one value, and i + r points at j + r, then i points at
  j. So the scores are summed along their diagonals, with weights that position i chooses.
* Self-conditioning (Chen et al. 2023, "Analog bits") on beliefs: the decoder sees its last beliefs at each position, as
  the constraint left them, fainter the less sure they were. Whatever the constraint forces is certain from the first
  step on, so the decoder can tell noise from text.
* Each token of a prompt carries a vector of the word that it belongs to (lexicon.py). Training does not change these.

Axes: B batch, P prompt, N canvas, V vocabulary, D width, H heads, E width of a head, R reach of the votes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PAD = 0
MASKED = -1e4  # added to attention scores of padding; finite, and far below any score in bfloat16
FAINTEST = -12.0  # nats: a vote against a place counts no more than this
FLOOR = 1e-9  # of a probability: padding the prompt must not turn a token impossible


@dataclass(frozen=True)
class MiniConfig:
    """The sizes of a Mini; it has no maximum length, because positions are rotary."""

    vocabulary: int = 4096
    width: int = 256
    heads: int = 4
    encoder_layers: int = 6
    decoder_layers: int = 4
    reach: int = 6  # neighbours on each side that vote for a position's pointer
    rope_base: float = 10_000.0
    words: int = 0  # words with a vector, plus one for all others; 0 for none
    word_width: int = 64


@dataclass(frozen=True, eq=False)
class Memory:
    """An encoded prompt, as the decoder attends to it in every step."""

    prompt: Tensor  # [B, P] int64
    bias: Tensor  # [B, 1, P] 0 at tokens, MASKED at padding
    keys: tuple[Tensor, ...]  # per decoder layer [B, H, P, E]
    values: tuple[Tensor, ...]  # per decoder layer [B, H, P, E]
    pointer_keys: Tensor  # [B, P, D]

    @staticmethod
    def joined(parts: Sequence[Memory]) -> Memory:
        """The rows of all parts, with prompts padded behind to the longest, as `encode` pads them."""
        longest = max(part.prompt.shape[1] for part in parts)

        def whole(axis: int, value: float, own: Callable[[Memory], Tensor]) -> Tensor:
            found = [own(part) for part in parts]
            shape = [sum(len(one) for one in found), *found[0].shape[1:]]
            shape[axis] = longest
            table, first = found[0].new_full(shape, value), 0
            for one in found:
                table[first : first + len(one)].narrow(axis, 0, one.shape[axis]).copy_(one)
                first += len(one)
            return table

        layers = range(len(parts[0].keys))
        return Memory(
            whole(1, PAD, lambda part: part.prompt),
            whole(2, MASKED, lambda part: part.bias),
            tuple(whole(2, 0.0, lambda part, k=k: part.keys[k]) for k in layers),
            tuple(whole(2, 0.0, lambda part, k=k: part.values[k]) for k in layers),
            whole(1, 0.0, lambda part: part.pointer_keys),
        )


class Mini(nn.Module):
    """The denoiser; `encode` a prompt once, then `logits` for each canvas."""

    words: Tensor  # [K, W] vectors of words, the first zero; only where the configuration has words

    def __init__(self, config: MiniConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MiniConfig()
        width, heads = config.width, config.heads
        self.embedding = nn.Embedding(config.vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.side = nn.Parameter(torch.zeros(2, width))  # tells the prompt's tokens from the canvas's
        self.encoder = nn.ModuleList(Layer(width, heads, cross=False) for _ in range(config.encoder_layers))
        self.decoder = nn.ModuleList(Layer(width, heads, cross=True) for _ in range(config.decoder_layers))
        self.encoder_norm = nn.RMSNorm(width)
        self.decoder_norm = nn.RMSNorm(width)
        self.pointer_query = nn.Linear(width, width, bias=False)
        self.pointer_key = nn.Linear(width, width, bias=False)
        self.gate = nn.Linear(width, 1)
        self.votes = nn.Linear(width, 2 * config.reach)
        self.belief = nn.Linear(width, width, bias=False)
        added = [self.votes.weight, self.votes.bias, self.belief.weight]
        if config.words:
            self.register_buffer("words", torch.zeros(config.words, config.word_width))
            self.meaning = nn.Linear(config.word_width, width, bias=False)
            added.append(self.meaning.weight)
        for one in added:
            nn.init.zeros_(one)

    def encode(self, prompt_ids: Tensor, word_ids: Tensor | None = None) -> Memory:
        """Read prompts [B, P], padded behind with PAD; word_ids [B, P] are Lexicon's, needed where there are words."""
        bias = torch.zeros(prompt_ids.shape, device=prompt_ids.device).masked_fill(prompt_ids == PAD, MASKED)
        hidden = self.embedding(prompt_ids) + self.side[0]
        if word_ids is not None:
            hidden = hidden + self.meaning(F.embedding(word_ids, self.words))
        turn = self._turn(prompt_ids.shape[1], hidden)
        for layer in self.encoder:
            hidden = layer(hidden, turn, bias[:, None, None, :])
        hidden = self.encoder_norm(hidden)
        pairs = [cast(Layer, layer).cross.project(hidden) for layer in self.decoder]
        return Memory(
            prompt=prompt_ids,
            bias=bias[:, None, :],
            keys=tuple(key for key, _ in pairs),
            values=tuple(value for _, value in pairs),
            pointer_keys=self.pointer_key(hidden),
        )

    def logits(self, memory: Memory, canvas: Tensor, hint: Tensor | None = None) -> Tensor:
        """Log-probabilities of the clean tokens of canvases [B, N]: float32 [B, N, V] nats.

        hint: [B, N, D], what `hint` makes of the last beliefs
        """
        mixture = self.probabilities(memory, canvas, hint)
        return (mixture + FLOOR).log().log_softmax(-1)

    def probabilities(self, memory: Memory, canvas: Tensor, hint: Tensor | None = None) -> Tensor:
        """Probabilities of the clean tokens, float32 [B, N, V]."""
        scores, pointed, gate = self._heads(memory, canvas, hint)
        mixture = scores.float().softmax(-1) * gate
        prompt = memory.prompt[:, None, :].expand(-1, canvas.shape[1], -1)
        return mixture.scatter_add(2, prompt, pointed.softmax(-1) * (1 - gate))

    def target_log_probs(
        self, memory: Memory, canvas: Tensor, targets: Tensor, hint: Tensor | None, sources: Tensor
    ) -> tuple[Tensor, Tensor]:
        """`logits` at targets [B, N], without forming the mixture over the vocabulary: [B, N] nats.

        Beside it the log-probability that the pointer points at `sources` [B, N], positions of the prompt; −1 gives 0.
        """
        scores, pointed, gate = self._heads(memory, canvas, hint)
        spoken = F.cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction="none").view(
            targets.shape
        )
        aim = pointed.log_softmax(-1)
        copied = (aim.exp() * (memory.prompt[:, None, :] == targets[:, :, None])).sum(-1)
        gate = gate[..., 0]
        found = aim.gather(2, sources.clamp_min(0)[..., None])[..., 0]
        mixture = gate * (-spoken.float()).exp() + (1 - gate) * copied
        return (mixture + FLOOR).log(), torch.where(sources >= 0, found, 0.0)

    def hint(self, beliefs: Tensor) -> Tensor:
        """The expected embedding [B, N, D] of beliefs [B, N, V], times 1 where they are certain and 0 where flat."""
        spread = torch.special.entr(beliefs).sum(-1, keepdim=True) / math.log(beliefs.shape[-1])
        return (beliefs @ self.embedding.weight.to(beliefs.dtype)) * (1 - spread)

    def _heads(self, memory: Memory, canvas: Tensor, hint: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Vocabulary scores [B, N, V], pointer scores [B, N, P] nats, gate [B, N, 1]."""
        hidden = self.embedding(canvas) + self.side[1]
        if hint is not None:
            hidden = hidden + self.belief(hint)
        turn = self._turn(canvas.shape[1], hidden)
        for index, layer in enumerate(self.decoder):
            hidden = layer(
                hidden, turn, None, (memory.keys[index], memory.values[index], memory.bias[:, None])
            )
        hidden = self.decoder_norm(hidden)
        scores = F.linear(hidden, self.embedding.weight)
        own = (self.pointer_query(hidden) @ memory.pointer_keys.transpose(1, 2)).float()
        pointed = self._voted(own / math.sqrt(self.config.width) + memory.bias, self.votes(hidden).float())
        return scores, pointed + memory.bias, torch.sigmoid(self.gate(hidden).float())

    def _voted(self, own: Tensor, votes: Tensor) -> Tensor:
        """Pointer scores [B, N, P] plus those of the neighbours along the diagonal, weighted by votes [B, N, 2R]."""
        reach, (_, canvas, prompt) = self.config.reach, own.shape
        aim = F.pad(own.log_softmax(-1).clamp_min(FAINTEST), (reach,) * 4, value=FAINTEST)
        total = own
        for index, step in enumerate((*range(-reach, 0), *range(1, reach + 1))):
            at = reach + step
            total = total + votes[..., index, None] * aim[:, at : at + canvas, at : at + prompt]
        return total

    def _turn(self, length: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines of the rotary angles, [length, E / 2] each."""
        half = self.config.width // self.config.heads // 2
        rates = self.config.rope_base ** (-torch.arange(half, device=like.device) / half)
        angles = torch.arange(length, device=like.device)[:, None] * rates
        return angles.cos(), angles.sin()


class Layer(nn.Module):
    """A transformer layer, pre-norm: self-attention, in the decoder attention to the prompt, and feed-forward."""

    def __init__(self, width: int, heads: int, *, cross: bool) -> None:
        super().__init__()
        self.self_norm = nn.RMSNorm(width)
        self.attention = Attention(width, heads)
        self.feed_norm = nn.RMSNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width, bias=False), nn.GELU(), nn.Linear(4 * width, width, bias=False)
        )
        if cross:
            self.cross_norm = nn.RMSNorm(width)
            self.cross = Attention(width, heads)

    def forward(
        self,
        hidden: Tensor,
        turn: tuple[Tensor, Tensor],
        bias: Tensor | None,
        memory: tuple[Tensor, Tensor, Tensor] | None = None,
    ) -> Tensor:
        """hidden [B, L, D]; `memory` is keys, values [B, H, P, E] and a bias [B, 1, 1, P]."""
        normed = self.self_norm(hidden)
        key, value = self.attention.project(normed)
        hidden = hidden + self.attention(normed, _rotate(key, turn), value, bias, turn)
        if memory is not None:
            hidden = hidden + self.cross(self.cross_norm(hidden), *memory)
        return hidden + self.feed(self.feed_norm(hidden))


class Attention(nn.Module):
    """Multi-head attention as plain matrix products: on a CPU faster to train than the fused kernel."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, H, L, E] of hidden [B, L, D]."""
        batch, length, _ = hidden.shape
        pair = self.key_value(hidden).view(batch, length, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        return pair[0], pair[1]

    def forward(
        self,
        hidden: Tensor,
        key: Tensor,
        value: Tensor,
        bias: Tensor | None,
        turn: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """hidden [B, L, D] attends to key, value [B, H, M, E]; bias is added to the scores [B, H, L, M]."""
        batch, length, width = hidden.shape
        query = self.query(hidden).view(batch, length, self.heads, -1).transpose(1, 2)
        if turn is not None:
            query = _rotate(query, turn)
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        if bias is not None:
            scores = scores + bias.to(scores.dtype)
        mixed = scores.softmax(-1).to(value.dtype) @ value
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


def _rotate(states: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary positions (Su et al. 2021) on states [B, H, L, E]."""
    cos, sin = (part.to(states.dtype) for part in turn)
    first, second = states.chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)
