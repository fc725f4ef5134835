"""The outline of a source: the structure of its values, for prompts that name fields and slots that hold them.

An outline keeps the structure of a schema and drops its assertions. It has the members of objects and which of them are
optional, the items of arrays, the constants to choose from, and the words that describe a value. It is a plain tree:
references have been followed, and a reference that leads back into itself is "any".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from structgen.reading.copying import Copying

FORMATS = ("date", "time", "date-time", "email")  # formats of strings; each is a separate kind


@dataclass(frozen=True)
class Field:
    """A named member of an object."""

    name: str
    value: Outline
    required: bool = True


@dataclass(frozen=True)
class Outline:
    """The structure of a value.

    kind: "object", "map" (an object whose members may have any names), "array", "enum", "const", "union", "any",
    "string", "integer", "number", "boolean", or a format
    nullable: whether null is allowed instead
    fields: the members of an object, in the order in which they are written
    item: the items of an array, the values of a map; "any" if unspecified
    options: the values of an enum or const, exactly as in the document; the outlines of a union
    least, most: the number of items of an array, of members of a map
    said: titles, descriptions, constants and names of members that describe the value, the outermost first
    copied: which pieces of the document a verbatim string may be, None for any other value
    """

    kind: str
    nullable: bool = False
    fields: tuple[Field, ...] = ()
    item: Outline | None = None
    options: tuple[Any, ...] = ()
    least: int = 0
    most: int | None = None
    said: tuple[str, ...] = ()
    copied: Copying | None = None

    @classmethod
    def of_fields(cls, fields: Iterable[Field], said: Iterable[str] = ()) -> Outline:
        """An object, described by `said` and then by its fields."""
        fields = tuple(fields)
        inside = (word for field in fields for word in (field.name, *field.value.said))
        return cls("object", fields=fields, said=(*said, *inside))

    @classmethod
    def of_constants(cls, kind: str, values: Iterable[Any], said: Iterable[str] = ()) -> Outline:
        """An "enum" or a "const", described by `said` and by its strings."""
        values = tuple(values)
        return cls(kind, options=values, said=(*said, *(value for value in values if isinstance(value, str))))

    @property
    def alternatives(self) -> tuple[Outline, ...]:
        """The outlines of a union of objects, one of which is to be filled; empty for any other value."""
        if self.kind != "union" or self.nullable or any(one.kind != "object" for one in self.options):
            return ()
        return self.options

    def plain(self) -> dict[str, Any]:
        """The outline as dicts and lists, from which it can be rebuilt; constants are unchanged."""
        options = [one.plain() for one in self.options] if self.kind == "union" else list(self.options)
        return {
            "kind": self.kind,
            "nullable": self.nullable,
            "fields": [
                {"name": field.name, "value": field.value.plain(), "required": field.required}
                for field in self.fields
            ],
            "item": None if self.item is None else self.item.plain(),
            "options": options,
            "least": self.least,
            "most": self.most,
            "said": list(self.said),
            **({} if self.copied is None else {"copied": self.copied}),
        }


ANY = Outline("any")
NULL = Outline("const", options=(None,))
