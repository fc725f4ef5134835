"""The layout of an answer's first block: what a scaffold pins, found in a few attempts.

Slots have default lengths at first, and arrays are open: how many items there are is for the model to say. It looks at
the task once, with everything still noise, and the lattice says how probable each number of items is: the sum over
all answers with that many. (The most probable single answer would not do: it has too few items, for every value left
out is a value not guessed wrong.) Then the items are pinned like everything else, and the model has only values left to
fill in. A text slot that its value fills to the brim is doubled, for the value may want to be longer.

A layout is a preference. The constraint alone decides what is valid, and drops a layout that it rules out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from structgen.generate import Runtime
from structgen.scaffold import OPEN, Scaffold, Slot, item_patterns, least_items, scaffold
from structgen_engine.automaton import Dfa
from structgen_engine.growing import Growing
from structgen_engine.look import Look, look

CANVASES = 4  # noisy canvases to look at before counting
GROWTH = 2
GROWING = ("string", "email", "any", "union", "member")  # kinds whose values have no natural length


@dataclass(frozen=True)
class Layout:
    """sizes: lengths of slots that differ from the default; counts: items of arrays; both by JSON pointer."""

    schema: Mapping[str, Any]
    scaffold: Scaffold
    block: tuple[int, ...]  # the whole first block, −1 where open
    sizes: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


def first_layout(runtime: Runtime, schema: Mapping[str, Any]) -> Layout | None:
    """Default slots and open arrays; None where the model fills no scaffolds or the block is too short for one."""
    return lay(runtime, schema, {}, {})


def counted(
    runtime: Runtime,
    layout: Layout,
    automaton: Dfa | Growing,
    prompt: Sequence[int],
    generator: torch.Generator,
) -> Layout:
    """The layout with the likeliest number of items in every array; as it is where that does not fit the block.

    automaton: of the whole constraint; prompt: token ids
    """
    patterns = item_slots(runtime, layout)
    if not patterns:
        return layout
    seen = first_look(runtime, layout.block, automaton, prompt, generator)
    counts = {}
    for slot, ids in patterns.items():
        weights = [_weight(seen, layout, slot.start, pattern) for pattern in ids]
        least = min(least_items(layout.schema, slot), len(ids) - 1)
        counts[slot.pointer] = max(range(least, len(ids)), key=weights.__getitem__)
    return lay(runtime, layout.schema, layout.sizes, counts) or layout


def item_slots(runtime: Runtime, layout: Layout) -> dict[Slot, list[tuple[int, ...]]]:
    """The slots that hold open arrays, with what they hold for 0, 1, 2 … items; see `item_patterns`."""
    encode = runtime.vocabulary.encode
    found = {s: item_patterns(layout.schema, s, encode, runtime.null_id) for s in layout.scaffold.slots}
    return {slot: patterns for slot, patterns in found.items() if patterns}


def first_look(
    runtime: Runtime,
    pinned: Sequence[int],
    automaton: Dfa | Growing,
    prompt: Sequence[int],
    generator: torch.Generator,
    *,
    remaining: int = 0,
) -> Look:
    """The answers as the model sees them on CANVASES canvases that are noise but for the pinned ids, −1 where open.

    remaining: tokens that an answer may take beyond the first block
    """
    settled = torch.tensor(pinned).expand(CANVASES, -1)
    return look(runtime.denoiser, prompt, automaton, settled, generator, remaining=remaining)


def _weight(seen: Look, layout: Layout, start: int, pattern: Sequence[int]) -> float:
    """Log-probability of the answers that hold these ids from position `start` on, anything where they are OPEN."""
    ids = torch.full((len(layout.block),), OPEN)
    ids[start : start + len(pattern)] = torch.tensor(pattern)
    return float(seen.log_prob(ids).logsumexp(0))


def grown(runtime: Runtime, layout: Layout, ids: tuple[int, ...]) -> Layout | None:
    """The layout with its full text slots doubled; None where none is full or the block has no room."""
    null_id = runtime.null_id
    full = {
        slot.pointer: GROWTH * slot.length
        for slot in layout.scaffold.slots
        if slot.kind in GROWING and null_id not in ids[slot.start : slot.start + slot.length]
    }
    return lay(runtime, layout.schema, {**layout.sizes, **full}, layout.counts) if full else None


def lay(
    runtime: Runtime, schema: Mapping[str, Any], sizes: Mapping[str, int], counts: Mapping[str, int]
) -> Layout | None:
    """The layout with these sizes and counts; None where the model fills no scaffolds or the block is too short."""
    vocabulary, length = runtime.vocabulary, runtime.denoiser.block_length
    if not runtime.scaffolds or vocabulary.null is None:
        return None
    laid = scaffold(schema, vocabulary.encode, runtime.null_id, sizes=sizes, counts=counts, block=length)
    if laid is None:
        return None
    end, pad = (
        vocabulary.special[name] if name is not None else -1 for name in (vocabulary.end, vocabulary.pad)
    )
    tail = (end, *[pad] * length)[: length - len(laid.ids)]
    return Layout(schema, laid, (*laid.ids, *tail), sizes, counts)
