"""How sure a model was of each field of its answer.

A field's confidence is the least marginal probability among the positions that hold its value: its tokens and the
null tokens behind them (which say that it ends there), under the lattice of the step that committed them. The product
would take tokens of one copied name for independent, and they stand or fall together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from bench.scores import leaves
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.loop import StepEvent

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class Witness:
    """Watches a decoding, and keeps each block's last probabilities; a new attempt starts over."""

    def __init__(self) -> None:
        self._blocks: dict[int, list[float]] = {}

    def __call__(self, event: StepEvent) -> None:
        if event.block == 0 and event.step == 0:
            self._blocks.clear()
        self._blocks[event.block] = event.beliefs.top_probability[0].tolist()

    @property
    def probabilities(self) -> list[float]:
        """Of the likeliest token of every committed position."""
        return [one for block in sorted(self._blocks) for one in self._blocks[block]]


def confidences(
    text: str, ids: Sequence[int], probabilities: Sequence[float], vocabulary: Vocabulary
) -> dict[str, float]:
    """The confidence of every leaf of a JSON text by JSON pointer; nothing where the text is none.

    probabilities: one per id
    """
    try:
        pointers = [pointer for pointer, _ in leaves(json.loads(text))]
    except ValueError:
        return {}
    spans = list(leaf_spans(text))
    if len(spans) != len(pointers):  # a key was written twice
        return {}
    ends = list(accumulate((len(vocabulary.decode([one])) for one in ids), initial=0))
    places = list(zip(pairwise(ends), probabilities, strict=False))
    sizes = list(accumulate((len(char.encode()) for char in text), initial=0))
    found = {}
    for pointer, (start, end) in zip(pointers, spans, strict=True):
        first, last = sizes[start], sizes[end]
        held = [p for (a, b), p in places if (a < last and b > first) or (a == b and first < a <= last)]
        found[pointer] = min(held, default=1.0)
    return found


def leaf_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of every leaf of a JSON text, in order; of a string what its quotes hold is not told apart."""
    tokens = list(TOKEN.finditer(text))
    following = [match.group() for match in tokens[1:]] + [""]
    for match, after in zip(tokens, following, strict=True):
        token = match.group()
        if token in "{[" and after in "}]" and after:
            yield match.start(), match.end() + 1
        elif token not in "{}[]:," and after != ":":
            yield match.span()
