"""The dates and times that a text may state, as JSON spells them: 8 pm is 20:00:00, May 6, 2026 is 2026-05-06.

If a spelling is ambiguous, every reading is given, because this module cannot know which is meant: 03/04/2026 if no
other date in the text tells days from months. In dates with points the day comes first. Digits in the form of a date
are read as one only from 1800 to 2199, and not inside a longer number such as that of a telephone.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date

from structgen.reading.statement import Statement

IN_DIGITS = re.compile(r"(?<!\d)(?<!\d[-./ ])(\d{1,4})([-./])(\d{1,2})\2(\d{4}|\d{2})?(?!\d)(?![-./]\d)")
SPACED = re.compile(r"(?<!\d)(?<!\d[-./ ])(\d{1,2})(\.) (\d{1,2})\. (\d{4})(?!\d)(?![-./]\d)")  # 1. 10. 2026
TIME = re.compile(
    r"(?<![\d:.])(\d{1,2})(?:[:.h]([0-5]\d)(?::([0-5]\d)(?:[.,]\d+)?)?)?(?: ?([ap]\.?m)\b)?(?!\d|\.\d)"
    r"( ?(?:Z\b|UTC\b|GMT\b|(?:UTC|GMT)?[+−-](?:0\d|1[0-4]):?[0-5]\d(?!\d)))?",
    re.IGNORECASE,
)
FULL_YEAR = re.compile(r"(?<![\d.,])(?:19|20)\d\d(?![\d])")
_CENTURY = 2000
_YEARS = range(1800, 2200)  # of dates in digits
JOIN = re.compile(
    r"[Tt]|[,;]?\s*(?:(?:at|on|um|am|den|le|à|el|a las|kl\.?|@|-|–)\s*)?", re.IGNORECASE
)  # between date and time
# English, German, French and Spanish, in full and short; Italian, Dutch, Portuguese, Polish, Czech, Swedish, Danish and
# Turkish in full, as dates have them
_MONTHS = (
    "jan(?:uary|uari?|vier|v)?|jän(?:ner)?|ene(?:ro)?|gennaio|janeiro|stycznia|ledna|ocak",
    "feb(?:ruary|ruari?|rero)?|f[ée]v(?:rier|r)?|febbraio|fevereiro|lutego|února|şubat",
    "mar(?:ch|s|zo)?|märz?|mrz|maart|março|marts|marca|března|mart",
    "apr(?:il)?|avr(?:il)?|abr(?:il)?|aprile|kwietnia|dubna|nisan",
    "mayo?|mai|mei|maj|maja|maio|maggio|května|mayıs",
    "jun(?:e|io?)?|juin|juni|giugno|junho|czerwca|června|haziran",
    "jul(?:y|io?)?|juil(?:let)?|juli|luglio|julho|lipca|července|temmuz",
    "aug(?:ust)?|ao[ûu]t|ago(?:sto)?|augustus|augusti|sierpnia|srpna|ağustos",
    "sep(?:t|tember|tembre|tiembre)?|settembre|setembro|września|září|eylül",
    "o[ck]t(?:ober|obre|ubre)?|ottobre|outubro|października|října|ekim",
    "nov(?:ember|embre|iembre)?|novembro|listopada|listopadu|kasım",
    "de[cz](?:ember)?|déc(?:embre)?|dic(?:iembre)?|dicembre|dezembro|grudnia|prosince|aralık",
)
_NAMES = "|".join(_MONTHS)
DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?[ \-/]?(?:of |de )?({_NAMES})\b\.?,?(?:[ \-/](?:de )?(\d{{4}}))?",
    re.IGNORECASE,
)
MONTH_FIRST = re.compile(
    rf"\b({_NAMES})\b\.?[ \-](\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?[ \-](\d{{4}}))?", re.IGNORECASE
)


Forms = Sequence[
    Sequence[re.Match[str]]
]  # all matches of IN_DIGITS and SPACED, DAY_FIRST, and MONTH_FIRST in a text


def days(forms: Forms, years: Sequence[int]) -> Iterator[Statement]:
    """Every reading of every date in these forms; one without a year gets each of the years."""
    for start, end, (year, month, day) in _parts(forms):
        for known in years if year is None else [year if year > 99 else _CENTURY + year]:
            try:
                yield Statement(date(known, month, day).isoformat(), start, end)
            except ValueError:
                continue


def clock(found: Iterable[re.Match[str]]) -> Iterator[Statement]:
    """Every time of day among the matches of TIME, with its offset from UTC if that is stated."""
    for match in found:
        hour, minute, second = int(match[1]), match[2] or "00", match[3] or "00"
        half = (match[4] or "").lower()[:1]
        if not match[2] and not half:
            continue
        hour = hour % 12 + 12 * (half == "p") if half else hour
        if hour < 24:
            # 9:00-10:30 is a span of time, 9:00:00-10:30 a time ten hours and a half behind UTC
            zone = match[5] if match[3] or not (match[5] or "").startswith(("-", "−")) else None
            end = match.end() if zone else match.end() - len(match[5] or "")
            yield Statement(f"{hour:02}:{minute}:{second}{_offset(zone)}", match.start(), end)


def together(
    dates: Iterable[Statement], times: Sequence[Statement], joined: Callable[[int, int], object]
) -> Iterator[Statement]:
    """Every date with the time of day behind or before it, as one value: 2026-05-06T14:30:00.

    times: in the order of the text; joined: whether what stands from one character to another joins a date and a time
    """
    begins, stops = [one.start for one in times], [one.end for one in times]
    for day in dates:
        for time in times[bisect_left(begins, day.end) :][:1]:
            if joined(day.end, time.start):
                yield Statement(f"{day.value}T{time.value}", day.start, time.end)
        for time in times[: bisect_left(stops, day.start + 1)][-1:]:
            if joined(time.end, day.start):
                yield Statement(f"{day.value}T{time.value}", time.start, day.end)


def _offset(zone: str | None) -> str:
    """Z or +02:00; nothing if the text states no zone."""
    if zone is None:
        return ""
    digits = re.sub(r"[^\d+-]", "", zone.replace("−", "-"))
    return f"{digits[:3]}:{digits[3:]}" if digits else "Z"


Parts = tuple[int | None, int, int]


def _parts(forms: Forms) -> Iterator[tuple[int, int, Parts]]:
    """Where each reading begins and ends, and its year (None if not stated, two digits if below 100), month and day."""
    numeric, day_first, month_first = forms
    # one certain date decides for the others: beside 25/06/2026, 11/06/2026 is the 11th of June
    whole = [(int(match[1]), int(match[3])) for match in numeric if len(match[1]) <= 2]
    orders = (
        any(first > len(_MONTHS) for first, _ in whole),
        any(middle > len(_MONTHS) for _, middle in whole),
    )
    for match in numeric:
        first, middle, last = match[1], int(match[3]), match[4]
        if any(len(one) == 4 and int(one) not in _YEARS for one in (first, last or "")):
            continue
        if len(first) == 4 and last is not None and len(last) == 2:
            yield *match.span(), (int(first), middle, int(last))
        elif len(first) <= 2:
            year, dotted = None if last is None else int(last), match[2] == "."
            if dotted or orders != (False, True):
                yield *match.span(), (year, middle, int(first))
            if not dotted and orders != (True, False):
                yield *match.span(), (year, int(first), middle)
    for match in day_first:
        yield *match.span(), (_stated(match[3]), _month(match[2]), int(match[1]))
    for match in month_first:
        yield *match.span(), (_stated(match[3]), _month(match[1]), int(match[2]))


def _stated(year: str | None) -> int | None:
    return None if year is None else int(year)


def _month(name: str) -> int:
    """1 … 12 of a name in any of the languages."""
    return next(at for at, names in enumerate(_MONTHS, 1) if re.fullmatch(names, name, re.IGNORECASE))
