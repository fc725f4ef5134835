"""A look at each value: what the model would write in its place, knowing the rest of the answer but not the value.

While it writes, a model sees what it has written, and is sure of it for that reason. So each value is hidden once: its
tokens become noise, all others stay, and one forward pass gives the distribution of what stands there. Under the
constraint this is the probability of the value given the rest of the answer, and without it the share of probability
that the constraint takes away.

Axes: T tokens, N block, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from structgen.evidence.tokens import Spelled
from structgen.generation.leaves import Leaf
from structgen.generation.request import Request
from structgen_engine.decoding.blocks import Block
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.loop import Decoded
from structgen_engine.decoding.probe import probed
from structgen_engine.decoding.region import RegionLattice, region
from structgen_engine.lattice.lattice import OPEN
from structgen_engine.lattice.pruning import Overlong

ROOM = 1 << 27  # floats of logits that one pass may take, half a gigabyte


@dataclass(frozen=True, eq=False)
class Hidden:
    """Tokens first … last − 1 of an answer, and the lattice of what may stand there."""

    first: int
    last: int
    lattice: RegionLattice


@dataclass(frozen=True, eq=False)
class HiddenValue:
    """The part of a leaf in one block, hidden from the model: whole, and what a string's quotes hold (or the whole)."""

    pointer: str
    whole: Hidden
    inner: Hidden


@dataclass(frozen=True, eq=False)
class _Spot:
    pointer: str
    first: int
    last: int
    inner: tuple[int, int]


def looks(
    asked: Request, written: Decoded, spelled: Spelled, leaves: Sequence[Leaf], text: str, *, pad: int
) -> dict[str, list[HiddenValue]]:
    """The looks at each leaf by pointer, one for each block that it reaches into; one forward pass for each.

    written: what was written for the request; pad: the id that fills a canvas beyond the budget
    """
    denoiser = written.denoiser
    assert denoiser is not None
    found: dict[str, list[HiddenValue]] = {leaf.pointer: [] for leaf in leaves}
    places = [place for leaf in leaves if (place := _placed(leaf, spelled, text)) is not None]
    for block in blocks(denoiser, asked, written.ids, pad):
        here = [one for place in places if (one := _clipped(place, block.first, block.last)) is not None]
        with suppress(Overlong):  # then nothing is known about the values that are left
            for look in _looks(denoiser, block, here, torch.Generator().manual_seed(asked.seed)):
                found[look.pointer].append(look)
    return found


def _placed(leaf: Leaf, spelled: Spelled, text: str) -> _Spot | None:
    start, end = (len(text[:at].encode()) for at in (leaf.start, leaf.end))
    first, last = spelled.tokens(start, end)
    quoted = isinstance(leaf.value, str) and text[leaf.start : leaf.start + 1] == '"' and end - start > 2
    return _Spot(leaf.pointer, first, last, spelled.tokens(start + 1, end - 1) if quoted else (first, last))


def _clipped(place: _Spot, low: int, high: int) -> _Spot | None:
    """The part of a place inside tokens low … high − 1, None if there is none."""
    first, last = max(place.first, low), min(place.last, high)
    if first >= last:
        return None
    inner = max(place.inner[0], low), min(place.inner[1], high)
    return _Spot(place.pointer, first, last, inner if inner[0] < inner[1] else (first, last))


@dataclass(frozen=True, eq=False)
class _Written:
    """A written block: its first token, its ids [N], the context before it, and what it may be."""

    first: int
    ids: Tensor
    context: Any
    part: Block

    @property
    def last(self) -> int:
        return self.first + len(self.ids)


def blocks(denoiser: Denoiser, asked: Request, ids: Tensor, pad: int) -> Iterator[_Written]:
    """Each block of an answer, the last one filled up with padding if the budget has cut it short."""
    automaton, N = asked.automaton, denoiser.block_length
    context, state, left = denoiser.start([asked.prompt]), automaton.start, asked.max_tokens
    for first in range(0, len(ids), N):
        block = ids[first : first + N]
        left -= len(block)
        block = torch.nn.functional.pad(block, (0, N - len(block)), value=pad)
        part = automaton.block(state, left, asked.options.pruning, automaton.finishing())
        yield _Written(first, block, context, part)
        if first + N < len(ids):
            state = automaton.run(block.tolist(), state)
            context = denoiser.extend(context, block[None])


def _looks(
    denoiser: Denoiser, block: _Written, places: Sequence[_Spot], generator: torch.Generator
) -> Iterator[HiddenValue]:
    """The looks at places in one block, a few in one pass."""
    N = len(block.ids)
    few = max(1, ROOM // (N * denoiser.vocabulary_size))
    for at in range(0, len(places), few):
        some = places[at : at + few]
        where = torch.zeros(len(some), N, dtype=torch.bool)
        for row, place in enumerate(some):
            where[row, place.first - block.first : place.last - block.first] = True
        ids = block.ids.expand(len(some), -1)
        rows = block.context.select(torch.zeros(len(some), dtype=torch.int64))
        canvas = denoiser.noise.hidden(ids, where, generator)
        logits = probed(denoiser, rows, [block.part] * len(some), canvas, ids.masked_fill(where, OPEN))
        for row, place in enumerate(some):
            with suppress(Overlong):
                yield _look(block, place, logits[row])


def _look(block: _Written, place: _Spot, logits: Tensor) -> HiddenValue:
    """The lattices of one place, by the logits [N, ≥ V] of the pass that it was hidden from."""
    whole, inner = (
        Hidden(first, last, region(block.part, block.ids, first - block.first, last - block.first, logits))
        for first, last in ((place.first, place.last), place.inner)
    )
    return HiddenValue(place.pointer, whole, inner)
