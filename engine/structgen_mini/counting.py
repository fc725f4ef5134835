"""How many items an array has, asked of the document as well as of the model.

From noise alone a small model counts badly. But it fills a layout with the right number of items from one place of the
document each, and where there is one item too many, or one too few, some item finds no place of its own or takes its
fields from several (structgen_mini.records). So every number of items is laid out, all in one batch, and what the
document tells of each item is added to what the model finds likely.
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

# of each item the share that one place of the document tells, and has it many fields?
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
    """The weights of the numbers of items of each array, together with how well the document tells of that many.

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
    """For each array and number of items that fits, how the document tells of the items.

    layout: with open arrays; automaton: of the whole constraint; prompt: token ids. An array is tried with every number
    of items while the others have their likeliest.
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
    """Logits [N, V], of the layout's block."""
    copier = copying(canvas, document, layout)
    return [] if copier is None else coherence(copier, layout, slot.pointer, logits)


def _together(known: Sequence[float], told: Mapping[int, Shares], constants: Counting) -> list[float]:
    """Nats of each number of items by the model's, and by the document's where that many have been tried."""
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
