"""What a reader says of lists: where items begin, which spans they are, and which parts of a series hold one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch

from structgen_mini.canvas import ListedSeries
from structgen_mini.reader.listed import FoundItem, share_read, trimmed
from structgen_mini.reader.net import MASKED
from structgen_mini.reader.reading import FieldReading, PageView

WORDS = ["Signed", "by", "Ann", "Roy", ",", "Ben", "and", "Eva", "today"]


def span(first: int, last: int) -> tuple[int, int]:
    """The characters of words first to last of the document."""
    start = len(" ".join(WORDS[:first])) + bool(first)
    return start, len(" ".join(WORDS[: last + 1]))


@dataclass(frozen=True)
class Likely:
    """A value that begins at a word with this weight against "not stated", and ends at another."""

    first: int
    last: int
    weight: float


def reading(*values: Likely) -> FieldReading:
    starts = torch.full((len(WORDS),), MASKED)
    ends = torch.full((len(WORDS), len(WORDS)), MASKED)
    ends.fill_diagonal_(-1.0)
    for one in values:
        starts[one.first] = math.log(one.weight)
        ends[one.first, one.last] = 0.0
    begins, behind = zip(*(span(at, at) for at in range(len(WORDS))), strict=True)
    return FieldReading([PageView(begins, behind, starts, ends)])


NAMES = reading(Likely(2, 3, 4.0), Likely(5, 5, 3.0), Likely(7, 7, 2.0), Likely(8, 8, 0.02))
SERIES = ListedSeries(
    "enumeration", [FoundItem(*span(*at)) for at in [(0, 1), (2, 3), (5, 5), (6, 6), (7, 7), (8, 8)]]
)


def test_the_share_of_a_part_is_that_of_the_values_that_begin_in_it():
    shares = NAMES.begun((span(0, 1), span(2, 5), span(7, 8)))
    assert shares.tolist() == pytest.approx([0.0, 7 / 10.02, 2.02 / 10.02])


def test_items_are_the_likeliest_spans_in_the_order_of_the_document():
    assert NAMES.items(0.3) == [span(2, 3), span(5, 5), span(7, 7)]
    assert NAMES.items(0.9) == [span(2, 3)]


def test_no_item_lies_inside_another():
    assert reading(Likely(2, 5, 4.0), Likely(5, 5, 3.0), Likely(7, 7, 2.0)).items(0.3) == [
        span(2, 5),
        span(7, 7),
    ]


def test_a_series_ends_where_its_items_do_and_keeps_what_is_between():
    found = trimmed([NAMES], SERIES)
    assert [(part.start, part.end) for part in found.parts] == [
        span(2, 3),
        span(5, 5),
        span(6, 6),
        span(7, 7),
    ]
    assert trimmed([None], SERIES) == SERIES
    assert trimmed([reading(Likely(2, 3, 4.0))], SERIES) == SERIES  # one item is no list


def test_a_series_is_a_list_as_far_as_items_begin_in_its_parts():
    assert share_read([NAMES], SERIES) == pytest.approx(9.02 / 10.02 * 3 / 6)
    assert share_read([NAMES], trimmed([NAMES], SERIES)) > 0.6
    assert share_read([None], SERIES) == 0.0
