"""Sets of numbers: an interval with exact decimal ends, with steps whose multiples are required or excluded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm

from .node import Node


@dataclass(frozen=True)
class Numbers:
    """The set of numbers from `low` to `high` (None: no bound; open: the bound is excluded).

    `step` keeps only its multiples, `avoid` drops the multiples of each of its members. `integer` keeps integers;
    `typed`: a `type` requires them, and by it 1.0 is no integer in draft 4.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False
    integer: bool = False
    step: Fraction | None = None
    origin: str = ""
    avoid: frozenset[Fraction] = frozenset()
    typed: bool = False

    def meet(self, other: Numbers) -> Numbers | None:
        """The intersection of both sets; None if it is certainly empty."""
        low, low_open = _tighter(self.low, self.low_open, other.low, other.low_open, sign=1)
        high, high_open = _tighter(self.high, self.high_open, other.high, other.high_open, sign=-1)
        if low is not None and high is not None and (low > high or (low == high and (low_open or high_open))):
            return None
        both = Numbers(
            low, high, low_open, high_open,
            self.integer or other.integer,
            _common_multiple(self.step, other.step),
            self.origin or other.origin,
            self.avoid | other.avoid,
            self.typed or other.typed,
        )  # fmt: skip
        return None if both._contradicts() else both

    def opposite(self) -> Iterator[Numbers]:
        """All other numbers, as sets that do not overlap: below, above, and between but off the steps."""
        if self.low is not None:
            yield Numbers(high=self.low, high_open=not self.low_open, origin=self.origin)
        if self.high is not None:
            yield Numbers(low=self.high, low_open=not self.high_open, origin=self.origin)
        if self.is_point:
            return
        within = replace(self, integer=False, step=None, avoid=frozenset(), typed=False)
        if self.grid is not None:
            yield replace(within, avoid=frozenset({self.grid}))
        for unit in self.avoid:
            whole = unit.denominator == 1  # a type may require it
            yield replace(within, step=unit, integer=whole, typed=whole)

    @property
    def is_point(self) -> bool:
        """Whether this is a single number."""
        return self.low is not None and self.low == self.high

    @property
    def grid(self) -> Fraction | None:
        """The step that all numbers are multiples of; integers are multiples of 1."""
        return _common_multiple(self.step, Fraction(1) if self.integer else None)

    def integers(self, most: int) -> list[int] | None:
        """The numbers, if they are at most `most` integers; otherwise None."""
        grid = self.grid
        if self.low is None or self.high is None or grid is None or grid.denominator != 1:
            return None
        first, last = -(-Fraction(self.low) // grid), Fraction(self.high) // grid
        if last - first >= most:
            return None
        found = [int(k * grid) for k in range(first, last + 1)]
        ends = {self.low: self.low_open, self.high: self.high_open}
        inside = (n for n in found if not ends.get(Decimal(n), False))
        return [n for n in inside if all((n / unit).denominator != 1 for unit in self.avoid)]

    def _contradicts(self) -> bool:
        """Whether the steps certainly exclude everything: all multiples are avoided, or the only number is none."""
        grid = self.grid
        if grid is not None and any((grid / unit).denominator == 1 for unit in self.avoid):
            return True
        if not self.is_point:
            return False
        point = Fraction(self.low or 0)
        on_grid = grid is None or (point / grid).denominator == 1
        return not on_grid or any((point / unit).denominator == 1 for unit in self.avoid)


def _tighter(
    a: Decimal | None, a_open: bool, b: Decimal | None, b_open: bool, *, sign: int
) -> tuple[Decimal | None, bool]:
    if a is None or b is None:
        return (b, b_open) if a is None else (a, a_open)
    if a == b:
        return a, a_open or b_open
    return (a, a_open) if (a > b) == (sign > 0) else (b, b_open)


def _common_multiple(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    if a is None or b is None:
        return a or b
    return Fraction(lcm(a.numerator, b.numerator), gcd(a.denominator, b.denominator))


def read_numbers(node: Node) -> Numbers | None:
    """The numbers that minimum, maximum, their exclusive forms and multipleOf allow; None if they allow no number."""
    parts = [Numbers(origin=node.pointer)]
    for keyword, exclusive, end in (
        ("minimum", "exclusiveMinimum", "low"),
        ("maximum", "exclusiveMaximum", "high"),
    ):
        # In draft 4 the exclusive keyword is a boolean that qualifies the bound.
        qualifies = exclusive in node and isinstance(node.child(exclusive).value, bool)
        if keyword in node:
            open_ = qualifies and node.child(exclusive).value
            parts.append(_bound(end, node.child(keyword).number(), open_))
        if exclusive in node and not qualifies:
            parts.append(_bound(end, node.child(exclusive).number(), True))
    for keyword in ("multipleOf", "divisibleBy"):
        if keyword in node:
            step = Fraction(node.child(keyword).number())
            if step <= 0:
                node.child(keyword).malformed("a number greater than zero")
            parts.append(Numbers(step=step, integer=step.denominator == 1))
    numbers: Numbers | None = parts[0]
    for part in parts[1:]:
        numbers = numbers and numbers.meet(part)
    return numbers


def _bound(end: str, value: Decimal, open_: bool) -> Numbers:
    return Numbers(low=value, low_open=open_) if end == "low" else Numbers(high=value, high_open=open_)
