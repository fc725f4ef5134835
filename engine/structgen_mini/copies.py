"""The copies that each slot is offered: runs of whole words of the document, and its numbers, dates and times.

A small denoiser knows better where a value begins than where it ends. So every run of words that fits a text slot is a
preferred filling of it (copy_prior.py), and so is every number, date or time in a slot of its kind. Anything else stays
possible, because a value may be rewritten or missing in the document.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from structgen_mini.canvas import Canvas, Found
from structgen_mini.constants import Copies
from structgen_mini.copy_prior import CopyPrior
from structgen_mini.layout import Layout
from structgen_mini.outline import Outline
from structgen_mini.regions import CopySource, Region
from structgen_mini.scaffold import Slot, compact

Encode = Callable[[str], Sequence[int]]
Ids = tuple[int, ...]
NO_PIECE = -1
NUMBERS = ("integer", "number")
TEXTS = ("string", "email")

_UNIT = re.compile(r"\w+|[^\w\s]")
# punctuation that belongs to the sentence around a copy, except a point after which the sentence goes on: "Inc. of"
_LOOSE, _STOPS = ",;:", ".!?"
# no value begins or ends with one of these words in lower case; "The Old Mill" does, in upper case
_JOINING = re.compile(
    r"an?|the|and|or|of|to|in|on|at|for|from|by|with|is|are|was|were|be|has|have|will|this|that|our|your|my|his|her|their"
    r"|its|as|der|die|das|den|dem|des|eine?|und|oder|von|zum|zur|im|am|bei|mit|für|ist|l[ea]s?|une?|du|des|et|ou|aux?"
    r"|chez|avec|pour|est|el|los|una|[yo]|del|al|en|con|por|para|es"
)
_APOSTROPHE = re.compile(r"(?<!\w)['’‘]|['’](?!\w)")  # may be a quote, because it is not between letters
_GOES_ON = re.compile(r"[^\S\n]*[^\s\w]|[^\S\n]+[a-zà-ÿ]")


class Copy(NamedTuple):
    """A choice for a slot: its ids, the piece of the document that it copies or NO_PIECE, and its cost in nats."""

    ids: Ids
    piece: int = NO_PIECE
    cost: float = 0.0


def copying(canvas: Canvas, offer: Offer, layout: Layout) -> CopyPrior | None:
    """The denoiser with a preference for copies in the slots of a layout; None if the document has no copy for any."""
    longest = max((slot.length for slot in layout.scaffold.slots), default=0)
    regions = []
    for slot in layout.scaffold.slots:
        before = canvas.spelling.decode(layout.scaffold.ids[: slot.start][-1:])
        table = offer.table(slot, longest, quoted=before.endswith(b'"'))
        if table is not None:
            regions.append(Region(slot.start, *table))
    if not regions:
        return None
    records = list(_records(layout, [region.start for region in regions]).values())
    source = CopySource(offer.places, offer.breaks, records, frozenset(offer.plenty))
    return CopyPrior(canvas.denoiser, regions, source, canvas.constants.copies)


def coherence(copier: CopyPrior, layout: Layout, pointer: str, logits: Tensor) -> list[tuple[float, bool]]:
    """For each item of an array, the share that one place of the document describes, and whether it has several fields.

    logits: [N, V], of the layout's block
    """
    records = _records(layout, [region.start for region in copier.regions])
    if pointer not in records:
        return []
    shares = copier.coherence(logits)[list(records).index(pointer)]
    return [(share, len(fields) > 1) for share, fields in zip(shares, records[pointer], strict=True)]


def slots_of_items(layout: Layout, pointer: str) -> list[int]:
    """The number of slots of each item of an array; empty if the array lies inside the items of another."""
    records = _records(layout, [slot.start for slot in layout.scaffold.slots])
    return [len(slots) for slots in records.get(pointer, [])]


def _records(layout: Layout, starts: Sequence[int]) -> dict[str, list[list[int]]]:
    """The items of each outermost array, each item as the indices of its slots among `starts`."""
    index = {start: at for at, start in enumerate(starts)}
    arrays = defaultdict[str, dict[str, list[int]]](lambda: defaultdict(list))
    outer = [one for one in layout.counts if not any(one.startswith(f"{other}/") for other in layout.counts)]
    for slot in layout.scaffold.slots:
        for array in outer:
            if slot.pointer.startswith(f"{array}/") and slot.start in index:
                item = slot.pointer.removeprefix(f"{array}/").partition("/")[0]
                arrays[array][item].append(index[slot.start])
    return {pointer: list(items.values()) for pointer, items in arrays.items()}


Table = tuple[Tensor, Tensor, Tensor]  # choices [C, L], their pieces [C] and costs [C]: see Region


class Offer:
    """The copies of a document for each kind of slot, the same for all layouts of one answer.

    places[piece]: the words where that piece of the document begins
    breaks[word]: the cost for a record to go on to that word
    plenty: pieces that any number of slots may copy
    """

    def __init__(self, canvas: Canvas, document: str, outline: Outline) -> None:
        self.document, self.costs, self.outline = document, canvas.constants.copies, outline
        self.encode, self.null_id = canvas.spelling.encode, canvas.spelling.null_id
        self.null = tuple(self.encode("null"))
        self.units = [match.span() for match in _UNIT.finditer(document)]
        self.breaks = _breaks(document, self.units, self.costs)
        self.places: list[list[int]] = []
        self.plenty: set[int] = set()
        self.pieces: dict[str | float, int] = {}
        self._by_longest: dict[int, list[Copy]] = {}
        self._tables: dict[object, Table | None] = {}
        readings = canvas.readings
        self.stated: Mapping[str, list[Copy]] = {
            "integer": self._stated(readings.whole(document), float),
            "number": self._stated(readings.numbers(document), float),
            "date": self._stated(readings.dates(document), str),
            "time": [
                copy for zone in ("", "Z") for copy in self._stated(readings.times(document), str, zone)
            ],
        }

    def table(self, slot: Slot, longest: int, *, quoted: bool) -> Table | None:
        """The choices for a slot, None if there are none; slots that differ in their place alone share one table.

        longest: the longest slot of the layout; quoted: whether the quotes of a string are pinned outside the slot
        """
        value = self.outline.at(slot.pointer)
        own = value is not None and (slot.kind == "member" or value.kind == "enum")
        key = slot.kind, slot.pointer if own else "", slot.length, longest, quoted
        if key not in self._tables:
            choices = (
                self._optional(slot, longest)
                if slot.kind == "member"
                else self._written(slot, longest, quoted)
            )
            limit = self.costs.choices
            self._tables[key] = _table(choices, slot.length, self.null_id, limit) if choices else None
        return self._tables[key]

    def _runs(self, longest: int) -> list[Copy]:
        """The runs of whole words that fit the longest slot."""
        if longest not in self._by_longest:
            runs = word_runs(self.document, self.units, self.encode, longest)
            self._by_longest[longest] = [self._copy(ids, text, at) for text, ids, at in runs]
        return self._by_longest[longest]

    def _written(self, slot: Slot, longest: int, quoted: bool) -> list[Copy]:
        """The choices for a slot's value."""
        value = self.outline.at(slot.pointer)
        if value is not None and value.kind == "enum":
            return self._options(value, quoted=quoted)
        kind = slot.kind if value is None or slot.kind != "member" else value.kind
        choices = self._runs(longest) if kind in TEXTS else self.stated.get(kind, [])
        if quoted or not choices:
            return choices
        quote = () if kind in NUMBERS else tuple(self.encode('"'))
        return [Copy(self.null), *(one._replace(ids=(*quote, *one.ids, *quote)) for one in choices)]

    def _optional(self, slot: Slot, longest: int) -> list[Copy]:
        """The choices for a member that may be absent: nothing, or its name and a value."""
        name = slot.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        start, written = tuple(self.encode(f",{compact(name)}:")), self._written(slot, longest, False)
        present = [one._replace(ids=(*start, *one.ids)) for one in written if one.ids != self.null]
        return [Copy(()), *present] if present else []

    def _options(self, outline: Outline, *, quoted: bool) -> list[Copy]:
        """All options if the document names one of them, the others at a cost; no choices otherwise."""
        named = [self._places(_naming(option, self.costs.short)) for option in outline.options]
        if not any(named):
            return []
        found = [Copy(self.null)] if outline.nullable else []
        for option, places in zip(outline.options, named, strict=True):
            text = compact(option)
            copy = self._copy(tuple(self.encode(text[1:-1] if quoted else text)), f"option {text}", places)
            self.plenty.add(copy.piece)
            found.append(copy if places else Copy(copy.ids, NO_PIECE, self.costs.unstated))
        return found

    def _places(self, pattern: re.Pattern[str]) -> list[int]:
        return self._words(match.start() for match in pattern.finditer(self.document))

    def _words(self, starts: Iterable[int]) -> list[int]:
        """The words that begin at these characters or contain them."""
        begins = [start for start, _ in self.units]
        return [bisect_right(begins, at) - 1 for at in starts]

    def _stated(self, found: Found, key: Callable[[str], str | float], behind: str = "") -> list[Copy]:
        pairs = found.items()
        return [
            self._copy(tuple(self.encode(text + behind)), key(text), self._words(at)) for text, at in pairs
        ]

    def _copy(self, ids: Ids, key: str | float, places: Iterable[int]) -> Copy:
        """A choice that copies the piece with this key; 12.5 and 12.50 have one key, so they are one piece."""
        piece = self.pieces.setdefault(key, len(self.places))
        if piece == len(self.places):
            self.places.append([])
        self.places[piece] += set(places) - set(self.places[piece])
        return Copy(ids, piece)


def word_runs(
    document: str, units: Sequence[tuple[int, int]], encode: Encode, longest: int
) -> Iterator[tuple[str, Ids, list[int]]]:
    """Every run of whole words and punctuation on one line, its ids in a JSON string, and the units where it begins.

    Of the runs with more than `longest` ids that begin at one unit, only the shortest is given.
    """
    found: dict[str, Ids] = {}
    places = defaultdict[str, list[int]](list)
    for first, (start, _) in enumerate(units):
        if document[start] in _LOOSE + _STOPS or _JOINING.fullmatch(document, *units[first]):
            continue
        for last, end in units[first : first + 2 * longest]:  # every unit takes an id at least
            text = document[start:end]
            if "\n" in text:
                break
            if _ends_loose(document, end) or _JOINING.fullmatch(document, last, end) or not _balanced(text):
                continue
            places[text].append(first)
            if text not in found:
                found[text] = tuple(encode(compact(text)[1:-1]))
            if len(found[text]) > longest:
                break
    return ((text, ids, places[text]) for text, ids in found.items())


def _balanced(text: str) -> bool:
    """Whether brackets and quotes are closed if and only if they are opened."""
    pairs = all(
        text.count(opening) == text.count(closing) for opening, closing in ("()", "[]", "{}", "“”", "«»")
    )
    return pairs and text.count('"') % 2 == 0 and len(_APOSTROPHE.findall(text)) % 2 == 0


def _breaks(document: str, units: Sequence[tuple[int, int]], nats: Copies) -> list[float]:
    """What it costs a record to go on to each unit from the one before."""
    costs, before = [], 0
    for start, end in units:
        lines = document.count("\n", before, start)
        costs.append(nats.word + (nats.gap if lines > 1 else nats.line if lines else 0.0))
        before = end
    return costs


def _ends_loose(document: str, end: int) -> bool:
    """Whether document[:end] ends with punctuation that is no part of the word before it."""
    last = document[end - 1]
    return last in _LOOSE or (last in _STOPS and not _GOES_ON.match(document, end))


def _table(choices: Iterable[Copy], length: int, null_id: int, most: int) -> Table:
    """The first `most` choices, padded with null tokens; one that is too long is cut to fill the slot to the brim."""
    rows: dict[Ids, Copy] = {}
    for one in choices:
        rows.setdefault(one.ids[:length], one)
    kept = list(rows)[:most]
    padded = [(*ids, *[null_id] * (length - len(ids))) for ids in kept]
    pieces, costs = ([getattr(rows[ids], name) for ids in kept] for name in ("piece", "cost"))
    return torch.tensor(padded), torch.tensor(pieces), torch.tensor(costs)


def _naming(option: Any, short: int) -> re.Pattern[str]:
    """A pattern for an option named in whole words; capitals matter if it has at most `short` characters."""
    text = option if isinstance(option, str) else compact(option)
    words = "[ _-]?".join(map(re.escape, re.split(r"[ _-]+", text)))
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE if len(text) > short else 0)
