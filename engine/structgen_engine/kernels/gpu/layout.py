"""The memory layout of one batch: a line of numbers for each row, and the sizes common to all rows.

Axes: B batch, N block, K classes, S states, C chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import Alphabet, Dfa
from structgen_engine.kernels.gpu import fields
from structgen_engine.kernels.gpu.tables import TREES, WIDE, chunked, edges_of, segments, tree_of
from structgen_engine.kernels.gpu.trees import Tree, best_width

Ints = NDArray[Any]

SLOTS = 4096  # slots of a tree's rows that one program sums at once


@dataclass(frozen=True)
class Tile:
    """How one program walks the rows of a tree: `rows` of the first level at once and `upper` of the later levels.

    Each row has `width` slots; the program has `warps` warps; whole: the first level never has more than `rows`.
    """

    rows: int
    upper: int
    width: int
    whole: bool

    @property
    def warps(self) -> int:
        return warps(self.rows * self.width)


def warps(items: int) -> int:
    """The number of warps that gives each thread about eight items."""
    return max(1, min(16, items // 256))


@dataclass(frozen=True, eq=False)
class AlphabetLayout:
    """The layout of a batch of alphabets.

    blob: int32, all tables; lines: [B, FIELDS] int64; classes: ΣK, chunks: ΣC over the rows; most_*: of any row
    """

    blob: Tensor
    lines: Tensor
    positions: int
    classes: int
    chunks: int
    most_classes: int
    most_known: int
    most_wide: int
    most_narrow: int
    most_pieces: int

    @classmethod
    def of(cls, rows: Sequence[Alphabet], positions: int, device: torch.device) -> AlphabetLayout:
        """The layout of a batch with N = `positions` and one alphabet per row."""
        packing = _Packing()
        lines = np.zeros((len(rows), fields.FIELDS.value), np.int64)
        tables = [chunked(alphabet) for alphabet in rows]
        classes = chunks = 0
        for line, alphabet, parts in zip(lines, rows, tables, strict=True):
            at = {name: packing.place((alphabet, name), part) for name, part in parts.items()}
            values = {
                fields.CLASSES: alphabet.size,
                fields.AT_CLASS: classes * positions,
                fields.CHUNKS: len(parts["chunk_at"]),
                fields.AT_CHUNK: chunks * positions,
                fields.KNOWN: len(parts["class_of"]),
                fields.CLASS_OF: at["class_of"],
                fields.CHUNK_FIRST: at["chunk_first"],
                fields.CHUNK_AT: at["chunk_at"],
                fields.CHUNK_SIZE: at["chunk_size"],
            }
            wide = len(parts["wide"])
            starts = (
                (at["tokens"], at["wide"], wide),
                (at["tokens"] + wide * WIDE, at["narrow"], len(parts["narrow"])),
            )
            for field, value in values.items():
                line[field.value] = value
            line[fields.WIDE.value :][:3], line[fields.NARROW.value :][:3] = starts
            classes, chunks = classes + alphabet.size, chunks + len(parts["chunk_at"])
        return cls(
            packing.blob(device),
            torch.from_numpy(lines).to(device),
            positions,
            classes,
            chunks,
            most_classes=max(alphabet.size for alphabet in rows),
            most_known=max(len(parts["class_of"]) for parts in tables),
            most_wide=max(len(parts["wide"]) for parts in tables),
            most_narrow=max(len(parts["narrow"]) for parts in tables),
            most_pieces=max(int(np.diff(parts["chunk_first"]).max()) for parts in tables),
        )


@dataclass(frozen=True, eq=False)
class AutomatonLayout:
    """The layout of a batch of automata.

    blob: int32, all tables; lines: [B, FIELDS] int64; classes: ΣK, states: ΣS over the rows; sizes: by tree, the
    numbers in the tables of all rows; tiles: of each tree; most_*: of any row, most_edges out of one state
    """

    blob: Tensor
    lines: Tensor
    positions: int
    classes: int
    states: int
    sizes: dict[str, int]
    tiles: dict[str, Tile]
    most_classes: int
    most_states: int
    most_edges: int

    @classmethod
    def of(cls, rows: Sequence[Dfa], positions: int, device: torch.device) -> AutomatonLayout:
        """The layout of a batch with N = `positions` and one automaton per row."""
        packing, distinct = _Packing(), list({id(dfa): dfa for dfa in rows}.values())
        widths = {name: best_width([segments(dfa)[name][0] for dfa in distinct]) for name in TREES}
        trees = {id(dfa): {name: tree_of(dfa, name, widths[name]) for name in TREES} for dfa in distinct}
        lines = np.zeros((len(rows), fields.FIELDS.value), np.int64)
        classes = states = 0
        sizes = dict.fromkeys(TREES, 0)
        for line, dfa in zip(lines, rows, strict=True):
            values = {
                fields.CLASSES: dfa.alphabet.size,
                fields.AT_CLASS: classes * positions,
                fields.STATES: dfa.states,
                fields.AT_STATE: states,
                fields.EDGES: packing.place((dfa, "edges"), edges_of(dfa)),
                fields.EDGE_COUNT: len(dfa.edges),
            }
            for field, value in values.items():
                line[field.value] = value
            for name, made in trees[id(dfa)].items():
                field, at = _TREE_FIELDS[name].value, packing.place((dfa, name), made.packed())
                line[field : field + 4] = at, made.segments, sizes[name], made.partial
                sizes[name] += _length(name, made, positions)
            classes, states = classes + dfa.alphabet.size, states + dfa.states
        return cls(
            packing.blob(device),
            torch.from_numpy(lines).to(device),
            positions,
            classes,
            states,
            sizes,
            {name: _tile([made[name] for made in trees.values()], widths[name]) for name in TREES},
            most_classes=max(dfa.alphabet.size for dfa in distinct),
            most_states=max(dfa.states for dfa in distinct),
            most_edges=max(int(dfa.edges.offsets.diff().max()) for dfa in distinct),
        )


_TREE_FIELDS = {
    "sets": fields.SETS,
    "leaving": fields.LEAVING,
    "entering": fields.ENTERING,
    "joint": fields.JOINT,
    "shares": fields.SHARES,
}


def _length(name: str, tree: Tree, positions: int) -> int:
    """The size of one row's table: messages lie between positions, N + 1 of them, and their row sums are not kept."""
    if name in ("leaving", "entering"):
        return (positions + 1) * tree.segments + tree.partial
    return positions * (tree.segments + tree.partial)


def power_of_two(count: int) -> int:
    """The least power of two that is at least `count`, and at least 1."""
    return 1 << max(0, count - 1).bit_length()


def _tile(trees: list[Tree], width: int) -> Tile:
    """A tile that fits all of these trees."""
    sizes = [np.diff(tree.levels) for tree in trees]
    most, later = max(int(size[0]) for size in sizes), max(int(size[1:].max(initial=1)) for size in sizes)
    rows, upper = (min(power_of_two(count), SLOTS // width) for count in (most, later))
    return Tile(rows, upper, width, whole=most <= rows)


class _Packing:
    """Concatenated tables, each stored once."""

    def __init__(self) -> None:
        self._at: dict[tuple[int, str], int] = {}
        self._parts: list[Ints] = []
        self._end = 0

    def place(self, key: tuple[object, str], table: Ints) -> int:
        """The offset of the table, which is added if it is new."""
        known = id(key[0]), key[1]
        if known not in self._at:
            self._at[known] = self._end
            self._parts.append(table.astype(np.int32))
            self._end += len(table)
        return self._at[known]

    def blob(self, device: torch.device) -> Tensor:
        """All tables as one tensor."""
        return torch.from_numpy(np.concatenate(self._parts)).to(device)
