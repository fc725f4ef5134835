"""The copies that each slot is offered: runs of whole words of the document, and its numbers, dates and times.

A small denoiser knows better where a value begins than where it ends. So every run of words that fits a text slot is a
preferred filling of it (copy_prior.py), and so is every number, date or time in a slot of its kind. Anything else stays
possible, because a value may be rewritten or missing in the document.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from structgen_mini.canvas import Canvas, Found
from structgen_mini.choices import NO_PIECE, ChoiceTable, Copy, Ids, TableMaker, joined
from structgen_mini.copy_prior import CopyPrior
from structgen_mini.layout import Layout, Words, listed_place, quoted_outside, records_of
from structgen_mini.numbers import number_cells, whole_numbers
from structgen_mini.outline import Outline
from structgen_mini.placing import Slot
from structgen_mini.reader.costs import ReadCosts, ReadTable
from structgen_mini.reader.reading import DocumentReading, FieldReading
from structgen_mini.regions import CopySource, Region, unlikelier
from structgen_mini.scaffold import compact
from structgen_mini.selecting import chosen_options
from structgen_mini.words import UNIT, WordRun, breaks, naming, run_of, word_runs

Encode = Callable[[str], Sequence[int]]
_ZONE = re.compile(r"(?:Z|[+-]\d\d:\d\d)$")  # at the end of a time
NUMBERS = ("integer", "number")
UNQUOTED = (*NUMBERS, "boolean")
TEXTS = ("string", "email")
NEVER_CHOSEN = 100.0  # nats for an option that is not chosen
LINES = 3  # line ends that a text may run over


def copying(canvas: Canvas, offer: Offer, layout: Layout) -> CopyPrior | None:
    """The denoiser with a preference for copies in the slots of a layout; None if the document has no copy for any."""
    regions = list(_regions(canvas, offer, layout))
    if not regions:
        return None
    first, *later = (
        [region for region in regions if begin <= region.start < begin + layout.size]
        for begin in range(0, len(layout.block), layout.size)
    )
    records = list(records_of(layout, [region.start for region in first]).values())
    plenty, escapes = frozenset(offer.plenty), canvas.spelling.escapes
    source = CopySource(offer.places, offer.breaks, records, plenty, escapes)
    constants, alone = canvas.constants.copies, replace(source, records=())
    behind = [
        CopyPrior(canvas.denoiser, [region.moved(-at * layout.size) for region in own], alone, constants)
        for at, own in enumerate(later, 1)
    ]
    return CopyPrior(canvas.denoiser, first, source, constants, behind)


def _regions(canvas: Canvas, offer: Offer, layout: Layout) -> Iterator[Region]:
    """A region for each slot that the document has copies for."""
    longest = max((slot.length for slot in layout.scaffold.slots), default=0)
    for slot in layout.scaffold.slots:
        quoted = quoted_outside(canvas, layout, slot)
        place = listed_place(layout, slot)
        own = None if place is None else offer.table_within(slot, *place, quoted=quoted)
        if own is not None and place is not None:
            nats = canvas.constants.listings
            penalty = nats.cell if place[1] else nats.part
            yield _region(
                slot, *offer.elsewhere(slot, offer.read_part(slot, own).table, longest, quoted, penalty)
            )
            continue
        found = offer.table(slot, longest, quoted=quoted)
        if found is not None:
            read, usual = offer.read(slot, found, quoted=quoted), offer.penalty(slot)
            yield _region(
                slot, read.table, canvas.constants.copies.penalty + read.other if usual is None else usual
            )


def _region(slot: Slot, found: ChoiceTable, penalty: float | None) -> Region:
    return Region(slot.start, found.choices, found.pieces, found.costs, penalty, found.plain)


def coherence(copier: CopyPrior, layout: Layout, pointer: str, logits: Tensor) -> list[tuple[float, bool]]:
    """For each item of an array, the share that one place of the document describes, and whether it has several fields.

    logits: [N, V], of the layout's block
    """
    records = records_of(layout, [region.start for region in copier.regions])
    if pointer not in records:
        return []
    shares = copier.coherence(logits)[list(records).index(pointer)]
    return [(share, len(fields) > 1) for share, fields in zip(shares, records[pointer], strict=True)]


def listed_arrays(layout: Layout, copier: CopyPrior) -> list[str]:
    """The pointers of the arrays of which the copier has records, in the same order."""
    return list(records_of(layout, [region.start for region in copier.regions]))


class Offer:
    """The copies of a document for each kind of slot, the same for all layouts of one answer.

    places[piece], spans[piece]: the words where that piece of the document begins, and its characters
    breaks[word]: the cost for a record to go on to that word
    plenty: pieces that any number of slots may copy
    """

    def __init__(
        self, canvas: Canvas, document: str, outline: Outline, reading: DocumentReading | None = None
    ) -> None:
        self.document, self.costs, self.outline = document, canvas.constants.copies, outline
        self.encode = canvas.spelling.encode
        self.null = tuple(self.encode("null"))
        spelling = canvas.spelling
        self.tables = TableMaker(spelling.decode, spelling.null_id, self.encode(".")[0], self.costs.choices)
        self.units = [match.span() for match in UNIT.finditer(document)]
        self.begins = [start for start, _ in self.units]
        self.breaks = breaks(document, self.units, self.costs)
        self.places: list[list[int]] = []
        self.spans: list[list[tuple[int, int]]] = []
        decode, nats = canvas.spelling.decode, canvas.constants.reading
        self.reader = None if reading is None else ReadCosts(reading, outline, self.spans, decode, nats)
        self.chosen: Mapping[str, tuple[Any, ...]] = {}
        if reading is not None:
            share = canvas.constants.listings.item
            self.chosen = chosen_options(outline, document, reading, share=share, short=self.costs.short)
        self.plenty: set[int] = set()
        self.pieces: dict[str | float, int] = {}
        self._by_longest: dict[int, list[Copy]] = {}
        self._tables: dict[object, ChoiceTable | None] = {}
        self._read_tables: dict[tuple[str, int], tuple[ChoiceTable, ReadTable]] = {}
        self._reading: Mapping[
            str, tuple[Callable[[str], Found], Callable[[str], str | float], Sequence[str]]
        ] = {
            "integer": (canvas.readings.whole, float, [""]),
            "number": (canvas.readings.numbers, float, [""]),
            "date": (canvas.readings.dates, str, [""]),
            "time": (canvas.readings.times, str, ["", "Z"]),  # UTC where the document says no zone
            "date-time": (canvas.readings.moments, str, ["", "Z"]),
            "boolean": (canvas.readings.truths, str, [""]),
        }
        self.series = canvas.readings.series(document) if outline.has_lists else ()
        whole = (kind for kind in self._reading if kind != "boolean")  # only a cell says yes or no by itself
        self.stated = {kind: self._read(kind, 0, len(document)) for kind in whole}
        for start, end in number_cells(document, self.series):
            for kind in NUMBERS:
                self.stated[kind] += self._read(kind, start, end)

    def read(self, slot: Slot, found: ChoiceTable, *, quoted: bool) -> ReadTable:
        """A slot's table with the spans that a reader finds likeliest, and with what it thinks of all choices."""
        if self.reader is None:
            return ReadTable(found, 0.0)
        key = slot.pointer, id(found.choices)
        if key not in self._read_tables:
            likely = self._likely(slot, self.reader, quoted)
            table = joined(found, self.tables(likely, slot.length)) if likely else found
            self._read_tables[key] = found, self.reader.added(slot.pointer, table)
        return self._read_tables[key][1]

    def read_part(self, slot: Slot, found: ChoiceTable) -> ReadTable:
        """A table of the choices that the words of one item have for a slot, with what a reader thinks of them."""
        return (
            ReadTable(found, 0.0)
            if self.reader is None
            else self.reader.added(slot.pointer, found, part=True)
        )

    def elsewhere(
        self, slot: Slot, own: ChoiceTable, longest: int, quoted: bool, penalty: float
    ) -> tuple[ChoiceTable, float]:
        """A slot's table of the choices in its item's words with those of the whole document, and what the rest costs.

        penalty: nats for what stands elsewhere; a number, date or time that stands nowhere is never taken for one
        """
        found, never = self.table(slot, longest, quoted=quoted), self.penalty(slot)
        if found is None or never is None:
            return own, penalty
        return joined(own, found._replace(costs=found.costs + penalty)), penalty + never

    def field(self, pointer: str) -> FieldReading | None:
        """What a reader read of the field at a pointer; None without a reader, or for options."""
        return None if self.reader is None else self.reader.field(pointer)

    def read_columns(self, pointer: str, columns: Sequence[Sequence[Words]]) -> Tensor:
        """[columns] nats of the value at a pointer being in each column of cells by a reader, 0 for the likeliest."""
        if self.reader is None:
            return torch.zeros(len(columns))
        spans = [
            [(self.units[first][0], self.units[last - 1][1]) for first, last in column if first < last]
            for column in columns
        ]
        return self.reader.compared(pointer, spans)

    def _likely(self, slot: Slot, reader: ReadCosts, quoted: bool) -> list[Copy]:
        """The choices that copy what a reader finds likeliest for a text."""
        value = self.outline.below(slot.pointer)
        if value is None or value.kind not in TEXTS or slot.kind == "name":
            return []
        runs = [run_of(self.document, *span, self.encode) for span in reader.likely(slot.pointer)]
        found = [self._copied(run) for run in runs if run is not None]
        return (
            self._form(value, found, quoted)
            if slot.kind != "member"
            else self._present(slot, self._form(value, found, False))
        )

    def table(self, slot: Slot, longest: int, *, quoted: bool) -> ChoiceTable | None:
        """The choices for a slot, None if there are none; slots that differ in their place alone share one table.

        longest: the longest slot of the layout; quoted: whether the quotes of a string are pinned outside the slot
        """
        value = self.outline.at(slot.pointer)
        own = slot.pointer.rpartition("/")[0] in self.chosen
        own = own or (value is not None and (slot.kind == "member" or value.kind == "enum"))
        key = slot.kind, slot.pointer if own else "", slot.length, longest, quoted
        if key not in self._tables:
            choices = (
                self._optional(slot, longest)
                if slot.kind == "member"
                else self._written(slot, longest, quoted)
            )
            self._tables[key] = self.tables(choices, slot.length) if choices else None
        return self._tables[key]

    def penalty(self, slot: Slot) -> float | None:
        """What a value of a slot costs that is none of its choices, in nats; None for the usual number.

        Where the document states numbers, dates or times, one that it does not state is never taken for a stated one.
        """
        if slot.pointer.rpartition("/")[0] in self.chosen:
            return NEVER_CHOSEN
        value = self.outline.at(slot.pointer)
        kind = value.kind if value is not None and slot.kind == "member" else slot.kind
        return unlikelier(slot.length) if kind in self.stated else None

    def table_within(self, slot: Slot, words: Words, cell: bool, *, quoted: bool) -> ChoiceTable | None:
        """The choices that these words of the document have for a slot; None if there are none.

        cell: whether the words are a cell, which a text copies as a whole
        """
        value = self.outline.below(slot.pointer)
        if value is None or slot.kind == "member":
            return None
        texts = self._texts_within(words, slot.length, whole=cell) if value.kind in TEXTS else []
        if slot.kind == "name":
            return self.tables(self._names(texts), slot.length) if texts else None
        choices = self._form(value, texts or self._stated_within(value, words, quoted), quoted)
        return self.tables(choices, slot.length) if choices else None

    def _texts_within(self, words: Words, longest: int, *, whole: bool) -> list[Copy]:
        first, last = words
        if whole or first == last:
            span = (self.units[first][0], self.units[last - 1][1]) if first < last else (0, 0)
            text = self.document[slice(*span)]
            ids = tuple(self.encode(compact(text)[1:-1]))
            return [self._copied(WordRun(text, ids, [span] if text else []))]
        return [*map(self._copied, word_runs(self.document, self.units[first:last], self.encode, longest))]

    def _copied(self, run: WordRun) -> Copy:
        """A choice that copies a run of words."""
        start, end = run.spans[0] if run.spans else (0, 0)
        spelled = self.document[start:end]
        plain = None if compact(run.text)[1:-1] == spelled else tuple(self.encode(spelled))
        copy = self._copy(run.ids, run.text, run.spans, plain)
        return copy._replace(cost=run.lines * self.costs.over)

    def _stated_within(self, value: Outline, words: Words, quoted: bool) -> list[Copy]:
        """The options and stated values in these words; of numbers the readings of all their digits."""
        if value.kind == "enum":
            return [one for one in self._options(value, quoted=quoted) if self._is_within(one, words)]
        if words[0] == words[1]:
            return []
        start, end = self.units[words[0]][0], self.units[words[1] - 1][1]
        return self._read(value.kind, start, end, whole=value.kind in NUMBERS)

    def _is_within(self, copy: Copy, words: Words) -> bool:
        places = [] if copy.piece == NO_PIECE else self.places[copy.piece]
        return any(words[0] <= word < words[1] for word in places)

    def _places_within(self, copy: Copy, words: Words) -> set[int]:
        places = [] if copy.piece == NO_PIECE else self.places[copy.piece]
        return {word for word in places if words[0] <= word < words[1]}

    def _form(self, value: Outline, choices: list[Copy], quoted: bool) -> list[Copy]:
        """The choices for a slot that holds the quotes too, if these are not pinned around it."""
        if quoted or not choices or value.kind == "enum":
            return choices
        quote = () if value.kind in UNQUOTED else tuple(self.encode('"'))
        written = [one.between(quote, quote) for one in choices]
        return [Copy(self.null), *written] if value.nullable else written

    def words_of(self, start: int, end: int) -> Words:
        """The words that characters start … end − 1 hold."""
        return bisect_left(self.begins, start), bisect_left(self.begins, end)

    def _runs(self, longest: int) -> list[Copy]:
        """The runs of whole words that fit the longest slot."""
        if longest not in self._by_longest:
            runs = word_runs(self.document, self.units, self.encode, longest, over=LINES)
            self._by_longest[longest] = [*map(self._copied, runs)]
        return self._by_longest[longest]

    def _written(self, slot: Slot, longest: int, quoted: bool) -> list[Copy]:
        """The choices for a slot's value."""
        if slot.kind == "name":
            return self._names(self._runs(longest))
        value = self.outline.at(slot.pointer)
        array, _, turn = slot.pointer.rpartition("/")
        if array in self.chosen and turn.isdigit() and int(turn) < len(self.chosen[array]):
            text = compact(self.chosen[array][int(turn)])
            return [Copy(tuple(self.encode(text[1:-1] if quoted else text)))]
        if value is not None and value.kind == "enum":
            return self._options(value, quoted=quoted)
        if value is not None and value.kind == "boolean" and self.reader is not None:
            either = [Copy(tuple(self.encode(text))) for text in ("true", "false")]
            return [Copy(self.null), *either] if value.nullable else either
        kind = slot.kind if value is None or slot.kind != "member" else value.kind
        choices = self._runs(longest) if kind in TEXTS else self.stated.get(kind, [])
        if quoted or not choices:
            return choices
        quote = () if kind in UNQUOTED else tuple(self.encode('"'))
        written = [one.between(quote, quote) for one in choices]
        whole = kind in NUMBERS and value is not None and slot.kind != "member" and not value.nullable
        return written if whole else [Copy(self.null), *written]

    def _names(self, choices: Iterable[Copy]) -> list[Copy]:
        """The choices as names of members, which have their end quote in the slot."""
        quote = tuple(self.encode('"'))
        return [one.between((), quote) for one in choices]

    def _optional(self, slot: Slot, longest: int) -> list[Copy]:
        """The choices for a member that may be absent: nothing, or its name and a value."""
        present = self._present(slot, self._written(slot, longest, False))
        return [Copy(()), *present] if present else []

    def _present(self, slot: Slot, written: Iterable[Copy]) -> list[Copy]:
        """The choices for the value of a member that may be absent, with its name."""
        name = slot.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        start = tuple(self.encode(f",{compact(name)}:"))
        return [one.between(start) for one in written if one.ids != self.null]

    def _options(self, outline: Outline, *, quoted: bool) -> list[Copy]:
        """All options if the document names one of them, the others at a cost; no choices otherwise."""
        patterns = [naming(option, self.costs.short) for option in outline.options]
        named = [[match.span() for match in one.finditer(self.document)] for one in patterns]
        if not any(named) and self.reader is None:
            return []
        unstated = self.costs.unstated if any(named) else 0.0
        found = [Copy(self.null)] if outline.nullable else []
        for option, spans in zip(outline.options, named, strict=True):
            text = compact(option)
            copy = self._copy(tuple(self.encode(text[1:-1] if quoted else text)), f"option {text}", spans)
            self.plenty.add(copy.piece)
            found.append(copy if spans else Copy(copy.ids, NO_PIECE, unstated))
        return found

    def _read(self, kind: str, start: int, end: int, *, whole: bool = False) -> list[Copy]:
        """The numbers, dates or times that characters start … end − 1 state; whole: none of a part of the digits."""
        if kind not in self._reading:
            return []
        read, key, behind = self._reading[kind]
        text = self.document[start:end]
        pairs = whole_numbers(read(text), self._reading["number"][0](text)) if whole else read(text)
        return [
            self._copy(
                tuple(self.encode(value + more)),
                key(value),
                [(start + one, -1) for one, _ in at],
                self._spelled(kind, value, text, pairs),
            )
            for more in behind
            for value, at in pairs.items()
            if not (more and _ZONE.search(value))
        ]

    def _spelled(self, kind: str, value: str, text: str, pairs: Found) -> Ids | None:
        """A number's ids as the text spells it, groups included; None if that is a choice, or has another sign."""
        start, end = pairs[value][0]
        signed = value.startswith("-") and text[:start].endswith("-")
        if kind not in NUMBERS or signed or text[start:end] in pairs:
            return None
        return tuple(self.encode(text[start:end]))

    def _copy(
        self, ids: Ids, key: str | float, spans: Sequence[tuple[int, int]], plain: Ids | None = None
    ) -> Copy:
        """A choice that copies the piece with this key; 12.5 and 12.50 have one key, so they are one piece."""
        piece = self.pieces.setdefault(key, len(self.places))
        if piece == len(self.places):
            self.places.append([])
            self.spans.append([])
        self.spans[piece] += set(spans) - set(self.spans[piece])
        places = {bisect_right(self.begins, start) - 1 for start, _ in spans}  # words that contain the starts
        self.places[piece] += places - set(self.places[piece])
        return Copy(ids, piece, plain=plain)
