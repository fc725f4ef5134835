"""The memory layout of one batch: a line of numbers for each row, and the sizes common to all rows.

The tables lie in the device's pool; what is made for a batch takes some hundred bytes for each row.

Axes: B batch, N block, K classes, S states, C chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from structgen_engine.automata.dfa import Alphabet, Dfa
from structgen_engine.kernels.gpu import fields, tables
from structgen_engine.kernels.gpu.pool import Pool, Tabled
from structgen_engine.kernels.gpu.tables import TREES, WIDE
from structgen_engine.kernels.gpu.trees import groups

# rows of a tree that one program sums at once: a batch takes the least that holds its trees, so kernels are few
HEIGHTS = (64, 256, 512)
STRIDE = 16  # positions between the messages that a lean row keeps
LEAN_BYTES = 15e6  # of messages, from which on a row is lean if lean rows are allowed
UPPER = 64  # the same for levels after the first


@dataclass(frozen=True)
class Tile:
    """How many rows of a tree one program sums at once; whole: a first level never has more."""

    rows: int
    whole: bool

    @property
    def warps(self) -> int:
        return max(4, warps(self.rows * tables.WIDTH))  # with fewer, registers spill

    @classmethod
    def holding(cls, rows: int) -> Tile:
        """The least tile that holds a first level of so many rows, or the largest."""
        return next((cls(size, True) for size in HEIGHTS if rows <= size), cls(HEIGHTS[-1], False))


def warps(items: int) -> int:
    """The number of warps that gives each thread about eight items."""
    return max(1, min(16, items // 256))


@dataclass(frozen=True, eq=False)
class Where:
    """Where the rows of a batch lie in the host's tables, and how long they are; None for N positions at `places`.

    places: rows of the tables of temperatures and results; lengths: positions of each row
    sources: rows of the table of logits where each begins; targets: rows of the table of marginals
    slots: rows of the host's table of steps done
    """

    places: Sequence[int]
    lengths: Sequence[int] | None = None
    sources: Sequence[int] | None = None
    targets: Sequence[int] | None = None
    slots: Sequence[int] | None = None


@dataclass(frozen=True, eq=False)
class Laid:
    """What the layouts of alphabets and of automata have in common.

    origin: of the pool; lines: [B, FIELDS] int64, on the host until they are sent; placed: the tables, kept alive;
    classes: ΣK over the rows
    """

    origin: Tensor
    lines: Tensor
    placed: tuple[Tabled, ...]
    positions: int
    classes: int

    @property
    def nbytes(self) -> int:
        """Bytes of the lines and of the tables, each table once."""
        unique = {id(one): one.table.nbytes for one in self.placed}
        return self.lines.nbytes + sum(unique.values())

    def most(self, name: str) -> int:
        """The largest of a size of any row."""
        return max(one.sizes[name] for one in self.placed)


@dataclass(frozen=True, eq=False)
class AlphabetLayout(Laid):
    """The layout of a batch of alphabets; chunks: ΣC over the rows."""

    chunks: int

    @classmethod
    def of(
        cls,
        rows: Sequence[Alphabet],
        positions: int,
        pool: Pool,
        *,
        where: Where | None = None,
        raised: bool = False,
    ) -> AlphabetLayout:
        """The layout of a batch with N = `positions` and one alphabet per row; its lines are still on the host.

        raised: whether −inf counts as a low logit
        """
        placed = tuple(pool.alphabet(alphabet) for alphabet in rows)
        lines, classes, chunks = _lines(placed, positions, where, raised), 0, 0
        for line, one in zip(lines, placed, strict=True):
            at, sizes = one.at, one.sizes
            values = {
                fields.CLASSES: sizes["classes"],
                fields.AT_CLASS: classes * positions,
                fields.CHUNKS: sizes["chunks"],
                fields.AT_CHUNK: chunks * positions,
                fields.KNOWN: sizes["known"],
                fields.CLASS_OF: at["class_of"],
                fields.CHUNK_FIRST: at["chunk_first"],
                fields.CHUNK_AT: at["chunk_at"],
                fields.CHUNK_SIZE: at["chunk_size"],
            }
            for field, value in values.items():
                line[field.value] = value
            wide = sizes["wide"]
            line[fields.WIDE.value :][:3] = at["tokens"], at["wide"], wide
            line[fields.NARROW.value :][:3] = at["tokens"] + wide * WIDE, at["narrow"], sizes["narrow"]
            classes, chunks = classes + sizes["classes"], chunks + sizes["chunks"]
        return cls(pool.origin, torch.from_numpy(lines), placed, positions, classes, chunks)


@dataclass(frozen=True, eq=False)
class AutomatonLayout(Laid):
    """The layout of a batch of automata.

    states: ΣS over the rows; sizes: by tree, the numbers in the tables of all rows; tile: for all trees; lean: whether
    some row is, see `lean`
    """

    states: int
    sizes: dict[str, int]
    tile: Tile
    lean: bool

    @classmethod
    def of(
        cls,
        rows: Sequence[Dfa],
        positions: int,
        pool: Pool,
        *,
        where: Where | None = None,
        lean: bool = False,
    ) -> AutomatonLayout:
        """The layout of a batch with N = `positions` and one automaton per row, otherwise as of alphabets.

        lean: whether rows with large messages may be lean; such rows cannot be drawn from again
        """
        placed = tuple(pool.automaton(dfa) for dfa in rows)
        lines, classes, states, sizes = _lines(placed, positions, where, False), 0, 0, dict.fromkeys(TREES, 0)
        for line, dfa, one in zip(lines, rows, placed, strict=True):
            values = {
                fields.CLASSES: dfa.alphabet.size,
                fields.AT_CLASS: classes * positions,
                fields.STATES: dfa.states,
                fields.AT_STATE: states,
                fields.EDGES: one.at["edges"],
                fields.EDGE_COUNT: one.sizes["edges"],
            }
            for field, value in values.items():
                line[field.value] = value
            spare = lean and 24 * (positions + 1) * dfa.states > LEAN_BYTES
            line[fields.LEAN.value] = spare
            for name in TREES:
                field, sums = _TREE_FIELDS[name].value, one.sizes[f"{name} sums"]
                line[field : field + 4] = one.at[name], one.sizes[name], sizes[name], sums
                sizes[name] += _length(name, one, positions, spare)
            classes, states = classes + dfa.alphabet.size, states + dfa.states
        tile = Tile.holding(max(one.sizes[f"{name} rows"] for one in placed for name in TREES))
        some = bool(lines[:, fields.LEAN.value].any())
        sent = pool.origin, torch.from_numpy(lines), placed
        return cls(*sent, positions, classes, states, sizes, tile, some)


_TREE_FIELDS = {
    "sets": fields.SETS,
    "leaving": fields.LEAVING,
    "entering": fields.ENTERING,
    "joint": fields.JOINT,
    "shares": fields.SHARES,
}


def _lines(placed: Sequence[Tabled], positions: int, where: Where | None, raised: bool) -> tables.Ints:
    """[B, FIELDS] int64, empty but for what every line has."""
    lines, where = np.zeros((len(placed), fields.FIELDS.value), np.int64), where or Where(range(len(placed)))
    lines[:, fields.PLACE.value] = where.places
    lines[:, fields.ROW_LENGTH.value] = positions if where.lengths is None else where.lengths
    lines[:, fields.SOURCE.value] = where.places if where.sources is None else where.sources
    lines[:, fields.TARGET.value] = where.places if where.targets is None else where.targets
    lines[:, fields.SLOT.value] = where.places if where.slots is None else where.slots
    lines[:, fields.RAISED.value] = raised
    return lines


def _length(name: str, one: Tabled, positions: int, lean: bool) -> int:
    """The size of one row's table.

    Messages lie between positions, N + 1 of them, and what the posterior sums up is scratch of its programs. Row sums
    are kept nowhere.
    """
    results, sums = one.sizes[name], one.sizes[f"{name} sums"]
    if lean and name == "entering":
        return 2 * results + sums
    if lean and name == "leaving":
        return (STRIDE + 1 + -(-positions // STRIDE) + 1) * results + sums
    if lean and name == "joint":
        return positions * results + sums
    if name in ("leaving", "entering"):
        return (positions + 1) * results + sums
    if name == "sets":
        return positions * results + groups(sums, positions) * sums
    both = max(one.sizes[part] + one.sizes[f"{part} sums"] for part in ("joint", "shares"))
    return groups(both, positions) * (results + sums)


def power_of_two(count: int) -> int:
    """The least power of two that is at least `count`, and at least 1."""
    return 1 << max(0, count - 1).bit_length()
