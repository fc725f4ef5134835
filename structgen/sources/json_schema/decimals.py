"""The decimal spellings of the numbers in an interval, as expressions.

Without an exponent, a number is an integer part and an optional fraction. Bounds are compared digit by digit: once a
digit lies strictly between the digits of the bounds, the remaining digits are free. So the size of an automaton depends
on the length of the bounds, not on their value. A number without bounds may also have an exponent.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import NoReturn

from structgen.errors import Unsupported
from structgen.grammar import (
    EMPTY,
    NOTHING,
    Expr,
    alt,
    any_of,
    both,
    char_ranges,
    chars,
    complement,
    literal,
    optional,
    repeat,
    seq,
    star,
)

from .multiples import DIGIT, DIGITS, NATURAL, OFF_ONE, SIGN, ZEROS, multiples, others, whole
from .numbers import Numbers

FRACTION = seq(literal("."), repeat(DIGIT, 1))
EXPONENT = seq(any_of("eE"), optional(any_of("+-")), repeat(DIGIT, 1, 2))  # within the range of doubles

# Numbers that doubles distinguish from their neighbours: integers, and decimals with few digits.
SHORT = seq(SIGN, alt(whole(DIGITS), seq(whole(9), literal("."), repeat(DIGIT, 1, 6))))

# Doubles distinguish numbers of this many significant digits. More digits near an open bound could round to the
# bound when the text is read: a number above an exclusive minimum would be read as the minimum itself.
EXACT_DIGITS = 15
ENUMERATED = 200  # the greatest number of multiples within bounds that are listed


# The same in canonical spelling, whose digits are those of the double that is read.
READ_SHORT = alt(SHORT, seq(SIGN, whole(DIGITS), literal(".0")))
READ_OFF_ONE = seq(SIGN, NATURAL, literal("."), star(DIGIT), chars("19"))


@lru_cache(maxsize=2000)
def spell_numbers(numbers: Numbers, *, reading: bool = False, exponents: bool = True) -> Expr:
    """The texts of these numbers: integers, decimals and, if unbounded, numbers with an exponent.

    With `reading`, numbers are known to be canonical: they may then have as many digits as doubles have. Syntaxes whose
    readers take an exponent for text have none.
    """
    if numbers.step is not None or numbers.avoid:
        return _on_steps(numbers, reading)
    if numbers.low is None and numbers.high is None:
        return (
            seq(SIGN, NATURAL)
            if numbers.integer
            else seq(SIGN, NATURAL, optional(FRACTION), optional(EXPONENT) if exponents else EMPTY)
        )
    if numbers.low is not None and numbers.low == numbers.high:
        return _point(numbers.low, numbers.integer)
    return _signed(numbers, _places(numbers, reading))


def _point(value: Decimal, integer: bool) -> Expr:
    """One number; an integer has no fraction, or also .0 if fractions are allowed."""
    if value == value.to_integral_value():
        whole = literal(format(value.to_integral_value() if value else Decimal(0), "f"))
        return whole if integer else seq(whole, optional(literal(".0")))
    return NOTHING if integer else literal(format(value.normalize(), "f"))


def _places(numbers: Numbers, reading: bool) -> int | None:
    """The allowed number of fraction digits: no limit, except near an open bound, where doubles limit it."""
    if numbers.integer or reading:
        return 0 if numbers.integer else None
    bounds = ((numbers.low, numbers.low_open), (numbers.high, numbers.high_open))
    limits = [_exact_places(bound) for bound, open_ in bounds if bound is not None and open_]
    return min(limits) if limits else None


def _exact_places(bound: Decimal) -> int:
    whole = len(format(abs(bound).to_integral_value(ROUND_FLOOR), "f")) if abs(bound) >= 1 else 0
    return max(EXACT_DIGITS - whole, len(_split(abs(bound))[1]), 1)


def _signed(numbers: Numbers, places: int | None) -> Expr:
    """The magnitudes of the negative part after a minus sign, and those of the part from zero on."""
    low, high = numbers.low, numbers.high
    parts: list[Expr] = []
    if high is None or high > 0 or (high == 0 and not numbers.high_open):
        start = (low, numbers.low_open) if low is not None and low >= 0 else (Decimal(0), False)
        parts.append(magnitudes(start, (high, numbers.high_open), places))
    if low is None or low < 0:
        start = (-high, numbers.high_open) if high is not None and high <= 0 else (Decimal(0), False)
        end = (None, False) if low is None else (-low, numbers.low_open)
        parts.append(seq(literal("-"), magnitudes(start, end, places)))
    return alt(*parts)


Bound = tuple[Decimal | None, bool]  # a value (None: no bound) and whether it is excluded


def magnitudes(low: Bound, high: Bound, places: int | None) -> Expr:
    """Decimals from `low` to `high`, neither negative, with at most `places` fraction digits."""
    first, low_digits = _split(low[0] or Decimal(0))
    if high[0] is None:
        last, high_digits = None, ""
    else:
        last, high_digits = _split(high[0])
    if last is not None and first > last:
        return NOTHING
    below = (low_digits, low[1])
    above = None if last is None else (high_digits, high[1])
    if first == last:
        return seq(literal(str(first)), fractions_between(below, above, places))
    parts = [seq(literal(str(first)), fractions_between(below, None, places))]
    inner_last = None if last is None else last - 1
    if inner_last is None or first + 1 <= inner_last:
        parts.append(seq(integers(first + 1, inner_last), fractions_between(("", False), None, places)))
    if last is not None:
        parts.append(seq(literal(str(last)), fractions_between(("", False), above, places)))
    return alt(*parts)


def _split(value: Decimal) -> tuple[int, str]:
    """Integer part and fraction digits, without trailing zeros."""
    whole, _, fraction = format(value, "f").partition(".")
    return int(whole), fraction.rstrip("0")


Digits = tuple[str, bool]  # the fraction digits of a bound and whether it is excluded


@lru_cache(maxsize=10_000)
def fractions_between(low: Digits, high: Digits | None, places: int | None) -> Expr:
    """The endings of a decimal: nothing or a point and digits, between the fractions of two bounds."""
    none = EMPTY if _ends(low, high) else NOTHING
    return none if places == 0 else alt(none, seq(literal("."), _digits(low, high, places, at_end=False)))


def _ends(low: Digits, high: Digits | None) -> bool:
    """Whether a fraction may end here, with zeros for all further digits."""
    above = not low[0] and not low[1]
    return above and (high is None or bool(high[0]) or not high[1])


@lru_cache(maxsize=10_000)
def _digits(low: Digits, high: Digits | None, places: int | None, at_end: bool = True) -> Expr:
    """Digit strings between two fractions; the empty one only if `at_end`."""
    if low == ("", False) and high is None:
        return repeat(DIGIT, 0 if at_end else 1, places)
    stop = EMPTY if at_end and _ends(low, high) else NOTHING
    if places == 0 or (high is not None and not high[0] and (high[1] or low[0] or low[1])):
        return stop
    a, b = int(low[0][:1] or 0), 9 if high is None else int(high[0][:1] or 0)
    fewer = None if places is None else places - 1
    down = (low[0][1:], low[1])
    up = None if high is None else (high[0][1:], high[1])
    parts = [stop]
    for digit in range(a, b + 1):
        below = down if digit == a else ("", False)
        above = up if digit == b and high is not None else None
        if (below, above) == (low, high) and places is None:  # a zero that changes nothing
            return alt(*_after_zeros(low, high, at_end))
        parts.append(seq(literal(str(digit)), _digits(below, above, fewer)))
    return alt(*parts)


def _after_zeros(low: Digits, high: Digits | None, at_end: bool) -> list[Expr]:
    """The rest if zeros change nothing: `low` is exhausted and open, or `high` is exhausted."""
    zeros = repeat(literal("0"), 0 if at_end else 1)
    if high is not None:
        return [zeros]
    return [seq(ZEROS, chars("19"), star(DIGIT))]


def integers(low: int, high: int | None) -> Expr:
    """The plain spellings of the integers from `low` (not negative) to `high` (None: no bound)."""
    parts: list[Expr] = []
    for length in range(len(str(low)), len(str(low if high is None else high)) + 1):
        first = max(low, 10 ** (length - 1) if length > 1 else 0)
        last = 10**length - 1 if high is None else min(high, 10**length - 1)
        parts.append(_same_length(str(first), str(last)))
    if high is None:
        parts.append(seq(chars("19"), repeat(DIGIT, len(str(low)))))
    return alt(*parts)


@lru_cache(maxsize=10_000)
def _same_length(low: str, high: str) -> Expr:
    """Digit strings from `low` to `high`, all of one length."""
    if not low:
        return EMPTY
    if set(low) == {"0"} and set(high) == {"9"}:
        return repeat(DIGIT, len(low), len(low))
    a, b = int(low[0]), int(high[0])
    rest = len(low) - 1
    if a == b:
        return seq(literal(low[0]), _same_length(low[1:], high[1:]))
    parts = [seq(literal(low[0]), _same_length(low[1:], "9" * rest))]
    if b - a > 1:
        parts.append(seq(char_ranges([(48 + a + 1, 48 + b - 1)]), repeat(DIGIT, rest, rest)))
    parts.append(seq(literal(high[0]), _same_length("0" * rest, high[1:])))
    return alt(*parts)


def _on_steps(numbers: Numbers, reading: bool) -> Expr:
    """Numbers that are, or are not, multiples of steps."""
    plain = replace(numbers, step=None, avoid=frozenset())
    if plain.low is None and plain.high is None:
        base = seq(SIGN, NATURAL) if numbers.integer else seq(SIGN, NATURAL, optional(FRACTION))
    else:
        base = _signed(plain, _places(plain, reading))
    parts = [base]
    step = numbers.grid if numbers.step is not None else None
    if step is not None:
        points = _points(numbers, step)
        if points is not None:
            return alt(*(_point(value, numbers.integer) for value in points))
        parts.append(multiples(step) or _refused(step, numbers.origin))
    for unit in sorted(numbers.avoid):
        if unit == 1:
            parts.append(READ_OFF_ONE if reading else OFF_ONE)
        else:
            parts += [
                READ_SHORT if reading else SHORT,
                complement(others(unit) or _refused(unit, numbers.origin)),
            ]
    return both(*parts)


def _points(numbers: Numbers, step: Fraction) -> list[Decimal] | None:
    """The multiples of a step within bounds, if they are few."""
    if numbers.low is None or numbers.high is None:
        return None
    first, last = ceil(Fraction(numbers.low) / step), floor(Fraction(numbers.high) / step)
    if last - first >= ENUMERATED:
        return None
    values = (step * n for n in range(first, last + 1))
    exact = [Decimal(v.numerator) / Decimal(v.denominator) for v in values]
    whole = (Numbers(numbers.low, numbers.high, numbers.low_open, numbers.high_open, avoid=numbers.avoid),)
    return [v for v in exact if any(n.meet(Numbers(v, v)) for n in whole)]


def _refused(step: Fraction, origin: str) -> NoReturn:
    raise Unsupported(
        f"multiples of {step} are not told by their digits",
        keyword="multipleOf",
        pointer=f"{origin}/multipleOf",
        remedy="list the values in an enum, or drop multipleOf and check the result",
    )
