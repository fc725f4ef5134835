"""The exact languages of dates, times and durations between bounds.

Dates and times of one form have their digits in fixed places, from the greatest unit to the smallest. Their order is
that of the digits, so a range is a language like that of the numbers between two numbers of equal length. A separate
language restricts it to real dates. Durations are numbers of days, hours, minutes and seconds, each below the next unit
(PT1H30M), or a number of a single unit (PT90M); their resolution is one microsecond.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from structgen.grammar import EMPTY, NOTHING, Expr, alt, both, char_ranges, literal, seq

from ..regex import fullmatch_expr
from . import formats as rfc
from .decimals import fractions_between, integers, magnitudes

PLACES = 6  # digits of the fraction of a second: pydantic keeps microseconds
MICRO = 1_000_000
LONGEST = 999_999 * 86_400 * MICRO  # microseconds of the longest duration that is written
_SUFFIXES = {
    None: rf"(?:{rfc.OFFSET})?",
    "aware": rfc.OFFSET,
    "naive": "",
    "utc": r"(?:Z|[+-]00:00)",
}


@lru_cache(maxsize=1000)
def temporal(format_: str, low: str | None, high: str | None, zone: str | None) -> Expr:
    """The strings of a format ("date", "time", "date-time", "duration") from `low` to `high`, both in that format.

    zone: "aware" (with a zone), "naive" (without), "utc", or an offset such as "+01:00"; None: all of these. Only the
    digits before the zone are compared.
    """
    if format_ == "duration":
        return _durations(low, high)
    if format_ == "date":
        return both(fullmatch_expr(rfc.DATE), _between(low or "0001-01-01", high or "9999-12-31"))
    suffix = fullmatch_expr(_SUFFIXES[zone]) if zone in _SUFFIXES else literal(zone or "")
    clock = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    if format_ == "time":
        whole, least, most = clock, "00:00:00", "23:59:59"
    else:
        whole, least, most = f"{rfc.DATE}T{clock}", "0001-01-01T00:00:00", "9999-12-31T23:59:59"
    return seq(_moments(fullmatch_expr(whole), low or least, high or f"{most}.999999"), suffix)


def _moments(whole: Expr, low: str, high: str) -> Expr:
    """Texts of `whole` with a fraction of a second, between two such texts."""
    (first, _, above), (last, _, below) = low.partition("."), high.partition(".")
    lower, upper = (above.rstrip("0"), False), (below.rstrip("0"), False)
    if first > last:
        return NOTHING
    if first == last:
        return seq(literal(first), fractions_between(lower, upper, PLACES))
    return alt(
        seq(literal(first), fractions_between(lower, None, PLACES)),
        seq(both(whole, _between(first, last, inner=True)), fractions_between(("", False), None, PLACES)),
        seq(literal(last), fractions_between(("", False), upper, PLACES)),
    )


@lru_cache(maxsize=10_000)
def _between(low: str | None, high: str | None, form: str = "", inner: bool = False) -> Expr:
    """Texts with digits where `form` has them, from `low` to `high` (None: free from here); `inner` excludes both."""
    form = form or low or high or ""
    if not form[0].isdigit():
        return seq(literal(form[0]), _rest(low, high, form, inner))
    a, b = (0 if low is None else int(low[0])), (9 if high is None else int(high[0]))
    if a == b and low is not None and high is not None:
        return seq(literal(form[0]), _rest(low, high, form, inner))
    parts = []
    if low is not None:
        parts.append(seq(literal(low[0]), _rest(low, None, form, inner)))
    if high is not None:
        parts.append(seq(literal(high[0]), _rest(None, high, form, inner)))
    first, last = a + (low is not None), b - (high is not None)
    if first <= last:
        parts.append(seq(char_ranges([(48 + first, 48 + last)]), _rest(None, None, form, inner)))
    return alt(*parts) if a <= b else NOTHING


def _rest(low: str | None, high: str | None, form: str, inner: bool) -> Expr:
    low, high, form = low and low[1:], high and high[1:], form[1:]
    if form:
        return _between(low, high, form, inner)
    return NOTHING if inner and (low is not None or high is not None) else EMPTY


def duration_of(micros: int) -> str:
    """A length of time in microseconds as a bound of durations, which is written in seconds."""
    return f"{Decimal(micros) / MICRO:f}"


def _durations(low: str | None, high: str | None) -> Expr:
    """Durations between bounds in seconds; without a lower bound, none is negative unless all are."""
    least, most = (None if bound is None else int(Decimal(bound) * MICRO) for bound in (low, high))
    if most is not None and most < 0:
        return seq(literal("-"), _spans(-most, LONGEST if least is None else -least))
    forward = _spans(max(least or 0, 0), LONGEST if most is None else most)
    if least is not None and least < 0:
        return alt(forward, seq(literal("-"), _spans(1, -least)))
    return forward


def _spans(low: int, high: int) -> Expr:
    """Durations from `low` to `high` microseconds, neither negative."""
    if low > high:
        return NOTHING
    units = (("P", "W", 7 * 86_400), ("P", "D", 86_400), ("PT", "H", 3600), ("PT", "M", 60), ("PT", "S", 1))
    single = []
    for prefix, unit, seconds in units:
        first, last = -(-low // (seconds * MICRO)), min(high // (seconds * MICRO), 999_999)
        if first <= last:
            single.append(seq(literal(prefix), integers(first, last), literal(unit)))
    return alt(*single, _mixed(_digits(low), _digits(high)))


Span = tuple[int, int, int, int]  # days, hours, minutes, microseconds


def _digits(micros: int) -> Span:
    minutes, rest = divmod(micros, 60 * MICRO)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return days, hours, minutes, rest


def _mixed(low: Span, high: Span) -> Expr:
    """Durations of several units; units that are zero are omitted."""

    def clock(below: tuple[int, ...] | None, above: tuple[int, ...] | None) -> tuple[bool, Expr]:
        """Whether hours, minutes and seconds may all be zero, and the texts where they are not."""
        return _units("HM", below, above)

    return _unit("D", low, high, clock, lambda days, some: seq(days, literal("T"), some), literal("P"))[1]


@lru_cache(maxsize=1000)
def _units(names: str, low: tuple[int, ...] | None, high: tuple[int, ...] | None) -> tuple[bool, Expr]:
    """Whether all of these units and the seconds may be zero, and the texts where some unit is not."""
    if not names:
        least, most = (low or (0,))[0], (60 * MICRO - 1 if high is None else high[0])
        first = max(least, 1)
        some = (
            NOTHING
            if first > most
            else seq(magnitudes(_seconds(first), _seconds(most), PLACES), literal("S"))
        )
        return least == 0, some
    return _unit(names[0], low, high, lambda a, b: _units(names[1:], a, b), seq, EMPTY)


def _seconds(micros: int) -> tuple[Decimal, bool]:
    return Decimal(micros) / MICRO, False


def _unit(
    name: str,
    low: tuple[int, ...] | None,
    high: tuple[int, ...] | None,
    rest: Callable[[tuple[int, ...] | None, tuple[int, ...] | None], tuple[bool, Expr]],
    join: Callable[[Expr, Expr], Expr],
    prefix: Expr,
) -> tuple[bool, Expr]:
    """One unit and the `rest` of smaller ones: whether all may be zero, and the texts where some unit is not."""
    limit = {"H": 23, "M": 59}.get(name, 999_999)
    first, last = (0 if low is None else low[0]), (limit if high is None else high[0])
    below, above = low and low[1:], high and high[1:]
    if first == last:
        groups = [(first, first, below, above)]
    else:
        groups = [(first, first, below, None), (last, last, None, above), (first + 1, last - 1, None, None)]
    zero, texts = False, []
    for start, end, below, above in groups:
        if start > end:
            continue
        none, some = rest(below, above)
        if start == 0:
            zero = zero or none
            texts.append(seq(prefix, literal("T"), some) if name == "D" else some)
            continue
        written = seq(prefix, integers(start, end), literal(name))
        texts.append(alt(written if none else NOTHING, NOTHING if some is NOTHING else join(written, some)))
    return zero, alt(*texts)
