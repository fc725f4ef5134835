"""A reading: how likely each span of a document, and each option, is the value of each field that is asked for.

Axes: D pieces of the document on a page, F fields, K spans.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import torch
from torch import Tensor

from structgen_mini.outline import Outline
from structgen_mini.reader.net import MASKED, ReaderNet
from structgen_mini.reader.pages import AskedField, ReaderPage, Split, asked_of, pages

NO_LESS = 1e-6  # of a probability that is left
MOST_ASKED = 200  # pieces of a page that fields may take; further fields are asked for on pages of their own
MOST_ITEMS = 80  # spans that are looked at for the items of a list
Chars = tuple[
    tuple[int, int], ...
]  # first character of a span and the one behind it; −1 if the end is not known


@dataclass(frozen=True, eq=False)
class SpanPieces:
    """Spans on a page: first and last piece of each, [K] int64; `open`: the last is not known; `outside` the page."""

    first: Tensor
    last: Tensor
    open: Tensor
    outside: Tensor


@lru_cache(maxsize=32)
def located(begins: tuple[int, ...], spans: Chars) -> SpanPieces:
    """Where spans stand on a page whose pieces begin at these characters."""
    starts, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    first, last = (np.searchsorted(begins, one, side="right") - 1 for one in (starts, ends - 1))
    outside = (starts < (begins[0] if begins else 0)) | (len(begins) == 0)
    found = [torch.from_numpy(np.maximum(one, 0)) for one in (first, last)]
    return SpanPieces(found[0], torch.maximum(*found), torch.from_numpy(ends < 0), torch.from_numpy(outside))


@dataclass(frozen=True, eq=False)
class PageView:
    """A field on one page.

    begins, behind: [D] the first character of each piece, and the one behind it; starts: [D] nats against "not stated";
    ends: [D, D] nats of the last piece by the first
    """

    begins: tuple[int, ...]
    behind: tuple[int, ...]
    starts: Tensor
    ends: Tensor

    def nats(self, spans: Chars) -> Tensor:
        """[K] nats of each span against "not stated", MASKED for those outside of the page."""
        at = located(self.begins, spans)
        if not self.begins:
            return torch.full((len(spans),), MASKED)
        found = self.starts[at.first] + self.ends[at.first, at.last].masked_fill(at.open, 0.0)
        return found.masked_fill(at.outside, MASKED)

    def best(self, count: int) -> Iterator[tuple[float, tuple[int, int]]]:
        """The likeliest spans, so many at most, each with its nats against "not stated"."""
        size = len(self.begins)
        found = (self.starts[:, None] + self.ends).flatten().topk(min(count, size * size))
        for nats, at in zip(found.values.tolist(), found.indices.tolist(), strict=True):
            first, last = divmod(at, size)
            if first <= last:
                yield nats, (self.begins[first], self.behind[last])


@dataclass(frozen=True, eq=False)
class FieldReading:
    """What was read of one field: views of it on each page, or the nats of its options and of none of them."""

    views: Sequence[PageView] = ()
    options: Tensor | None = None  # [options + 1]

    @property
    def none(self) -> float:
        """The log-probability that the document does not state the field."""
        return float(self.options[-1]) if self.options is not None else -self._evidence

    @property
    def absent(self) -> float:
        """The probability that the document does not state the field, 0 … 1."""
        return math.exp(self.none)

    def nats(self, spans: Chars) -> Tensor:
        """[K] log-probability of each span."""
        return torch.stack([view.nats(spans) for view in self.views]).amax(0) - self._evidence

    def left(self, spans: Chars) -> float:
        """The log-probability of what is neither one of these spans nor "not stated"."""
        held = [torch.tensor([self.none]), *([self.nats(spans)] if spans else [])]
        return math.log(max(NO_LESS, 1.0 - float(torch.cat(held).logsumexp(0).exp())))

    def best(self, count: int) -> list[tuple[int, int]]:
        """The likeliest spans, so many at most, as characters start … end − 1, the likeliest first."""
        found: dict[tuple[int, int], float] = {}
        for view in self.views:
            for nats, span in view.best(count):
                found[span] = max(nats, found.get(span, -math.inf))
        return sorted(found, key=found.__getitem__, reverse=True)[:count]

    def begun(self, spans: Chars) -> Tensor:
        """[K] the probability that a value begins within each of these characters."""
        low, high = torch.tensor(spans, dtype=torch.int64).reshape(-1, 2, 1).unbind(1)
        found = []
        for view in self.views:
            begins, share = torch.tensor(view.begins), (view.starts - self._evidence).exp()
            found.append(((begins >= low) & (begins < high)).to(share.dtype) @ share)
        return torch.stack(found).amax(0)

    def items(self, least: float) -> list[tuple[int, int]]:
        """The likeliest spans of a list's items, as characters start … end − 1, in the order of the document.

        least: of the probability of the likeliest beginning, the share that another one must have
        """
        ends: dict[int, int] = {}
        for start, end in self.best(MOST_ITEMS):
            ends.setdefault(start, end)
        shares = self.nats(tuple((start, -1) for start in ends)).exp().tolist()
        found: list[tuple[int, int]] = []
        for share, (start, end) in sorted(zip(shares, ends.items(), strict=True), reverse=True):
            apart = all(end <= first or last <= start for first, last in found)
            if share >= least * max(shares) and apart:
                found.append((start, end))
        return sorted(found)

    @cached_property
    def _evidence(self) -> float:
        odds = torch.cat([torch.zeros(1), *(view.starts for view in self.views)])
        return float(odds.logsumexp(0))


@dataclass(frozen=True, eq=False)
class DocumentReading:
    """What was read of all fields, by JSON pointer with * for the items of lists."""

    fields: Mapping[str, FieldReading]

    @property
    def absent(self) -> dict[str, float]:
        """For each field the probability that the document does not state it, 0 … 1."""
        return {pointer: field.absent for pointer, field in self.fields.items()}

    def of(self, outline: Outline, pointer: str) -> FieldReading | None:
        """What was read of the field at a pointer that names items; None if it was not asked for."""
        steps, at = [], ""
        for step in pointer.split("/")[1:]:
            inside = outline.below(at)
            steps.append("*" if inside is not None and inside.kind == "array" else step)
            at = f"{at}/{step}"
        return self.fields.get("".join(f"/{step}" for step in steps))


@torch.inference_mode()
def read(
    reader: ReaderNet, embed: Callable[[Tensor], Tensor], split: Split, outline: Outline, document: str
) -> DocumentReading:
    """Read a document for all fields of an outline."""
    found: dict[str, FieldReading] = {}
    for asked in _groups(split, asked_of(outline)):
        for page in pages(split, asked, document, reader.config.positions):
            for one, field in zip(asked, _viewed(reader, embed, page), strict=True):
                known = found.get(one.pointer)
                found[one.pointer] = field if known is None else _both(known, field)
    return DocumentReading(found)


def _groups(split: Split, asked: Sequence[AskedField]) -> list[list[AskedField]]:
    """The fields in groups that leave room for the document on a page."""
    groups: list[list[AskedField]] = []
    taken = MOST_ASKED
    for one in asked:
        pieces = 6 + len(split(f"{one.label} {one.said}")[0]) + 4 * len(one.options)
        if taken + pieces > MOST_ASKED:
            groups.append([])
            taken = 0
        groups[-1].append(one)
        taken += pieces
    return groups


def _both(one: FieldReading, other: FieldReading) -> FieldReading:
    """A field on the pages of both; of options the page counts that is surer that they are stated."""
    if one.options is None or other.options is None:
        return replace(one, views=(*one.views, *other.views))
    return min(one, other, key=lambda field: field.absent)


def _viewed(reader: ReaderNet, embed: Callable[[Tensor], Tensor], page: ReaderPage) -> list[FieldReading]:
    """The fields of a page, as it states them."""
    length, size = len(page.ids), len(page.offsets)
    states = reader.states(embed(torch.tensor([page.ids])), torch.tensor([page.lines]))[0].float()
    fields = reader.asked(states, means(page.fields, length))
    text = slice(page.base, page.base + size)
    places = reader.place(states)
    starts = reader.starts(fields, places)
    odds = (starts[:, text] - starts[:, :1]).float()
    begun = reader.begun(states[text]) @ places[text].T / reader.scale
    forward = torch.ones(size, size, dtype=torch.bool).tril(-1)
    by_field = reader.end(fields) @ places[text].T / reader.scale
    begins, behind = (tuple(one[at] for one in page.offsets) for at in (0, 1))
    found = []
    for at, options in enumerate(page.options):
        if options:
            choices = torch.cat([means(options, length) @ states, states[:1]])
            found.append(FieldReading(options=reader.options(fields[at], choices).float().log_softmax(-1)))
        else:
            ends = (begun + by_field[at]).float().masked_fill(forward, MASKED).log_softmax(-1)
            found.append(FieldReading([PageView(begins, behind, odds[at], ends)]))
    return found


def means(spans: Sequence[tuple[int, int]], length: int) -> Tensor:
    """Weights [spans, T] that take the mean of the tokens of each span."""
    found = torch.zeros(len(spans), length)
    for row, (first, last) in enumerate(spans):
        found[row, first:last] = 1 / (last - first)
    return found
