"""The lists of a document: once some items of an array are found, the document says how many there are, and where.

The model finds a few items, and values that it likes for them. If these lie in the parts of one series (the lines of a
list, the rows of a table), the array is that series: it has an item for each part, copied from there. The rows of a
table have cells, and all of them have the same ones: so which member of an item a column is, is decided once, by all
the rows that the first block has room for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.probe import probe
from structgen_mini.canvas import Canvas, ListedSeries
from structgen_mini.copies import NUMBERS, Offer, copying, listed_arrays
from structgen_mini.layout import Layout, Listing, Words, item_and_member, lay, quoted_outside
from structgen_mini.placing import Slot
from structgen_mini.reader.listed import FoundItem, share_read, trimmed
from structgen_mini.regions import filled

LONGEST = 40  # tokens of a number
PARTS = 12  # of a series that are looked into
COPIED = ("string", "name", "email", *NUMBERS, "date", "time")  # kinds of slots that words can fill
SEEN = 2  # items that are looked for at least
READ = "read"  # a series of the items that a reader finds one by one
STRONG = ("marked", "table", "records")  # series of things of one kind, whatever is asked for
GROUP = "group"  # a series within brackets, or of numbers one after the other: none of its parts is trimmed
RANKS = (
    "enumeration",
    GROUP,
    "plain",
    "pairs",
    "marked",
    "table",
    "records",
)  # of two series that fit alike the last
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, eq=False)
class Viewing:
    """What a layout looks like to the model at first, with the questions that this takes.

    automaton: of the whole constraint; prompt: token ids; seed: of the noise
    """

    canvas: Canvas
    offer: Offer
    automaton: TokenAutomaton
    prompt: Sequence[int]
    seed: int

    def logits(self, layout: Layout) -> Tensor:
        """[N, V] of the first block."""
        canvas, settled = self.canvas.cut(layout.size), torch.tensor([layout.block[: layout.size]])
        generator, remaining = torch.Generator().manual_seed(self.seed), len(layout.block) - layout.size
        seen = probe(canvas.denoiser, self.prompt, self.automaton, settled, generator, remaining=remaining)
        return seen.logits[0]


def listed(look: Viewing, layout: Layout, room: Mapping[str, int]) -> Layout:
    """The layout with all items of the arrays that the document lists; it may take several blocks.

    room: the most items of each array that were counted, by pointer
    """
    layout = _without_absent(look, layout)
    seen = _seen(look, layout)
    copier = copying(look.canvas, look.offer, seen)
    if copier is None or not copier.source.records:
        return layout
    arrays = zip(listed_arrays(seen, copier), copier.gains(look.logits(seen)), strict=True)
    for pointer, gains in arrays:
        found = series_of(look, seen, pointer, gains, (layout.counts[pointer], room.get(pointer, 0)))
        if found is not None:
            layout = _extended(look, layout, pointer, found) or layout
    return layout


def _without_absent(look: Viewing, layout: Layout) -> Layout:
    """The layout without items in arrays that may be empty, if a reader finds none of their fields in the document.

    A table may go on here without its head, of which a reader knows nothing: where there is one, nothing is left out.
    """
    if any(one.kind in STRONG for one in look.offer.series):
        return layout
    most = look.canvas.constants.listings.absent
    counts = dict(layout.counts)
    for pointer in layout.counts:
        array = layout.outline.below(pointer)
        fields = [
            look.offer.field(f"{pointer}/0{inside}")
            for item, inside, _ in _slots(layout, pointer)
            if not item
        ]
        known = [field.absent for field in fields if field is not None]
        if known and min(known) > most and array is not None and array.kind == "array" and not array.least:
            counts[pointer] = 0
    if counts == layout.counts:
        return layout
    return lay(look.canvas, layout.outline, layout.sizes, counts) or layout


def _seen(look: Viewing, layout: Layout) -> Layout:
    """The layout with two items at least in every array that has any, and in every map."""
    counts = {
        pointer: max(SEEN, count) if count or _is_map(layout, pointer) or _reads(look, layout, pointer) else 0
        for pointer, count in layout.counts.items()
    }
    if counts == layout.counts:
        return layout
    return lay(look.canvas, layout.outline, layout.sizes, counts) or layout


def _reads(look: Viewing, layout: Layout, pointer: str) -> bool:
    """Whether a reader finds items of a list of scalars."""
    field = look.offer.field(f"{pointer}/0") if _scalar(layout, pointer) else None
    return field is not None and field.absent < look.canvas.constants.listings.absent


def _is_map(layout: Layout, pointer: str) -> bool:
    value = layout.outline.below(pointer)
    return value is not None and value.kind == "map"


def series_of(
    look: Viewing, layout: Layout, pointer: str, gains: Sequence[np.ndarray], counted: tuple[int, int]
) -> ListedSeries | None:
    """The series that an array is; None if there is none.

    gains: for each item [fields, words], from 0 to 1, how much each field gains from each word of the document
    counted: the number of items that was found otherwise, and the most that were in question
    """
    best: tuple[tuple[float, int, int], ListedSeries] | None = None
    is_map, nats = _is_map(layout, pointer), look.canvas.constants.listings
    slots = [(inside, slot) for item, inside, slot in _slots(layout, pointer) if item == 0]
    fields = [look.offer.field(f"{pointer}/0{inside}") for inside, _ in slots]
    for known in look.offer.series:
        one = _headed(known, pointer, [_words(inside) for inside, _ in slots], look.offer.document)
        one = one if is_map or one.kind in (*STRONG, GROUP) else trimmed(fields, one)
        strong, read = _strong(one, len(slots)), 0.0 if is_map else share_read(fields, one)
        likely = read >= nats.read
        if not (_named(one) if is_map else likely or _in_question(one, strong, len(slots), counted)):
            continue
        parts = [look.offer.words_of(part.start, part.end) for part in one.parts]
        inside = (_inside_any if strong or is_map else _inside_each)(gains, parts)
        if inside < (nats.likely_map if is_map else nats.likely) and not likely:
            continue
        fit = (_whole_fit if is_map else _fit)(look, [slot for _, slot in slots], parts)
        above = bool(_words(pointer.rpartition("/")[2]) & _words(_line_above(look.offer.document, one)))
        worth = round(inside * fit + above + read, 2), len(parts), RANKS.index(one.kind)
        if fit >= nats.likely and (best is None or worth > best[0]):
            best = worth, one
    if best is None and _reads(look, layout, pointer) and slots[0][1].kind in COPIED:
        found = fields[0].items(nats.item) if fields[0] is not None else []
        return ListedSeries(READ, [FoundItem(start, end) for start, end in found]) if found else None
    return best and best[1]


def _named(series: ListedSeries) -> bool:
    """Whether the parts of a series are names with a value each."""
    return series.kind not in ("records", "enumeration", GROUP) and len(series.parts[0].cells) > 1


def _line_above(document: str, series: ListedSeries) -> str:
    """The last line with anything on it in front of a series."""
    lines = document[: (series.head or series.parts[0]).start].rstrip(" |*-").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")


def _headed(series: ListedSeries, pointer: str, names: Sequence[set[str]], document: str) -> ListedSeries:
    """The series without a first part that names the array, or the members of its items."""
    if series.head is not None or len(series.parts) < 2:
        return series
    first, own = series.parts[0], _words(pointer.rpartition("/")[2])
    said = _words(document[first.start : first.end])
    if said and said <= own:
        return replace(series, parts=tuple(series.parts[1:]), head=first)
    if len(names) < 2 or sum(bool(name & said) for name in names) * 2 < len(names):
        return series
    rest = [_words(document[part.start : part.end]) for part in series.parts[1:]]
    if any(bool(name & other) for other in rest for name in names):
        return series
    return replace(series, parts=tuple(series.parts[1:]), head=first)


def _strong(series: ListedSeries, members: int) -> bool:
    """Whether the parts of a series are things of one kind by its form alone, and not facts about one thing."""
    return series.kind in ("marked", "records") or (
        series.kind == "table" and 1 < members <= len(series.parts[0].cells)
    )


def _in_question(series: ListedSeries, strong: bool, members: int, counted: tuple[int, int]) -> bool:
    """Whether an array may be the series although its items were counted otherwise."""
    found, room = counted
    if series.kind in ("enumeration", GROUP) or (series.kind == "pairs" and members == 1):
        return series.kind != "pairs" and members == 1 and len(series.parts) > room
    if strong:
        return len(series.parts) > found or (len(series.parts) == found and series.head is not None)
    return len(series.parts) > room


def _inside_any(gains: Sequence[np.ndarray], parts: Sequence[Words]) -> float:
    """How much the fields gain from the parts together, from 0 to 1."""
    held = np.zeros(gains[0].shape[1], dtype=bool) if gains else np.zeros(0, dtype=bool)
    for start, end in parts:
        held[start:end] = True
    return float(np.mean([own[:, held].max(-1).mean() for own in gains])) if held.any() else 0.0


def _inside_each(gains: Sequence[np.ndarray], parts: Sequence[Words]) -> float:
    """How much the fields gain from the parts, from 0 to 1, if each item is one of them and no two are the same."""
    best: dict[int, float] = {}
    for own in gains:
        held = [float(own[:, start:end].max(-1).mean()) if start < end else 0.0 for start, end in parts]
        at = int(np.argmax(held))
        best[at] = max(best.get(at, 0.0), held[at])
    return sum(best.values()) / len(gains) if gains else 0.0


def _fit(look: Viewing, slots: Sequence[Slot], parts: Sequence[Words]) -> float:
    """The share of the parts' fields that some words of the part can fill, among the fields that words can fill."""
    found = [one for part in _fillable(look, slots, parts) for one in part]
    return sum(found) / len(found) if found else 1.0


def _whole_fit(look: Viewing, slots: Sequence[Slot], parts: Sequence[Words]) -> float:
    """The share of the parts of which some words can fill each field: a pair has a name and a value."""
    found = [all(part) for part in _fillable(look, slots, parts)]
    return sum(found) / len(found) if found else 1.0


def _fillable(look: Viewing, slots: Sequence[Slot], parts: Sequence[Words]) -> list[list[bool]]:
    """For each part whether some of its words can fill each of the slots that words can fill."""
    copied = [
        replace(slot, length=LONGEST) if slot.kind in NUMBERS else slot
        for slot in slots
        if slot.kind in COPIED
    ]
    return [
        [look.offer.table_within(slot, part, False, quoted=True) is not None for slot in copied]
        for part in parts[:PARTS]
    ]


def _scalar(layout: Layout, pointer: str) -> bool:
    array = layout.outline.below(pointer)
    return array is not None and array.kind == "array" and array.item is not None and not array.item.fields


def _extended(look: Viewing, layout: Layout, pointer: str, series: ListedSeries) -> Layout | None:
    """The layout with an item of the array for each part of a series; None if it cannot be laid out."""
    array, offer = layout.outline.below(pointer), look.offer
    most = len(series.parts) if array is None or array.most is None else array.most
    parts = series.parts[:most]
    listing = Listing([offer.words_of(part.start, part.end) for part in parts])
    layout = replace(layout, listings={**layout.listings, pointer: listing})
    counts = {**layout.counts, pointer: len(parts)}
    wide = lay(look.canvas, layout.outline, layout.sizes, counts, layout.listings, onward=True)
    if wide is None:
        return None
    if series.kind == READ:
        listing = replace(listing, columns={"": listing.items})
    elif all(part.cells for part in parts):
        columns = _columns(look, wide, pointer, replace(series, parts=tuple(parts)))
        listing = replace(listing, columns=columns)
    listings = {**layout.listings, pointer: listing}
    sizes = {**layout.sizes, **dict(_sizes(look, wide, pointer, listing))}
    return lay(look.canvas, layout.outline, sizes, counts, listings, onward=True) or wide


def cut(canvas: Canvas, layout: Layout, pointer: str, budget: int) -> Layout:
    """The layout with as many items of an array as so many tokens hold, and one at least."""
    most = layout.counts[pointer]
    fewer = (
        lay(
            canvas,
            layout.outline,
            layout.sizes,
            {**layout.counts, pointer: count},
            layout.listings,
            onward=True,
        )
        for count in range(most - 1, 0, -1)
    )
    return next((one for one in fewer if one is not None and len(one.block) <= budget), layout)


def _slots(layout: Layout, pointer: str) -> Iterator[tuple[int, str, Slot]]:
    """The slots of an array with the item and the pointer inside it."""
    for slot in layout.scaffold.slots:
        if slot.pointer.startswith(f"{pointer}/"):
            yield *item_and_member(pointer, slot), slot


def _sizes(look: Viewing, layout: Layout, pointer: str, listing: Listing) -> Iterator[tuple[str, int]]:
    """Lengths for the slots of an array's items: texts by their cells or, if these are shorter, by their parts.

    A number's slot holds the longest number of its part.
    """
    offer, usual = look.offer, layout.slots.item_string
    needed: dict[str, dict[str, int]] = {}
    for item, inside, slot in _slots(layout, pointer):
        value = layout.outline.below(slot.pointer)
        if slot.kind == "member" or value is None or value.kind not in ("string", *NUMBERS):
            continue
        first, last = listing.columns.get(inside, listing.items)[item]
        if value.kind in NUMBERS:
            table = offer.table_within(replace(slot, length=LONGEST), (first, last), False, quoted=True)
            used = 0 if table is None else int((table.choices != look.canvas.spelling.null_id).sum(-1).max())
            if used > slot.length:
                yield slot.pointer, used
            continue
        text = offer.document[offer.units[first][0] : offer.units[last - 1][1]] if first < last else ""
        quotes = 1 if slot.kind == "name" else 0 if quoted_outside(look.canvas, layout, slot) else 2
        needed.setdefault(inside, {})[slot.pointer] = len(offer.encode(text)) + 1 + quotes
    for inside, lengths in needed.items():
        stride = min(usual, max(lengths.values()))
        for at, length in lengths.items():
            yield at, max(stride, length) if inside in listing.columns else stride


def _columns(
    look: Viewing, layout: Layout, pointer: str, series: ListedSeries
) -> Mapping[str, Sequence[Words]]:
    """For the members of an array's items that a column has, the words of each item's cell."""
    offer, logits = look.offer, look.logits(layout)
    cells = [[offer.words_of(*cell) for cell in part.cells] for part in series.parts]
    heads = [] if series.head is None else [offer.document[slice(*cell)] for cell in series.head.cells]
    slots = [one for one in _slots(layout, pointer) if one[2].start < layout.size]
    members = list(dict.fromkeys(inside for _, inside, _ in slots))
    worth = torch.full((len(members), len(series.parts[0].cells) + 1), 0.0)  # the last column is none
    for item, inside, slot in slots:
        row = worth[members.index(inside)]
        anything = _best(logits, slot) - look.canvas.constants.copies.penalty
        quoted = quoted_outside(look.canvas, layout, slot)
        row[-1] += anything
        for column, words in enumerate(cells[item]):
            table = offer.table_within(slot, words, True, quoted=quoted)
            row[column] += anything if table is None else max(anything, _held(logits, slot, table[0]))
    named = look.canvas.constants.listings.named
    for at, inside in enumerate(members):
        columns = [[row[column] for row in cells] for column in range(len(cells[0]))]
        read = offer.read_columns(f"{pointer}/0{inside}", columns)
        worth[at, :-1] += read.clamp_min(-named) * len(series.parts)
        for column, head in enumerate(heads):
            worth[at, column] += named * len(series.parts) * bool(_words(inside) & _words(head))
    return {
        members[at]: [row[column] for row in cells]
        for at, column in assigned(worth)
        if column < len(cells[0])
    }


def _words(name: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", name))}


def _best(logits: Tensor, slot: Slot) -> float:
    """The log-probability of a slot's best tokens, whatever they spell."""
    part = logits[slot.start : slot.start + slot.length].float().log_softmax(-1)
    return float(part.amax(-1).sum())


def _held(logits: Tensor, slot: Slot, choices: Tensor) -> float:
    """The log-probability of the best of a slot's choices [C, L]."""
    part = logits[slot.start : slot.start + slot.length].float().log_softmax(-1)
    return float(filled(part[None], choices).amax())


def assigned(worth: Tensor) -> Iterator[tuple[int, int]]:
    """The rows of worths [M, C + 1] with a column each; the surest rows choose first, the last column is free."""
    left = worth.clone()
    rows = set(range(len(worth)))
    while rows:
        at = max(rows, key=lambda row: _margin(left[row]))
        column = int(left[at].argmax())
        yield at, column
        rows.remove(at)
        if column < left.shape[1] - 1:
            left[:, column] = -torch.inf


def _margin(row: Tensor) -> float:
    best = row.topk(min(2, len(row))).values
    return float(best[0] - best[-1])
