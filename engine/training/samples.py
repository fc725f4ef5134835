"""What the generator makes: a schema, a document, the value to read, and where each part of it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Fragment = list[tuple[str, str | None]]  # text, and the JSON pointer of the value it is


@dataclass(frozen=True)
class Span:
    """document[start:end] is `surface`, from which the value at `pointer` is read."""

    pointer: str
    start: int
    end: int
    surface: str


@dataclass(frozen=True)
class Sample:
    """One extraction problem; `value` is what a perfect reader returns."""

    schema: dict[str, Any]
    document: str
    value: dict[str, Any]
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Member:
    """A property of the object that is asked for: its schema, and its value where `present`."""

    name: str
    schema: dict[str, Any]
    value: Any
    required: bool = True
    present: bool = True


def object_of(members: Sequence[Member]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Schema and value of an object; a member that is absent never comes first, for a scaffold pins the first key."""
    ordered = sorted(members, key=lambda member: not member.present) if not members[0].present else members
    schema = {
        "type": "object",
        "properties": {member.name: member.schema for member in ordered},
        "required": [member.name for member in ordered if member.required],
    }
    return schema, {member.name: member.value for member in ordered if member.present}


def stacked(fragments: Sequence[Fragment], separator: str) -> Fragment:
    """Fragments one after the other."""
    joined: Fragment = []
    for index, fragment in enumerate(fragments):
        if index:
            joined.append((separator, None))
        joined += fragment
    return joined


def capital(fragment: Fragment) -> Fragment:
    """A sentence's first letter is a capital, unless a value stands there."""
    for index, (text, pointer) in enumerate(fragment):
        if text:
            if pointer is None:
                fragment[index] = (text[0].upper() + text[1:], None)
            break
    return fragment


def flatten(fragment: Fragment) -> tuple[str, tuple[Span, ...]]:
    """The document and its spans, in characters."""
    texts, spans, at = [], [], 0
    for text, pointer in fragment:
        if pointer is not None:
            spans.append(Span(pointer, at, at + len(text), text))
        texts.append(text)
        at += len(text)
    return "".join(texts), tuple(spans)


def sample_of(members: Sequence[Member], fragment: Fragment) -> Sample:
    """The problem whose document is `fragment` and whose answer has these members."""
    schema, value = object_of(members)
    document, spans = flatten(fragment)
    return Sample(schema, document, value, spans)
