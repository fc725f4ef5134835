"""Pages: what the reader reads at once, the fields that are asked for and a part of the document, as pieces.

    <s> customer: string; due date: date the last day to pay; status: open, paid; </s></s> Bill to Harlow … </s>

The vocabulary has no line breaks, so each piece of the document also says how it stands in its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from structgen_mini.outline import Outline, escaped

Offsets = Sequence[tuple[int, int]]
Split = Callable[[str], tuple[Sequence[int], Offsets]]  # the ids of a text's pieces, and their characters

BEGIN, END = 0, 2  # ids that open a page, and close both halves
ASKED, INSIDE, LINE, PARAGRAPH, CLOSE, COLUMN = range(6)  # how a piece stands in its line
STATED = ("string", "integer", "number", "date", "time", "date-time", "email", "any")
OVERLAP = 64  # pieces that a page repeats of the page before
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_JOINT = re.compile(r"[_\-./\s]+")


@dataclass(frozen=True)
class AskedField:
    """A field to find: its JSON pointer, with * for the items of a list, and what the page says of it."""

    pointer: str
    label: str
    kind: str
    options: tuple[Any, ...] = ()
    said: str = ""


@dataclass(frozen=True)
class ReaderPage:
    """The pieces of a page.

    ids, lines: of each piece its id and how it stands in its line; fields: the pieces of each field; options: of each
    option of each field; base: the first piece of the document; offsets: the characters of the document's pieces
    """

    ids: Sequence[int]
    lines: Sequence[int]
    fields: Sequence[tuple[int, int]]
    options: Sequence[Sequence[tuple[int, int]]]
    base: int
    offsets: Offsets


def asked_of(outline: Outline) -> list[AskedField]:
    """The fields of an outline that a document states as a span or chooses among options.

    A name that all of them lie in, such as `arguments` of a call, tells none of them apart and is left out.
    """
    shared = [one for one in outline.fields if one.value.kind != "const"] if outline.kind == "object" else []
    if len(shared) == 1 and shared[0].value.kind == "object":
        return list(_asked(shared[0].value, f"/{escaped(shared[0].name)}", ()))
    return list(_asked(outline, "", ()))


def _asked(outline: Outline, pointer: str, path: tuple[str, ...]) -> Iterator[AskedField]:
    label, said = " ".join(map(spoken, path)), " ".join(outline.said)
    if outline.kind == "object":
        for field in outline.fields:
            yield from _asked(field.value, f"{pointer}/{escaped(field.name)}", (*path, field.name))
    elif outline.kind == "array" and outline.item is not None:
        yield from _asked(_described(outline.item, outline.said), f"{pointer}/*", path)
    elif outline.kind == "enum":
        yield AskedField(pointer, label, "enum", outline.options, said)
    elif outline.kind == "boolean":
        yield AskedField(pointer, label, "boolean", (True, False), said)
    elif outline.kind in STATED:
        yield AskedField(pointer, label, outline.kind, (), said)


def _described(item: Outline, said: tuple[str, ...]) -> Outline:
    return item if item.said or item.kind == "object" else replace(item, said=said)


def spoken(name: str) -> str:
    """A name as words: dueDate and due_date are due date."""
    return _JOINT.sub(" ", _HUMP.sub(" ", name)).strip().lower()


def option_text(option: Any) -> str:
    """An option as the page has it."""
    return (spoken(option) or "empty") if isinstance(option, str) else json.dumps(option)


def pages(split: Split, asked: Sequence[AskedField], document: str, limit: int = 512) -> Iterator[ReaderPage]:
    """The pages for a document, each with all fields and a part of the document that overlaps the one before."""
    head = _head(split, asked)
    ids, offsets = split(document)
    lines = list(line_kinds(document, offsets))
    base, room = len(head.ids), limit - len(head.ids) - 1
    for first in range(0, max(1, len(ids) - OVERLAP), max(1, room - OVERLAP)):
        part = slice(first, first + room)
        yield replace(
            head,
            ids=[*head.ids, *ids[part], END],
            lines=[*head.lines, *lines[part], CLOSE],
            base=base,
            offsets=offsets[part],
        )


def _head(split: Split, asked: Sequence[AskedField]) -> ReaderPage:
    """A page without a document."""
    ids, fields, options = [BEGIN], [], []
    for one in asked:
        begin = len(ids)
        ids += split(one.label or "value")[0]
        kind = "" if one.options else one.kind
        ids += split(f": {kind} {one.said}" if kind or one.said else ":")[0]
        fields.append((begin, len(ids)))
        own = []
        for option in one.options:
            begin = len(ids)
            ids += split(option_text(option))[0]
            own.append((begin, len(ids)))
            ids += split(",")[0]
        options.append(own)
        ids += split(";")[0]
    ids += [END, END]
    return ReaderPage(ids, [ASKED] * len(ids), fields, options, len(ids), ())


def line_kinds(document: str, offsets: Offsets) -> Iterator[int]:
    """How each piece of a document stands in its line."""
    last = 0
    for start, end in offsets:
        gap = document[last:start]
        breaks = gap.count("\n")
        if breaks or not last:
            yield LINE if breaks < 2 and last else PARAGRAPH
        else:
            yield COLUMN if len(gap) > 1 or "\t" in gap else INSIDE
        last = end
