"""The nearest valid text to an answer, with its distance and the edits that lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from structgen.compiler.compiled import Compiled
from structgen.compiler.projection import weights as w
from structgen.compiler.projection.graph import Machine, TextGraph
from structgen.compiler.projection.lattice import Lattice
from structgen.compiler.projection.readings import decoded
from structgen_engine.kernels.nearest.search import COMPLETION, FAR, FOUND, GRAPH_FULL, search

POINTS = 1 << 18  # of a search, at first
MOST_POINTS, MOST_NODES, MOST_EDGES = 1 << 23, 1 << 19, 1 << 23  # 0.3 GB
CONTINUES, CONTINUED = 0xC0, 0x80  # bits of a byte that continues a character
ROUNDS = (
    20,
    50,
    100,
    200,
    400,
    800,
    1600,
    3200,
    6400,
    12_800,
)  # distances that are tried, one after the other


class Exhausted(Exception):
    """A search has met more than fits into its memory."""


class Edit(NamedTuple):
    """Characters start … end − 1 of the answer, which are `found`, are replaced by `text`."""

    start: int
    end: int
    found: str
    text: str

    def __str__(self) -> str:
        """One line."""
        if not self.text:
            return f"left out {self.found!r} at {self.start}"
        if not self.found:
            return f"added {self.text!r} at {self.start}"
        return f"{self.found!r} at {self.start} became {self.text!r}"


class PathStep(NamedTuple):
    """A step of a path: the place that it leads to, the bytes that it writes, and the weight so far."""

    place: int
    text: bytes
    cost: int


@dataclass(frozen=True)
class Projection:
    """The valid text nearest to an answer.

    distance: the sum of the weights of all edits, where replacing a letter counts 1 and wrapping counts little
    """

    text: str
    distance: float
    edits: tuple[Edit, ...] = ()


class Projector:
    """The projector onto the texts of one compiled grammar; what it has met of a pushdown stays for the next answer."""

    def __init__(self, compiled: Compiled) -> None:
        self.machine = Machine.of(compiled)
        self.graph = TextGraph.of(self.machine)

    def nearest(self, answer: str, most: float | None = None) -> Projection | None:
        """The nearest text; None if none is within the distance `most` and the memory of a search."""
        limit = ROUNDS[-1] if most is None else int(most * w.ONE)
        read = [(answer, 0), *((text, w.ENCODED) for text in decoded(answer))]
        lattices = [(Lattice.of(text.encode(errors="replace")), cost) for text, cost in read]
        try:
            for tried in [*(one for one in ROUNDS if one < limit), limit]:
                found = [self._within(lattice, tried - cost, cost, answer) for lattice, cost in lattices]
                best = min(filter(None, found), key=lambda one: one.distance, default=None)
                if best is not None:
                    return best
        except Exhausted:
            self.graph = TextGraph.of(self.machine)
        return None

    def _within(self, lattice: Lattice, most: int, spent: int, answer: str) -> Projection | None:
        """The nearest text of one reading of the answer, with what the reading costs."""
        steps = self._searched(lattice, most) if most >= 0 else None
        if steps is None:
            return None
        text = b"".join(step.text for step in steps).decode()
        whole = (Edit(0, len(answer), answer, text),)
        return Projection(
            text, (steps[-1].cost + spent) / w.ONE, whole if spent else tuple(_edits(lattice, steps))
        )

    def _searched(self, lattice: Lattice, most: int, begin: int = 0) -> list[PathStep] | None:
        """The steps of the shortest path within `most`."""
        machine, graph, room = self.machine, self.graph, POINTS
        at, to, byte, cost = lattice.arcs
        arcs = at, to, machine.class_of[byte], cost, byte
        added = machine.adding, machine.adding_in_runs, machine.written
        opening, points = (w.OPEN_DELETE, w.OPEN_INSERT, w.LONGEST_CUT), _points(room)
        places, drops, skips = lattice.places, lattice.drops, lattice.skips
        while True:
            status, end = search(
                places,
                arcs,
                drops,
                skips,
                machine.arrays(),
                added,
                graph.arrays(),
                points,
                most,
                opening,
                begin,
            )
            if status == FOUND:
                return list(self._traced(points, end))[::-1]
            if status == FAR:
                return None
            if status == GRAPH_FULL:
                if len(graph.nodes[0]) >= MOST_NODES or len(graph.edges[0]) >= MOST_EDGES:
                    raise Exhausted
                graph.grow()
            elif room >= MOST_POINTS:
                raise Exhausted
            else:
                room *= 4
                points = _points(room)

    def _traced(self, points: tuple[NDArray[Any], ...], end: int) -> Iterator[PathStep]:
        """The steps that lead to a point, the last one first."""
        place, node, _, cost, parent, written, _ = points
        while end >= 0:
            text = bytes(written[end : end + 1].astype(np.uint8)) if written[end] >= 0 else b""
            if written[end] == COMPLETION:
                text = self._completion(int(node[parent[end]]))
            yield PathStep(int(place[end]), text, int(cost[end]))
            end = int(parent[end])

    def _completion(self, node: int) -> bytes:
        """The shortest bytes that complete a text from a node; found by a search where parts come in any order."""
        if not self.machine.walked.any():
            return self.graph.completion(node)
        for most in ROUNDS:
            steps = self._searched(Lattice.of(b""), most, node)
            if steps is not None:
                return b"".join(step.text for step in steps)
        raise Exhausted


def _edits(lattice: Lattice, steps: list[PathStep]) -> Iterator[Edit]:
    """What the steps change, one edit for neighbouring changes."""
    answer, open_ = lattice.answer, None
    for start, end, text in _pieces(lattice, steps):
        if text == answer[start:end]:
            if open_ is not None and start < end:
                yield _edit(answer, *open_)
                open_ = None
        elif open_ is None:
            open_ = start, end, text
        else:
            open_ = open_[0], end, open_[2] + text
    if open_ is not None:
        yield _edit(answer, *open_)


def _pieces(lattice: Lattice, steps: list[PathStep]) -> Iterator[tuple[int, int, bytes]]:
    """Each step from one main place to another, or within one: begin and end in the answer, and what is written."""
    following, last = lattice.places[0], len(lattice.offset) - 1
    before, text = 0, b""
    for step in steps:
        text += step.text
        if following[step.place] >= 0 or step.place == last:
            here = int(lattice.offset[step.place])
            yield before, here, text
            before, text = here, b""


def _edit(answer: bytes, start: int, end: int, text: bytes) -> Edit:
    """An edit of bytes as one of whole characters."""
    low, high = start, end
    while low > 0 and low < len(answer) and answer[low] & CONTINUES == CONTINUED:
        low -= 1
    while high < len(answer) and answer[high] & CONTINUES == CONTINUED:
        high += 1
    text = answer[low:start] + text + answer[end:high]
    begin, found = len(answer[:low].decode()), answer[low:high].decode()
    return Edit(begin, begin + len(found), found, text.decode(errors="replace"))


def _points(room: int) -> tuple[NDArray[Any], ...]:
    return tuple(
        np.empty(room, kind) for kind in (np.int32, np.int32, np.int8, np.int32, np.int32, np.int16, np.int32)
    )
