"""What a reading settles before anything is laid out: which optional members the document states, and which options.

An optional member that the document states is laid out as a required one: its name is pinned, and its value gets slots
of its own kind. The items of a list of options are those that the document names or a reader finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from structgen_mini.outline import Outline, escaped
from structgen_mini.reader.reading import DocumentReading, FieldReading
from structgen_mini.words import naming


def with_stated(outline: Outline, reading: DocumentReading, most: float, at: str = "") -> Outline:
    """The outline in which optional members are required that the document states; not those of a list's items.

    most: the probability of "not stated" up to which a member is stated, if one of the values in it is that likely
    """
    if outline.kind != "object":
        return outline
    fields = []
    for field in outline.fields:
        pointer = f"{at}/{escaped(field.name)}"
        value = with_stated(field.value, reading, most, pointer)
        stated = any(one.absent <= most for one in _inside(reading, pointer))
        fields.append(replace(field, value=value, required=field.required or stated))
    return replace(outline, fields=tuple(fields))


def _inside(reading: DocumentReading, pointer: str) -> Iterator[FieldReading]:
    for name, field in reading.fields.items():
        if name == pointer or name.startswith(f"{pointer}/"):
            yield field


def chosen_options(
    outline: Outline, document: str, reading: DocumentReading, *, share: float, short: int
) -> Mapping[str, tuple[Any, ...]]:
    """The items of lists of options, by the pointers of the lists: in the order of the document, then of the schema.

    share: of the probability of the likeliest option, what another one must have that is not named; short: as in
    `naming`. A list is left out whose schema allows no such number of items.
    """
    found = {}
    for pointer, array in _option_lists(outline, ""):
        options = () if array.item is None else array.item.options
        places = [naming(option, short).search(document) for option in options]
        named = [at for _, at in sorted((one.start(), at) for at, one in enumerate(places) if one)]
        read = reading.fields.get(f"{pointer}/*")
        likely = [] if read is None or read.options is None else read.options.exp().tolist()
        absent = likely[-1] if likely else 1.0
        enough = max(absent, share * max(likely[:-1], default=1.0))
        more = [at for at, one in enumerate(likely[:-1]) if one >= enough and at not in named]
        chosen = tuple(options[at] for at in (*named, *more))
        if chosen and array.least <= len(chosen) <= (len(options) if array.most is None else array.most):
            found[pointer] = chosen
    return found


def _option_lists(outline: Outline, at: str) -> Iterator[tuple[str, Outline]]:
    for field in outline.fields:
        value, pointer = field.value, f"{at}/{escaped(field.name)}"
        if value.kind == "object":
            yield from _option_lists(value, pointer)
        elif value.kind == "array" and not value.nullable and _is_option(value.item):
            yield pointer, value


def _is_option(item: Outline | None) -> bool:
    return item is not None and item.kind == "enum" and not item.nullable
