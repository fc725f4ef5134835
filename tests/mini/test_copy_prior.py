"""Preferred fillings against enumeration."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import torch

from minis import CONSTANTS
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Uniform
from structgen_mini.constants import Copies
from structgen_mini.copy_prior import CopyPrior, max_marginals
from structgen_mini.regions import CopySource, Region, filled

LENGTH, VOCABULARY = 3, 5


def costs(penalty: float, *, crowding: float = 0.0, away: float = 0.0) -> Copies:
    return replace(CONSTANTS.copies, penalty=penalty, crowding=crowding, away=away)


def by_enumeration(scores: torch.Tensor, choices: torch.Tensor, penalty: float) -> torch.Tensor:
    """Max-marginals [L, V] from every filling of the region."""
    known = set(map(tuple, choices.tolist()))
    result = torch.full(scores.shape, -torch.inf)
    for filling in product(range(scores.shape[1]), repeat=len(scores)):
        weight = scores[torch.arange(len(scores)), list(filling)].sum()
        weight = weight - (0.0 if filling in known else penalty)
        for k, token in enumerate(filling):
            result[k, token] = torch.maximum(result[k, token], weight)
    return result


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("penalty", [0.0, 2.0, 50.0])
def test_max_marginals_equal_enumeration(seed: int, penalty: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, LENGTH, VOCABULARY, generator=generator) * 3
    choices = torch.randint(VOCABULARY, (4, LENGTH), generator=generator)
    scores = logits.log_softmax(-1)
    found = max_marginals(scores, choices, torch.full((2,), penalty), filled(scores, choices))
    for row in range(2):
        scores = logits[row].log_softmax(-1)
        torch.testing.assert_close(found[row], by_enumeration(scores, choices, penalty), atol=1e-4, rtol=1e-5)


def test_the_best_token_of_each_position_is_the_best_choice() -> None:
    """The example of the docstring: position by position a mixture wins, with the choices it does not."""
    logits = torch.log(torch.tensor([[[0.55, 0.45], [0.40, 0.60], [0.60, 0.40]]]))
    choices = torch.tensor([[0, 0, 0], [1, 1, 1]])
    assert logits.argmax(-1).tolist() == [[0, 1, 0]]
    found = max_marginals(logits, choices, torch.tensor([6.0]), filled(logits, choices))
    assert found.argmax(-1).tolist() == [[0, 0, 0]]
    torch.testing.assert_close(found, torch.tensor([[[-2.03, -2.23]] * 3]), atol=0.01, rtol=0)


class TestTheWrapper:
    def wrapped(self, *regions: Region) -> tuple[RandomDenoiser, CopyPrior]:
        inner = RandomDenoiser(Uniform(2, 9), 6, 9, seed=1)
        return inner, CopyPrior(inner, regions, CopySource(), costs(20.0))

    def test_only_the_regions_of_the_first_block_change(self) -> None:
        inner, outer = self.wrapped(Region(2, torch.tensor([[3, 4], [5, 6]])))
        canvas = torch.tensor([[2, 3, 4, 5, 6, 7]])
        before, plain = outer.start([[1, 2]]), inner.start([[1, 2]])
        changed, same = outer(before, canvas), inner(plain, canvas)
        assert torch.equal(changed[:, [0, 1, 4, 5]], same[:, [0, 1, 4, 5]])
        assert changed[0, 2:4].argmax(-1).tolist() in ([3, 4], [5, 6])
        later = outer(outer.extend(before, canvas), canvas)
        assert torch.equal(later, inner(inner.extend(plain, canvas), canvas))

    def test_rows_can_be_selected(self) -> None:
        inner, outer = self.wrapped(Region(0, torch.tensor([[3, 4]])))
        both = outer.start([[1], [2]])
        canvas = torch.tensor([[2, 3, 4, 5, 6, 7]])
        one = outer(both.select(torch.tensor([1])), canvas)
        assert torch.equal(one[:, 2:], inner(inner.start([[2]]), canvas)[:, 2:])

    def test_the_denoisers_own_attributes_are_kept(self) -> None:
        inner, outer = self.wrapped()
        assert (outer.noise, outer.block_length, outer.vocabulary_size) == (inner.noise, 6, 9)
        assert not outer.self_conditioning


class TestPiecesThatAreUsedUp:
    SCORES = torch.tensor([[[0.0, 5.0, 1.0]], [[0.0, 3.0, 2.0]]])  # [N, 1, V]: both would like token 1

    def chosen(self, occurrences: list[int], crowding: float) -> list[int]:
        """The tokens that two regions of one position choose, token v being piece v − 1 of the source."""
        scores = self.SCORES

        class Fixed(RandomDenoiser):
            def __call__(self, context: object, canvas: torch.Tensor) -> torch.Tensor:
                return scores.transpose(0, 1)

        inner = Fixed(Uniform(1, 3), 2, 3)
        regions = [Region(at, torch.tensor([[1], [2]]), torch.tensor([0, 1])) for at in range(2)]
        text = CopySource(places=[list(range(count)) for count in occurrences])
        outer = CopyPrior(inner, regions, text, costs(9.0, crowding=crowding))
        return outer(outer.start([[1]]), torch.zeros(1, 2, dtype=torch.int64))[0].argmax(-1).tolist()

    def test_the_surer_region_has_it(self) -> None:
        assert self.chosen([1, 1], 3.0) == [1, 2]

    def test_what_occurs_twice_can_be_used_twice(self) -> None:
        assert self.chosen([2, 1], 3.0) == [1, 1]

    def test_it_is_a_preference(self) -> None:
        assert self.chosen([1, 1], 0.5) == [1, 1]
        assert self.chosen([1, 1], 0.0) == [1, 1]


class TestRecords:
    """Two records of a name and a price, told as "1 3 2 4": names are tokens 1 and 2, prices 3 and 4."""

    def chosen(self, scores: list[list[float]], away: float) -> list[int]:
        wanted = torch.tensor(scores)[None]

        class Fixed(RandomDenoiser):
            def __call__(self, context: object, canvas: torch.Tensor) -> torch.Tensor:
                return wanted

        names, prices = (
            (torch.tensor([[1], [2]]), torch.tensor([0, 1])),
            (
                torch.tensor([[3], [4]]),
                torch.tensor([2, 3]),
            ),
        )
        regions = [Region(at, *(names, prices)[at % 2]) for at in range(4)]
        text = CopySource([[0], [2], [1], [3]], [0.0] * 4, [[[0, 1], [2, 3]]])
        outer = CopyPrior(Fixed(Uniform(1, 5), 4, 5), regions, text, costs(9.0, away=away))
        return outer(outer.start([[1]]), torch.zeros(1, 4, dtype=torch.int64))[0].argmax(-1).tolist()

    # a little more for the other record's price than for its own, in each record
    CROSSED = (
        ([0.0, 5.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0, 3.0]),
        (
            [0.0, 0.0, 5.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 3.0, 2.0],
        ),
    )

    def test_the_fields_of_one_record_come_from_one_place(self) -> None:
        scores = [row for record in self.CROSSED for row in record]
        assert self.chosen(scores, 0.0) == [1, 4, 2, 3]
        assert self.chosen(scores, 4.0) == [1, 3, 2, 4]

    def test_it_is_a_preference(self) -> None:
        scores = [row for record in self.CROSSED for row in record]
        scores[1] = [0.0, 0.0, 0.0, -9.0, 3.0]
        assert self.chosen(scores, 4.0)[1] == 4
