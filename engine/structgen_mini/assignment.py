"""Which region gets a piece of the source that several would copy: the surest region first.

Two values of an answer are seldom copies of the same words. A piece that occurs k times in the source is free for k
regions; for any other it costs `crowding` nats more. The best assignment of pieces to regions is an assignment problem
(Kuhn 1955). The greedy answer here is enough in practice: regions choose in turn, by the margin between their best and
second-best choice.

An example: the source says "Acme" and "Bolt" once each, and crowding is 3 nats.

    region     Acme   Bolt   margin   chooses in turn
    vendor     −0.1   −4.0   3.9      Acme, the first choice; no Acme is left
    customer   −0.5   −1.5   1.0      Bolt: Acme now costs 3.5, Bolt 1.5

Axes: C choices of a region.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from structgen_mini.regions import Region


def crowding_costs(
    regions: Sequence[Region], worths: Sequence[Tensor], occurrences: Tensor, crowding: float
) -> list[Tensor]:
    """For each region the nats [C] that its choices cost because surer regions use their pieces.

    worths: for each region [C] nats, what each choice is worth to it; occurrences: [pieces], how often each is free
    """
    left = occurrences.clone()
    costs = [torch.zeros_like(worth) for worth in worths]
    for at in sorted(range(len(regions)), key=lambda region: _margin(worths[region]), reverse=True):
        pieces = regions[at].pieces
        if pieces is None or not len(left):
            continue
        gone = (pieces >= 0) & (left[pieces.clamp_min(0)] <= 0)
        costs[at] = torch.where(gone, crowding, 0.0).to(worths[at])
        chosen = int(pieces[int((worths[at] - costs[at]).argmax())])
        if chosen >= 0:
            left[chosen] -= 1
    return costs


def _margin(worth: Tensor) -> float:
    """Nats between the best of the choices [C] and the next."""
    best = worth.topk(min(2, len(worth))).values
    return float(best[0] - best[-1])
