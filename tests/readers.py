"""A toy reader: pieces of single characters, and a net of random weights over them."""

from __future__ import annotations

import string

import torch
from torch import Tensor

from structgen_mini.reader.net import ReaderConfig, ReaderNet
from structgen_mini.reader.pieces import BLOCK_BYTES, PieceVocabulary, splitter

WIDTH = 64
SIGNS = [*string.ascii_letters, *string.digits, *string.punctuation]
TEXTS = ["<s>", "<pad>", "</s>", "<unk>", "▁", *(f"▁{sign}" for sign in SIGNS), *SIGNS]


def pieces_of() -> PieceVocabulary:
    """A piece for each sign, and for each at the beginning of a word, with random embeddings."""
    table = torch.randint(
        0, 256, (len(TEXTS), WIDTH // 32, BLOCK_BYTES), dtype=torch.uint8, generator=torch.manual_seed(1)
    )
    table[..., :2] = torch.tensor([0, 44], dtype=torch.uint8)  # the scale 1/16 in float16
    return PieceVocabulary(
        splitter([(text, -1.0 - at / 1000) for at, text in enumerate(TEXTS)]), table.flatten(1)
    )


def reader_of(positions: int = 160) -> ReaderNet:
    """A small net of random weights."""
    torch.manual_seed(2)
    config = ReaderConfig(width=WIDTH, heads=4, layers=3, feed=96, positions=positions, kept=1)
    reader = ReaderNet(config)
    for one in (reader.positions, reader.line):
        torch.nn.init.normal_(one, std=0.3)
    return reader.eval().requires_grad_(False)


def states_of(reader: ReaderNet, pieces: PieceVocabulary, ids: list[int]) -> Tensor:
    """States [T, D] of one sequence."""
    row = torch.tensor([ids])
    return reader.states(pieces.embed(row), torch.zeros_like(row))[0]
