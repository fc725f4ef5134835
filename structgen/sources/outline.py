"""The outline of a source: what its values look like, for prompts that name their fields and for slots that hold them.

An outline keeps the structure of a schema and drops its assertions: which members an object has and which of them may
be absent, what arrays hold, which constants there are to choose from, and the words by which a value describes itself.
It is a plain tree: references have been followed, and one that leads back into itself is "any".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

FORMATS = ("date", "time", "date-time", "email")  # of strings; each is a kind of its own


@dataclass(frozen=True)
class Field:
    """A named member of an object."""

    name: str
    value: Outline
    required: bool = True


@dataclass(frozen=True)
class Outline:
    """What a value looks like.

    kind: "object", "array", "enum", "const", "union", "any", "string", "integer", "number", "boolean", or a format
    nullable: whether null may stand in its place
    fields: of an object, in the order in which they are written
    item: of an array; "any" where nothing is said
    options: the values of an enum or const, exactly as the document has them; the outlines of a union
    least, most: how many items an array has
    said: titles, descriptions, constants and names of members that describe the value, the outermost first
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
    def of_fields(cls, fields: Iterable[Field], said: Iterable[str] = ()) -> Outline:
        """An object, which is described by its own words, then field by field."""
        fields = tuple(fields)
        inside = (word for field in fields for word in (field.name, *field.value.said))
        return cls("object", fields=fields, said=(*said, *inside))

    @classmethod
    def of_constants(cls, kind: str, values: Iterable[Any], said: Iterable[str] = ()) -> Outline:
        """An "enum" or a "const", which is described by its strings too."""
        values = tuple(values)
        return cls(kind, options=values, said=(*said, *(value for value in values if isinstance(value, str))))

    @property
    def alternatives(self) -> tuple[Outline, ...]:
        """The outlines of a union of objects, one of which is to be filled; none where the value is anything else."""
        if self.kind != "union" or self.nullable or any(one.kind != "object" for one in self.options):
            return ()
        return self.options

    def plain(self) -> dict[str, Any]:
        """The outline as dicts and lists, from which others can rebuild it; constants are left as they are."""
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
        }


ANY = Outline("any")
NULL = Outline("const", options=(None,))
