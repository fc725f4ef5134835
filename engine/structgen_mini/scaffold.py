"""Scaffolds: a JSON document with its certain skeleton pinned to fixed positions and a slot for each value.

A small denoiser copies well and counts badly: which token stands at a position depends on the length of
every value before it. A scaffold removes that dependence. Keys and punctuation are pinned, every value has
a slot, and the rest of the slot after the value is filled with a zero-width null token:

    {"vendor":" Acme ⌀ ⌀ ⌀ ","total": 2 8 9 . 5 0 ⌀ ⌀ }

If the structure itself varies (arrays, unions, optional members), the slot holds the whole text, and the constraint
decides. In an array's slot the items follow each other at a fixed stride; once their number is known they can be
pinned too.

A scaffold is a preference, never part of the constraint: a value that is too long for its slot needs a larger one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from structgen_mini.constants import SlotSizes
from structgen_mini.outline import KEY, VALUE, Outline, escaped
from structgen_mini.placing import (
    BETWEEN_ITEMS,
    BETWEEN_MEMBERS,
    OPEN,
    Encode,
    OpenPart,
    Part,
    Piece,
    Scaffold,
    Slot,
    joined,
    length_of,
    over_blocks,
    placed,
)

# steps to the name and the value of a map's member; no escaped name is like them


def scaffold(
    outline: Outline,
    encode: Encode,
    null_id: int,
    *,
    slots: SlotSizes,
    sizes: Mapping[str, int] | None = None,
    counts: Mapping[str, int] | None = None,
    block: int = 256,
    onward: bool = False,
) -> Scaffold | None:
    """The scaffold of an outline's answers; None if it does not fit a block with its end token.

    `sizes` overrides the length of single slots, by JSON pointer of the value (`/address/city`). `counts` says how many
    items the array or map at a pointer has: its items are then pinned like everything else. `onward`: what does not
    fit one block goes on in further ones.
    """
    laid = _lay(outline, _UNKNOWN, encode, null_id, slots, sizes or {}, counts or {}, block, onward)
    return laid and laid[0]


def fill(
    outline: Outline,
    value: Any,
    encode: Encode,
    null_id: int,
    *,
    slots: SlotSizes,
    sizes: Mapping[str, int] | None = None,
    counts: Mapping[str, int] | None = None,
    block: int = 256,
) -> tuple[int, ...] | None:
    """The scaffold's ids with a known value in the slots; None if a part is too long for its slot."""
    laid = _lay(outline, value, encode, null_id, slots, sizes or {}, counts or {}, block)
    return laid and laid[1]


def item_patterns(
    outline: Outline,
    slot: Slot,
    encode: Encode,
    null_id: int,
    *,
    slots: SlotSizes,
) -> list[tuple[int, ...]]:
    """The ids of an array's or a map's open slot for 0, 1, 2 … items, as many as fit: values are OPEN, nulls follow.

    The list is empty if the slot is neither or may be null.
    """
    array = outline.at(slot.pointer)
    if array is None or array.listed is None or array.nullable:
        return []
    writer = _Writer(encode, null_id, slots, {}, {})
    patterns: list[tuple[int, ...]] = []
    while True:
        ids = writer.items_of(array, slot.pointer, [_UNKNOWN] * len(patterns))
        if len(ids) > slot.length:
            return patterns
        patterns.append((*ids, *[null_id] * (slot.length - len(ids))))


def least_items(outline: Outline, slot: Slot) -> int:
    """The fewest items that the array or map of a slot may have."""
    array = outline.at(slot.pointer)
    return 0 if array is None else array.least


def compact(value: Any) -> str:
    """JSON without whitespace; a Decimal keeps its digits (289.50)."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{compact(name)}:{compact(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


_UNKNOWN = object()  # the value is not known yet: leave its slot open
_ABSENT = object()  # an optional member that the object does not have
_QUOTED = ("string", "date", "time", "date-time", "email")


def _lay(
    outline: Outline,
    value: Any,
    encode: Encode,
    null_id: int,
    slots: SlotSizes,
    sizes: Mapping[str, int],
    counts: Mapping[str, int],
    block: int,
    onward: bool = False,
) -> tuple[Scaffold, tuple[int, ...]] | None:
    writer = _Writer(encode, null_id, slots, sizes, counts)
    while True:
        pieces = list(writer.parts(outline, "", value))
        parts = list(joined(pieces, encode))
        if length_of(parts) < block:
            return placed(parts, null_id)
        smaller = writer.shrunk(parts)
        if smaller is None:
            break
        writer = smaller
    spread = over_blocks(pieces, encode, null_id, block) if onward else None
    return None if spread is None else placed(spread, null_id)


@dataclass(frozen=True)
class _Writer:
    """The rules by which an outline, with or without a value, becomes pinned text and holes.

    sizes: lengths of single slots, counts: numbers of items that are known, items: the most items that an open array's
    slot has room for, where that is less than usual; all by JSON pointer
    """

    encode: Encode
    null_id: int
    slots: SlotSizes
    sizes: Mapping[str, int]
    counts: Mapping[str, int]
    items: Mapping[str, int] = field(default_factory=dict)

    def parts(self, outline: Outline, pointer: str, value: Any, inside: bool = False) -> Iterator[Piece]:
        """Pinned text and holes in order; `inside` an array strings have smaller slots."""
        if outline.kind == "const" and not outline.nullable:
            yield compact(outline.options[0])
        elif outline.kind == "object" and not outline.nullable:
            yield from self._object(outline, pointer, value, inside)
        elif outline.listed is not None and not outline.nullable and pointer in self.counts:
            yield from self._listed(outline, pointer, value)
        elif _quoted(outline) and not outline.nullable:
            yield '"'
            yield self._hole(outline, pointer, value, inside)
            yield '"'
        else:
            yield self._hole(outline, pointer, value, inside)

    def shrunk(self, parts: Sequence[Part]) -> _Writer | None:
        """A writer that leaves room for one item less in the longest array; None if no array has room for two."""
        arrays = [part for part in parts if isinstance(part, OpenPart) and part.items > 1]
        if not arrays:
            return None
        longest = max(arrays, key=lambda part: part.length)
        return replace(self, items={**self.items, longest.pointer: longest.items - 1})

    def _object(self, outline: Outline, pointer: str, value: Any, inside: bool) -> Iterator[Piece]:
        comma = "{"
        for member in outline.fields:
            if comma == ",":
                yield BETWEEN_MEMBERS
            part, at = _part(value, member.name), f"{pointer}/{escaped(member.name)}"
            key = f"{compact(member.name)}:"
            if member.required or member.value.nullable or comma == "{":
                yield comma + key
                yield from self.parts(member.value, at, None if part is _ABSENT else part, inside)
            else:
                yield self._member(member.value, at, f",{key}", part, inside)
            comma = ","
        yield "{}" if comma == "{" else "}"

    def _listed(self, outline: Outline, pointer: str, value: Any) -> Iterator[Piece]:
        """An array or a map whose number of items is known."""
        values = [_UNKNOWN] * self.counts[pointer] if value is _UNKNOWN else _listed(value)
        yield "[" if outline.kind == "array" else "{"
        for index in range(self.counts[pointer]):
            if index:
                yield BETWEEN_ITEMS
                yield ","
            yield from self._item(outline, f"{pointer}/{index}", values[index])
        yield "]" if outline.kind == "array" else "}"

    def _item(self, outline: Outline, pointer: str, value: Any) -> Iterator[Piece]:
        """An item of an array, or a member of a map."""
        item = outline.item or Outline("any")
        if outline.kind == "array":
            yield from self.parts(item, pointer, value, inside=True)
            return
        name, held = (value, value) if value is _UNKNOWN else value
        yield '"'
        yield self._name(f"{pointer}/{KEY}", name)
        yield ":"
        yield from self.parts(item, f"{pointer}/{VALUE}", held, inside=True)

    def _name(self, pointer: str, name: Any) -> OpenPart:
        """The name of a map's member. Its end quote is in the slot, because nothing may stand between the two."""
        length = self.sizes.get(pointer) or self.slots.item_string + 1
        ids = None if name is _UNKNOWN else (*self.encode(compact(name)[1:-1]), *self.encode('"'))
        return OpenPart(pointer, "name", length, ids)

    def _hole(self, outline: Outline, pointer: str, value: Any, inside: bool) -> OpenPart:
        hole = self._sized(outline, pointer, outline.kind, inside)
        if value is _UNKNOWN:
            return hole
        if _quoted(outline) and not outline.nullable:
            return replace(hole, ids=tuple(self.encode(compact(value)[1:-1])))
        return replace(hole, ids=self._written(outline, pointer, value))

    def _member(self, outline: Outline, pointer: str, key: str, value: Any, inside: bool) -> OpenPart:
        start = tuple(self.encode(key))
        hole = self._sized(outline, pointer, "member", inside, len(start) + (2 if _quoted(outline) else 0))
        if value is _UNKNOWN:
            return hole
        return replace(hole, ids=() if value is _ABSENT else start + self._written(outline, pointer, value))

    def _sized(self, outline: Outline, pointer: str, kind: str, inside: bool, more: int = 0) -> OpenPart:
        """An open hole of the length that is asked for, or else of the usual length and `more` tokens."""
        if length := self.sizes.get(pointer):
            return OpenPart(pointer, kind, length, None)
        items = 0 if inside else self._items(outline, pointer, inside)
        return OpenPart(pointer, kind, self._room(outline, pointer, inside) + more, None, items)

    def _written(self, outline: Outline, pointer: str, value: Any) -> tuple[int, ...]:
        """A whole value inside one slot: scalars tight, objects and items in their own default layout."""
        if isinstance(value, str):
            return (*self.encode('"'), *self.encode(compact(value)[1:-1]), *self.encode('"'))
        if outline.listed is not None and isinstance(value, list | Mapping):
            return self.items_of(outline, pointer, _listed(value))
        if isinstance(value, Mapping) and outline.kind == "object":
            return self._default(Outline("object", fields=outline.fields), pointer, value)
        return tuple(self.encode(compact(value)))

    def items_of(self, outline: Outline, pointer: str, values: Sequence[Any]) -> tuple[int, ...]:
        """A whole array or map, its items in their default layout."""
        opening, closing = "[]" if outline.kind == "array" else "{}"
        ids = [*self.encode(opening)]
        for index, value in enumerate(values):
            ids += [*(self.encode(",") if index else ()), *self._default_item(outline, pointer, value)]
        return (*ids, *self.encode(closing))

    def _default_item(self, outline: Outline, pointer: str, value: Any) -> tuple[int, ...]:
        return self._tight(self._item(outline, f"{pointer}/*", value))

    def _default(self, outline: Outline, pointer: str, value: Any) -> tuple[int, ...]:
        """A value in its default layout; a slot inside grows where the value is longer."""
        return self._tight(self.parts(outline, f"{pointer}/*", value, inside=True))

    def _tight(self, pieces: Iterator[Piece]) -> tuple[int, ...]:
        ids: list[int] = []
        for part in joined(pieces, self.encode):
            if isinstance(part, tuple):
                ids += part
            else:
                kept, rest = ((), OPEN) if part.ids is None else (part.ids, self.null_id)
                ids += [*kept, *[rest] * (part.length - len(kept))]
        return tuple(ids)

    def _room(self, outline: Outline, pointer: str, inside: bool) -> int:
        """The default length of an outline's slot, in tokens."""
        more = self.slots.nullable if outline.nullable else 0
        if outline.listed is not None:
            return more + self._region(outline, pointer, inside)
        if outline.kind == "object":
            return more + len(self._default(Outline("object", fields=outline.fields), pointer, _UNKNOWN))
        if outline.kind in ("enum", "const"):
            return more + max(len(self.encode(_bare(option))) for option in outline.options)
        if outline.kind == "union":
            return self.slots.nullable + max(
                self._room(option, pointer, inside) for option in outline.options
            )
        name = outline.kind.replace("-", "_")
        if inside and name in ("string", "integer"):
            name = f"item_{name}"
        return more + getattr(self.slots, name)

    def _region(self, outline: Outline, pointer: str, inside: bool) -> int:
        stride = len(self._default_item(outline, pointer, _UNKNOWN)) + 1
        return self._items(outline, pointer, inside) * stride + 1

    def _items(self, outline: Outline, pointer: str, inside: bool) -> int:
        """How many items the slot of an array or map, or of a union with one, has room for; 0 for anything else."""
        if outline.kind == "union":
            return max((self._items(option, pointer, inside) for option in outline.options), default=0)
        if outline.listed is None:
            return 0
        count = self.slots.nested_items if inside else self.slots.items
        if outline.most is not None:
            count = max(1, min(count, outline.most))
        return count if inside else min(count, self.items.get(pointer, count))


def _quoted(outline: Outline) -> bool:
    """Whether every value of this outline is a string, so that its quotes are certain."""
    if outline.kind == "enum":
        return all(isinstance(option, str) for option in outline.options)
    return outline.kind in _QUOTED


def _listed(value: Any) -> Sequence[Any]:
    """The items of an array, the names and values of a map."""
    return list(value.items()) if isinstance(value, Mapping) else value


def _bare(value: Any) -> str:
    return compact(value)[1:-1] if isinstance(value, str) else compact(value)


def _part(value: Any, name: str) -> Any:
    if value is _UNKNOWN:
        return _UNKNOWN
    return value.get(name, _ABSENT)
