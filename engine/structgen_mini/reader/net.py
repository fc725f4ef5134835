"""The reader's net: a pretrained encoder over fields and document, with heads that point from a field at a span.

The encoder is multilingual-e5-small (Wang et al. 2024, "Multilingual E5 text embeddings"), a BERT with learned
positions. It reads the fields that are asked for and the document as one sequence. The state of a field, the mean over
its tokens, then asks each token of the document whether the field's value begins there, and each later one whether the
value that begins there ends here (Seo et al. 2017, "Bidirectional attention flow"). The first token stands for "the
document does not state it". A field with options asks the tokens of these instead of the document's.

Axes: B batch, T tokens, D width, H heads, E width of a head, F fields, S starts, O options.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MASKED = -1e4  # added to scores of what cannot be; finite, and far below any score in bfloat16
LINES = 6  # kinds of place in a line, see pages.py
SHARPNESS = 4.0  # options are compared by means of states, which differ less than states


@dataclass(frozen=True)
class ReaderConfig:
    """The sizes of a ReaderNet; those of multilingual-e5-small by default."""

    width: int = 384
    heads: int = 12
    layers: int = 12
    feed: int = 1536
    positions: int = 512
    kept: int = 4  # lower layers that training leaves as they are
    epsilon: float = 1e-12


class ReaderLayer(nn.Module):
    """One layer of the encoder, normalised behind its two halves."""

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.norm = nn.LayerNorm(width, config.epsilon)
        self.feed, self.back = nn.Linear(width, config.feed), nn.Linear(config.feed, width)
        self.feed_norm = nn.LayerNorm(width, config.epsilon)

    def forward(self, hidden: Tensor, bias: Tensor | None) -> Tensor:
        """States [B, T, D] from states [B, T, D]; bias: [B, 1, 1, T] nats, None if no token is padding."""
        query, key, value = (
            one(hidden).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for one in (self.query, self.key, self.value)
        )
        scores = (query / math.sqrt(query.shape[-1])) @ key.transpose(-1, -2)
        weights = (scores if bias is None else scores + bias.to(scores.dtype)).softmax(-1).to(value.dtype)
        mixed = (weights @ value).transpose(1, 2).flatten(2)
        hidden = self.norm((hidden + self.out(mixed)).float())
        return self.feed_norm((hidden + self.back(F.gelu(self.feed(hidden)))).float())


class ReaderNet(nn.Module):
    """The encoder and its heads; the embeddings of pieces are looked up outside, for they never change."""

    def __init__(self, config: ReaderConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ReaderConfig()
        width = config.width
        self.positions = nn.Parameter(torch.zeros(config.positions, width))
        self.line = nn.Parameter(torch.zeros(LINES, width))
        self.norm = nn.LayerNorm(width, config.epsilon)
        self.layers = nn.ModuleList(ReaderLayer(config) for _ in range(config.layers))
        self.scale = math.sqrt(width)
        self.field = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.start, self.end, self.begun, self.place, self.option = (
            nn.Linear(width, width) for _ in range(5)
        )

    def states(self, embedded: Tensor, lines: Tensor, padding: Tensor | None = None) -> Tensor:
        """States [B, T, D] of embedded pieces [B, T, D] with lines [B, T] int64; padding: [B, T] bool."""
        hidden = self.norm(embedded + self.positions[: embedded.shape[1]])
        bias = None
        if padding is not None:
            bias = torch.zeros(padding.shape).masked_fill(padding, MASKED)[:, None, None, :]
        for at, layer in enumerate(self.layers):
            if (
                at == self.config.kept
            ):  # above the layers that are kept, so that no gradient goes through these
                hidden = hidden + F.embedding(lines, self.line)
            hidden = layer(hidden, bias)
        return hidden

    def asked(self, states: Tensor, spans: Tensor) -> Tensor:
        """States [F, D] of fields, from the states [T, D] of a sequence and the weights [F, T] of their tokens."""
        mean = spans @ states
        return mean + self.field(mean)

    def starts(self, fields: Tensor, places: Tensor) -> Tensor:
        """Scores [F, T] nats of the value of each field beginning at each token; places: `place` of states [T, D]."""
        return self.start(fields) @ places.T / self.scale

    def ends(self, fields: Tensor, begun: Tensor, places: Tensor) -> Tensor:
        """Scores [S, T] nats of the end at each token, for fields [S, D] whose values begin at states [S, D]."""
        return (self.end(fields) + self.begun(begun)) @ places.T / self.scale

    def options(self, field: Tensor, options: Tensor) -> Tensor:
        """Scores [O] nats of options with mean states [O, D] for a field [D]."""
        return options @ self.option(field) * (SHARPNESS / self.scale)
