"""Finding the element that repeats an earlier one in an array with `uniqueItems`, which no automaton can do.

The automaton of a schema does not remember whole elements, so it accepts repetitions if the elements of a `uniqueItems`
array have more than a few values. Here the schema's own formulas judge the parsed value. A value may satisfy several
alternatives (anyOf, oneOf, if); it passes if one of these has no repetition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..languages import contains
from .arrays import Arrays, Contains
from .formula import ANYTHING, Formula
from .numbers import Numbers
from .objects import Objects
from .spans import PathStep

if TYPE_CHECKING:
    from .write import SchemaWriter


@dataclass(frozen=True)
class RepeatedElement:
    """A repetition: element `index` of the array at `path` equals an earlier one.

    path: keys and indices, outermost first
    """

    path: tuple[PathStep, ...]
    index: int

    def within(self, step: PathStep) -> RepeatedElement:
        """The same repetition, with a path that begins one level further out."""
        return RepeatedElement((step, *self.path), self.index)


@dataclass(frozen=True, eq=False)
class Judge:
    """A judge of values under one document's formulas; `writer` knows how each formula was written."""

    writer: SchemaWriter

    def repeat(self, formula: Formula, value: Any) -> RepeatedElement | None:
        """The first repetition, in the order of the text, of a value that the formula's automaton accepts."""
        if formula == ANYTHING or not isinstance(value, list | dict):
            return None
        ways = list(self._ways(formula, value))
        fitting = [way for way in ways if self._fits(way, value)] if len(ways) > 1 else ways
        found = [self._within(way, value) for way in fitting or ways]
        if None in found and fitting:
            return None
        return next((repeat for repeat in found if repeat is not None), None)

    def fits(self, formula: Formula, value: Any) -> bool:
        """Whether a value is in a formula, repetitions aside."""
        if formula == ANYTHING:
            return True
        if isinstance(value, list | dict):
            return any(self._fits(way, value) for way in self._ways(formula, value))
        return any(_is_scalar_of(value_set, value) for value_set in self.writer.value_sets(formula))

    def _ways(self, formula: Formula, value: list[Any] | dict[str, Any]) -> Iterator[Arrays | Objects]:
        """The alternatives for a value of this type."""
        for value_set in self.writer.value_sets(formula):
            yield from value_set.arrays if isinstance(value, list) else value_set.objects

    def _fits(self, way: Arrays | Objects, value: Any) -> bool:
        return self._fits_array(way, value) if isinstance(way, Arrays) else self._fits_object(way, value)

    def _fits_array(self, arrays: Arrays, value: Sequence[Any]) -> bool:
        return (
            _between(arrays.low, len(value), arrays.high)
            and all(self.fits(arrays.item(index), element) for index, element in enumerate(value))
            and all(_between(c.low, len(list(self._counted(c, value))), c.high) for c in arrays.contains)
        )

    def _fits_object(self, objects: Objects, value: Mapping[str, Any]) -> bool:
        return (
            _between(objects.low, len(value), objects.high)
            and all(key in value for key, member in objects.members.items() if member.required)
            and all(self.fits(objects.value_at(key), member) for key, member in value.items())
            and all(
                any(contains(need.keys, key) and self.fits(need.value, value[key]) for key in value)
                for need in objects.needs
            )
        )

    def _counted(self, group: Contains, value: Sequence[Any]) -> Iterator[int]:
        """The indices of the elements that a group counts."""
        return (i for i in range(group.start, len(value)) if self.fits(group.value, value[i]))

    def _within(self, way: Arrays | Objects, value: Any) -> RepeatedElement | None:
        return self._in_array(way, value) if isinstance(way, Arrays) else self._in_object(way, value)

    def _in_array(self, arrays: Arrays, value: Sequence[Any]) -> RepeatedElement | None:
        seen: set[Any] = set()
        for index, element in enumerate(value):
            if inside := self.repeat(arrays.item(index), element):
                return inside.within(index)
            key = identity(element) if arrays.told_apart else index
            if key in seen:
                return RepeatedElement((), index)
            seen.add(key)
        for group in arrays.contains:
            counted = [(i, self.repeat(group.value, value[i])) for i in self._counted(group, value)]
            if sum(inside is None for _, inside in counted) < group.low:
                return _first((i, inside) for i, inside in counted)
        return None

    def _in_object(self, objects: Objects, value: Mapping[str, Any]) -> RepeatedElement | None:
        for key, member in value.items():
            if inside := self.repeat(objects.value_at(key), member):
                return inside.within(key)
        for need in objects.needs:
            inside = [
                (key, self.repeat(need.value, member))
                for key, member in value.items()
                if contains(need.keys, key) and self.fits(need.value, member)
            ]
            if all(repeat is not None for _, repeat in inside):
                return _first(inside)
        return None


def identity(value: Any) -> Any:
    """A key that is equal for equal JSON values: 1 equals 1.0 but not true, and members have no order."""
    if isinstance(value, bool) or value is None:
        return ("constant", value)
    if isinstance(value, list):
        return ("array", tuple(map(identity, value)))
    if isinstance(value, dict):
        return ("object", frozenset((key, identity(member)) for key, member in value.items()))
    if isinstance(value, Decimal):
        return ("number", float(value))  # as readers of JSON have it; they may take for one what is nearly so
    return ("number", value) if isinstance(value, int) else ("string", value)


def _first(found: Iterable[tuple[PathStep, RepeatedElement | None]]) -> RepeatedElement | None:
    return next((repeat.within(step) for step, repeat in found if repeat is not None), None)


def _is_scalar_of(value_set: Any, value: Any) -> bool:
    if value is None:
        return value_set.null
    if isinstance(value, bool):
        return value in value_set.booleans
    if isinstance(value, str):
        return contains(value_set.strings, value)
    return any(_holds(numbers, Fraction(value)) for numbers in value_set.numbers)


def _holds(numbers: Numbers, value: Fraction) -> bool:
    """Whether a number is in a set of numbers."""
    low, high, grid = numbers.low, numbers.high, numbers.grid
    return (
        (low is None or value > low or (value == low and not numbers.low_open))
        and (high is None or value < high or (value == high and not numbers.high_open))
        and (grid is None or (value / grid).denominator == 1)
        and all((value / unit).denominator != 1 for unit in numbers.avoid)
    )


def _between(low: int, count: int, high: int | None) -> bool:
    return low <= count and (high is None or count <= high)
