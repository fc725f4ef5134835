"""The numbers, dates and times that a text may state, as JSON spells them: 1.234,50 is 1234.50, 8 pm is 20:00:00.

If a spelling is ambiguous, every reading is given, because this module cannot know which is meant: 1.234, or 03/04/2026
if no other date in the text tells days from months. In dates with points the day comes first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from structgen.reading.series import Series, series

_NUMBER = re.compile(r"\d+(?:[.,'’]\d+|[ \u00a0\u202f]\d{3}(?!\d))*")
_NEIGHBOURS = re.compile(r"\d,\d")
_NUMERIC_DATE = re.compile(r"(?<!\d)(\d{1,4})([-./])(\d{1,2})\2(\d{4}|\d{2})?(?!\d)")
_TIME = re.compile(
    r"(?<![\d:.])(\d{1,2})(?:[:.h]([0-5]\d)(?::([0-5]\d))?)?(?: ?([ap]\.?m)\b)?(?![\d])", re.IGNORECASE
)
_YEAR = re.compile(r"(?<![\d.,])(?:19|20)\d\d(?![\d])")
_CENTURY = 2000
Found = Mapping[str, Sequence[int]]  # each value, and where its statements begin
# English, German, French and Spanish, in full and short
_MONTHS = (
    "jan(?:uary|uar|vier|v)?|jän(?:ner)?|ene(?:ro)?",
    "feb(?:ruary|ruar|rero)?|f[ée]v(?:rier|r)?",
    "mar(?:ch|s|zo)?|märz?|mrz",
    "apr(?:il)?|avr(?:il)?|abr(?:il)?",
    "mayo?|mai",
    "jun(?:e|io?)?|juin",
    "jul(?:y|io?)?|juil(?:let)?",
    "aug(?:ust)?|ao[ûu]t|ago(?:sto)?",
    "sep(?:t|tember|tembre|tiembre)?",
    "o[ck]t(?:ober|obre|ubre)?",
    "nov(?:ember|embre|iembre)?",
    "de[cz](?:ember)?|déc(?:embre)?|dic(?:iembre)?",
)
_NAMES = "|".join(_MONTHS)
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?[ \-/]?(?:of |de )?({_NAMES})\b\.?,?(?:[ \-/](?:de )?(\d{{4}}))?",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"\b({_NAMES})\b\.?[ \-](\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?[ \-](\d{{4}}))?", re.IGNORECASE
)


Place = tuple[int, int]  # characters start … end − 1 of a text
_WORD = re.compile(r"\w")
_WORDS = re.compile(r"[^\W_]+")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ISO_TIME = re.compile(r"(?:\d{4}-\d\d-\d\d[Tt ])?(\d\d:\d\d(?::\d\d)?)")


class Stated:
    """Where a text states values, read once for all of them."""

    def __init__(self, text: str) -> None:
        self._text = text

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
        words = {word for name in names[-1:] for word in _WORDS.findall(name.casefold())}
        return sorted(found, key=lambda place: (-len(words & self._before(place)), place))

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
        """How many words of a value's name stand in front of a place on its line."""
        words = {word for name in names[-1:] for word in _WORDS.findall(name.casefold())}
        return len(words & self._before(place))

    def _before(self, place: Place) -> set[str]:
        """The words in front of a place on its line."""
        line = self._text[self._text.rfind("\n", 0, place[0]) + 1 : place[0]]
        return set(_WORDS.findall(line.casefold()))

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
            return self._dates.get(day.group(), ())
        if time := _ISO_TIME.fullmatch(value.rstrip("Zz")):
            return self._times.get(time[1] if len(time[1]) > 5 else f"{time[1]}:00", ())
        if re.fullmatch(r"-?\d+(\.\d+)?", value):
            return self._numbers.get(_decimal(value), ())
        return ()

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


class Statement(NamedTuple):
    """A value that a text may state, as JSON spells it, and the characters start … end − 1 that state it."""

    value: str
    start: int
    end: int


def numbers(text: str, *, whole: bool) -> Found:
    """The numbers as JSON spells them, and where they stand; whole: only those without a fraction."""
    return _starts(one for one in number_statements(text) if not whole or "." not in one.value)


def dates(text: str) -> Found:
    """The dates as YYYY-MM-DD, and where they stand; a date without a year gets every year that the text names."""
    return _starts(date_statements(text))


def times(text: str) -> Found:
    """The times of day as HH:MM:SS, and where they stand."""
    return _starts(time_statements(text))


def _starts(statements: Iterable[Statement]) -> Found:
    found = defaultdict[str, list[int]](list)
    for one in statements:
        found[one.value].append(one.start)
    return found


def number_statements(text: str) -> Iterator[Statement]:
    """Every reading of every number."""
    for match in _NUMBER.finditer(text):
        before = text[max(0, match.start() - 2) : match.start()]
        signs = ["", "-"] if before[-1:] in ("-", "−") and not before[:-1].isalnum() else [""]
        for value in _readings(match.group()):
            for sign in signs:
                yield Statement(sign + value, match.start(), match.end())


def date_statements(text: str) -> Iterator[Statement]:
    """Every reading of every date."""
    years = [int(year) for year in dict.fromkeys(_YEAR.findall(text))]
    for start, end, (year, month, day) in _parts(text):
        for known in years if year is None else [year if year > 99 else _CENTURY + year]:
            try:
                yield Statement(date(known, month, day).isoformat(), start, end)
            except ValueError:
                continue


def time_statements(text: str) -> Iterator[Statement]:
    """Every time of day."""
    for match in _TIME.finditer(text):
        hour, minute, second = int(match[1]), match[2] or "00", match[3] or "00"
        half = (match[4] or "").lower()[:1]
        if not match[2] and not half:
            continue
        hour = hour % 12 + 12 * (half == "p") if half else hour
        if hour < 24:
            yield Statement(f"{hour:02}:{minute}:{second}", *match.span())


Parts = tuple[int | None, int, int]


def _parts(text: str) -> Iterator[tuple[int, int, Parts]]:
    """Where each reading begins and ends, and its year (None if not stated, two digits if below 100), month and day."""
    numeric = list(_NUMERIC_DATE.finditer(text))
    # one certain date decides for the others: beside 25/06/2026, 11/06/2026 is the 11th of June
    whole = [(int(match[1]), int(match[3])) for match in numeric if len(match[1]) <= 2]
    orders = (
        any(first > len(_MONTHS) for first, _ in whole),
        any(middle > len(_MONTHS) for _, middle in whole),
    )
    for match in numeric:
        first, middle, last = match[1], int(match[3]), match[4]
        if len(first) == 4 and last is not None and len(last) == 2:
            yield *match.span(), (int(first), middle, int(last))
        elif len(first) <= 2:
            year, dotted = None if last is None else int(last), match[2] == "."
            if dotted or orders != (False, True):
                yield *match.span(), (year, middle, int(first))
            if not dotted and orders != (True, False):
                yield *match.span(), (year, int(first), middle)
    for match in _DAY_FIRST.finditer(text):
        yield *match.span(), (_stated(match[3]), _month(match[2]), int(match[1]))
    for match in _MONTH_FIRST.finditer(text):
        yield *match.span(), (_stated(match[3]), _month(match[1]), int(match[2]))


def _stated(year: str | None) -> int | None:
    return None if year is None else int(year)


def _month(name: str) -> int:
    """1 … 12 of a name in any of the languages."""
    return next(at for at, names in enumerate(_MONTHS, 1) if re.fullmatch(names, name, re.IGNORECASE))


def _readings(text: str) -> Iterable[str]:
    """The possible meanings of digits with separators: each group alone, all as one number, the last as a fraction."""
    groups = re.split(r"\D", text)
    yield from map(_plain, groups)
    if len(groups) > 1 and all(len(group) == 3 for group in groups[1:]):
        yield _plain("".join(groups))
    if len(groups) > 1 and text[-len(groups[-1]) - 1] in ".," and all(len(one) == 3 for one in groups[1:-1]):
        point, fraction = _plain("".join(groups[:-1])), groups[-1]
        yield f"{point}.{fraction}"
        yield f"{point}.{fraction.rstrip('0') or '0'}"


def _plain(digits: str) -> str:
    return digits.lstrip("0") or "0"
