"""The normal form of a schema: for each JSON type, which of its values are allowed.

Reading a schema means building Shapes and combining them (`meet` for allOf and siblings, `union` for anyOf);
writing one means spelling its values as text. Every constant is a Shape too: a number is an interval of one
point, an object is required members and nothing else. So `enum` needs no rules of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...grammar import NOTHING, TEXT, Expr, alt
from .numbers import Numbers

KINDS = frozenset({"null", "boolean", "number", "string", "array", "object"})


@dataclass(frozen=True, eq=False)
class Arrays:
    """Arrays of `low` to `high` elements: first `prefix`, then `items`.

    `items` None means any value at all. `origin` is the pointer of the schema, for refusals.
    """

    prefix: tuple[Shape, ...] = ()
    items: Shape | None = None
    low: int = 0
    high: int | None = None
    origin: str = ""

    def item(self, index: int) -> Shape | None:
        """What may stand at an index."""
        return self.prefix[index] if index < len(self.prefix) else self.items


@dataclass(frozen=True, eq=False)
class Member:
    """A member of an object that a schema names; `declared` by properties, not by required alone."""

    shape: Shape
    required: bool
    declared: bool = True


@dataclass(frozen=True, eq=False)
class Extras:
    """Members beyond the declared ones: their keys, as a language of strings, and their values.

    `shape` None is any value, allowed by the silence of all schemas about such members.
    """

    keys: Expr
    shape: Shape | None


@dataclass(frozen=True, eq=False)
class Objects:
    """Objects with declared `members`, in this order, and then `extras`, whose key languages are disjoint.

    The key languages may contain names of members; for those the member counts.
    """

    members: Mapping[str, Member] = field(default_factory=dict)
    extras: tuple[Extras, ...] = (Extras(TEXT, None),)
    low: int = 0
    high: int | None = None
    origin: str = ""


@dataclass(frozen=True, eq=False)
class Shape:
    """What values are allowed, type by type; a union within numbers, arrays and objects.

    `implied` names the types that no keyword has mentioned: they are allowed only by silence.
    """

    null: bool = False
    booleans: frozenset[bool] = frozenset()
    numbers: tuple[Numbers, ...] = ()
    strings: Expr = NOTHING
    arrays: tuple[Arrays, ...] = ()
    objects: tuple[Objects, ...] = ()
    implied: frozenset[str] = frozenset()

    def kinds(self) -> frozenset[str]:
        """The types of which some value is (or may be) allowed."""
        present = {
            "null": self.null,
            "boolean": self.booleans,
            "number": self.numbers,
            "string": self.strings is not NOTHING,
            "array": self.arrays,
            "object": self.objects,
        }
        return frozenset(kind for kind, some in present.items() if some)

    def only(self, kinds: frozenset[str]) -> Shape:
        """The values of these types."""
        return Shape(
            null=self.null and "null" in kinds,
            booleans=self.booleans if "boolean" in kinds else frozenset(),
            numbers=self.numbers if "number" in kinds else (),
            strings=self.strings if "string" in kinds else NOTHING,
            arrays=self.arrays if "array" in kinds else (),
            objects=self.objects if "object" in kinds else (),
            implied=self.implied & kinds,
        )


NEVER = Shape()


def anything(origin: str) -> Shape:
    """Every value; `origin` is the pointer of the schema that allows them."""
    return Shape(
        null=True,
        booleans=frozenset({True, False}),
        numbers=(Numbers(),),
        strings=TEXT,
        arrays=(Arrays(origin=origin),),
        objects=(Objects(origin=origin),),
        implied=KINDS,
    )


def union(*shapes: Shape) -> Shape:
    """What any of the shapes allows; a type counts as implied when every shape that has it implies it."""
    spoken = frozenset().union(*(shape.kinds() - shape.implied for shape in shapes))
    return Shape(
        null=any(shape.null for shape in shapes),
        booleans=frozenset().union(*(shape.booleans for shape in shapes)),
        numbers=tuple(n for shape in shapes for n in shape.numbers),
        strings=alt(*(shape.strings for shape in shapes)),
        arrays=tuple(a for shape in shapes for a in shape.arrays),
        objects=tuple(o for shape in shapes for o in shape.objects),
        implied=KINDS - spoken,
    )
