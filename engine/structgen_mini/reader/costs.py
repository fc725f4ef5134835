"""What the reader's opinion costs the choices of a slot: nats for standing where the field's value is not stated.

The best choice is free, so that values which are no copies keep their price.

Axes: C choices, L length of a slot, K spans.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from structgen_mini.choices import ChoiceTable
from structgen_mini.constants import ReadingNats
from structgen_mini.outline import Outline
from structgen_mini.reader.net import MASKED
from structgen_mini.reader.reading import DocumentReading, FieldReading

Span = tuple[int, int]


class ReadTable(NamedTuple):
    """A slot's choices with the reader's costs, and the nats that any other text costs beside its usual penalty."""

    table: ChoiceTable
    other: float


class ReadCosts:
    """The costs of choices for the fields of one reading, each computed once.

    spans: for each piece of the document the characters where it stands; spelled: the bytes of ids
    """

    def __init__(
        self,
        reading: DocumentReading,
        outline: Outline,
        spans: Sequence[Sequence[Span]],
        spelled: Callable[[Sequence[int]], bytes],
        nats: ReadingNats,
    ) -> None:
        self.reading, self.outline, self.spans, self.spelled, self.nats = (
            reading,
            outline,
            spans,
            spelled,
            nats,
        )
        self._known: dict[tuple[int, int], tuple[Tensor, FieldReading, ReadTable]] = {}

    def likely(self, pointer: str) -> list[Span]:
        """The spans that the reader finds likeliest for the field at a pointer; none for an item of a list."""
        field = None if self.outline.repeats(pointer) else self.reading.of(self.outline, pointer)
        return [] if field is None else field.best(self.nats.offered)

    def field(self, pointer: str) -> FieldReading | None:
        """What was read of the field at a pointer as a span of the document; None if it is no such field."""
        field = self.reading.of(self.outline, pointer)
        return None if field is None or not field.views else field

    def compared(self, pointer: str, columns: Sequence[Sequence[Span]]) -> Tensor:
        """[columns] nats of the value of an item's field being in each column of spans, 0 for the likeliest."""
        field = self.reading.of(self.outline, pointer)
        if field is None or field.options is not None or not columns:
            return torch.zeros(len(columns))
        masses = [
            field.nats(tuple(spans)).logsumexp(0) if spans else torch.tensor(MASKED) for spans in columns
        ]
        found = torch.stack(masses)
        return found - found.max()

    def added(self, pointer: str, table: ChoiceTable, *, part: bool = False) -> ReadTable:
        """A table for the slot at a pointer, with the reader's costs added.

        part: whether the choices come from the words of one item alone. Among those of all items, an item keeps its
        costs: what the reader gives to one of many is small, and a hundred of such costs would make the list shorter.
        """
        field = self.reading.of(self.outline, pointer)
        repeats = self.outline.repeats(pointer)
        if field is None or (repeats and (not part or field.options is not None)):
            return ReadTable(table, 0.0)
        key = id(field), id(table.pieces)
        if key not in self._known:
            if field.options is None:
                own, other = self._spans(field, table.choices, table.pieces)
            else:
                value = self.outline.below(pointer)
                own, other = self._options(field.options, value, table.choices), 0.0
            read = ReadTable(table._replace(costs=table.costs + own), 0.0 if repeats else other)
            self._known[key] = table.pieces, field, read
        return self._known[key][-1]

    def _options(self, nats: Tensor, value: Outline | None, choices: Tensor) -> Tensor:
        """[C] costs of choices that spell an option, or none; nats: [options + 1]."""
        options: Sequence[Any] = () if value is None else value.options or (True, False)
        texts = [json.dumps(one, ensure_ascii=False).strip('"').encode() for one in options]
        found = torch.zeros(len(choices))
        for row, ids in enumerate(choices.tolist()):
            text = self.spelled(ids).strip(b'"')
            named = [at for at, one in enumerate(texts) if text.endswith(one)]
            at = max(named, key=lambda one: len(texts[one]), default=len(texts))
            found[row] = nats[at]
        return self._costs(found, self.nats.option)

    def _spans(self, field: FieldReading, choices: Tensor, pieces: Tensor) -> tuple[Tensor, float]:
        """[C] costs of choices that copy a span, or none, and what any other text costs."""
        rows, spans = [], []
        for row, piece in enumerate(pieces.tolist()):
            own = self.spans[piece] if piece >= 0 else ()
            rows += [row] * len(own)
            spans += own
        found = torch.full((len(choices),), -torch.inf)
        if spans:
            found.scatter_reduce_(0, torch.tensor(rows), field.nats(tuple(spans)), "amax")
        for row in (pieces < 0).nonzero()[:, 0].tolist():
            if self.spelled(choices[row].tolist()) in (b"", b"null"):
                found[row] = field.none
        rest = field.left(tuple(dict.fromkeys(spans)))
        other = self.nats.span * (float(found.max()) - rest)
        stated = field.absent <= self.nats.absent
        return self._costs(found, self.nats.span), self.nats.most if stated else min(
            max(other, 0.0), self.nats.most
        )

    def _costs(self, found: Tensor, weight: float) -> Tensor:
        return (weight * (found.max() - found)).clamp(0.0, self.nats.most)
