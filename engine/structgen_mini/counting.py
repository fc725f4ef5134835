"""How many items an array has: what the document says, added to what the model says.

From noise alone a small model counts badly. But in a layout with the right number of items it fills each item from one
place of the document. With an item too many or too few, some item has no place of its own or takes its fields from
several places (records.py). So every number of items is laid out, all in one batch, and each number is scored by how
well the document describes its items, on top of how likely the model finds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.probe import probe
from structgen_mini.canvas import Canvas
from structgen_mini.constants import Counting
from structgen_mini.copies import coherence, copying
from structgen_mini.layout import Layout, Weights, lay, likeliest
from structgen_mini.scaffold import Slot

# for each item the share that one place of the document describes, and whether it has several fields
Shares = list[tuple[float, bool]]


def coherent(
    canvas: Canvas,
    layout: Layout,
    weights: Weights,
    document: str,
    automaton: TokenAutomaton,
    prompt: Sequence[int],
    generator: torch.Generator,
) -> Weights:
    """The weight of each number of items of each array, by the model and the document together.

    Arguments as in `shares`.
    """
    told = shares(canvas, layout, weights, document, automaton, prompt, generator)
    return {slot: _together(known, told[slot], canvas.constants.counting) for slot, known in weights.items()}


def shares(
    canvas: Canvas,
    layout: Layout,
    weights: Weights,
    document: str,
    automaton: TokenAutomaton,
    prompt: Sequence[int],
    generator: torch.Generator,
) -> dict[Slot, dict[int, Shares]]:
    """For each array and each number of items that fits the block, how well the document describes the items.

    layout: with open arrays; automaton: of the whole constraint; prompt: token ids. Each array is tried with every
    number of items, while the others have their likeliest number.
    """
    counts, found = likeliest(layout, weights), {}
    for slot, known in weights.items():
        tried = {
            count: laid
            for count in range(1, len(known))
            if (laid := lay(canvas, layout.outline, layout.sizes, {**counts, slot.pointer: count}))
        }
        settled = torch.tensor([one.block for one in tried.values()])
        seen = probe(canvas.denoiser, prompt, automaton, settled, generator).logits if tried else ()
        found[slot] = {
            count: _shares(canvas, one, slot, document, logits)
            for (count, one), logits in zip(tried.items(), seen, strict=True)
        }
    return found


def _shares(canvas: Canvas, layout: Layout, slot: Slot, document: str, logits: torch.Tensor) -> Shares:
    """The shares of an array's items; logits: [N, V], of the layout's block."""
    copier = copying(canvas, document, layout)
    return [] if copier is None else coherence(copier, layout, slot.pointer, logits)


def _together(known: Sequence[float], told: Mapping[int, Shares], constants: Counting) -> list[float]:
    """Nats of each number of items: the model's, plus the document's for the numbers that were tried."""
    most = max(known)
    return [
        max(weight - most, -constants.least) * constants.certainty + _nats(told.get(count, []), constants)
        if weight > IMPOSSIBLE
        else weight
        for count, weight in enumerate(known)
    ]


def _nats(items: Shares, constants: Counting) -> float:
    return sum(
        (constants.whole if several else constants.alone) * share - constants.torn * (1 - share)
        for share, several in items
    )
