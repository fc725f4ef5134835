"""The choices for a slot: copies of the document, as one table of ids with their pieces and costs.

A model that copies expects what it has read: 1,234.50, a quotation mark without a backslash, two lines. So a choice is
weighed by the ids that the document has in its place, too, if JSON spells it in another way.

Axes: C choices, L length of a slot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

Ids = tuple[int, ...]
NO_PIECE = -1
_BEGUN = re.compile(r"(?<!\\)(?:\\\\)*\\(?:u[0-9a-f]{0,3})?$")  # an escape of which the end is missing


class Copy(NamedTuple):
    """A choice for a slot: its ids, the piece of the document that it copies or NO_PIECE, and its cost in nats.

    plain: the ids that the document has in its place, None if they are the same
    """

    ids: Ids
    piece: int = NO_PIECE
    cost: float = 0.0
    plain: Ids | None = None

    def between(self, before: Sequence[int], behind: Sequence[int] = ()) -> Copy:
        """The choice with ids in front of it and behind it."""
        plain = None if self.plain is None else (*before, *self.plain, *behind)
        return self._replace(ids=(*before, *self.ids, *behind), plain=plain)


class ChoiceTable(NamedTuple):
    """The choices for a slot: their ids [C, L], their pieces [C] and costs [C].

    plain: [C, L] the ids that the document has in their place, None if all are the same
    """

    choices: Tensor
    pieces: Tensor
    costs: Tensor
    plain: Tensor | None = None


def joined(table: ChoiceTable, more: ChoiceTable) -> ChoiceTable:
    """The choices of a table, and those of another with slots of the same length that it lacks."""
    new = (more.choices[:, None] != table.choices).any(-1).all(-1)
    own, other = (one.choices if one.plain is None else one.plain for one in (table, more))
    plain = None if table.plain is None and more.plain is None else torch.cat([own, other[new]])
    choices, pieces, costs = (
        torch.cat([one, two[new]]) for one, two in zip(table[:3], more[:3], strict=True)
    )
    return ChoiceTable(choices, pieces, costs, plain)


@dataclass(frozen=True)
class TableMaker:
    """How tables are made: of the first `most` choices, padded with null tokens.

    A choice that is too long is cut behind a whole character, and filled to the brim with points, so that the slot is
    seen to be full and grows.
    decode: the bytes that ids spell; null, point: the ids of the token of zero width and of a point
    """

    decode: Callable[[Sequence[int]], bytes]
    null: int
    point: int
    most: int

    def __call__(self, choices: Iterable[Copy], length: int) -> ChoiceTable:
        """The table of choices for a slot of a length."""
        rows: dict[Ids, Copy] = {}
        for one in choices:
            rows.setdefault(one.ids[:length], one)
        kept = [rows[ids] for ids in list(rows)[: self.most]]
        held = torch.tensor([self._cut(one.ids, length) for one in kept])
        plain = torch.tensor([self._padded(one.plain or one.ids, length) for one in kept])
        pieces, costs = torch.tensor([one.piece for one in kept]), torch.tensor([one.cost for one in kept])
        return ChoiceTable(held, pieces, costs, None if torch.equal(held, plain) else plain)

    def _padded(self, ids: Ids, length: int) -> Ids:
        return (*ids[:length], *[self.null] * (length - len(ids)))

    def _cut(self, ids: Ids, length: int) -> Ids:
        """The ids in so many positions."""
        if len(ids) <= length:
            return self._padded(ids, length)
        end = length
        while end and not _whole(self.decode(ids[:end])):
            end -= 1
        return (*ids[:end], *[self.point] * (length - end))


def _whole(text: bytes) -> bool:
    """Whether a text ends behind a whole character, and behind a whole escape."""
    try:
        return _BEGUN.search(text.decode()) is None
    except UnicodeDecodeError:
        return False
