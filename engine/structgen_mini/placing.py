"""Where the parts of a scaffold stand: one after the other in a block, or in as many blocks as they take.

Parts are pinned texts and holes. An answer that fits one block is laid out without a gap. Otherwise it is cut before a
comma between items (between members, if an item is too long for a block), and zero-width tokens fill each block up to
its end, so that no value reaches over it:

    block 1    [{"name":"____"},{"name":"____"} ⌀ ⌀ ⌀
    block 2    ,{"name":"____"},{"name":"____"}] end
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

OPEN = -1
Encode = Callable[[str], Sequence[int]]


@dataclass(frozen=True)
class Slot:
    """Positions start … start + length − 1 of the canvas, reserved for the value at a JSON pointer.

    `kind` is the value's kind (see Outline), or `member` when the slot holds the whole `,"key":value`.
    """

    pointer: str
    kind: str
    start: int
    length: int


@dataclass(frozen=True)
class Scaffold:
    """The pinned ids of an answer and its slots: ids[i] is the token at position i, or OPEN. It has no end token."""

    ids: tuple[int, ...]
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class OpenPart:
    """A slot whose position is not known yet.

    ids: of the value that fills it, None if that is not known; items: how many items an array's slot has room for
    """

    pointer: str
    kind: str
    length: int
    ids: tuple[int, ...] | None
    items: int = 0


@dataclass(frozen=True)
class Break:
    """A place where a block may end: before a comma between items, or between members."""

    items: bool


BETWEEN_ITEMS: Final = Break(True)
BETWEEN_MEMBERS: Final = Break(False)
Piece = str | OpenPart | Break
Part = tuple[int, ...] | OpenPart  # a text as ids


def joined(pieces: Iterable[Piece], encode: Encode) -> Iterator[Part]:
    """Neighbouring texts become one run of tokens."""
    text = ""
    for piece in pieces:
        if isinstance(piece, Break):
            continue
        if isinstance(piece, str):
            text += piece
            continue
        if text:
            yield tuple(encode(text))
        text = ""
        yield piece
    if text:
        yield tuple(encode(text))


def length_of(parts: Iterable[Part]) -> int:
    """The positions that parts take."""
    return sum(len(part) if isinstance(part, tuple) else part.length for part in parts)


def over_blocks(pieces: Iterable[Piece], encode: Encode, null_id: int, block: int) -> list[Part] | None:
    """The parts in blocks of a length; None if what stands between two breaks is too long for one.

    Every block has room for an end token, so that the last one has.
    """
    done, here = list[Part](), list[Piece]()
    for segment in _short(pieces, encode, block):
        longer = [*here, *segment]
        if length_of(joined(longer, encode)) < block:
            here = longer
            continue
        if not here or length_of(joined(segment, encode)) >= block:
            return None
        parts = list(joined(here, encode))
        done += [*parts, (null_id,) * (block - length_of(parts))]
        here = segment
    return [*done, *joined(here, encode)]


def _short(pieces: Iterable[Piece], encode: Encode, block: int) -> Iterator[list[Piece]]:
    """What stands between two breaks between items, or members where that is too long for a block."""
    for segment in _segments(pieces, items=True):
        if length_of(joined(segment, encode)) < block:
            yield segment
        else:
            yield from _segments(segment, items=False)


def _segments(pieces: Iterable[Piece], *, items: bool) -> Iterator[list[Piece]]:
    """What stands between two breaks of a kind."""
    here: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Break) and piece.items == items:
            yield here
            here = []
        else:
            here.append(piece)
    yield here


def placed(parts: Sequence[Part], null_id: int) -> tuple[Scaffold, tuple[int, ...]] | None:
    """The scaffold of parts, and its ids with the known values in the slots; None if one is too long for its slot."""
    pinned: list[int] = []
    filled: list[int] = []
    slots: list[Slot] = []
    for part in parts:
        if isinstance(part, tuple):
            pinned += part
            filled += part
            continue
        ids = part.ids or ()
        if len(ids) > part.length:
            return None
        slots.append(Slot(part.pointer, part.kind, len(pinned), part.length))
        pinned += [OPEN] * part.length
        filled += [*ids, *[null_id] * (part.length - len(ids))]
    return Scaffold(tuple(pinned), tuple(slots)), tuple(filled)
