"""The reader's file: the trained matrices in eight bits with one scale a row, the kept ones and the pieces in four.

The reader is optional. It is read from the file when the first document comes, and without the file there is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from structgen_mini.outline import Outline
from structgen_mini.reader.net import ReaderConfig, ReaderNet
from structgen_mini.reader.pieces import UNKNOWN_PIECE, PieceVocabulary, splitter, unpacked
from structgen_mini.reader.reading import DocumentReading, read

READER = "reader.safetensors"
SCALE, PACKED = (
    ".scale",
    ".packed",
)  # appended to the name of a matrix: the scales of its rows, its rows in four bits
MOST_UNKNOWN = 0.25  # share of a document in unknown pieces, above which it is not read
CONFIG, TABLE, TEXTS, SCORES = "config", "pieces.table", "pieces.texts", "pieces.scores"


@dataclass
class StoredReader:
    """A reader in a file, which is loaded when it is first asked; it remembers the last document."""

    path: Path
    last: tuple[Outline, str, DocumentReading] | None = None

    @cached_property
    def loaded(self) -> tuple[ReaderNet, PieceVocabulary]:
        """The net and its pieces."""
        return load_reader(self.path)

    def __call__(self, outline: Outline, document: str) -> DocumentReading:
        """What the document says of the fields of an outline; nothing if it is in a script that the reader lacks."""
        last = self.last
        if last is None or last[:2] != (outline, document):
            reader, pieces = self.loaded
            known = unknown(pieces, document) <= MOST_UNKNOWN
            found = (
                read(reader, pieces.embed, pieces.split, outline, document) if known else DocumentReading({})
            )
            last = outline, document, found
            self.last = last
        return last[-1]


def unknown(pieces: PieceVocabulary, document: str) -> float:
    """The share of a document's characters, apart from white space, in pieces that are not in the vocabulary."""
    ids, offsets = pieces.split(document)
    sizes = [end - start for start, end in offsets]
    lost = sum(size for one, size in zip(ids, sizes, strict=True) if one == UNKNOWN_PIECE)
    return lost / max(1, sum(sizes))


def stored_reader(folder: Path) -> StoredReader | None:
    """The reader of a model's folder, None if it has none."""
    path = folder / READER
    return StoredReader(path) if path.exists() else None


def load_reader(path: Path) -> tuple[ReaderNet, PieceVocabulary]:
    """The net in float32, and its pieces."""
    stored = load_file(path)
    config = ReaderConfig(**json.loads(bytes(stored.pop(CONFIG).numpy()).decode()))
    texts = bytes(stored.pop(TEXTS).numpy()).decode().split("\n")
    scores = stored.pop(SCORES).double().tolist()
    pieces = PieceVocabulary(splitter(list(zip(texts, scores, strict=True))), stored.pop(TABLE))
    reader = ReaderNet(config)
    reader.load_state_dict(
        {name.removesuffix(PACKED): _unstored(name, stored) for name in stored if not name.endswith(SCALE)}
    )
    return reader.eval().requires_grad_(False), pieces


def packed_in(path: Path) -> dict[str, Tensor]:
    """The matrices of a reader's file that have four bits."""
    return {
        name.removesuffix(PACKED): rows for name, rows in load_file(path).items() if name.endswith(PACKED)
    }


def _unstored(name: str, stored: Mapping[str, Tensor]) -> Tensor:
    """A tensor in float32."""
    if name.endswith(PACKED):
        return unpacked(stored[name])
    scale = stored.get(name + SCALE)
    return stored[name].float() if scale is None else stored[name].float() * scale.float()[:, None]


def save_reader(
    path: Path,
    config: ReaderConfig,
    weights: dict[str, Tensor],
    packed: dict[str, Tensor],
    pieces: PieceVocabulary,
) -> None:
    """Write a reader; packed: rows in four bits of the matrices that have them already."""
    found = {
        CONFIG: _bytes(json.dumps(asdict(config))),
        TABLE: pieces.table.cpu(),
        TEXTS: _bytes("\n".join(text for text, _ in pieces.vocabulary)),
        SCORES: torch.tensor([score for _, score in pieces.vocabulary], dtype=torch.float16),
    }
    for name, weight in weights.items():
        if name in packed:
            found[name + PACKED] = packed[name]
        elif weight.ndim == 2:
            scale = (weight.abs().amax(1) / 127).clamp_min(1e-7).half()
            found[name] = (weight / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
            found[name + SCALE] = scale
        else:
            found[name] = weight.half()
    save_file({name: one.contiguous() for name, one in found.items()}, path)


def _bytes(text: str) -> Tensor:
    return torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
