"""The normal form of a schema: for each JSON type, which of its values are allowed.

A set of JSON values consists of a set of nulls, of booleans, of numbers, of strings, of arrays and of objects. `meet`,
`union` and `opposite` are defined on each of these, and so on the whole; every keyword of JSON Schema that combines
schemas reduces to these three. The contents of arrays and objects are named, not written out (see formula).
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
class ValueSet:
    """The allowed values by type; numbers, arrays and objects are unions of alternatives.

    implied: the types that no keyword mentions, which are allowed only by default
    texts: strings, in addition to `strings`, that hold the JSON text of a value of a formula
    closed: the values that some alternative mentions, if `implied` cannot separate them from the others: one
        alternative may imply all values of a type of which another allows few
    """

    null: bool = False
    booleans: frozenset[bool] = frozenset()
    numbers: tuple[Numbers, ...] = ()
    strings: Expr = NOTHING
    arrays: tuple[Arrays, ...] = ()
    objects: tuple[Objects, ...] = ()
    implied: frozenset[str] = frozenset()
    texts: tuple[Formula, ...] = ()
    closed: ValueSet | None = None

    @property
    def said(self) -> frozenset[str]:
        """The types that some keyword mentions, if only to exclude them."""
        return KINDS - self.implied

    def spoken(self) -> ValueSet:
        """The values without those of types that are allowed only by default; all values if no type is mentioned."""
        value_set = self.closed or self
        return value_set.only(value_set.said) if value_set.said else value_set

    def kinds(self) -> frozenset[str]:
        """The types with some value that is (or may be) allowed."""
        present = {
            "null": self.null,
            "boolean": self.booleans,
            "number": self.numbers,
            "string": self.strings is not NOTHING or self.texts,
            "array": self.arrays,
            "object": self.objects,
        }
        return frozenset(kind for kind, some in present.items() if some)

    def only(self, kinds: frozenset[str]) -> ValueSet:
        """The values of these types."""
        return ValueSet(
            null=self.null and "null" in kinds,
            booleans=self.booleans if "boolean" in kinds else frozenset(),
            numbers=self.numbers if "number" in kinds else (),
            strings=self.strings if "string" in kinds else NOTHING,
            arrays=self.arrays if "array" in kinds else (),
            objects=self.objects if "object" in kinds else (),
            implied=self.implied & kinds,
            texts=self.texts if "string" in kinds else (),
        )


def anything(origin: str) -> ValueSet:
    """Every value; `origin` is the pointer of the schema that allows them."""
    return ValueSet(
        null=True,
        booleans=frozenset({True, False}),
        numbers=(Numbers(origin=origin),),
        strings=TEXT,
        arrays=(Arrays(origin=origin),),
        objects=(Objects(origin=origin),),
        implied=KINDS,
    )


def union(*value_sets: ValueSet) -> ValueSet:
    """The values that any of the value sets allows; those allowed only by default remain so."""
    present = [value_set for value_set in value_sets if value_set.kinds()]
    spoken = [part for part in (value_set.closed or value_set for value_set in present) if part.kinds()]
    said = _said_by(spoken)
    kept = [_beside(part, said) for part in spoken]
    closed = None if kept == present else _united(*kept)
    return replace(_united(*present), closed=closed)


def _said_by(value_sets: Sequence[ValueSet]) -> frozenset[str]:
    """The types that some alternative mentions; all types if an alternative mentions none."""
    said = [value_set.said for value_set in value_sets]
    return frozenset[str]().union(*said) if all(said) else KINDS


def _united(*value_sets: ValueSet) -> ValueSet:
    said = [value_set.said for value_set in value_sets]
    return ValueSet(
        null=any(value_set.null for value_set in value_sets),
        booleans=frozenset().union(*(value_set.booleans for value_set in value_sets)),
        numbers=tuple(dict.fromkeys(n for value_set in value_sets for n in value_set.numbers)),
        strings=alt(*(value_set.strings for value_set in value_sets)),
        arrays=tuple(dict.fromkeys(a for value_set in value_sets for a in value_set.arrays)),
        objects=_distinct(tuple(o for value_set in value_sets for o in value_set.objects)),
        implied=KINDS.difference(*said) if all(said) else KINDS,
        texts=tuple(dict.fromkeys(t for value_set in value_sets for t in value_set.texts)),
    )


def _beside(value_set: ValueSet, said: frozenset[str]) -> ValueSet:
    """One of several alternatives, without the types that it implies and another one mentions (`said`).

    An alternative that mentions no type allows everything; the others then keep only the types that they mention.
    """
    dropped = value_set.implied & said if value_set.said else frozenset[str]()
    return value_set.only(KINDS - dropped) if dropped & value_set.kinds() else value_set


def _distinct(objects: tuple[Objects, ...]) -> tuple[Objects, ...]:
    return tuple({o.key: o for o in reversed(objects)}.values())[::-1]
