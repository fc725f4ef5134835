"""The series of a text: lines of a list, rows of a table, members of an enumeration, one part after the other.

    Guests:                                 item,qty,price            We need bolts, nuts, washers and glue.
    - Ada Roy        parts 1 to 3           pen,2,1.50   head; then   parts 1 to 4, the first one with
    - Ben Ito                               ruler,1,2.20 parts 1, 2   the words before it
    - Cleo Marsh                            glue,4,0.99  and 3

Where a reader has found two members of a series, the series says how many there are. A text may be read as several
series that overlap; which one holds the members of a list, only the reader's finds can tell.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

Span = tuple[int, int]  # characters start … end − 1 of the text

_MARK = re.compile(
    r"\s*(?:([-*•–—‣▪◦·+])|(?!\([xX]\))\(?(\d{1,3}|[a-zA-Z])([.):]+)"
    r"|([\[(][ xX✓✔]?[\])]|[☐☑☒])|#(\d+)[.:]?)\s+(?=\S)"
)
_RULE = re.compile(r"[\s|+:=_\-–—*]*")  # a line without a letter or a digit
_PAIR = re.compile(r"([^:=\n]{1,60}?)\s*(?:[:=]|：|->|→)\s*(\S.*)")
_DASHED = re.compile(r"(\S.{0,58}?)\s+[-–—]\s+(\S.*)")
_TOTAL = re.compile(
    r"(?:sub|grand )?total\b|sums?\b|(?:zwischen|end|gesamt)?summe\b|gesamt|insgesamt|somme\b|suma\b|importe total"
    r"|合计|总计",
    re.IGNORECASE,
)
_COMMA = re.compile(r"\s*[,;，、；]\s*(?:(?:and|or|und|oder|et|ou|y|o)\s+)?|\s+(?:and|und|et|y|&)\s+")
_SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?](?=\S)[^.!?。！？\n]*)*")
_NUMBER = re.compile(r"(?:(?<=\s\s)|^)(\d{1,3})[.)]?\s+(?=[^\s\d])", re.MULTILINE)
_LABEL = re.compile(r"[^\W\d][^\n:;,|]{0,30}:\s+(?=\S)")
_BRACKETED = re.compile(r"[\[({]([^\[\](){}\n]+)[\])}]")
_NUMBERS = re.compile(
    r"(?<![\w.,/-])[-−]?\d+(?:[.,]\d+)*(?:(?:[,;]\s+(?:(?:and|und|et|y)\s+)?|\s+(?:and|und|et|y|&)\s+)[-−]?\d+(?:[.,]\d+)*(?![\w/]))+"
)
_UNIT = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d]\w*|[^\w\s]")
FEWEST = 3  # members of an enumeration, or parts whose common words are no accident
MOST_NAMES = 16  # of a record
MOST_UNITS = 40  # of a part that are compared
SHORT = 8  # words of a line that is a member without any mark


class SeriesPart(NamedTuple):
    """A member: its characters start … end − 1, and those of its cells if it is divided."""

    start: int
    end: int
    cells: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Series:
    """Parts of a text that are alike, in order.

    kind: "marked", "table", "pairs" (a name and its value on each line), "records" (several such lines for each part),
    "plain", "enumeration" or "group", whose ends are certain; head: the line that names the columns, if there is one,
    or the first record with its names
    """

    kind: str
    parts: tuple[SeriesPart, ...]
    head: SeriesPart | None = None


def series(text: str) -> list[Series]:
    """All series of at least two parts, each as long as it goes."""
    lines = list(_lines(text))
    return [
        *_of_lines(text, lines),
        *_records(text, lines),
        *_enumerations(text),
        *_within(text),
        *_numbered(text),
    ]


class _ReadLine(NamedTuple):
    """A line, and as what it can be a part: the key of each reading with its part."""

    part: SeriesPart
    readings: dict[Hashable, SeriesPart]


def _of_lines(text: str, lines: Sequence[_ReadLine | None]) -> Iterator[Series]:
    keys = {key for line in lines if line is not None for key in line.readings}
    for key in sorted(keys, key=str):
        kind = str(key[0]) if isinstance(key, tuple) else str(key)
        for group in _groups(lines, key, through_blank=kind == "marked"):
            found = _framed(text, kind, group)
            if len(found.parts) > 1 and not (kind in ("pairs", "plain") and _come_again(text, group)):
                yield _unlabelled(text, _celled(text, found))


def _groups(
    lines: Sequence[_ReadLine | None], key: Hashable, *, through_blank: bool
) -> Iterator[list[SeriesPart]]:
    """The runs of lines that can be read in one way; None is a blank line."""
    group: list[SeriesPart] = []
    for line in [*lines, None, None]:
        if line is not None and key in line.readings:
            group.append(line.readings[key])
        elif line is None and through_blank and group:
            continue
        elif group:
            yield group
            group = []
    if group:
        yield group


def _records(text: str, lines: Sequence[_ReadLine | None]) -> Iterator[Series]:
    """The runs of lines `name: value` in which the names come again and again in the same order."""
    pairs = [_pair(line) for line in lines if line is not None]
    names = [None if pair is None else text[slice(*pair.cells[0])] for pair in pairs]
    at = 0
    while at < len(pairs):
        width, times = _repeated(names, at)
        if times < 2:
            at += 1
            continue
        rows = [
            [pair for pair in pairs[one : one + width] if pair]
            for one in range(at, at + width * times, width)
        ]
        parts = [SeriesPart(row[0].start, row[-1].end, tuple(pair.cells[1] for pair in row)) for row in rows]
        head = parts[0]._replace(cells=tuple(pair.cells[0] for pair in rows[0]))
        yield Series("records", tuple(parts), head)
        at += width * times


def _pair(line: _ReadLine) -> SeriesPart | None:
    return next(
        (part for key, part in line.readings.items() if isinstance(key, tuple) and key[0] == "pairs"), None
    )


def _repeated(names: Sequence[str | None], at: int) -> tuple[int, int]:
    """How many different names begin here that come again at once in the same order, and how often they come."""
    for width in range(2, MOST_NAMES):
        own = names[at : at + width]
        if None in own or len(set(own)) < width:
            break
        times = 1
        while names[at + times * width : at + (times + 1) * width] == own:
            times += 1
        if times > 1:
            return width, times
    return 1, 1


def _framed(text: str, kind: str, parts: Sequence[SeriesPart]) -> Series:
    """A series without the line that names its columns, and without lines of totals behind it."""
    kept, head = list(parts), None
    if kind in ("table", "plain") and len(kept) > 1 and _is_head(text, kept):
        head, kept = kept[0], kept[1:]
    while kind != "marked" and len(kept) > 1 and _is_total(text, kept):
        kept.pop()
    return Series(kind, tuple(kept), head)


def _come_again(text: str, parts: Sequence[SeriesPart]) -> bool:
    """Whether some of the names before values come again: then the lines are fields of records."""
    found = [_PAIR.fullmatch(text, part.start, part.end) for part in parts]
    names = [match[1] for match in found if match is not None]
    return 1 < len(set(names)) < len(names)


def _celled(text: str, found: Series) -> Series:
    """The series with cells: what differs between words and signs that all parts have, as in `2 x pen at 1.50`."""
    if found.parts[0].cells or len(found.parts) < FEWEST:
        return found
    units = [
        [match.span() for match in _UNIT.finditer(text, part.start, part.end)][:MOST_UNITS]
        for part in found.parts
    ]
    common = reduce(_shared, [[text[slice(*unit)] for unit in own] for own in units])
    rows = [list(_between(text, part, own, common)) for part, own in zip(found.parts, units, strict=True)]
    columns = [
        at for at in range(len(common) + 1) if any(start < end for start, end in (row[at] for row in rows))
    ]
    if len(columns) < 2 or not all(row[at][0] < row[at][1] for row in rows for at in columns):
        return found
    parts = [
        part._replace(cells=tuple(row[at] for at in columns))
        for part, row in zip(found.parts, rows, strict=True)
    ]
    return replace(found, parts=tuple(parts))


def _unlabelled(text: str, found: Series) -> Series:
    """The series without a label with which all cells of a column begin, as in `Line: pen; 2`."""
    widths = {len(part.cells) for part in found.parts}
    if found.head is not None or len(widths) > 1:
        return found
    columns = []
    for column in zip(*(part.cells for part in found.parts), strict=True):
        labels = [_LABEL.match(text, *cell) for cell in column]
        known = {label and label.group() for label in labels}
        shift = len(known.pop() or "") if len(known) == 1 else 0
        columns.append([(start + shift, end) for start, end in column])
    parts = [
        part._replace(cells=cells)
        for part, cells in zip(found.parts, zip(*columns, strict=True), strict=False)
    ]
    return replace(found, parts=tuple(parts)) if columns else found


def _shared(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """The longest common subsequence, of words and signs without digits."""
    best = [[list[str]() for _ in range(len(right) + 1)] for _ in range(len(left) + 1)]
    for i, one in enumerate(left):
        for k, other in enumerate(right):
            same = one == other and not any(map(str.isdigit, one))
            best[i + 1][k + 1] = [*best[i][k], one] if same else max(best[i][k + 1], best[i + 1][k], key=len)
    return best[-1][-1]


def _between(text: str, part: SeriesPart, units: Sequence[Span], common: Sequence[str]) -> Iterator[Span]:
    """What stands before, between and behind the common words of a part; each is taken where it comes first."""
    at, left = part.start, iter(units)
    for word in common:
        start, end = next(unit for unit in left if text[slice(*unit)] == word)
        yield _trimmed(text, at, start)
        at = end
    yield _trimmed(text, at, part.end)


def _is_head(text: str, parts: Sequence[SeriesPart]) -> bool:
    """Whether the first row names columns: a rule is under it, or it has no number where every other row has one."""
    first, rest = parts[0], parts[1:]
    if _ruled(text, first.end, rest[0].start):
        return True
    number = [any(char.isdigit() for char in text[start:end]) for start, end in first.cells]
    if any(number):
        return False
    return any(
        all(any(char.isdigit() for char in text[slice(*row.cells[at])]) for row in rest)
        for at in range(len(first.cells))
    )


def _ruled(text: str, start: int, end: int) -> bool:
    between = text[start:end]
    return bool(_RULE.fullmatch(between)) and any(char in "-=_–—" for char in between)


def _is_total(text: str, parts: Sequence[SeriesPart]) -> bool:
    """Whether the last row sums up the others."""
    last = parts[-1]
    if _TOTAL.match(text[last.start : last.end].lstrip(" |*\t\"'")):
        return True
    empty = any(start == end for start, end in last.cells)
    return empty and all(start < end for row in parts[:-1] for start, end in row.cells)


def _lines(text: str) -> Iterator[_ReadLine | None]:
    """The lines of a text that can be parts; None for a blank one, nothing for a rule."""
    found: list[_ReadLine | None] = []
    for match in re.finditer(r"[^\n]+|\n(?=\n)", text):
        line = match.group()
        if not line.strip():
            found.append(None)
        elif not _RULE.fullmatch(line):
            if found and found[-1] is not None and _goes_on(line, found[-1]):
                found[-1] = _longer(found[-1], match.end())
            else:
                found.append(_read(text, match.start(), match.start() + len(line.rstrip())))
    return iter(found)


def _goes_on(line: str, before: _ReadLine) -> bool:
    """Whether an indented line belongs to the marked one before it."""
    marked = any(isinstance(key, tuple) and key[0] == "marked" for key in before.readings)
    return marked and line[:2].isspace() and not _MARK.match(line)


def _longer(line: _ReadLine, end: int) -> _ReadLine:
    """The line with another one that belongs to it; it has no cells then."""
    readings = {key: SeriesPart(part.start, end) for key, part in line.readings.items() if key[0] == "marked"}  # type: ignore[index]
    return _ReadLine(SeriesPart(line.part.start, end), readings)


def _read(text: str, start: int, end: int) -> _ReadLine:
    mark = _MARK.match(text, start, end)
    sign = None if mark is None else mark[1] or mark[3] or (mark[4] and "[]") or "#"
    begin = start + len(text[start:end]) - len(text[start:end].lstrip()) if mark is None else mark.end()
    whole, readings = SeriesPart(begin, end), dict[Hashable, SeriesPart]()
    for name, cells in _divided(text, begin, end):
        readings["table" if name else "pairs", name, len(cells), sign] = SeriesPart(begin, end, tuple(cells))
    if sign is not None:
        readings["marked", sign] = whole
    elif not text[begin:end].endswith(":") and len(text[begin:end].split()) <= SHORT:
        digits = any(char.isdigit() for char in text[begin:end])
        readings["plain", digits, bool(_PAIR.fullmatch(text, begin, end))] = whole
    return _ReadLine(whole, readings)


def _divided(text: str, start: int, end: int) -> Iterator[tuple[str, list[Span]]]:
    """The ways to divide a line into cells: by a sign between columns, or as a name and its value (no sign)."""
    line = text[start:end]
    for sign in "|\t;":
        if sign in line.strip("|"):
            low, high = start + (line[0] == "|" == sign), end - (line[-1] == "|" == sign)
            yield sign, list(_split(text, low, high, re.escape(sign)))
    if "," in line:
        cells = list(_comma_cells(text, start, end))
        if len(cells) > 1:
            yield ",", cells
    wide = list(_split(text, start, end, r"(?: {2,}|\t)\s*"))
    if len(wide) > 1:
        yield "  ", wide
    pair = _PAIR.fullmatch(text, start, end) or _DASHED.fullmatch(text, start, end)
    if pair is not None:
        yield "", [_trimmed(text, *pair.span(1)), _trimmed(text, *pair.span(2))]


def _split(text: str, start: int, end: int, sign: str) -> Iterator[Span]:
    at = start
    for match in re.compile(sign).finditer(text, start, end):
        yield _trimmed(text, at, match.start())
        at = match.end()
    yield _trimmed(text, at, end)


def _comma_cells(text: str, start: int, end: int) -> Iterator[Span]:
    """The cells of a line of CSV; their quotes are left out."""
    at = start
    for row in csv.reader([text[start:end]]):
        for cell in row:
            quoted = text[at : at + 1] == '"'
            width = len(cell) if not quoted else len(cell.replace('"', '""')) + 2
            yield _trimmed(text, at + quoted, min(end, at + width) - quoted)
            at += width + 1


def _trimmed(text: str, start: int, end: int) -> Span:
    held = text[start:end]
    return start + len(held) - len(held.lstrip()), max(end - len(held) + len(held.rstrip()), start)


def _numbered(text: str) -> Iterator[Series]:
    """What lines count from 1 on, several in a line: 1 Ann   2 Bob   3 Eva."""
    runs: list[list[re.Match[str]]] = [[]]
    for match in _NUMBER.finditer(text):
        if int(match[1]) == len(runs[-1]) + 1:
            runs[-1].append(match)
        elif int(match[1]) == 1:
            runs.append([match])
    for run in runs:
        stops = [*(match.start() for match in run[1:]), len(text)]
        ends = [
            re.compile(r"[^\n]*").match(text, one.end(), stop) for one, stop in zip(run, stops, strict=False)
        ]
        parts = [SeriesPart(*_trimmed(text, *end.span())) for end in ends if end is not None]
        shared = any("\n" not in text[one.end() : two.start()] for one, two in pairwise(run))
        if len(parts) >= FEWEST and shared and all(part.start < part.end for part in parts):
            yield Series("marked", tuple(parts))


def _enumerations(text: str) -> Iterator[Series]:
    """The members of sentences that commas divide."""
    for sentence in _SENTENCE.finditer(text):
        parts = _members(text, *sentence.span())
        if len(parts) >= FEWEST and all(part.end > part.start for part in parts):
            yield Series("enumeration", parts)


def _within(text: str) -> Iterator[Series]:
    """The members that commas divide within brackets, and numbers one after the other: several to a sentence."""
    spans = {match.span(1) for match in _BRACKETED.finditer(text)}
    spans |= {match.span() for match in _NUMBERS.finditer(text)}
    for span in sorted(spans):
        parts = _members(text, *span)
        if len(parts) > 1 and all(part.end > part.start for part in parts):
            yield Series("group", parts)


def _members(text: str, start: int, end: int) -> tuple[SeriesPart, ...]:
    """What commas divide characters start … end − 1 into."""
    at, parts = start, list[SeriesPart]()
    for match in _COMMA.finditer(text, start, end):
        parts.append(SeriesPart(at, match.start()))
        at = match.end()
    return (*parts, SeriesPart(at, end))
