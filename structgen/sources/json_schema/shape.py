"""The normal form of a schema: for each JSON type, which of its values are allowed.

A set of JSON values is a set of nulls, of booleans, of numbers, of strings, of arrays and of objects. On each of them
`meet`, `union` and `opposite` are defined, and so on shapes; every keyword of JSON Schema that combines schemas comes
down to these three. What stands inside arrays and objects is named, not written out (see formula).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from structgen.grammar import NOTHING, TEXT, Expr, alt

from .arrays import Arrays
from .formula import Formula
from .numbers import Numbers
from .objects import Objects

KINDS = frozenset({"null", "boolean", "number", "string", "array", "object"})


@dataclass(frozen=True, eq=False)
class Shape:
    """What values are allowed, type by type; a union within numbers, arrays and objects.

    `implied` names the types that no keyword has mentioned: they are allowed only by silence. `texts` are strings,
    beside `strings`, that hold the JSON text of a value of a formula. `closed` are those of the values that some
    alternative speaks about, where `implied` cannot tell them from the others: of one type, one alternative may imply
    all values and another allow few.
    """

    null: bool = False
    booleans: frozenset[bool] = frozenset()
    numbers: tuple[Numbers, ...] = ()
    strings: Expr = NOTHING
    arrays: tuple[Arrays, ...] = ()
    objects: tuple[Objects, ...] = ()
    implied: frozenset[str] = frozenset()
    texts: tuple[Formula, ...] = ()
    closed: Shape | None = None

    @property
    def said(self) -> frozenset[str]:
        """The types about which something is said, if only that there are none."""
        return KINDS - self.implied

    def spoken(self) -> Shape:
        """Without the values of types that only silence allows; all, where nothing is said of any type."""
        shape = self.closed or self
        return shape.only(shape.said) if shape.said else shape

    def kinds(self) -> frozenset[str]:
        """The types of which some value is (or may be) allowed."""
        present = {
            "null": self.null,
            "boolean": self.booleans,
            "number": self.numbers,
            "string": self.strings is not NOTHING or self.texts,
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
            texts=self.texts if "string" in kinds else (),
        )


def anything(origin: str) -> Shape:
    """Every value; `origin` is the pointer of the schema that allows them."""
    return Shape(
        null=True,
        booleans=frozenset({True, False}),
        numbers=(Numbers(origin=origin),),
        strings=TEXT,
        arrays=(Arrays(origin=origin),),
        objects=(Objects(origin=origin),),
        implied=KINDS,
    )


def union(*shapes: Shape) -> Shape:
    """What any of the shapes allows, where they say something: values that only silence allows stay so."""
    present = [shape for shape in shapes if shape.kinds()]
    spoken = [part for part in (shape.closed or shape for shape in present) if part.kinds()]
    said = _said_by(spoken)
    kept = [_beside(part, said) for part in spoken]
    closed = None if kept == present else _united(*kept)
    return replace(_united(*present), closed=closed)


def _said_by(shapes: Sequence[Shape]) -> frozenset[str]:
    """The types about which some alternative says something; all of them beside one that says nothing."""
    said = [shape.said for shape in shapes]
    return frozenset[str]().union(*said) if all(said) else KINDS


def _united(*shapes: Shape) -> Shape:
    said = [shape.said for shape in shapes]
    return Shape(
        null=any(shape.null for shape in shapes),
        booleans=frozenset().union(*(shape.booleans for shape in shapes)),
        numbers=tuple(dict.fromkeys(n for shape in shapes for n in shape.numbers)),
        strings=alt(*(shape.strings for shape in shapes)),
        arrays=tuple(dict.fromkeys(a for shape in shapes for a in shape.arrays)),
        objects=_distinct(tuple(o for shape in shapes for o in shape.objects)),
        implied=KINDS.difference(*said) if all(said) else KINDS,
        texts=tuple(dict.fromkeys(t for shape in shapes for t in shape.texts)),
    )


def _beside(shape: Shape, said: frozenset[str]) -> Shape:
    """One of several alternatives, without the types that it implies and another one speaks about (`said`).

    An alternative that says nothing allows everything by itself, and the others then keep only what they speak about.
    """
    dropped = shape.implied & said if shape.said else frozenset[str]()
    return shape.only(KINDS - dropped) if dropped & shape.kinds() else shape


def _distinct(objects: tuple[Objects, ...]) -> tuple[Objects, ...]:
    return tuple({o.key: o for o in reversed(objects)}.values())[::-1]
