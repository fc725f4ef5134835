"""The layout of an answer's first block: the scaffold that is pinned, found in a few attempts.

At first slots have their usual lengths, or shorter ones if the usual ones leave no room for a list of large items, and
arrays are open. The model and the document say how many items there are (counting.py): the model makes one forward pass
while everything is still noise, and the lattice gives the probability of each number of items, which is the sum over
all answers with that many. (The single most probable answer has too few items, because every value that is left out is
a value that cannot be wrong.) Then the items are pinned like everything else, and only values are left to fill in. A
text slot that its value fills to the brim is doubled, because the value may be longer.

The canvas ends behind the layout: a model that attends to all positions pays for each, and padding says nothing.

A layout is a preference. The constraint alone decides what is valid; a layout that it rules out is dropped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.probe import Probe, probe
from structgen_mini.canvas import Canvas
from structgen_mini.constants import SlotSizes
from structgen_mini.outline import Outline
from structgen_mini.placing import OPEN, Scaffold, Slot
from structgen_mini.scaffold import item_patterns, least_items, scaffold

STRIDE = 16  # positions: canvases have multiples of it
GROWING = ("string", "name", "email", "any", "union", "member")  # kinds whose values may be of any length


Words = tuple[int, int]  # the words start … end − 1 of the document


@dataclass(frozen=True)
class Listing:
    """Where the document lists the items of an array, one after the other.

    items: the words of each item; columns: for the members that have a column, those of each item's cell, by the
    member's pointer inside the item
    """

    items: Sequence[Words]
    columns: Mapping[str, Sequence[Words]] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """The pinned blocks of an answer, and how they were chosen.

    block: the ids of the block, or of several behind each other, −1 where they are open; it ends with padding
    size: the positions of one block, a multiple of STRIDE
    slots: lengths of slots by kind; sizes: of single slots that differ; counts: items of arrays; listings: of arrays
    that the document lists; all three by JSON pointer
    """

    outline: Outline
    scaffold: Scaffold
    block: tuple[int, ...]
    size: int
    slots: SlotSizes
    sizes: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    listings: Mapping[str, Listing] = field(default_factory=dict)


def first_layout(canvas: Canvas, outline: Outline) -> Layout | None:
    """The layout with open arrays, and with snug slots if these have room for more items than the usual ones.

    None if the vocabulary has no token that fills slots or the block is too short.
    """
    sizes = canvas.constants.slots
    usual, snug = (_laid(canvas, outline, {}, {}, slots) for slots in (sizes.usual, sizes.snug))
    if usual is None or snug is None:
        return usual or snug
    more = sum(map(len, item_slots(canvas, snug).values())) > sum(
        map(len, item_slots(canvas, usual).values())
    )
    return snug if more else usual


Weights = dict[Slot, list[float]]  # for each open array the weight of 0, 1, 2 … items, in nats


def count_weights(
    canvas: Canvas,
    layout: Layout,
    automaton: TokenAutomaton,
    prompt: Sequence[int],
    generator: torch.Generator,
) -> Weights:
    """The weight of each number of items by the model's first forward pass.

    automaton: of the whole constraint; prompt: token ids
    """
    patterns = item_slots(canvas, layout)
    if not patterns:
        return {}
    seen = first_look(canvas, layout.block, automaton, prompt, generator)
    return {
        slot: [_weight(seen, layout, slot.start, pattern) for pattern in ids]
        for slot, ids in patterns.items()
    }


def counted(canvas: Canvas, layout: Layout, weights: Weights) -> Layout:
    """The layout with the likeliest number of items in every array; unchanged if that does not fit the block."""
    counts = likeliest(layout, weights)
    return (lay(canvas, layout.outline, layout.sizes, counts) if counts else None) or layout


def likeliest(layout: Layout, weights: Weights) -> dict[str, int]:
    """The likeliest number of items of each array, by pointer; never fewer than the schema asks for."""
    return {
        slot.pointer: max(range(least_count(layout, slot, found), len(found)), key=found.__getitem__)
        for slot, found in weights.items()
    }


def least_count(layout: Layout, slot: Slot, weights: Sequence[float]) -> int:
    """The fewest items that an array may have, or the most that have a weight if that is fewer."""
    return min(least_items(layout.outline, slot), len(weights) - 1)


def item_slots(canvas: Canvas, layout: Layout) -> dict[Slot, list[tuple[int, ...]]]:
    """The slots of open arrays, each with its ids for 0, 1, 2 … items; see `item_patterns`."""
    encode = canvas.spelling.encode
    found = {
        slot: item_patterns(layout.outline, slot, encode, canvas.spelling.null_id, slots=layout.slots)
        for slot in layout.scaffold.slots
    }
    return {slot: patterns for slot, patterns in found.items() if patterns}


def first_look(
    canvas: Canvas,
    pinned: Sequence[int],
    automaton: TokenAutomaton,
    prompt: Sequence[int],
    generator: torch.Generator,
    *,
    remaining: int = 0,
) -> Probe:
    """The model's first forward pass on a few canvases: the pinned ids, and noise where these are −1.

    remaining: tokens that an answer may take beyond the first block
    """
    settled = torch.tensor(pinned).expand(canvas.constants.layouts.canvases, -1)
    denoiser = canvas.cut(len(pinned)).denoiser
    return probe(denoiser, prompt, automaton, settled, generator, remaining=remaining)


def _weight(seen: Probe, layout: Layout, start: int, pattern: Sequence[int]) -> float:
    """Log-probability that an answer has these ids from position `start` on, and anything where they are OPEN."""
    ids = torch.full((len(layout.block),), OPEN)
    ids[start : start + len(pattern)] = torch.tensor(pattern)
    return float(seen.log_prob(ids).logsumexp(0))


Longer = Callable[[str, Sequence[int]], bool]  # whether a longer value of a kind begins with these ids


def grown(
    canvas: Canvas, layout: Layout, ids: tuple[int, ...], longer: Longer | None = None
) -> Layout | None:
    """The layout with larger slots for the texts that fill theirs; None if no slot is full or there is no room.

    A slot of another kind grows if its value may be cut.
    ids: of the answer that was written into the layout; longer: whether the document states a longer value
    """
    used = _used_lengths(canvas, layout, ids)
    full = [slot for slot, length in used.items() if length == slot.length]
    if longer is not None:
        full += [
            slot
            for slot in layout.scaffold.slots
            if slot not in used and longer(slot.kind, ids[slot.start : slot.start + slot.length])
        ]
    if not full:
        return None
    further = len(layout.block) > layout.size
    return (
        None if further else _all_doubled(canvas, layout, full) or _some_grown(canvas, layout, full, used)
    ) or _all_doubled(canvas, layout, full, onward=True)


def _used_lengths(canvas: Canvas, layout: Layout, ids: Sequence[int]) -> dict[Slot, int]:
    """How many positions the value of each slot takes, for the kinds of slots that may grow."""
    return {
        slot: _used(ids[slot.start : slot.start + slot.length], canvas.spelling.null_id)
        for slot in layout.scaffold.slots
        if slot.kind in GROWING
    }


def _used(held: Sequence[int], null_id: int) -> int:
    """How many positions of a slot a value takes: the first null token ends it."""
    return next((at for at, token in enumerate(held) if token == null_id), len(held))


def _all_doubled(
    canvas: Canvas, layout: Layout, full: Sequence[Slot], *, onward: bool = False
) -> Layout | None:
    """The layout with all full slots doubled; None if it does not fit with the slots that the others have.

    onward: further blocks may be taken, and then all slots may have other lengths
    """
    growth = canvas.constants.layouts.growth
    sizes = {**layout.sizes, **{slot.pointer: growth * slot.length for slot in full}}
    larger = lay(canvas, layout.outline, sizes, layout.counts, layout.listings, onward=onward)
    return larger if larger is not None and (onward or larger.slots == layout.slots) else None


def _some_grown(
    canvas: Canvas, layout: Layout, full: Sequence[Slot], used: Mapping[Slot, int]
) -> Layout | None:
    """The layout with as many full slots enlarged, in order, as fit once the other text slots are cut to their values.

    A full slot is multiplied by the growth or, if that is too much, grows by half.
    """
    growth, larger = canvas.constants.layouts.growth, None
    sizes = {**layout.sizes, **{slot.pointer: min(slot.length, length + 1) for slot, length in used.items()}}
    for slot in full:
        for length in (growth * slot.length, slot.length + (slot.length + 1) // 2):
            sizes_now = {**sizes, slot.pointer: length}
            fitting = lay(canvas, layout.outline, sizes_now, layout.counts, layout.listings)
            if fitting is not None:
                larger, sizes[slot.pointer] = fitting, length
                break
    return larger


def lay(
    canvas: Canvas,
    outline: Outline,
    sizes: Mapping[str, int],
    counts: Mapping[str, int],
    listings: Mapping[str, Listing] | None = None,
    *,
    onward: bool = False,
) -> Layout | None:
    """The layout with these sizes and counts, and with snug slots if the usual ones do not fit.

    onward: what does not fit one block goes on in further ones. None if the vocabulary has no token that fills slots or
    the block is too short.
    """
    slots = canvas.constants.slots
    usual = _laid(canvas, outline, sizes, counts, slots.usual)
    found = usual or _laid(canvas, outline, sizes, counts, slots.snug)
    if found is None and onward:
        found = _laid(canvas, outline, sizes, counts, slots.usual, onward=True)
    return found and replace(found, listings=listings or {})


def _laid(
    canvas: Canvas,
    outline: Outline,
    sizes: Mapping[str, int],
    counts: Mapping[str, int],
    slots: SlotSizes,
    *,
    onward: bool = False,
) -> Layout | None:
    spelling, size = canvas.spelling, canvas.denoiser.block_length
    if spelling.null_id < 0:
        return None
    laid = scaffold(
        outline,
        spelling.encode,
        spelling.null_id,
        slots=slots,
        sizes=sizes,
        counts=counts,
        block=size,
        onward=onward,
    )
    if laid is None:
        return None
    size = min(size, _rounded(len(laid.ids) + 1, STRIDE))
    tail = _rounded(len(laid.ids) + 1, size) - len(laid.ids)
    padding = (spelling.end_id, *[spelling.pad_id] * tail)[:tail]
    return Layout(outline, laid, (*laid.ids, *padding), size, slots, sizes, counts)


def _rounded(length: int, step: int) -> int:
    """The next multiple of a step."""
    return -(-length // step) * step


def quoted_outside(canvas: Canvas, layout: Layout, slot: Slot) -> bool:
    """Whether the quotes of a slot's string are pinned around it."""
    return canvas.spelling.decode(layout.scaffold.ids[: slot.start][-1:]).endswith(b'"')


def listed_place(layout: Layout, slot: Slot) -> tuple[Words, bool] | None:
    """The words of the document for a slot in a listed array, and whether they are the cell of its column."""
    for pointer, listing in layout.listings.items():
        if slot.pointer.startswith(f"{pointer}/"):
            item, inside = item_and_member(pointer, slot)
            if inside in listing.columns:
                return listing.columns[inside][item], True
            return listing.items[item], False
    return None


def item_and_member(array: str, slot: Slot) -> tuple[int, str]:
    """The number of the item of an array that a slot is in, and its pointer inside the item."""
    item, slash, inside = slot.pointer.removeprefix(f"{array}/").partition("/")
    return int(item), slash + inside


def slots_of_items(layout: Layout, pointer: str) -> list[int]:
    """The number of slots of each item of an array; empty if the array lies inside the items of another."""
    records = records_of(layout, [slot.start for slot in layout.scaffold.slots])
    return [len(slots) for slots in records.get(pointer, [])]


def records_of(layout: Layout, starts: Sequence[int]) -> dict[str, list[list[int]]]:
    """The items of each outermost array, each item as the indices of its slots among `starts`."""
    index = {start: at for at, start in enumerate(starts)}
    arrays = defaultdict[str, dict[str, list[int]]](lambda: defaultdict(list))
    outer = [
        one
        for one in layout.counts
        if one not in layout.listings and not any(one.startswith(f"{other}/") for other in layout.counts)
    ]
    for slot in layout.scaffold.slots:
        for array in outer:
            if slot.pointer.startswith(f"{array}/") and slot.start in index:
                item = slot.pointer.removeprefix(f"{array}/").partition("/")[0]
                arrays[array][item].append(index[slot.start])
    return {pointer: list(items.values()) for pointer, items in arrays.items()}
