"""The words of a document, and the runs of them that a value may be copied from.

A value is a run of whole words and signs. It neither begins nor ends with a word or sign that joins it to the sentence
around it, and what it opens it closes. Mostly it stands on one line. If it runs over the end of one, it ends with
another line, as an address does, unless the text is wrapped there: then it may end anywhere. Its lines are joined by a
space, or by nothing between Chinese or Japanese characters.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from structgen_mini.constants import Copies
from structgen_mini.scaffold import compact

Encode = Callable[[str], Sequence[int]]
Ids = tuple[int, ...]

UNIT = re.compile(r"\w+|[^\w\s]")
# punctuation that belongs to the sentence around a copy, except a point after which the sentence goes on: "Inc. of"
_LOOSE, _STOPS = ",;:", ".!?"
# no value begins or ends with one of these words in lower case; "The Old Mill" does, in upper case
_JOINING = re.compile(
    r"an?|the|and|or|of|to|in|on|at|for|from|by|with|is|are|was|were|be|has|have|will|this|that|our|your|my|his|her|their"
    r"|its|as|der|die|das|den|dem|des|eine?|und|oder|von|zum|zur|im|am|bei|mit|für|ist|l[ea]s?|une?|du|des|et|ou|aux?"
    r"|chez|avec|pour|est|el|los|una|[yo]|del|al|en|con|por|para|es"
)
_APOSTROPHE = re.compile(r"(?<!\w)['’‘]|['’](?!\w)")  # may be a quote, because it is not between letters
_QUOTES = ('"', "'", "‘", "’", "“", "”", "„", "«", "»", "`")
_HALVES = (*_QUOTES, *"()[]{}")
_INCHES = re.compile(r'(?<=\d)"')  # is no quote, or one that ends with a number
_LINE_END = re.compile(r"\s*\n\s*")
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_UNSPACED = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef]"
)  # scripts without spaces, and their punctuation
FULL, LEAST = 0.8, 40  # share of the longest line, characters: a line that is so long is wrapped
_GOES_ON = re.compile(r"[^\S\n]*[^\s\w]|[^\S\n]+[a-zà-ÿ]")


class WordRun(NamedTuple):
    """A run of words: its text, its ids in a JSON string, and the characters start … end − 1 wherever it stands.

    lines: how many line ends it runs over, at least
    """

    text: str
    ids: Ids
    spans: list[tuple[int, int]]
    lines: int = 0


def word_runs(
    document: str, units: Sequence[tuple[int, int]], encode: Encode, longest: int, *, over: int = 0
) -> Iterable[WordRun]:
    """Every run of whole words and punctuation that runs over at most so many line ends.

    Of the runs with more than `longest` ids that begin at one unit, only the shortest is given.
    """
    found: dict[str, WordRun] = {}
    wrapped = _Lines(document) if over and "\n" in document else None
    for first, (start, _) in enumerate(units):
        joining = _JOINING.fullmatch(document, *units[first])
        if joining or document[start] in _LOOSE + _STOPS or _inside_path(document, start):
            continue
        for last, end in units[first : first + 2 * longest]:  # every unit takes an id at least
            text = document[start:end]
            lines = text.count("\n")
            if lines and (wrapped is None or lines > over or _PARAGRAPH.search(text)):
                break
            if _ends_loose(document, end) or _JOINING.fullmatch(document, last, end) or not _balanced(text):
                continue
            if _inside_path(document, end) or (lines and wrapped and not wrapped.may_end(start, end)):
                continue
            text = _LINE_END.sub(_joint, text)
            known = found.get(text) or WordRun(text, tuple(encode(compact(text)[1:-1])), [], lines)
            known.spans.append((start, end))
            found[text] = known._replace(lines=min(lines, known.lines))
            if len(found[text].ids) > longest:
                break
    return found.values()


def run_of(document: str, start: int, end: int, encode: Encode) -> WordRun | None:
    """Characters start … end − 1 as a run, without white space and quotes around it; None if that leaves nothing."""
    start, end = unquoted(document, start, end)
    part = document[start:end]
    text = _LINE_END.sub(_joint, part.strip())
    if not text:
        return None
    start += len(part) - len(part.lstrip())
    span = start, start + len(part.strip())
    return WordRun(text, tuple(encode(compact(text)[1:-1])), [span], part.strip().count("\n"))


def unquoted(document: str, start: int, end: int) -> tuple[int, int]:
    """The place of a value without white space, quotes around it, and a quote or bracket of which it has one half."""
    while True:
        text = document[start:end]
        start, end = start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())
        text = text.strip()
        around = text[:1] in _QUOTES and text[-1:] in _QUOTES and not set(text[1:-1]) & {text[0], text[-1]}
        if len(text) > 2 and around:
            start, end = start + 1, end - 1
        elif len(text) > 1 and not _balanced(text) and text[0] in _HALVES and _balanced(text[1:]):
            start += 1
        elif len(text) > 1 and not _balanced(text) and text[-1] in _HALVES and _balanced(text[:-1]):
            end -= 1
        else:
            return start, end


class _Lines:
    """Which runs over line ends may end where: at the end of a line or, if all lines before are full, anywhere."""

    def __init__(self, document: str) -> None:
        self.ends = [match.start() for match in re.finditer(r"[^\S\n]*(?:\n|$)", document)]
        lengths = [len(line.strip()) for line in document.split("\n")]
        full = max(FULL * max(lengths), LEAST)
        self.full = [length >= full for length in lengths]

    def may_end(self, start: int, end: int) -> bool:
        """Whether a run of characters start … end − 1 may end there."""
        first, last = bisect_left(self.ends, start + 1), bisect_left(self.ends, end)
        return self.ends[last] - end <= 1 or all(self.full[first:last])


def _joint(line_end: re.Match[str]) -> str:
    """What stands between two lines that are joined."""
    before, behind = line_end.string[line_end.start() - 1], line_end.string[line_end.end()]
    return "" if _UNSPACED.match(before) and _UNSPACED.match(behind) else " "


def _balanced(text: str) -> bool:
    """Whether brackets and quotes are closed if and only if they are opened."""
    pairs = all(
        text.count(opening) == text.count(closing) for opening, closing in ("()", "[]", "{}", "“”", "«»")
    )
    quotes = text.count('"')
    paired = quotes % 2 == 0 or (quotes - len(_INCHES.findall(text))) % 2 == 0
    return pairs and paired and len(_APOSTROPHE.findall(text)) % 2 == 0


def breaks(document: str, units: Sequence[tuple[int, int]], nats: Copies) -> list[float]:
    """What it costs a record to go on to each unit from the one before."""
    costs, before = [], 0
    for start, end in units:
        lines = document.count("\n", before, start)
        costs.append(nats.word + (nats.gap if lines > 1 else nats.line if lines else 0.0))
        before = end
    return costs


def _inside_path(document: str, at: int) -> bool:
    """Whether a backslash joins what stands on both sides of a place: no value begins or ends inside D:\\new."""
    around = document[max(0, at - 1) : at + 2]
    return (
        at > 0
        and not around[:1].isspace()
        and (
            around[1:2] == "\\" or around[1:3] == ":\\" or (around[:1] == "\\" and around[1:2].strip() != "")
        )
    )


def _ends_loose(document: str, end: int) -> bool:
    """Whether document[:end] ends with punctuation that is no part of the word before it."""
    last = document[end - 1]
    return last in _LOOSE or (last in _STOPS and not _GOES_ON.match(document, end))


def naming(option: Any, short: int) -> re.Pattern[str]:
    """A pattern for an option named in whole words; capitals matter if it has at most `short` characters."""
    text = option if isinstance(option, str) else compact(option)
    words = "[ _-]?".join(map(re.escape, re.split(r"[ _-]+", text)))
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE if len(text) > short else 0)
