"""Samples with other values: one written document gives many, each with its marked words refilled."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from structgen_mini.outline import escaped
from training.refills import New, Pool, refilled
from training.samples import Sample, Span
from training.schemas import outline_of

CHOSEN = ("enum", "const", "boolean", "union")  # kinds whose values the schema gives
LONG = 4  # characters: what a document repeats unmarked changes with the value if it is so long


def refilled_sample(sample: Sample, rng: random.Random, pool: Pool) -> Sample:
    """The sample with other values in the same form: other names, dates in the same layout, numbers as long.

    A value that is marked in two forms stays, and so does one that the schema gives.
    """
    outline, value = outline_of(sample.schema), sample.value
    forms = defaultdict[str, set[str]](set)
    for span in sample.spans:
        forms[span.pointer].add(span.surface)
    fresh: dict[tuple[str, str], New] = {}  # by surface and old value
    texts = []
    for span in sample.spans:
        asked, steps = outline.below(span.pointer), span.pointer.split("/")[1:]
        texts.append(span.surface)
        if asked is None or asked.kind in CHOSEN or len(forms[span.pointer]) > 1:
            continue
        old = _at(sample.value, steps)
        new = fresh.get((span.surface, repr(old))) or refilled(span.surface, old, rng, pool)
        if new is not None:
            fresh[span.surface, repr(old)] = new
            texts[-1], value = new[0], _put(value, steps, new[1])
    return _with(sample, texts, value)


def _with(sample: Sample, fresh: Sequence[str], value: Any) -> Sample:
    """The sample with these words for its marked ones; what repeats one of them unmarked changes too."""
    new = {
        span.surface: text
        for span, text in zip(sample.spans, fresh, strict=True)
        if len(span.surface) >= LONG
    }
    longest = sorted(new, key=len, reverse=True)
    again = re.compile("|".join(rf"(?<!\w){re.escape(old)}(?!\w)" for old in longest)) if longest else None
    texts: list[str] = []
    spans: list[Span] = []
    at = last = 0
    for span, text in sorted(zip(sample.spans, fresh, strict=True), key=lambda pair: pair[0].start):
        before = sample.document[last : span.start]
        before = before if again is None else again.sub(lambda found: new[found[0]], before)
        spans.append(Span(span.pointer, at + len(before), at + len(before) + len(text), text))
        texts += before, text
        at, last = spans[-1].end, span.end
    rest = sample.document[last:]
    texts.append(rest if again is None else again.sub(lambda found: new[found[0]], rest))
    return Sample(sample.schema, "".join(texts), value, tuple(spans))


def _at(value: Any, steps: list[str]) -> Any:
    """The value at a pointer."""
    for step in steps:
        value = dict(_members(value))[step]
    return value


def _put(value: Any, steps: list[str], new: Any) -> Any:
    """The value with another one at a pointer."""
    if not steps:
        return new
    parts = [_put(part, steps[1:], new) if step == steps[0] else part for step, part in _members(value)]
    return parts if isinstance(value, list) else dict(zip(value, parts, strict=True))


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """The steps from a value to its parts, and these."""
    if isinstance(value, list):
        yield from ((str(index), part) for index, part in enumerate(value))
    elif isinstance(value, Mapping):
        yield from ((escaped(name), part) for name, part in value.items())
