"""An answer with all its readings as a lattice: places from left to right, and arcs between them.

Between the bytes of the answer lie its main places. A reading that is longer than one byte gets places of its own,
right after the place where it begins, so every arc leads to the right. Bytes are deleted, replaced and added at main
places only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen.compiler.projection import weights as w
from structgen.compiler.projection.readings import keeping, readings
from structgen.compiler.projection.regions import content_end, cut_off, regions, skips

Arrays = tuple[NDArray[Any], ...]


@dataclass(frozen=True, eq=False)
class Lattice:
    """An answer of N bytes as P places.

    places: [P] each: the next main place, −1 for other places and the last; whether bytes are added cheaply; the
        weights of deleting the byte alone and in a run, of replacing it, of beginning and of ending the text here
    arcs: [P + 1] begin of the arcs from each place; [arcs] to, byte, weight
    drops, skips: [P + 1] begin, to, weight; skips are for what is before and after the text
    offset: [P] the offset in the answer that a place stands at
    """

    answer: bytes
    places: Arrays
    arcs: Arrays
    drops: Arrays
    skips: Arrays
    offset: NDArray[np.int64]

    @classmethod
    def of(cls, answer: bytes) -> Lattice:
        """The lattice of an answer."""
        length, spelled, dropped = (
            len(answer),
            defaultdict[int, list[Any]](list),
            list[tuple[int, int, int]](),
        )
        for one in readings(answer):
            if one.text:
                spelled[one.start].append(one)
            else:
                dropped.append((one.start, one.end, one.weight))
        extra = np.array([sum(len(one.text) - 1 for one in spelled[at]) for at in range(length)] + [0])
        main = np.arange(length + 1) + np.concatenate([[0], np.cumsum(extra)[:-1]])
        kept = keeping(answer)
        arcs = [(int(main[at]), int(main[at + 1]), answer[at], kept.get(at, 0)) for at in range(length)]
        for start, several in spelled.items():
            fresh = int(main[start]) + 1
            for one in several:
                route = [int(main[start]), *range(fresh, fresh + len(one.text) - 1), int(main[one.end])]
                fresh += len(one.text) - 1
                weights = [one.weight] + [0] * (len(one.text) - 1)
                arcs += zip(route, route[1:], one.text, weights, strict=False)
        places = int(main[-1]) + 1
        offset = np.zeros(places, np.int64)
        offset[main] = np.arange(length + 1)
        offset = np.maximum.accumulate(offset)
        jumps = [(int(main[a]), int(main[b]), cost) for a, b, cost in dropped]
        passed = [(int(main[a]), int(main[b]), cost) for a, b, cost in skips(answer, regions(answer))]
        columns = [_at_places(column, main, places) for column in _columns(answer)]
        following = np.full(places, -1, np.int32)
        following[main[:-1]] = main[1:]
        kinds = _grouped(arcs, 4, places), _grouped(jumps, 3, places), _grouped(passed, 3, places)
        return cls(answer, (following, *columns), *kinds, offset)


def _at_places(column: NDArray[Any], main: NDArray[np.int64], places: int) -> NDArray[Any]:
    full = np.zeros(places, column.dtype)
    full[main] = column
    return full


def _columns(answer: bytes) -> list[NDArray[Any]]:
    """[N + 1] each: cheap additions, weights of deleting, of deleting in a run, of replacing, beginning, ending."""
    codes = np.frombuffer(answer, np.uint8)
    alone = np.append(w.deleting()[codes], 0).astype(np.int32)
    run = np.minimum(alone, w.RUN_DELETE)
    replaced = np.append(w.replacing()[codes], 0).astype(np.int32)
    end = content_end(answer)
    cheap = np.zeros(len(answer) + 1, np.bool_)
    cheap[end:] = cut_off(answer)
    wordlike = np.array([chr(code).isalnum() or code > 127 for code in answer], np.bool_)
    within = np.zeros(len(answer) + 1, np.bool_)
    within[1:-1] = wordlike[1:] & wordlike[:-1]
    around = np.where(within, w.ENTER + w.INSIDE_WORD, w.ENTER).astype(np.int32)
    enter, leave = around.copy(), around
    enter[0] = leave[-1] = 0
    return [cheap, alone, run, replaced, enter, leave]


def _grouped(rows: Sequence[tuple[int, ...]], width: int, places: int) -> Arrays:
    """Rows by the place that they start from: where each place's rows begin, and their other columns."""
    table = np.array(sorted(rows), np.int64).reshape(len(rows), width)
    at = np.searchsorted(table[:, 0], np.arange(places + 1)).astype(np.int32)
    return at, *(np.ascontiguousarray(column).astype(np.int32) for column in table.T[1:])
