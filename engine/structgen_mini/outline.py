"""Outlines: what is asked for, field by field, and its one-line text for the model's prompt.

    vendor:string; status:open|closed; notes:string?; lines:[description:string; quantity:integer]

Outlines come as plain values (dicts, lists, constants), so that the reader of schemas need not know this package.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

KEY, VALUE = (
    "~key",
    "~value",
)  # steps to the name and the value of a map's member; no escaped name is like them
FORMATS = ("date", "time", "date-time", "email")


@dataclass(frozen=True)
class Field:
    """One member of an object."""

    name: str
    value: Outline
    required: bool


@dataclass(frozen=True)
class Outline:
    """The outline of a value: its kind and its parts.

    kind: object, map, array, enum, const, union, any, string, integer, number, boolean or one of FORMATS
    item: of an array; the value of a member of a map, whose names are free
    options: values of an enum or const, outlines of a union; least, most: items of an array, members of a map
    said: the words of the schema that describe the value
    """

    kind: str
    nullable: bool = False
    fields: tuple[Field, ...] = ()
    item: Outline | None = None
    options: tuple[Any, ...] = ()
    least: int = 0
    most: int | None = None
    said: tuple[str, ...] = ()

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Outline:
        """The outline that plain values stand for; raises KeyError if a key is missing."""
        options = plain["options"]
        return cls(
            plain["kind"],
            plain["nullable"],
            tuple(Field(one["name"], cls.of(one["value"]), one["required"]) for one in plain["fields"]),
            None if plain["item"] is None else cls.of(plain["item"]),
            tuple(map(cls.of, options) if plain["kind"] == "union" else options),
            plain["least"],
            plain["most"],
            tuple(plain["said"]),
        )

    @property
    def listed(self) -> Outline | None:
        """What an array or a map has any number of: its items, or its members as objects; None for anything else."""
        if self.kind == "array":
            return self.item or Outline("any")
        if self.kind != "map":
            return None
        value = self.item or Outline("any")
        own = (
            value.fields if value.kind == "object" and not value.nullable else (Field("value", value, True),)
        )
        return Outline("object", fields=(Field("key", Outline("string"), True), *own))

    @property
    def has_lists(self) -> bool:
        """Whether arrays or maps are part of the value."""
        options = self.options if self.kind == "union" else ()
        inside = (*(field.value for field in self.fields), *options)
        return self.listed is not None or any(one.has_lists for one in inside)

    @property
    def alternatives(self) -> tuple[Outline, ...]:
        """The outlines of a union of objects; none for anything else."""
        objects = self.kind == "union" and all(one.kind == "object" for one in self.options)
        return self.options if objects and not self.nullable else ()

    def at(self, pointer: str) -> Outline | None:
        """The outline of the member at a JSON pointer, if there is one."""
        found: Outline | None = self
        for name in pointer.split("/")[1:]:
            inside = (field.value for field in found.fields if escaped(field.name) == name)
            found = next(inside, None)
            if found is None:
                return None
        return found

    def repeats(self, pointer: str) -> bool:
        """Whether a pointer leads into an item of an array or a member of a map."""
        ends = [at for at, sign in enumerate(pointer) if sign == "/"]
        above = (self.below(pointer[:end]) for end in ends)
        return any(value is not None and value.listed is not None for value in above)

    def below(self, pointer: str) -> Outline | None:
        """`at`, for pointers that name items of arrays and members of maps too, as scaffolds do."""
        found: Outline | None = self
        for name in pointer.split("/")[1:]:
            if found is None:
                return None
            if name == KEY:
                found = Outline("string")
            elif name == VALUE:  # the step before it has led to the value
                continue
            elif found.kind == "object":
                inside = (field.value for field in found.fields if escaped(field.name) == name)
                found = next(inside, None)
            else:
                found = found.item
        return found


def escaped(name: str) -> str:
    """A name as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def outline_text(outline: Outline) -> str:
    """One line naming every field and its type; `?` marks what may be null or absent."""
    if outline.kind == "object" and not outline.nullable:
        return _members(outline)
    return _text(outline)


def _text(outline: Outline) -> str:
    return _plain(outline) + ("?" if outline.nullable else "")


def _plain(outline: Outline) -> str:
    if outline.kind == "object":
        return "{" + _members(outline) + "}"
    item = outline.listed
    if item is not None:
        return "[" + (_members(item) if item.kind == "object" and not item.nullable else _text(item)) + "]"
    if outline.kind in ("enum", "const"):
        return "|".join(_word(option) for option in outline.options)
    if outline.kind == "union":
        return "|".join(_text(option) for option in outline.options)
    return outline.kind


def _members(outline: Outline) -> str:
    return "; ".join(
        f"{field.name}:{_text(replace(field.value, nullable=field.value.nullable or not field.required))}"
        for field in outline.fields
    )


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
