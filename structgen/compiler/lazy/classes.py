"""A partition of the vocabulary, refined as token sets are met.

A set of tokens is stored as the classes it consists of. A set that cuts through a class splits it; every set that held
the class then holds both halves, so the number of a set always means the same tokens. Equal sets have equal numbers:
the key of a set is the sum of its tokens' random 64-bit salts, which no split changes (among a million different sets
the chance of a collision is 1e-7; sizes are compared too).

Axes: V tokens, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.arrays import REFUSED
from structgen_engine.jit import kernel

if TYPE_CHECKING:
    from torch import Tensor

    from structgen_engine.automata.dfa import Alphabet

Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Occurring:
    """The tokens that may occur, as the partition that every pushdown over a vocabulary begins with.

    class_of: [V] int32, 1 for these tokens and REFUSED for all others; size: how many they are; digest: their set's
    """

    class_of: Ints
    size: int
    digest: np.uint64

    @staticmethod
    def of(ids: Ints, tokens: int) -> Occurring:
        """The tokens with these distinct ids, out of so many."""
        class_of = np.full(tokens, REFUSED, np.int32)
        class_of[ids] = 1
        return Occurring(class_of, len(ids), _salts(tokens)[ids].sum())


class Classes:
    """The classes met so far; class REFUSED (0) holds the tokens that never occur and is never split."""

    def __init__(self, occurring: Occurring) -> None:
        tokens = len(occurring.class_of)
        self._class_of = occurring.class_of.copy()
        self._size = np.zeros(tokens + 2, np.int64)
        self._salt = _salts(tokens)
        self._digest = np.zeros(tokens + 2, np.uint64)
        self._size[1], self._digest[1] = occurring.size, occurring.digest
        self._parent, self._scratch = np.zeros(tokens + 2, np.int32), np.zeros((2, tokens + 2), np.int32)
        self.count = 2
        self.members: list[Ints] = []
        self._holding: list[list[int]] = [[], []]
        self._numbers: dict[tuple[int, int], int] = {}
        self._alphabet: Alphabet | None = None

    @property
    def nbytes(self) -> int:
        """The approximate memory of the classes."""
        return 40 * len(self._class_of) + sum(labels.nbytes + 200 for labels in self.members)

    @property
    def alphabet(self) -> Alphabet:
        """The current partition; the same object until a class is split."""
        if self._alphabet is None:
            import torch

            from structgen_engine.automata.dfa import Alphabet

            self._alphabet = Alphabet(torch.from_numpy(self._class_of.copy()), self.count)
            self._alphabet.__dict__["members"] = self._ordered()  # fills the cached property: a faster sort
        return self._alphabet

    def _ordered(self) -> tuple[Tensor, Tensor]:
        import torch

        narrow = self._class_of.astype(np.uint16) if self.count < 2**16 else self._class_of
        order = np.argsort(narrow, kind="stable").astype(np.int32)  # 16-bit keys: numpy uses a radix sort
        offsets = np.zeros(self.count + 1, np.int64)
        offsets[1:] = np.bincount(self._class_of, minlength=self.count).cumsum()
        return torch.from_numpy(order), torch.from_numpy(offsets)

    def sets(self, tokens: Ints, starts: NDArray[np.int64]) -> list[int]:
        """The numbers of disjoint, non-empty token sets: set g is tokens[starts[g] : starts[g + 1]]."""
        before = self.count
        self.count, classes, ends = _refine(
            self._class_of,
            self._size,
            self._digest,
            self._salt,
            self._parent,
            self._scratch,
            before,
            tokens,
            starts,
        )
        for child in range(before, self.count):
            self._split(int(self._parent[child]), child)
        if self.count != before:
            self._alphabet = None
        return [self.union(part) for part in np.split(classes, ends[:-1])]

    def _split(self, parent: int, child: int) -> None:
        holding = self._holding[parent]
        self._holding.append(list(holding))
        for number in holding:
            self.members[number] = np.append(self.members[number], np.int32(child))

    def union(self, classes: Ints) -> int:
        """The number of the set that consists of these classes."""
        key = int(self._digest[classes].sum()), int(self._size[classes].sum())
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.members)
            self.members.append(np.array(classes, np.int32))
            for label in classes.tolist():
                self._holding[label].append(number)
        return number

    def size_of(self, number: int) -> int:
        """The number of tokens of a set."""
        return int(self._size[self.members[number]].sum())

    def token_of(self, label: int) -> int:
        """The first token of a class."""
        return int((self._class_of == label).argmax())

    def allowed(self, tokens: NDArray[np.int64]) -> NDArray[np.bool_]:
        """[T] whether each of the tokens [T] may occur."""
        return self._class_of[tokens] != REFUSED


@lru_cache(maxsize=4)
def _salts(tokens: int) -> NDArray[np.uint64]:
    return np.random.default_rng(0).integers(1, 2**63, tokens, dtype=np.uint64)


@kernel
def _refine(class_of, size, digest, salt, parent, scratch, count, tokens, starts):  # pragma: no cover
    """Make every group a union of classes. Returns the number of classes, the classes of all groups, their ends."""
    marked, fate = scratch[0], scratch[1]
    touched, ends = np.empty(len(tokens), np.int32), np.empty(len(starts) - 1, np.int64)
    filled = 0
    for g in range(len(starts) - 1):
        first = filled
        for k in range(starts[g], starts[g + 1]):
            c = class_of[tokens[k]]
            if marked[c] == 0:
                touched[filled] = c
                filled += 1
            marked[c] += 1
        for j in range(first, filled):
            c = touched[j]
            fate[c] = c
            if marked[c] < size[c]:
                fate[c] = count
                size[count], parent[count], digest[count] = marked[c], c, 0
                size[c] -= marked[c]
                count += 1
            marked[c] = 0
        for k in range(starts[g], starts[g + 1]):
            t = tokens[k]
            c = class_of[t]
            if fate[c] != c:
                class_of[t] = fate[c]
                digest[fate[c]] += salt[t]
                digest[c] -= salt[t]
        for j in range(first, filled):
            touched[j] = fate[touched[j]]
        ends[g] = filled
    return count, touched[:filled].copy(), ends
