"""How many items an array has: what the document says, added to what the model says.

From noise alone a small model counts badly. But in a layout with the right number of items it fills each item from one
place of the document. With an item too many or too few, some item has no place of its own or takes its fields from
several places (records.py). So numbers of items are laid out and looked at, and each is scored by how well the document
describes its items, on top of how likely the model finds it. The search climbs: it begins with the number that the
model finds likeliest and goes on while one item less, one more or two more are better. A number that would not be
better if the document described all of its items in full is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch

from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.probe import probe
from structgen_mini.canvas import Canvas
from structgen_mini.constants import Counting
from structgen_mini.copies import Offer, coherence, copying
from structgen_mini.layout import Layout, Weights, lay, least_count, likeliest, slots_of_items
from structgen_mini.scaffold import Slot

# for each item the share that one place of the document describes, and whether it has several fields
Shares = list[tuple[float, bool]]


def coherent(
    canvas: Canvas,
    layout: Layout,
    weights: Weights,
    offer: Offer,
    automaton: TokenAutomaton,
    prompt: Sequence[int],
    seed: int,
) -> Weights:
    """The weight of each number of items of each array, by the model and the document together.

    Numbers that the search does not reach are IMPOSSIBLE, which leaves the best unchanged. Arguments as in `shares`.
    """
    counts, constants, found = likeliest(layout, weights), canvas.constants.counting, {}
    for slot, known in weights.items():
        look = partial(_look, canvas, layout, slot, counts, offer, automaton, prompt, seed)
        most = partial(_most, canvas, layout, slot, counts)
        least = least_count(layout, slot, known)
        told = climbed(known, look, max(1, least), counts[slot.pointer], constants, most)
        found[slot] = together(known, told, constants)
    return found


def shares(
    canvas: Canvas,
    layout: Layout,
    weights: Weights,
    offer: Offer,
    automaton: TokenAutomaton,
    prompt: Sequence[int],
    seed: int,
) -> dict[Slot, dict[int, Shares]]:
    """For each array and each number of items that fits the block, how well the document describes the items.

    layout: with open arrays; automaton: of the whole constraint; prompt: token ids; seed: of each look's noise. Each
    array is tried with every number of items, while the others have their likeliest number.
    """
    counts, found = likeliest(layout, weights), {}
    for slot, known in weights.items():
        told = (
            (count, _look(canvas, layout, slot, counts, offer, automaton, prompt, seed, count))
            for count in range(1, len(known))
        )
        found[slot] = {count: items for count, items in told if items is not None}
    return found


def _look(
    canvas: Canvas,
    layout: Layout,
    slot: Slot,
    counts: Mapping[str, int],
    offer: Offer,
    automaton: TokenAutomaton,
    prompt: Sequence[int],
    seed: int,
    count: int,
) -> Shares | None:
    """The shares of the items if the array of a slot has `count` of them; None if these do not fit the block."""
    laid = lay(canvas, layout.outline, layout.sizes, {**counts, slot.pointer: count})
    if laid is None:
        return None
    canvas, settled = canvas.cut(laid.size), torch.tensor([laid.block[: laid.size]])
    seen = probe(canvas.denoiser, prompt, automaton, settled, torch.Generator().manual_seed(seed))
    copier = copying(canvas, offer, laid)
    return [] if copier is None else coherence(copier, laid, slot.pointer, seen.logits[0])


def _most(canvas: Canvas, layout: Layout, slot: Slot, counts: Mapping[str, int], count: int) -> Shares | None:
    """The largest shares that `_look` could find, without a look."""
    laid = lay(canvas, layout.outline, layout.sizes, {**counts, slot.pointer: count})
    if laid is None:
        return None
    return [(1.0, slots > 1) for slots in slots_of_items(laid, slot.pointer)]


def climbed(
    known: Sequence[float],
    look: Callable[[int], Shares | None],
    least: int,
    first: int,
    constants: Counting,
    most: Callable[[int], Shares | None] | None = None,
) -> dict[int, Shares]:
    """The shares of the numbers of items, from `least` on, that a climb from the number `first` looks at.

    most: the largest shares that `look` could find, if they are known beforehand
    """
    told: dict[int, Shares] = {}
    refused: set[int] = set()

    def hopeless(count: int) -> bool:
        if most is None or here not in told:
            return False
        bound = most(count)
        nats = IMPOSSIBLE if bound is None else _own(known, count, constants) + _best(bound, constants)
        return nats < _score(known, here, told, constants)

    def score(count: int) -> float:
        if count not in told and count not in refused and least <= count < len(known):
            items = look(count) if known[count] > IMPOSSIBLE and not hopeless(count) else None
            if items is None:
                refused.add(count)
            else:
                told[count] = items
        return _score(known, count, told, constants) if count in told else IMPOSSIBLE

    here = max(first, least)
    while True:
        best = max((here, here - 1, here + 1, here + 2), key=score)
        if best == here:
            return told
        here = best


def together(known: Sequence[float], told: Mapping[int, Shares], constants: Counting) -> list[float]:
    """Nats of each number of items: the model's and the document's; without items the model's alone."""
    return [
        _score(known, count, told, constants) if count in told or count == 0 or not told else IMPOSSIBLE
        for count in range(len(known))
    ]


def _score(known: Sequence[float], count: int, told: Mapping[int, Shares], constants: Counting) -> float:
    if known[count] == IMPOSSIBLE:
        return IMPOSSIBLE
    return _own(known, count, constants) + _nats(told.get(count, []), constants)


def _own(known: Sequence[float], count: int, constants: Counting) -> float:
    """The model's part of a score."""
    return max(known[count] - max(known), -constants.least) * constants.certainty


def _nats(items: Shares, constants: Counting) -> float:
    return sum(
        (constants.whole if several else constants.alone) * share - constants.torn * (1 - share)
        for share, several in items
    )


def _best(items: Shares, constants: Counting) -> float:
    """The most that items can add to a score: items of several slots may have a single field, and some none."""
    whole, alone = max(constants.whole, constants.alone), constants.alone
    return sum(max(0.0, whole if several else alone, -constants.torn) for _, several in items)
