"""What is known of a lazy automaton's configurations, as arrays that kernels read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.finishing import Finishing
from structgen_engine.automata.lazy import LazyDfa
from structgen_engine.kernels.cpu.search import Leaving, Met, Scratch

Longs = NDArray[np.int64]


class Known:
    """Arcs, distances and nodes of the configurations that one block has met, and work space for all of them."""

    def __init__(self, lazy: LazyDfa) -> None:
        self._lazy = lazy
        self._at, self._size = np.zeros(1024, np.int64), np.full(1024, -1, np.int64)
        self._sets, self._targets = np.zeros(4096, np.int64), np.zeros(4096, np.int64)
        self._filled = 0
        self._kept, self._count = np.zeros(0, np.bool_), np.zeros(1, np.int64)
        self.refresh(Finishing(lazy))

    @property
    def arcs(self) -> Leaving:
        """The arcs known so far."""
        return Leaving(self._at, self._size, self._sets, self._targets)

    def learn(self, number: int) -> None:
        """The arcs of one more configuration."""
        sets, targets = self._lazy.arcs(number)
        end = self._filled + len(sets)
        while end > len(self._sets):
            self._sets, self._targets = np.tile(self._sets, 2), np.tile(self._targets, 2)
        self._sets[self._filled : end], self._targets[self._filled : end] = sets, targets
        self._at[number], self._size[number] = self._filled, len(sets)
        self._filled = end

    def unknown(self, numbers: Longs) -> list[int]:
        """Those whose arcs are not known; afterwards there is room for the numbers met so far."""
        top = int(numbers.max(initial=0)) + 1
        if top > len(self._size):
            more = max(top, 2 * len(self._size)) - len(self._size)
            self._at = np.append(self._at, np.zeros(more, np.int64))
            self._size = np.append(self._size, np.full(more, -1, np.int64))
        return numbers[self._size[numbers] < 0].tolist()

    def all_arcs(self, numbers: Longs) -> tuple[Longs, Longs, Longs]:
        """The arcs of some configurations: the place of the source among them, the set, and the target."""
        for number in self.unknown(numbers):
            self.learn(number)
        sizes = self._size[numbers]
        source = np.repeat(np.arange(len(numbers)), sizes)
        at = np.arange(len(source)) + np.repeat(self._at[numbers] - (sizes.cumsum() - sizes), sizes)
        return source, self._sets[at], self._targets[at]

    def refresh(self, finishing: Finishing) -> None:
        """Read the distances and nodes of all configurations met so far; finishing: what searches know of distances."""
        most, least = finishing.tightened(self._lazy.distance_upper, self._lazy.distance_lower)
        count = len(most)
        if count > len(self._kept):
            room = max(1024, 2 * count)
            self._kept = np.append(self._kept, np.zeros(room - len(self._kept), np.bool_))
            self.scratch = Scratch(np.full(room, -1), np.empty(room, np.int64), *np.empty((3, room)))
        self.met = Met(most, least, *self._lazy.outlook.nodes(count), self._kept, self._count)

    def forget(self, entry: int) -> None:
        """Begin a pass: of all configurations only the entry is kept."""
        self._kept[:] = False
        self._kept[entry] = True
        self._count[0] = 1
