"""Answers over several blocks: no slot reaches over the end of one, and zero-width tokens fill what is left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from structgen_mini.placing import (
    BETWEEN_ITEMS,
    OPEN,
    OpenPart,
    Piece,
    joined,
    length_of,
    over_blocks,
    placed,
)

NULL = 0


def encode(text: str) -> list[int]:
    return [ord(char) for char in text]


def pieces(lengths: list[int]) -> list[Piece]:
    found: list[Piece] = ["["]
    for at, length in enumerate(lengths):
        found += [*([BETWEEN_ITEMS, ","] if at else []), '"', OpenPart(f"/{at}", "string", length, None), '"']
    return [*found, "]"]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(14, 40))
def test_every_slot_lies_in_one_block_and_nothing_is_lost(lengths: list[int], block: int):
    parts = over_blocks(pieces(lengths), encode, NULL, block)
    assert parts is not None
    found = placed(parts, NULL)
    assert found is not None
    scaffold, _ = found
    assert [slot.length for slot in scaffold.slots] == lengths
    assert all(slot.start // block == (slot.start + slot.length - 1) // block for slot in scaffold.slots)
    kept = [one for one in scaffold.ids if one != NULL]
    whole, _ = placed(list(joined(pieces(lengths), encode)), NULL) or (scaffold, ())
    assert kept == list(whole.ids)
    assert scaffold.ids.count(OPEN) == sum(lengths)
    assert len(scaffold.ids) % block < block


def test_an_item_that_is_too_long_for_a_block_has_no_place():
    assert over_blocks(pieces([30]), encode, NULL, 20) is None
    assert length_of(over_blocks(pieces([15]), encode, NULL, 20) or []) == 19
