"""What a place in a document may hold, as a boolean formula over schemas that need not have been read yet.

A schema that contains itself cannot be written out, but it can be named. The parts of a value (members, elements) are
therefore formulas: `every`, `some` and `opposite` of named schemas. Formulas are in negation normal form, and there are
finitely many over finitely many names, so combining recursive schemas terminates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Formula:
    """A set of JSON values; equal formulas are the same set."""


@dataclass(frozen=True)
class Name(Formula):
    """The values of the schema with this number or, if `negated`, all other values."""

    number: int
    negated: bool = False


@dataclass(frozen=True)
class Every(Formula):
    """The values that are in every part."""

    parts: frozenset[Formula]


@dataclass(frozen=True)
class Some(Formula):
    """The values that are in at least one part."""

    parts: frozenset[Formula]


ANYTHING: Formula = Every(frozenset())
NO_VALUE: Formula = Some(frozenset())


def every(*parts: Formula) -> Formula:
    """The intersection of the parts."""
    flat = _flat(parts, Every)
    if NO_VALUE in flat or _contradict(flat):
        return NO_VALUE
    flat = {part for part in flat if not (isinstance(part, Some) and part.parts & flat)}
    return next(iter(flat)) if len(flat) == 1 else Every(frozenset(flat))


def some(*parts: Formula) -> Formula:
    """The union of the parts."""
    flat = _flat(parts, Some)
    if ANYTHING in flat or _contradict(flat):
        return ANYTHING
    flat = {part for part in flat if not (isinstance(part, Every) and part.parts & flat)}
    return next(iter(flat)) if len(flat) == 1 else Some(frozenset(flat))


def opposite(formula: Formula) -> Formula:
    """All other values."""
    match formula:
        case Name(number, negated):
            return Name(number, not negated)
        case Every(parts):
            return some(*map(opposite, parts))
        case Some(parts):
            return every(*map(opposite, parts))
    raise TypeError(f"{formula} is no formula")


def _flat(parts: Iterable[Formula], kind: type[Every] | type[Some]) -> set[Formula]:
    flat: set[Formula] = set()
    for part in parts:
        flat |= part.parts if isinstance(part, kind) else {part}
    return flat


def _contradict(parts: set[Formula]) -> bool:
    """Whether the parts include a name and its opposite."""
    return any(isinstance(p, Name) and p.negated and Name(p.number) in parts for p in parts)
