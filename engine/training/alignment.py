"""Which token of the prompt each token of the canvas is copied from, as far as that is certain."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

import numpy as np

from structgen_mini.scaffold import Slot
from training.documents import Span

NOWHERE = -1
SHORTEST = 2  # tokens: of a match inside a value that is rewritten (a date, a number)
Encode = Callable[[str], Sequence[int]]


def sources(
    gold: Sequence[int],
    slots: Sequence[Slot],
    spans: Sequence[Span],
    prompt: Sequence[int],
    starts: Sequence[int],
) -> np.ndarray:
    """For each of the canvas's tokens `gold` [N] its position in the prompt, or NOWHERE.

    spans: where the values stand, in characters of the prompt; starts: [P], the first character of each token
    """
    result = np.full(len(gold), NOWHERE)
    for slot in slots:
        inside = [one for one in spans if f"{one.pointer}/".startswith(f"{slot.pointer}/")]
        inside.sort(key=lambda one: _order(one.pointer))
        at, end = slot.start, slot.start + slot.length
        for span in inside:
            first, last = bisect_left(starts, span.start), bisect_left(starts, span.end)
            found = _find(gold, prompt[first:last], at, end)
            if found is not None:
                at = found + last - first
                result[found:at] = np.arange(first, last)
            elif len(inside) == 1:
                _partly(gold, prompt, (slot.start, end), (first, last), result)
    return result


def _order(pointer: str) -> tuple[int, ...]:
    """Items in the order of their indices; members of one item stay as they are."""
    return tuple(int(part) for part in pointer.split("/") if part.isdigit())


def _find(gold: Sequence[int], wanted: Sequence[int], at: int, end: int) -> int | None:
    """Where `wanted` stands in gold[at:end] for the first time."""
    size = len(wanted)
    matches = (k for k in range(at, end - size + 1) if gold[k] == wanted[0] and gold[k : k + size] == wanted)
    return next(matches, None) if size else None


def _partly(
    gold: Sequence[int],
    prompt: Sequence[int],
    canvas: tuple[int, int],
    document: tuple[int, int],
    result: np.ndarray,
) -> None:
    """The longest common runs of a rewritten value and its surface."""
    matcher = SequenceMatcher(
        None, prompt[document[0] : document[1]], gold[canvas[0] : canvas[1]], autojunk=False
    )
    for block in matcher.get_matching_blocks():
        if block.size >= SHORTEST:
            place = document[0] + block.a
            result[canvas[0] + block.b : canvas[0] + block.b + block.size] = np.arange(
                place, place + block.size
            )
