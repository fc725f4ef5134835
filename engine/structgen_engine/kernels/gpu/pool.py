"""The pool of tables on a device: an alphabet or automaton is written there once, for batches and blocks of any size.

Kernels reach every table from one origin: a line says how many int32s lie between the origin and the table. When the
pool is full, the table that was unused for longest is dropped; a batch that still uses it keeps it alive.

Axes: K classes, S states, C chunks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from structgen_engine.automata.dfa import Alphabet, Dfa
from structgen_engine.kernels.gpu import tables
from structgen_engine.kernels.gpu.tables import TREES, Ints, chunked, edges_of, tree_of

MOST_BYTES = 512 * 2**20  # of tables that the pool keeps; one of a schema takes 1 to 30 MB


@dataclass(frozen=True, eq=False)
class Tabled:
    """The tables of an alphabet or an automaton on a device.

    source: kept, so that its id is not given to another; table: int32, all parts; at: where each part begins, counted
    from the pool's origin; sizes: numbers that say how large parts are
    """

    source: Alphabet | Dfa
    table: Tensor
    at: dict[str, int]
    sizes: dict[str, int]


class Pool:
    """The tables that are on one device."""

    def __init__(self, device: torch.device, *, most_bytes: int = MOST_BYTES) -> None:
        self.device, self.most_bytes, self.nbytes = device, most_bytes, 0
        self.origin = torch.zeros(1, dtype=torch.int32, device=device)
        self._kept: OrderedDict[tuple[int, int], Tabled] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def alphabet(self, alphabet: Alphabet) -> Tabled:
        """The tables of an alphabet."""
        return self._known(alphabet) or self._keep(alphabet, *_alphabet_parts(alphabet))

    def automaton(self, dfa: Dfa) -> Tabled:
        """The tables of an automaton."""
        return self._known(dfa) or self._keep(dfa, *_automaton_parts(dfa))

    def _known(self, source: Alphabet | Dfa) -> Tabled | None:
        key = id(source), tables.WIDTH
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key]

    def _keep(self, source: Alphabet | Dfa, parts: dict[str, Ints], sizes: dict[str, int]) -> Tabled:
        table = sent(torch.from_numpy(np.concatenate(list(parts.values())).astype(np.int32)), self.device)
        begin = (table.data_ptr() - self.origin.data_ptr()) // 4
        ends = np.cumsum([0, *(len(part) for part in parts.values())]).tolist()
        made = Tabled(
            source, table, {name: begin + end for name, end in zip(parts, ends, strict=False)}, sizes
        )
        self._kept[id(source), tables.WIDTH] = made
        self.nbytes += table.nbytes
        while self.nbytes > self.most_bytes and len(self._kept) > 1:
            self.nbytes -= self._kept.popitem(last=False)[1].table.nbytes
        return made


@cache
def pool_of(device: torch.device) -> Pool:
    """The pool of a device."""
    return Pool(device)


def sent(values: Tensor, device: torch.device) -> Tensor:
    """A copy on a device; the host does not wait for it, because it is copied from memory that stays where it is."""
    if device.type == "cuda":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def sent_together(parts: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Copies of int64 and float64 tensors on a device, sent as one."""
    flat = torch.cat([part.contiguous().view(-1).view(torch.int64) for part in parts])
    pieces = sent(flat, device).split([part.numel() for part in parts])
    return [piece.view(part.dtype).view(part.shape) for piece, part in zip(pieces, parts, strict=True)]


def _alphabet_parts(alphabet: Alphabet) -> tuple[dict[str, Ints], dict[str, int]]:
    parts = chunked(alphabet)
    sizes = {
        "classes": alphabet.size,
        "chunks": len(parts["chunk_at"]),
        "known": len(parts["class_of"]),
        "wide": len(parts["wide"]),
        "narrow": len(parts["narrow"]),
        "pieces": int(np.diff(parts["chunk_first"]).max(initial=0)),
    }
    return parts, sizes


def _automaton_parts(dfa: Dfa) -> tuple[dict[str, Ints], dict[str, int]]:
    trees = {name: tree_of(dfa, name) for name in TREES}
    sizes = {"edges": len(dfa.edges)}
    for name, made in trees.items():
        sizes[name], sizes[f"{name} rows"] = made.segments, int(made.levels[1])
        sizes[f"{name} sums"] = made.partial
    return {"edges": edges_of(dfa), **{name: made.packed() for name, made in trees.items()}}, sizes
