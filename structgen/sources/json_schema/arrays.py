"""Sets of arrays, described by their elements by position, their length, and how many elements are of some kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from .formula import ANYTHING, NO_VALUE, Formula, every, opposite
from .node import Node

MERGED = "x-set"  # accompanies uniqueItems in schemas of classes; ALIKE if equal elements are equal JSON
ALIKE = "alike"


@dataclass(frozen=True)
class Contains:
    """A requirement that `low` to `high` of the elements from index `start` on are in `value`."""

    value: Formula
    low: int = 1
    high: int | None = None
    start: int = 0


@dataclass(frozen=True)
class Arrays:
    """A set of arrays of `low` to `high` elements: first `prefix`, then `rest`; each of `contains` holds.

    unique: True if no two elements are equal, False if some two are, None if either is allowed
    origin: pointer of the schema, for refusals
    merged: the reader makes a set of the array, so repetitions are harmless unless several elements are needed
    alike: that reader treats elements as equal if and only if they are equal JSON
    """

    prefix: tuple[Formula, ...] = ()
    rest: Formula = ANYTHING
    low: int = 0
    high: int | None = None
    contains: tuple[Contains, ...] = ()
    unique: bool | None = None
    origin: str = ""
    merged: bool = False
    alike: bool = True

    @property
    def told_apart(self) -> bool:
        """Whether a repetition is an error."""
        return self.unique is True and not (self.merged and self.low <= 1)

    def item(self, index: int) -> Formula:
        """The values allowed at an index."""
        return self.prefix[index] if index < len(self.prefix) else self.rest

    def meet(self, other: Arrays) -> Arrays | None:
        """The intersection of both sets; None if it is certainly empty."""
        low, high = max(self.low, other.low), least(self.high, other.high)
        length = max(len(self.prefix), len(other.prefix))
        prefix = tuple(every(self.item(i), other.item(i)) for i in range(length))
        contains = (*self.contains, *(c for c in other.contains if c not in self.contains))
        if self.unique is not None and other.unique is not None and self.unique != other.unique:
            return None
        unique = other.unique if self.unique is None else self.unique
        origin = max(self.origin, other.origin, key=len)  # the deeper pointer says more
        merged = all(arrays.merged for arrays in (self, other) if arrays.unique)
        alike = all(arrays.alike for arrays in (self, other) if arrays.unique)
        both = Arrays(
            prefix, every(self.rest, other.rest), low, high, contains, unique, origin, merged, alike
        )
        return both.closed()

    def closed(self) -> Arrays | None:
        """The same set without positions that allow no value; None if nothing is left."""
        items = [*self.prefix, self.rest]
        end = items.index(NO_VALUE) if NO_VALUE in items else None
        high = self.high if end is None else least(self.high, end)
        if high is not None and self.low > high:
            return None
        prefix = self.prefix if high is None else self.prefix[:high]
        return replace(self, prefix=prefix, high=high)

    def opposite(self) -> Iterator[Arrays]:
        """The complement: arrays that are too short, too long, or wrong at some position."""
        if self.low:
            yield Arrays(high=self.low - 1, origin=self.origin)
        if self.high is not None:
            yield Arrays(low=self.high + 1, origin=self.origin)
        for index, value in enumerate(self.prefix):
            if value != ANYTHING:
                before = (ANYTHING,) * index
                yield Arrays((*before, opposite(value)), low=index + 1, origin=self.origin)
        if self.rest != ANYTHING:
            wrong = Contains(opposite(self.rest), start=len(self.prefix))
            yield Arrays(contains=(wrong,), origin=self.origin)
        for group in self.contains:
            if group.low:
                yield Arrays(contains=(replace(group, low=0, high=group.low - 1),), origin=self.origin)
            if group.high is not None:
                yield Arrays(contains=(replace(group, low=group.high + 1, high=None),), origin=self.origin)
        if self.unique is not None:
            yield Arrays(unique=not self.unique, low=2 if self.unique else 0, origin=self.origin)


def least(a: int | None, b: int | None) -> int | None:
    """The smaller of two bounds, where None is no bound."""
    return min((n for n in (a, b) if n is not None), default=None)


def read_arrays(node: Node, formula: Callable[[Node], Formula], own: bool) -> tuple[Arrays, ...]:
    """The arrays that the keywords for arrays allow, `own` ones among them; no alternative if there are none."""
    low = node.child("minItems").count() if "minItems" in node else 0
    high = node.child("maxItems").count() if "maxItems" in node else None
    prefix, rest = _elements(node, formula)
    unique = True if "uniqueItems" in node and node.child("uniqueItems").boolean() else None
    mark = node.value.get(MERGED) if unique and own else None
    merged, alike = mark in (True, ALIKE), mark is not True
    contains: tuple[Contains, ...] = ()
    if "contains" in node:
        least_ = node.child("minContains").count() if "minContains" in node else 1
        most = node.child("maxContains").count() if "maxContains" in node else None
        if most is not None and least_ > most:
            return ()
        if least_ or most is not None:
            contains = (Contains(formula(node.child("contains")), least_, most),)
    arrays = Arrays(prefix, rest, low, high, contains, unique, node.pointer, merged, alike).closed()
    return () if arrays is None else (arrays,)


def _elements(node: Node, formula: Callable[[Node], Formula]) -> tuple[tuple[Formula, ...], Formula]:
    """The schemas of each position and of later ones; before 2020-12 these are `items` and `additionalItems`."""
    listed, rest = "prefixItems", "items"
    if "prefixItems" not in node and "items" in node and isinstance(node.value["items"], list | tuple):
        listed, rest = "items", "additionalItems"
    prefix = tuple(map(formula, node.child(listed).elements())) if listed in node else ()
    return prefix, formula(node.child(rest)) if rest in node else ANYTHING
