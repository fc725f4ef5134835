"""Which region gets a piece that several would copy: laws over random regions, and the example of the docstring."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from structgen_mini.assignment import crowding_costs
from structgen_mini.regions import CopySource, Region

PIECES = 3


def region(pieces: list[int]) -> Region:
    return Region(0, torch.zeros(len(pieces), 1, dtype=torch.int64), torch.tensor(pieces))


def random_case(seed: int) -> tuple[list[Region], list[torch.Tensor], torch.Tensor]:
    """Regions that may each copy any piece or none, what that is worth, and how often each piece occurs."""
    generator = torch.Generator().manual_seed(seed)
    regions = [region([*range(PIECES), -1]) for _ in range(5)]
    worths = [torch.randn(PIECES + 1, generator=generator) for _ in regions]
    return regions, worths, torch.randint(0, 3, (PIECES,), generator=generator)


@pytest.mark.parametrize("seed", range(30))
def test_at_a_high_price_no_piece_is_chosen_more_often_than_it_occurs(seed: int) -> None:
    regions, worths, occurrences = random_case(seed)
    costs = crowding_costs(regions, worths, occurrences, 1000.0)
    chosen = Counter(int((worth - cost).argmax()) for worth, cost in zip(worths, costs, strict=True))
    assert all(chosen[piece] <= often for piece, often in enumerate(occurrences.tolist()))


@pytest.mark.parametrize("seed", range(30))
def test_only_copies_cost_anything_and_the_surest_region_pays_only_for_what_never_occurs(seed: int) -> None:
    regions, worths, occurrences = random_case(seed)
    costs = crowding_costs(regions, worths, occurrences, 2.5)
    assert all(float(cost[-1]) == 0.0 and set(cost.tolist()) <= {0.0, 2.5} for cost in costs)
    margins = [float(best[0] - best[1]) for best in (worth.topk(2).values for worth in worths)]
    first = costs[margins.index(max(margins))]
    assert first[:-1].tolist() == [0.0 if often else 2.5 for often in occurrences.tolist()]


@pytest.mark.parametrize("seed", range(10))
def test_enough_of_everything_costs_nothing(seed: int) -> None:
    regions, worths, _ = random_case(seed)
    costs = crowding_costs(regions, worths, torch.full((PIECES,), len(regions)), 9.0)
    assert not any(cost.any() for cost in costs)


def test_the_example_of_the_docstring() -> None:
    worths = [torch.tensor([-0.1, -4.0]), torch.tensor([-0.5, -1.5])]
    vendor, customer = crowding_costs([region([0, 1])] * 2, worths, torch.tensor([1, 1]), 3.0)
    assert vendor.tolist() == [0.0, 0.0]
    assert customer.tolist() == [3.0, 0.0]


def test_a_plentiful_piece_occurs_once_for_each_region() -> None:
    source = CopySource(places=[[0], [1, 4], []], plenty=frozenset({2}))
    assert source.occurrences(7).tolist() == [1, 2, 7]
