"""Pieces: the reader's vocabulary, and the embedding of each piece in four bits.

A row of the table is 12 blocks of 32 numbers: a float16 scale, and 16 bytes of two numbers each (llama.cpp's Q4_0).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor

BLOCK, BLOCK_BYTES = 32, 18  # numbers of a block, and the bytes they take
UNKNOWN_PIECE = 3  # the piece of characters that no piece has


@dataclass(frozen=True, eq=False)
class PieceVocabulary:
    """A vocabulary with embeddings; table: [pieces, blocks * BLOCK_BYTES] uint8."""

    tokenizer: Tokenizer
    table: Tensor

    def split(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The ids of a text's pieces, and their characters."""
        found = self.tokenizer.encode(text, add_special_tokens=False)
        return found.ids, found.offsets

    @property
    def vocabulary(self) -> list[tuple[str, float]]:
        """The pieces with their log-probabilities."""
        return [(text, score) for text, score in json.loads(self.tokenizer.to_str())["model"]["vocab"]]

    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings [..., D] float32 of pieces [...] int64."""
        return unpacked(self.table[ids])


def unpacked(rows: Tensor) -> Tensor:
    """Numbers [..., D] float32 of packed rows [..., D / BLOCK * BLOCK_BYTES] uint8."""
    blocks = rows.unflatten(-1, (-1, BLOCK_BYTES))
    scale = blocks[..., :2].contiguous().view(torch.float16).float()
    pairs = blocks[..., 2:]
    return ((torch.cat([pairs & 15, pairs >> 4], -1).float() - 8) * scale).flatten(-2)


def splitter(vocabulary: Sequence[tuple[str, float]]) -> Tokenizer:
    """The tokenizer of pieces with their log-probabilities, which sees words and no spaces."""
    tokenizer = Tokenizer(models.Unigram(list(vocabulary), unk_id=UNKNOWN_PIECE, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    return tokenizer
