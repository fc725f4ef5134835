"""What a step of vLLM's sampler asks of a GPU: launches, waits and memory, counted on meta tensors."""

from __future__ import annotations

import pytest

from integrations.vllm_counts import CANVAS, ROOM, different, step_of


@pytest.mark.parametrize("rows", [1, 8, 32])
def test_a_step_of_different_constraints_takes_ten_launches_and_one_wait(rows: int) -> None:
    """The wait is for the flags of the step before."""
    asked = step_of(different(rows), [CANVAS] * rows)
    assert asked.counts.waits == {"the step before": 1}
    assert asked.counts.total <= 12, asked.counts
    assert not asked.counts.other
    assert asked.bytes_a_row <= ROOM


@pytest.mark.parametrize(("widths", "most", "tiles"), [([16, 32, 48, 48] * 8, 64, 3), ([CANVAS] * 32, 5, 7)])
def test_each_tile_that_vllm_makes_takes_one_launch_more(widths: list[int], most: int, tiles: int) -> None:
    """Canvases of several lengths, and more than memory holds the statistics of at once."""
    asked = step_of(different(len(widths)), widths, most=most)
    assert asked.tiles == tiles
    assert asked.counts.waits == {"the step before": 1}
    assert asked.counts.total == 9 + tiles, asked.counts
    assert asked.counts.sent == 1
    assert not asked.counts.other
    assert asked.bytes_a_row <= ROOM
