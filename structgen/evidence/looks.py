"""A look at each value: what the model would write in its place, knowing the rest of the answer but not the value.

While it writes, a model sees what it has written, and is sure of it for that reason. So each value is hidden once, at
every place that must hold it: its tokens become noise, all others stay, and one forward pass gives the distribution of
what stands there. Under the constraint this is the probability of the value given the rest of the answer, and without
it the share of probability that the constraint takes away.

Axes: T tokens, N block, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from structgen.evidence.tokens import Spelled
from structgen.generation.leaves import Leaf
from structgen.generation.request import Request
from structgen_engine.decoding.blocks import Block
from structgen_engine.decoding.denoiser import Denoiser, Preferring
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
    """The part of a leaf in one block, hidden from the model: whole, and what a string's quotes hold (or the whole).

    nats: log-probability of the inner tokens by the model alone, without the constraint and without preferred copies
    tokens: how many of them are not of zero width
    """

    pointer: str
    whole: Hidden
    inner: Hidden
    nats: float
    tokens: int


Places = Sequence[tuple[int, int]]  # the tokens first … last − 1 of each


@dataclass(frozen=True, eq=False)
class _Spot:
    """The tokens of a leaf: those of each of its places, and what a string's quotes hold if there is one place only."""

    pointer: str
    places: Places
    inner: tuple[int, int]

    @property
    def first(self) -> int:
        return self.places[0][0]

    @property
    def last(self) -> int:
        return self.places[-1][1]


def looks(
    asked: Request, written: Decoded, spelled: Spelled, leaves: Sequence[Leaf], text: str, *, pad: int
) -> dict[str, list[HiddenValue]]:
    """The looks at each leaf by pointer, one for each block that it reaches into; one forward pass for each.

    written: what was written for the request; pad: the id that fills a canvas beyond the budget
    """
    found: dict[str, list[HiddenValue]] = {leaf.pointer: [] for leaf in leaves}
    with suppress(Overlong):  # then nothing is known about the values that are left
        for seen in _passes(asked, written, spelled, leaves, text, pad):
            with suppress(Overlong):
                found[seen.place.pointer].append(seen.look(spelled.null))
    return found


def supports(
    asked: Request,
    written: Decoded,
    spelled: Spelled,
    leaves: Sequence[Leaf],
    text: str,
    *,
    pad: int,
    together: bool = False,
) -> dict[str, float]:
    """The support of each leaf by pointer (see `support`), for less time than `looks` take.

    together: whether all are hidden together, as they were in the first step, which is faster; they have less support
        then, and seldom more
    """
    found: dict[str, list[tuple[float, int]]] = {}
    for seen in _passes(asked, written, spelled, leaves, text, pad, together=together):
        found.setdefault(seen.place.pointer, []).append(seen.spelled_alone(spelled.null))
    return {pointer: mean(parts) for pointer, parts in found.items()}


def mean(parts: Sequence[tuple[float, int]]) -> float:
    """Nats a token, from the nats and the number of tokens of each part."""
    return sum(nats for nats, _ in parts) / max(1, sum(tokens for _, tokens in parts))


def support(seen: Sequence[HiddenValue]) -> float:
    """How well the model supports a value, in nats a token: the mean log-probability of its tokens, by the model alone.

    A long value is not less certain for being long, and a copy has no more support for being preferred.
    """
    return mean([(look.nats, look.tokens) for look in seen])


def _placed(leaf: Leaf, spelled: Spelled, text: str) -> _Spot | None:
    """The tokens of a leaf."""
    characters = [(leaf.start, leaf.end), *leaf.again]
    spans = [(len(text[:start].encode()), len(text[:end].encode())) for start, end in characters]
    places = [(first, last) for first, last in (spelled.tokens(*span) for span in spans) if first < last]
    if not places:
        return None
    start, end = spans[0]
    quoted = isinstance(leaf.value, str) and text[leaf.start : leaf.start + 1] == '"' and end - start > 2
    inner = spelled.tokens(start + 1, end - 1) if quoted and not leaf.again else (places[0][0], places[-1][1])
    return _Spot(leaf.pointer, places, inner)


def _clipped(place: _Spot, low: int, high: int) -> _Spot | None:
    """The part of a place inside tokens low … high − 1, None if there is none."""
    clipped = [(max(first, low), min(last, high)) for first, last in place.places]
    places = [(first, last) for first, last in clipped if first < last]
    if not places:
        return None
    inner = max(place.inner[0], low), min(place.inner[1], high)
    return _Spot(place.pointer, places, inner if inner[0] < inner[1] else (places[0][0], places[-1][1]))


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


@dataclass(frozen=True, eq=False)
class _Pass:
    """One place hidden in a forward pass.

    alone: [N, ≥ V] logits of the model without any preference; preferred: the same with it, if there is one
    """

    block: _Written
    place: _Spot
    alone: Tensor
    preferred: Callable[[], Tensor]

    def look(self, null: int) -> HiddenValue:
        """The lattices of the place; null: the id of the token of zero width. Raises Overlong."""
        block, place, logits = self.block, self.place, self._pinned(self.preferred())
        whole, inner = (
            Hidden(
                first, last, region(block.part, block.ids, first - block.first, last - block.first, logits)
            )
            for first, last in ((place.first, place.last), place.inner)
        )
        return HiddenValue(place.pointer, whole, inner, *self.spelled_alone(null))

    def spelled_alone(self, null: int) -> tuple[float, int]:
        """The log-probability of the inner tokens by the model alone, and how many of them are not of zero width."""
        first, last = self.place.inner
        held = _marks(self.block, self.place)
        held[: first - self.block.first] = held[last - self.block.first :] = False
        ids = self.block.ids[held].to(self.alone.device)
        nats = self.alone[held.to(self.alone.device)].float().log_softmax(-1).gather(1, ids[:, None]).sum()
        return float(nats), int((ids != null).sum())

    def _pinned(self, logits: Tensor) -> Tensor:
        """The logits [N, ≥ V] with the tokens between the places certain, because they are not hidden."""
        if len(self.place.places) == 1:
            return logits
        sure = (~_marks(self.block, self.place)).to(logits.device)
        pinned = logits.clone()
        pinned[sure] = pinned[sure].fill_(-torch.inf)
        pinned[sure, self.block.ids.to(logits.device)[sure]] = 0.0
        return pinned


def _marks(block: _Written, place: _Spot) -> Tensor:
    """[N] bool, the positions of a block that hold a place."""
    marks = torch.zeros(len(block.ids), dtype=torch.bool)
    for first, last in place.places:
        marks[first - block.first : last - block.first] = True
    return marks


def _passes(
    asked: Request,
    written: Decoded,
    spelled: Spelled,
    leaves: Sequence[Leaf],
    text: str,
    pad: int,
    *,
    together: bool = False,
) -> Iterator[_Pass]:
    """The passes that hide the leaves, block by block: each leaf alone, or all those of a block together."""
    denoiser = written.denoiser
    assert denoiser is not None
    places = [place for leaf in leaves if (place := _placed(leaf, spelled, text)) is not None]
    for number, block in enumerate(blocks(denoiser, asked, written.ids, pad)):
        here = [one for place in places if (one := _clipped(place, block.first, block.last)) is not None]
        seen = denoiser.first_look(number) if isinstance(denoiser, Preferring) else None
        if together and seen is not None:
            yield from (
                _Pass(block, place, seen, partial(_preferred, denoiser, block.context, seen))
                for place in here
            )
            continue
        generator = torch.Generator().manual_seed(asked.seed)
        groups = ([here] if here else []) if together else [[one] for one in here]
        yield from _hiding(denoiser, block, groups, generator)


def _hiding(
    denoiser: Denoiser, block: _Written, groups: Sequence[Sequence[_Spot]], generator: torch.Generator
) -> Iterator[_Pass]:
    """The passes that hide groups of places of one block, a few groups at a time."""
    N = len(block.ids)
    few = max(1, ROOM // (N * denoiser.vocabulary_size))
    for at in range(0, len(groups), few):
        some = groups[at : at + few]
        where = torch.zeros(len(some), N, dtype=torch.bool)
        for row, place in ((row, one) for row, group in enumerate(some) for one in group):
            where[row] |= _marks(block, place)
        ids = block.ids.expand(len(some), -1)
        rows = block.context.select(torch.zeros(len(some), dtype=torch.int64))
        canvas = denoiser.noise.hidden(ids, where, generator)
        plain, inside = denoiser.plain(rows) if isinstance(denoiser, Preferring) else (denoiser, rows)
        alone = probed(plain, inside, [block.part] * len(some), canvas, ids.masked_fill(where, OPEN))
        for row, place in ((row, one) for row, group in enumerate(some) for one in group):
            yield _Pass(block, place, alone[row], partial(_preferred, denoiser, rows, alone[row]))


def _preferred(denoiser: Denoiser, context: Any, logits: Tensor) -> Tensor:
    """Logits [N, ≥ V] with the preference of the denoiser, if it has one."""
    return denoiser.preferred(context, logits[None])[0] if isinstance(denoiser, Preferring) else logits
