"""Regions of a block, the sequences that each may hold, and the source from which these are copied.

Axes: B batch, N block, V vocabulary, C choices, L length of a region, U words of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

RAREST = 21.0  # nats against a token: no model gives one less than a probability of 1e-9 (model.py, FLOOR)


def unlikelier(length: int) -> float:
    """Nats that make something unlikelier than every choice of so many tokens, whatever the model thinks of these."""
    return RAREST * (length + 1)


@dataclass(frozen=True, eq=False)
class Region:
    """Positions start … start + L − 1 of a block, and the sequences that they may hold: choices [C, L] int64.

    pieces: [C] int64, the piece of the source that each choice copies, −1 for none; None if no choice is a copy
    costs: [C] nats of each choice; None if all are free
    penalty: nats for anything else; None for the usual number
    plain: [C, L] int64, the choices as the source spells them, by which they are weighed too; None if that is the same
    """

    start: int
    choices: Tensor
    pieces: Tensor | None = None
    costs: Tensor | None = None
    penalty: float | None = None
    plain: Tensor | None = None

    @property
    def inside(self) -> slice:
        """Its positions."""
        return slice(self.start, self.start + self.choices.shape[1])

    def moved(self, positions: int) -> Region:
        """The region further on."""
        return replace(self, start=self.start + positions)

    @property
    def own_costs(self) -> Tensor:
        """[C] nats, zeros if all choices are free."""
        return torch.zeros(len(self.choices)) if self.costs is None else self.costs


@dataclass(frozen=True, eq=False)
class CopySource:
    """The text that choices are copied from, as far as the prior needs to know it.

    places: for each piece of it the words where it begins, one for each time it occurs
    breaks: [U] nats, the cost for a record to go on to each word from the word before it
    records: lists whose items are described one after the other; for each item the indices of its regions
    plenty: pieces that any number of regions may hold
    escapes: ids that a JSON string escapes or begins an escape with; only choices hold such
    """

    places: Sequence[Sequence[int]] = ()
    breaks: Sequence[float] = ()
    records: Sequence[Sequence[Sequence[int]]] = ()
    plenty: frozenset[int] = frozenset()
    escapes: Sequence[int] = ()

    def occurrences(self, regions: int) -> Tensor:
        """[pieces] int64: how many of so many regions may hold each piece."""
        often = [regions if at in self.plenty else len(words) for at, words in enumerate(self.places)]
        return torch.tensor(often, dtype=torch.int64)


def weighed(scores: Tensor, region: Region) -> Tensor:
    """Log-probability [B, C] nats of each choice of a region, as it is or as the source spells it."""
    held = filled(scores, region.choices)
    return held if region.plain is None else held.maximum(filled(scores, region.plain))


def filled(scores: Tensor, choices: Tensor) -> Tensor:
    """Log-probability [B, C] nats of each of choices [C, L] under independent log-probabilities [B, L, V]."""
    return scores.gather(2, choices.to(scores.device).T.expand(len(scores), -1, -1)).sum(1)
