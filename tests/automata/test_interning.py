"""Sequences of numbers are interned as a dictionary would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen.automata.finite.interning import digest_of, find, grown_to, no_sequences, push


def interned(sequences: list[list[int]]) -> list[int]:
    """The number of each sequence, by the kernels' functions."""
    items, (offsets, digests, table), count, numbers = np.empty(1, np.int64), no_sequences(), 1, []
    for sequence in sequences:
        low, end = offsets[count], offsets[count] + len(sequence)
        items = grown_to(items, end)
        items[low:end] = sequence
        number, digest = find(items, offsets, digests, table, count, end)
        assert digest == digest_of(items, low, end)
        if not number:
            offsets, digests, table = push(offsets, digests, table, count, end, np.uint64(digest))
            number, count = count, count + 1
        numbers.append(int(number))
    return numbers


def by_dictionary(sequences: list[list[int]]) -> list[int]:
    """The same, said plainly."""
    numbers: dict[tuple[int, ...], int] = {}
    return [numbers.setdefault(tuple(sequence), len(numbers) + 1) for sequence in sequences]


@given(st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=60))
def test_equal_sequences_have_one_number(sequences: list[list[int]]) -> None:
    assert interned(sequences) == by_dictionary(sequences)


@pytest.mark.parametrize("count", [253, 254, 255, 256, 510, 511, 512, 513, 5000])
def test_numbers_stay_when_the_arrays_and_the_table_grow(count: int) -> None:
    sequences = [[number % 70, number // 70] for number in range(count)]
    assert interned(sequences + sequences[::-1]) == by_dictionary(sequences + sequences[::-1])
