"""How many items an array has, asked again once there are items to look at.

From noise alone a small model counts badly. Whether one more item follows a known one is a smaller question: with the
first k items in place and all noise behind them, one position says `,` or `]`. So a filled layout is looked at once for
every k up to its count, all in one batch; the count is the first k after which the array closes, or one more than there
are where nothing closes it, and then the layout is filled anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from structgen.generate import Runtime
from structgen.layout import Layout, item_slots, lay
from structgen.scaffold import OPEN, end_of_items, fill, least_items
from structgen_engine.automaton import IMPOSSIBLE, Dfa
from structgen_engine.growing import Growing
from structgen_engine.look import Look, look

Pattern = tuple[int, ...]


def recounted(
    runtime: Runtime,
    layout: Layout,
    text: str,
    automaton: Dfa | Growing,
    prompt: Sequence[int],
    generator: torch.Generator,
) -> Layout | None:
    """The layout with other numbers of items, by what the model thinks of the items in `text`; None where it agrees.

    layout: with the counts that `text` was written with; automaton: of the whole constraint; prompt: token ids
    """
    if not layout.counts:
        return None
    bare, filled = lay(runtime, layout.schema, layout.sizes, {}), _filled(runtime, layout, text)
    if bare is None or filled is None:
        return None
    asked, settled = [], []
    for slot, patterns in item_slots(runtime, bare).items():
        count = layout.counts.get(slot.pointer, len(patterns))
        for known in range(least_items(layout.schema, slot), min(count + 1, len(patterns))):
            behind = slot.start + end_of_items(patterns[known], runtime.null_id)
            asked.append((slot, patterns, known, behind))
            settled.append([*bare.block[: slot.start], *filled[slot.start : behind], *bare.block[behind:]])
    if not asked:
        return None
    seen = look(runtime.denoiser, prompt, automaton, torch.tensor(settled), generator)
    counts = dict(layout.counts)
    for row, (slot, patterns, known, behind) in reversed(list(enumerate(asked))):
        if _closes(seen.logits[row, behind], patterns, known, behind - slot.start):
            counts[slot.pointer] = known
        elif known == layout.counts.get(slot.pointer) and known + 1 < len(patterns):
            counts[slot.pointer] = known + 1
    if counts == layout.counts or not _possible(seen, bare, runtime, counts):
        return None
    return lay(runtime, layout.schema, layout.sizes, counts)


def _filled(runtime: Runtime, layout: Layout, text: str) -> Pattern | None:
    """The first block with the value of `text` in open arrays; None where it does not fit."""
    value: Any = json.loads(text)
    encode, block = runtime.vocabulary.encode, len(layout.block)
    return fill(layout.schema, value, encode, runtime.null_id, sizes=layout.sizes, block=block)


def _closes(logits: Tensor, patterns: Sequence[Pattern], known: int, at: int) -> bool:
    """Does the array end behind `known` items? logits [V] of the position `at` that says so"""
    scores = logits.float().log_softmax(-1)
    close = scores[patterns[known][at]]
    more = patterns[known + 1][at] if known + 1 < len(patterns) else OPEN
    follows = scores[more] if more >= 0 else torch.log1p(-close.exp().clamp(max=1 - 1e-6))
    return bool(close > follows)


def _possible(seen: Look, bare: Layout, runtime: Runtime, counts: Mapping[str, int]) -> bool:
    """Does the constraint accept any answer with these numbers of items?"""
    ids = torch.tensor(bare.block)
    for slot, patterns in item_slots(runtime, bare).items():
        ids[slot.start : slot.start + slot.length] = torch.tensor(patterns[counts[slot.pointer]])
    one = Look(seen.automaton, seen.logits[:1], torch.tensor(bare.block)[None], seen.remaining)
    return bool((one.log_prob(ids) > IMPOSSIBLE).all())
