"""What a text states: numbers, dates, times and words, and the places where it does."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from structgen.reading.copying import Copied, Copying
from structgen.reading.dates import (
    DAY_FIRST,
    FULL_YEAR,
    IN_DIGITS,
    JOIN,
    MONTH_FIRST,
    SPACED,
    TIME,
    clock,
    days,
    together,
)
from structgen.reading.headings import has_words, heading
from structgen.reading.labels import named_in
from structgen.reading.numbers import NEGATIVE, NUMBER, in_digits, in_words, names
from structgen.reading.series import Series, series
from structgen.reading.statement import Statement

_NEIGHBOURS = re.compile(r"\d,\d")
NEAR = 500  # characters in front of a value that may name it
Place = tuple[int, int]  # characters start … end − 1 of a text
Found = Mapping[str, Sequence[Place]]  # each value, and where it is stated
_WORD = re.compile(r"\w")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ISO_TIME = re.compile(r"(\d\d:\d\d)(:\d\d)?(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)?")


class Stated:
    """Where a text states values, read once for all of them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._copied: dict[Copying, Copied] = {}

    def places(self, value: Any, names: Sequence[str] = ()) -> list[Place]:
        """Every place that states a value, those on a line that names it first; none for true, false, null, [] and {}.

        names: of the value and of what it is part of, the innermost last
        """
        if isinstance(value, bool | list | dict) or value is None:
            return []
        if isinstance(value, str):
            found = {*self._words(value), *self._otherwise(value)}
        else:
            found = set(self._numbers.get(_decimal(value), ()))
        return self._preferred(found, names)

    def copies(self, value: str, copying: Copying, names: Sequence[str] = ()) -> list[Place]:
        """Every place that a value was copied from, those on a line that names it first."""
        found = self._copied.setdefault(copying, Copied(self._text, copying)).places(value)
        return self._preferred(found, names)

    def _preferred(self, found: Iterable[Place], names: Sequence[str]) -> list[Place]:
        """Places in their order, those that a name labels first."""
        places = sorted(found)
        return sorted(places, key=lambda place: -self.named(place, names)) if len(places) > 1 else places

    def extremes(self, *, whole: bool) -> list[str]:
        """The least and the greatest number that the text states, as JSON spells them."""
        found = [one for one in self._numbers if not whole or one == one.to_integral_value()]
        return [f"{one:f}" for one in (min(found), max(found))] if found else []

    def whole(self, value: str) -> str | None:
        """The words of the text that a value cuts off inside the last: "the budget review" for "the budget re"."""
        if not value or not _WORD.match(value[-1]):
            return None
        found = re.search(rf"(?<!\w)({_pattern(value)}\w+)", self._text)
        return None if found is None else found[1]

    def named(self, place: Place, names: Sequence[str]) -> int:
        """How many words of a value's name, in any language, stand in front of a place on its line, or over it."""
        return named_in(names[-1:], self._before(place)) if names else 0

    def _before(self, place: Place) -> str:
        """What stands in front of a place on its line, and over it."""
        start, end = self._text.rfind("\n", 0, place[0]) + 1, self._text.find("\n", place[0])
        before = self._text[max(start, place[0] - NEAR) : place[0]]
        if not start:
            return before.casefold()
        line = self._text[start : end if end >= 0 else len(self._text)]
        return f"{before}\n{heading(line, self._text[start : place[0]], self._above(start))}".casefold()

    def _above(self, start: int) -> Iterator[str]:
        """The lines above a line that have words, the nearest first."""
        while start > 0:
            end = start - 1
            start = self._text.rfind("\n", 0, end) + 1
            if has_words(line := self._text[max(start, end - NEAR) : end]):
                yield line

    def _words(self, value: str) -> Iterator[Place]:
        """The places of a text; case and the kind of white space do not count."""
        if value.strip():
            before = r"(?<!\w)" if _WORD.match(value.strip()[0]) else ""
            after = r"(?!\w)" if _WORD.match(value.strip()[-1]) else ""
            for match in re.finditer(f"{before}{_pattern(value)}{after}", self._text, re.IGNORECASE):
                yield match.span()

    def _otherwise(self, value: str) -> Iterable[Place]:
        """The places of a date, a time or a number that is written in another way."""
        if day := _ISO_DATE.match(value):
            dates, time = self._dates.get(day.group(), ()), _ISO_TIME.fullmatch(value[day.end() + 1 :])
            if time is None:
                return dates
            return [*dates, *self._clock(time)] if dates and self._clock(time) else ()
        if time := _ISO_TIME.fullmatch(value):
            return self._clock(time)
        if re.fullmatch(r"-?\d+(\.\d+)?", value):
            return self._numbers.get(_decimal(value), ())
        return ()

    def _clock(self, time: re.Match[str]) -> list[Place]:
        """The places of a time of day; Z may stand for no zone, and a time without one for a time in any."""
        plain, zone = f"{time[1]}{time[2] or ':00'}", (time[3] or "").upper()
        return [
            place
            for stated, places in self._times.items()
            for place in places
            if stated == plain + zone
            or (stated == plain and zone == "Z")
            or (stated[:8] == plain and not zone)
        ]

    @cached_property
    def series(self) -> list[Series]:
        """The series of the text."""
        return series(self._text)

    @cached_property
    def _numbers(self) -> dict[Decimal, list[Place]]:
        cells = [
            Statement(one.value, at + one.start, at + one.end)
            for at, cell in self._cells
            for one in number_statements(cell)
        ]
        return _by(dict.fromkeys([*number_statements(self._text), *cells]), _decimal)

    @property
    def _cells(self) -> Iterator[tuple[int, str]]:
        """The cells beside a comma, each alone: what stands behind the comma is another number."""
        seen: set[Place] = set()
        for one in self.series if _NEIGHBOURS.search(self._text) else ():
            for start, end in (cell for part in one.parts if one.kind == "table" for cell in part.cells):
                beside = self._text[end : end + 1] + self._text[max(start - 1, 0) : start]
                if "," in beside and (start, end) not in seen:
                    seen.add((start, end))
                    yield start, self._text[start:end]

    @cached_property
    def _dates(self) -> dict[str, list[Place]]:
        return _by(date_statements(self._text), str)

    @cached_property
    def _times(self) -> dict[str, list[Place]]:
        return _by(time_statements(self._text), str)


def _pattern(value: str) -> str:
    return r"\s+".join(map(re.escape, value.split()))


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value)).normalize()


def _by(statements: Iterable[Statement], key: Callable[[str], Any]) -> dict[Any, list[Place]]:
    found: dict[Any, list[Place]] = {}
    for one in statements:
        found.setdefault(key(one.value), []).append((one.start, one.end))
    return found


def numbers(text: str, *, whole: bool) -> Found:
    """Numbers as JSON spells them, and where they stand; whole: without a fraction."""
    return _found(one for one in number_statements(text) if not whole or "." not in one.value)


def signed_numbers(text: str, *, whole: bool) -> Found:
    """`numbers`, without the reading of a hyphen as a dash where it is a minus."""
    found = {
        value: [
            (start, end)
            for start, end in places
            if value.startswith("-") or not NEGATIVE.search(text, max(0, start - 3), start)
        ]
        for value, places in numbers(text, whole=whole).items()
    }
    return {value: places for value, places in found.items() if places}


def dates(text: str) -> Found:
    """The dates as YYYY-MM-DD, and where they stand; a date without a year gets every year that the text names."""
    return _found(date_statements(text))


def times(text: str) -> Found:
    """The times of day as HH:MM:SS, with an offset from UTC if it is stated, and where they stand."""
    return _found(time_statements(text))


def moments(text: str) -> Found:
    """The dates with a time of day as YYYY-MM-DDTHH:MM:SS, and where they stand."""
    return _found(moment_statements(text))


def _found(statements: Iterable[Statement]) -> Found:
    found = defaultdict[str, list[Place]](list)
    for one in statements:
        found[one.value].append((one.start, one.end))
    return found


def number_statements(text: str) -> Iterator[Statement]:
    """Every reading of every number, in digits or in words."""
    yield from in_digits(list(NUMBER.finditer(text)))
    yield from in_words(list(names().finditer(text)))


def date_statements(text: str) -> Iterator[Statement]:
    """Every reading of every date."""
    years = [int(year) for year in dict.fromkeys(FULL_YEAR.findall(text))]
    digits = [*IN_DIGITS.finditer(text), *SPACED.finditer(text)]
    return days([digits, *(list(form.finditer(text)) for form in (DAY_FIRST, MONTH_FIRST))], years)


def time_statements(text: str) -> Iterator[Statement]:
    """Every time of day."""
    return clock(TIME.finditer(text))


def moment_statements(text: str) -> Iterator[Statement]:
    """Every date with a time of day beside it."""
    return together(date_statements(text), list(time_statements(text)), partial(JOIN.fullmatch, text))
