"""What a copier may fill a slot with: runs of whole words of the document, and numbers, dates and times it states.

A small denoiser knows where a value stands better than where it ends. Every run of words that fits a text slot, every
number that fits a number's, every date and time are preferred fillings (structgen_engine.preferring); anything else
stays possible, for a value may be rewritten or nowhere in the document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch

from structgen.layout import Layout
from structgen.outline import shape_of
from structgen.scaffold import Slot, compact, shape_at
from structgen.stated import dates, numbers, times
from structgen.vocabulary import Vocabulary
from structgen_engine.denoiser import Denoiser
from structgen_engine.preferring import Preferring, Region

Encode = Callable[[str], Sequence[int]]
Ids = tuple[int, ...]
Copy = tuple[Ids, int]  # a choice's ids, and the piece of the document that it is, NO_PIECE for none

NO_PIECE = -1
NUMBERS = ("integer", "number")
PENALTY = 6.0  # nats, for anything that is no copy
CROWDING = 3.0  # nats, for what other slots have copied as often as the document says it
MOST_CHOICES = 20_000  # of one region

_UNIT = re.compile(r"\w+|[^\w\s]")
# punctuation that belongs to the sentence around a copy; a point does not where the sentence goes on, as in "Inc. of"
_LOOSE, _STOPS = ",;:", ".!?"
_GOES_ON = re.compile(r"[^\S\n]*[^\s\w]|[^\S\n]+[a-zà-ÿ]")


def copying(
    denoiser: Denoiser, document: str, layout: Layout, vocabulary: Vocabulary, null_id: int
) -> Denoiser:
    """The denoiser with a preference for copies in the slots of a layout."""
    offer = Offer(document, layout, vocabulary.encode)
    regions = []
    for slot in layout.scaffold.slots:
        if slot.kind == "member":
            choices = offer.optional(slot)
        else:
            before = vocabulary.decode(layout.scaffold.ids[: slot.start][-1:])
            choices = offer.written(slot.kind, quoted=before.endswith(b'"'))
        if choices:
            regions.append(_region(slot, choices, null_id))
    if not regions:
        return denoiser
    return Preferring(denoiser, regions, PENALTY, occurrences=offer.occurrences, crowding=CROWDING)


class Offer:
    """What a document has for each kind of slot; occurrences[piece]: how often it has that piece."""

    def __init__(self, document: str, layout: Layout, encode: Encode) -> None:
        self.encode, self.shape = encode, shape_of(layout.schema)
        self.null = tuple(encode("null"))
        self.occurrences: list[int] = []
        self.pieces: dict[str | float, int] = {}
        longest = max((slot.length for slot in layout.scaffold.slots), default=0)
        words = [self._copy(ids, text, count) for text, ids, count in word_runs(document, encode, longest)]
        self.kinds: Mapping[str, list[Copy]] = {
            "string": words,
            "email": words,
            "integer": self._stated(numbers(document, whole=True), float),
            "number": self._stated(numbers(document, whole=False), float),
            "date": self._stated(dates(document), str),
            "time": [copy for zone in ("", "Z") for copy in self._stated(times(document), str, zone)],
        }

    def written(self, kind: str, *, quoted: bool) -> list[Copy]:
        """The choices for a kind of value; quoted: the quotes of a string stand outside of the slot already."""
        choices = self.kinds.get(kind, [])
        if quoted or not choices:
            return choices
        quote = () if kind in NUMBERS else tuple(self.encode('"'))
        return [(self.null, NO_PIECE), *(((*quote, *ids, *quote), piece) for ids, piece in choices)]

    def optional(self, slot: Slot) -> list[Copy]:
        """The choices for a member that may be absent: nothing, or its name in front of a value."""
        shape = shape_at(self.shape, slot.pointer)
        name = slot.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        written = [] if shape is None else self.written(shape.kind, quoted=False)
        start = tuple(self.encode(f",{compact(name)}:"))
        present = [((*start, *ids), piece) for ids, piece in written if ids != self.null]
        return [((), NO_PIECE), *present] if present else []

    def _stated(self, found: Counter[str], key: Callable[[str], str | float], behind: str = "") -> list[Copy]:
        pairs = found.items()
        return [self._copy(tuple(self.encode(text + behind)), key(text), count) for text, count in pairs]

    def _copy(self, ids: Ids, key: str | float, count: int) -> Copy:
        """12.5 and 12.50 are one piece of the document."""
        piece = self.pieces.setdefault(key, len(self.occurrences))
        if piece == len(self.occurrences):
            self.occurrences.append(0)
        self.occurrences[piece] = max(self.occurrences[piece], count)
        return ids, piece


def word_runs(document: str, encode: Encode, longest: int) -> Iterator[tuple[str, Ids, int]]:
    """Every run of whole words and punctuation on one line, its ids inside a JSON string, and how often it occurs.

    Of those with more than `longest` ids that begin at one word only the shortest.
    """
    units = [match.span() for match in _UNIT.finditer(document)]
    found: dict[str, Ids] = {}
    counts = Counter[str]()
    for first, (start, _) in enumerate(units):
        if document[start] in _LOOSE + _STOPS:
            continue
        for _, end in units[first:]:
            text = document[start:end]
            if "\n" in text:
                break
            if _ends_loose(document, end):
                continue
            counts[text] += 1
            if text not in found:
                found[text] = tuple(encode(compact(text)[1:-1]))
            if len(found[text]) > longest:
                break
    return ((text, ids, counts[text]) for text, ids in found.items())


def _ends_loose(document: str, end: int) -> bool:
    """Does document[:end] end with punctuation that is no part of the word before it?"""
    last = document[end - 1]
    return last in _LOOSE or (last in _STOPS and not _GOES_ON.match(document, end))


def _region(slot: Slot, choices: Iterable[Copy], null_id: int) -> Region:
    """The choices, null tokens behind them; one that is too long fills the slot to the brim, as far as it goes."""
    rows: dict[Ids, int] = {}
    for ids, piece in choices:
        rows.setdefault(ids[: slot.length], piece)
    kept = list(rows)[:MOST_CHOICES]
    padded = [(*ids, *[null_id] * (slot.length - len(ids))) for ids in kept]
    return Region(slot.start, torch.tensor(padded), torch.tensor([rows[ids] for ids in kept]))
