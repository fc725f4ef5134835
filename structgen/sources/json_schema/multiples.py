"""The decimal spellings of the multiples of a step, as expressions.

If the last digits decide whether a number is a multiple (10, 0.25), they are listed. Otherwise digits are read from the
left and the remainder is remembered: after a digit d it is (10 r + d) mod m. Each prime power of a step has its own
automaton, and these are intersected, which keeps each of them small. Such numbers have at most DIGITS digits before the
point: beyond that, readers that keep numbers as doubles could not recognize multiples.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, lru_cache

from structgen.grammar import (
    EMPTY,
    NOTHING,
    Expr,
    alt,
    any_of,
    both,
    chars,
    literal,
    optional,
    repeat,
    seq,
    star,
)

DIGITS = 15
ENDINGS = 1000  # the greatest number of endings that are listed
MOST_REMAINDERS = 1000  # remainders of one prime power
MOST_TOGETHER = 2500  # remainders of all prime powers together

DIGIT = chars("09")
SIGN = optional(literal("-"))
NATURAL = alt(literal("0"), seq(chars("19"), star(DIGIT)))
ZEROS = star(literal("0"))


def whole(digits: int) -> Expr:
    """The plain spellings of integers of at most `digits` digits, without a sign."""
    return alt(literal("0"), seq(chars("19"), repeat(DIGIT, 0, digits - 1)))


OFF_ONE = seq(SIGN, whole(9), literal("."), repeat(DIGIT, 0, 5), chars("19"))  # not integers, even as doubles


@lru_cache(maxsize=1000)
def multiples(step: Fraction) -> Expr | None:
    """Decimals, signed or not, that are multiples of `step`; None if the step is out of reach."""
    places = _places(step)
    if places is None:
        return None
    return _by_ending(step, places) or _by_remainder(step, places)


@lru_cache(maxsize=1000)
def others(step: Fraction) -> Expr | None:
    """An expression whose complement, among decimals of up to DIGITS digits, is all that are no multiple of `step`."""
    places = _places(step)
    return None if places is None else _by_remainder(step, places)


def _places(step: Fraction) -> int | None:
    """The greatest number of digits after the point in multiples of a step."""
    return next((places for places in range(20) if (step * 10**places).denominator == 1), None)


def _by_ending(step: Fraction, places: int) -> Expr | None:
    """The multiples of a step that are recognized by their last digits."""
    unit = int(step * 10**places)
    if unit == 1:
        point = seq(literal("."), repeat(DIGIT, 1, places)) if places else NOTHING
        return seq(SIGN, NATURAL, alt(EMPTY, point))
    count = next((n for n in range(1, 20) if 10**n % unit == 0), None)
    if count is None or 10**count // unit > ENDINGS or (places and count > places):
        return None
    if places:
        return seq(SIGN, NATURAL, alt(EMPTY, seq(literal("."), alt(*_fractions(unit, places)))))
    small = [literal(str(n)) for n in range(0, 10**count, unit)]
    large = [literal(f"{n:0{count}d}") for n in range(0, 10**count, unit)]
    return seq(SIGN, alt(*small, seq(chars("19"), star(DIGIT), alt(*large))))


def _fractions(unit: int, places: int) -> list[Expr]:
    texts = {f"{n:0{places}d}" for n in range(0, 10**places, unit)}
    shorter = {text[:length] for text in texts for length in range(1, places) if not text[length:].strip("0")}
    return [literal(text) for text in sorted(texts | shorter)]


def _by_remainder(step: Fraction, places: int) -> Expr | None:
    """The multiples of any step with small prime powers, with optional zeros at the end if there is a point."""
    powers = list(_prime_powers(int(step * 10**places)))
    product = 1
    for power in powers:
        product *= power
    if max(powers, default=1) > MOST_REMAINDERS or product > MOST_TOGETHER:
        return None
    return both(*(seq(SIGN, _divided(power, places)) for power in powers or [1]))


def _prime_powers(number: int) -> Iterator[int]:
    """The prime powers of a number; a remaining factor beyond the limit counts as one."""
    for prime in range(2, MOST_REMAINDERS + 1):
        power = 1
        while number % prime == 0:
            number //= prime
            power *= prime
        if power > 1:
            yield power
    if number > 1:
        yield number


@lru_cache(maxsize=200)
def _divided(modulus: int, places: int) -> Expr:
    """Decimals whose digits, read as an integer with `places` digits after the point, are divisible by `modulus`."""

    def ends(remainder: int, written: int) -> bool:
        return remainder * 10 ** (places - written) % modulus == 0

    def next_digit(remainder: int, first: int, follow) -> Expr:
        targets: dict[int, str] = {}
        for digit in range(first, 10):
            after = (10 * remainder + digit) % modulus
            targets[after] = targets.get(after, "") + str(digit)
        return alt(*(seq(any_of(digits), follow(after)) for after, digits in targets.items()))

    @cache
    def fraction(remainder: int, written: int) -> Expr:
        if written == places:
            return ZEROS if ends(remainder, written) else NOTHING
        stop = EMPTY if written and ends(remainder, written) else NOTHING
        return alt(stop, next_digit(remainder, 0, lambda r: fraction(r, written + 1)))

    @cache
    def before(remainder: int, left: int) -> Expr:
        stop = EMPTY if ends(remainder, 0) else NOTHING
        point = seq(literal("."), repeat(literal("0"), 1)) if not places and stop is EMPTY else NOTHING
        if places:
            point = seq(literal("."), fraction(remainder, 0))
        more = next_digit(remainder, 0, lambda r: before(r, left - 1)) if left else NOTHING
        return alt(stop, point, more)

    return alt(seq(literal("0"), before(0, 0)), next_digit(0, 1, lambda r: before(r, DIGITS - 1)))
