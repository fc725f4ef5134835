"""Boolean operations on value sets, and a test for combinations without values.

Arrays and objects are unions of alternatives, so intersections and differences multiply them. Alternatives that are
certainly empty are dropped on the way, which keeps a discriminated union as small as its branches. Whether a member can
have a value depends on the schema that it names, as far as this has been read (`hollow`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from structgen.errors import Unsupported
from structgen.grammar import NOTHING, Expr
from structgen.limits.budget import check

from ..languages import contains, empty, intersect, without
from . import formula as f
from .arrays import Arrays
from .formula import Every, Formula, Some
from .held import meet_texts, minus_texts
from .numbers import Numbers
from .objects import Need, Objects
from .value_set import ValueSet, anything

MOST_CASES = 2000  # alternatives of one schema once its unions are multiplied out
MOST_ASKED = 16  # depth of required members to which a schema is tested for emptiness
MOST_WORK = 30_000  # combinations tried in one document

Part = TypeVar("Part", Arrays, Objects)


class Circular(Unsupported):
    """Raised for a schema that refers to itself for the same value."""


@dataclass
class Combiner:
    """The operations on the value sets of one document; `value_set_of` reads the schemas that formulas name."""

    value_set_of: Callable[[Formula], ValueSet]
    work: int = 0
    known: dict[Formula, bool] = field(default_factory=dict)
    asked: set[Formula] = field(default_factory=set)

    def meet(self, left: ValueSet, right: ValueSet) -> ValueSet:
        """The values that both allow. A type stays implied only if neither value set mentions it."""
        return ValueSet(
            null=left.null and right.null,
            booleans=left.booleans & right.booleans,
            numbers=_meet_numbers(left.numbers, right.numbers),
            strings=intersect(left.strings, right.strings),
            arrays=self._meet(left.arrays, right.arrays, self._empty_array),
            objects=self._meet(left.objects, right.objects, self._empty_object),
            implied=left.implied & right.implied,
            texts=meet_texts(left, right),
            closed=self.meet(left.closed or left, right.closed or right)
            if left.closed or right.closed
            else None,
        )

    def minus(self, left: ValueSet, right: ValueSet) -> ValueSet:
        """The values of `left` that `right` does not allow; `right` includes the types it allows by default."""
        return ValueSet(
            null=left.null and not right.null,
            booleans=left.booleans - right.booleans,
            numbers=_minus_numbers(left.numbers, right.numbers),
            strings=_minus_strings(left.strings, right.strings),
            arrays=self._minus(left.arrays, right.arrays, self._empty_array),
            objects=self._minus(left.objects, right.objects, self._empty_object),
            implied=left.implied,
            texts=minus_texts(left, right),
            closed=self.minus(left.closed, right) if left.closed else None,
        )

    def opposite(self, value_set: ValueSet, origin: str) -> ValueSet:
        """All other values."""
        return self.minus(anything(origin), value_set)

    def all_of(self, value_sets: Iterable[ValueSet], start: ValueSet) -> ValueSet:
        """The values that `start` and all value sets allow."""
        for value_set in value_sets:
            start = self.meet(start, value_set)
        return start

    def hollow(self, formula: Formula) -> bool:
        """Whether the formula certainly holds no value; False if only circular reading could decide it."""
        if formula in (f.NO_VALUE, f.ANYTHING):
            return formula == f.NO_VALUE
        if formula not in self.known:
            far = formula in self.asked or len(self.asked) == MOST_ASKED
            if far or not isinstance(formula, Every | Some):
                return False
            self.asked.add(formula)
            try:
                self.known[formula] = self._empty_value_set(self.value_set_of(formula))
            except Circular:
                return False
            finally:
                self.asked.discard(formula)
        return self.known[formula]

    def _empty_value_set(self, value_set: ValueSet) -> bool:
        return not (
            value_set.null or value_set.booleans or value_set.numbers or value_set.texts or not empty(value_set.strings)
            or not all(map(self._empty_array, value_set.arrays))
            or not all(map(self._empty_object, value_set.objects))
        )  # fmt: skip

    def _empty_array(self, arrays: Arrays) -> bool:
        return any(self.hollow(arrays.item(index)) for index in range(min(arrays.low, 32)))

    def _empty_object(self, objects: Objects) -> bool:
        required = (member.value for member in objects.members.values() if member.required)
        return any(map(self.hollow, required)) or not all(self._met(objects, need) for need in objects.needs)

    def _met(self, objects: Objects, need: Need) -> bool:
        """Whether a member that is needed may be present."""
        for key, member in objects.members.items():
            if contains(need.keys, key) and f.every(member.value, need.value) != f.NO_VALUE:
                return True
        return any(
            f.every(extra.value, need.value) != f.NO_VALUE and not empty(intersect(extra.keys, need.keys))
            for extra in objects.extras
        )

    def _meet(
        self, left: tuple[Part, ...], right: tuple[Part, ...], is_empty: Callable[[Part], bool]
    ) -> tuple[Part, ...]:
        found: dict[object, Part] = {}
        for a in left:
            for b in right:
                self._count(len(found), a.origin)
                both = a.meet(b)
                if both is not None and not is_empty(both):
                    found.setdefault(both.key if isinstance(both, Objects) else both, both)
        return tuple(found.values())

    def _minus(
        self, left: tuple[Part, ...], right: tuple[Part, ...], is_empty: Callable[[Part], bool]
    ) -> tuple[Part, ...]:
        remaining = left
        for taken in right:
            others = None
            kept: list[Part] = []
            for part in remaining:
                self._count(len(kept), part.origin)
                both = part.meet(taken)
                if both is None or is_empty(both):
                    kept.append(part)
                else:
                    others = cast(tuple[Part, ...], tuple(taken.opposite())) if others is None else others
                    kept += self._meet((part,), others, is_empty)
            remaining = tuple(kept)
        return remaining

    def _count(self, cases: int, origin: str) -> None:
        self.work += 1
        check()
        if cases > MOST_CASES or self.work > MOST_WORK:
            raise Unsupported(
                "too many combinations of alternatives (anyOf, oneOf, not, if, dependencies)",
                pointer=origin,
                remedy="merge the alternatives, or tell them apart by a required member with constants",
            )


def _meet_numbers(left: tuple[Numbers, ...], right: tuple[Numbers, ...]) -> tuple[Numbers, ...]:
    """The numbers in both; single numbers are looked up, not multiplied out, because an enum may have thousands."""
    points = {n.low: n for n in right if n.is_point}
    wide = [n for n in right if not n.is_point]
    found: list[Numbers | None] = []
    for a in left:
        if a.is_point:
            found += [a.meet(b) for b in (*([points[a.low]] if a.low in points else []), *wide)]
        else:
            found += [a.meet(b) for b in right]
    return tuple(dict.fromkeys(n for n in found if n is not None))


def _minus_numbers(left: tuple[Numbers, ...], right: tuple[Numbers, ...]) -> tuple[Numbers, ...]:
    points = {n.low for n in right if n.is_point}
    single = tuple(n for n in left if n.is_point and n.low not in points)
    wide = tuple(n for n in left if not n.is_point)
    for taken in right:
        others = tuple(replace(n, origin="") for n in taken.opposite())
        if not taken.is_point and any(part.meet(taken) for part in single):
            single = _meet_numbers(single, others)
        if any(part.meet(taken) for part in wide):
            wide = _meet_numbers(wide, others)
    return single + wide


def _minus_strings(left: Expr, right: Expr) -> Expr:
    if left is NOTHING or right is NOTHING or empty(intersect(left, right)):
        return left
    rest = without(left, right)
    return NOTHING if empty(rest) else rest
