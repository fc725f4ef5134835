"""Lessons: what the reader is taught by one sample, a page and for each of its fields where the value stands.

Fields are also asked for that the document does not state, and some names say nothing, so that only the description
tells what is meant.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from structgen_mini.outline import escaped
from structgen_mini.reader.pages import AskedField, ReaderPage, Split, asked_of, pages
from training.samples import Sample, Span
from training.schemas import outline_of

NULL = (0, 0)  # the span of what the page does not state
_SAID = (
    "the {}",
    "{} as the document states it",
    "what the text gives as {}",
    "{}, if there is one",
    "value of {}",
)
_OPAQUE = ("field {}", "f {}", "x {}", "value {}", "column {}", "item {}")


@dataclass(frozen=True)
class Target:
    """Where the value of a field stands on a page.

    spans: first and last piece of each place; every: whether all of them are values, as in a list; option: the number
    of the option that is right, that behind the last for a value that is not stated
    """

    spans: Sequence[tuple[int, int]] = ()
    every: bool = False
    option: int = -1


@dataclass(frozen=True)
class Lesson:
    """A page and the target of each of its fields; a target that is not known is None."""

    page: ReaderPage
    targets: Sequence[Target | None]


@dataclass
class Teacher:
    """Makes lessons of samples.

    absent: the share of fields that are taken out of the document; foreign: the share of samples with fields of
    another; said: the share of fields with a description; opaque: the share of samples whose names say nothing
    """

    split: Split
    rng: random.Random
    limit: int = 512
    absent: float = 0.08
    foreign: float = 0.35
    said: float = 0.2
    opaque: float = 0.08
    earlier: deque[AskedField] = field(default_factory=lambda: deque(maxlen=400))

    def lesson(self, sample: Sample) -> Lesson | None:
        """One lesson of a sample; None if it asks for nothing that a document states."""
        asked = _worded(asked_of(outline_of(sample.schema)), sample.schema)
        if not asked:
            return None
        rng, known = self.rng, len(asked)
        if rng.random() < self.absent * known:
            sample = without_a_line(sample, rng)
        wanted = [_wanted(one, sample) for one in asked]
        if rng.random() < self.foreign:
            wanted += [(one, _ABSENT) for one in self._foreign(asked)]
        self.earlier.extend(one for one in asked if not one.options)
        if rng.random() < 0.3:
            rng.shuffle(wanted)
        wanted = self._described(wanted)
        found = list(pages(self.split, [one for one, _ in wanted], sample.document, self.limit))
        page = found[0] if len(found) == 1 else rng.choice(found)
        if len(page.ids) > self.limit:
            return None
        return Lesson(page, [_target(one, want, page) for one, want in wanted])

    def _foreign(self, asked: Sequence[AskedField]) -> list[AskedField]:
        """Fields of earlier samples whose names share no word with those of this one."""
        words = {word for one in asked for word in one.label.split()}
        free = [one for one in self.earlier if not words & set(one.label.split())]
        return self.rng.sample(free, min(len(free), self.rng.choice((1, 1, 2))))

    def _described(self, wanted: Sequence[tuple[AskedField, Want]]) -> list[tuple[AskedField, Want]]:
        rng = self.rng
        hidden = rng.choice(_OPAQUE) if rng.random() < self.opaque else None
        result = []
        for at, (one, want) in enumerate(wanted):
            said = one.said
            if not said and (hidden or rng.random() < self.said):
                said = rng.choice(_SAID).format(one.label)
            elif said and not hidden and rng.random() < 0.4:
                said = ""
            label = hidden.format(at + 1) if hidden else one.label
            result.append((replace(one, said=said, label=label), want))
        return result


@dataclass(frozen=True)
class Want:
    """What a sample has for a field: its spans in the document, its values, and whether the document lacks it."""

    spans: Sequence[Span] = ()
    values: Sequence[Any] = ()
    absent: bool = False


_ABSENT = Want(absent=True)


def _wanted(one: AskedField, sample: Sample) -> tuple[AskedField, Want]:
    values = dict(_values(sample.value, "", one.pointer.split("/")[1:]))
    spans = [span for span in sample.spans if span.pointer in values]
    return one, Want(spans, list(values.values()), all(value is None for value in values.values()))


def _values(value: Any, at: str, steps: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The values at a pointer with * for the items of lists, each with its own pointer."""
    if not steps:
        yield at, value
        return
    step, rest = steps[0], steps[1:]
    if step == "*" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(item, f"{at}/{index}", rest)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if escaped(name) == step:
                yield from _values(part, f"{at}/{step}", rest)


def _target(one: AskedField, want: Want, page: ReaderPage) -> Target | None:
    if one.options:
        same = want.values and all(value == want.values[0] for value in want.values)
        first = want.values[0] if same else None
        if want.absent:
            return Target(option=len(one.options))
        at = [i for i, option in enumerate(one.options) if option == first and type(option) is type(first)]
        return Target(option=at[0]) if at else None
    if want.absent:
        return Target([NULL])
    if not want.spans:
        return None
    found = [span for one_span in want.spans if (span := _pieces(page, one_span.start, one_span.end))]
    return Target(found or [NULL], every="*" in one.pointer)


def _pieces(page: ReaderPage, start: int, end: int) -> tuple[int, int] | None:
    """The first and last piece of a page that characters start … end − 1 are in."""
    if not page.offsets or start < page.offsets[0][0] or end > page.offsets[-1][1]:
        return None
    begins = [begin for begin, _ in page.offsets]
    first, last = bisect_right(begins, start) - 1, bisect_right(begins, end - 1) - 1
    return page.base + first, page.base + last


def without_a_line(sample: Sample, rng: random.Random) -> Sample:
    """The sample without the line of one value, which is then not stated; unchanged if that cuts others."""
    lone = [span for span in sample.spans if not re.search(r"/\d+(/|$)", span.pointer)]
    if not lone:
        return sample
    gone = rng.choice(lone)
    text = sample.document
    start, end = text.rfind("\n", 0, gone.start) + 1, text.find("\n", gone.end) + 1
    inside = [span for span in sample.spans if span.end > start and span.start < (end or len(text))]
    repeated = sum(span.pointer == gone.pointer for span in sample.spans) > 1
    if repeated or inside != [gone] or not end or text.count(gone.surface) > 1:
        return sample
    spans = [
        span
        if span.end <= start
        else replace(span, start=span.start - (end - start), end=span.end - (end - start))
        for span in sample.spans
        if span is not gone
    ]
    return Sample(
        sample.schema,
        text[:start] + text[end:],
        _without(sample.value, gone.pointer.split("/")[1:]),
        tuple(spans),
    )


def _without(value: Any, steps: Sequence[str]) -> Any:
    """The value with null at a pointer."""
    if not steps:
        return None
    return {
        name: _without(part, steps[1:]) if escaped(name) == steps[0] else part for name, part in value.items()
    }


def _worded(asked: Sequence[AskedField], schema: Mapping[str, Any]) -> list[AskedField]:
    """The fields with the descriptions of a plain schema."""
    return [replace(one, said=_said(schema, one.pointer.split("/")[1:])) for one in asked]


def _said(schema: Any, steps: Sequence[str]) -> str:
    for step in steps:
        schema = schema if isinstance(schema, Mapping) else {}
        inside = {escaped(name): part for name, part in schema.get("properties", {}).items()}
        schema = schema.get("items", {}) if step == "*" else inside.get(step, {})
    return str(schema.get("description", "")) if isinstance(schema, Mapping) else ""
