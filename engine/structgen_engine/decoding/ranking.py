"""The likeliest groups of accepted strings, where one group is everything that means the same.

A text has many divisions into tokens, and a value has many texts, so the n heaviest strings are rarely n answers. The
strings come out of the lattice in order, the heaviest first. Each is a new spelling or one that was met before; the
probability of a spelling is summed over all its divisions at once, those that would come much later included.

    P(group) ≥ Σ P(spelling)   over the spellings of the group that were met
    R = 1 − Σ P(spelling)      over all spellings that were met: what all others together can still add

The order of the first n groups is certain once each is at least R ahead of the next: whatever was not met could lift
the next one by R at most. That is Lawler's n-best search (1972) with a stopping rule for sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.decoding.blocks import Block
from structgen_engine.decoding.region import RegionLattice, region

EFFORT = 400  # strings that are looked at
ROUNDING = 1e-9  # probabilities that differ by less count as equal


@dataclass(frozen=True, eq=False)
class LastLook:
    """What the last step of a block saw.

    part: the possible blocks; logits: [n, ≥ V]; settled: [n] int64, −1 where open
    """

    part: Block
    logits: Tensor
    settled: Tensor
    temperature: float

    def lattice(self, ids: Tensor) -> RegionLattice:
        """The strings that all positions may hold; ids: [n] an accepted block."""
        pinned = (self.settled >= 0).nonzero().flatten()
        logits = self.logits.float()
        logits[pinned] = IMPOSSIBLE
        logits[pinned, self.settled[pinned].to(logits.device)] = 0.0
        return region(self.part, ids, 0, len(ids), logits, temperature=self.temperature)


@dataclass(frozen=True)
class Group:
    """Strings that mean the same: the heaviest of them, and the log-probability of all that were met.

    certified: whether no group that follows, met or not, can be likelier
    """

    key: Hashable
    ids: Sequence[int]
    log_prob: float
    certified: bool


def ranked(
    lattice: RegionLattice,
    spelling: Callable[[list[int]], Hashable],
    meaning: Callable[[Any], Hashable | None],
    log_prob: Callable[[Any], float],
    most: int,
    *,
    effort: int = EFFORT,
) -> list[Group]:
    """Up to `most` groups of strings, the likeliest first.

    spelling: what a string spells; meaning: the group of a spelling, None for one that belongs to none
    log_prob: log-probability of all strings with a spelling
    """
    met: set[Hashable] = set()
    groups: dict[Hashable, tuple[list[int], float]] = {}
    rest, exhausted, order = 1.0, True, []
    for count, (ids, _) in enumerate(lattice.heaviest(effort), 1):
        spelled = spelling(ids)
        if spelled not in met:
            met.add(spelled)
            share = math.exp(log_prob(spelled))
            rest -= share
            key = meaning(spelled)
            if key is not None:
                first, known = groups.get(key, (ids, 0.0))
                groups[key] = first, known + share
        order = sorted(groups, key=lambda key: -groups[key][1])[: most + 1]
        if _certain([groups[key][1] for key in order], most, rest):
            break
        exhausted = count < effort
    shares = [groups[key][1] for key in order]
    left = 0.0 if exhausted and not _certain(shares, most, rest) else max(rest, 0.0)
    return [
        Group(key, groups[key][0], math.log(share) if share else IMPOSSIBLE, _ahead(shares, k, left))
        for k, (key, share) in enumerate(zip(order[:most], shares, strict=False))
    ]


def _certain(shares: Sequence[float], most: int, rest: float) -> bool:
    """Whether the order of the first `most` groups can no longer change."""
    return len(shares) >= most and all(_ahead(shares, k, rest) for k in range(most))


def _ahead(shares: Sequence[float], k: int, rest: float) -> bool:
    """Whether group k is at least `rest` ahead of the next."""
    following = shares[k + 1] if k + 1 < len(shares) else 0.0
    return shares[k] + ROUNDING >= following + rest


def last_look(part: Block, logits: Tensor, settled: Tensor, temperature: float) -> LastLook:
    """A look that keeps its own copy of the logits [n, ≥ V], which a loop writes over; settled: [n]."""
    with torch.inference_mode(False):
        return LastLook(part, logits.clone(), settled.clone(), temperature)
