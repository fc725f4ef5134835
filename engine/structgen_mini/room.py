"""Room for numbers and times that are longer than their usual slots.

A slot that holds every time of day is laid out at once, because half a time is no time. A number that is cut is a
number, so its slot grows after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from structgen_mini.canvas import Canvas
from structgen_mini.constants import SlotSizes
from structgen_mini.copies import NUMBERS, Offer

TIMES = ("time", "date-time")


def with_room(canvas: Canvas, offer: Offer) -> Canvas:
    """The canvas with slots that hold every time of day that the document states, with its offset from UTC."""
    sizes = canvas.constants.slots
    time, moment, whole, number = (
        max((max(len(one.plain or ()), len(one.ids)) for one in offer.stated[kind]), default=0)
        for kind in (*TIMES, *NUMBERS)
    )

    def wide(slots: SlotSizes) -> SlotSizes:
        return replace(
            slots,
            time=max(slots.time, time),
            date_time=max(slots.date_time, moment),
            integer=max(slots.integer, whole),
            number=max(slots.number, number),
        )

    roomy = replace(sizes, usual=wide(sizes.usual), snug=wide(sizes.snug))
    if roomy == sizes:
        return canvas
    return replace(canvas, constants=replace(canvas.constants, slots=roomy))


def goes_on(offer: Offer, kind: str, ids: Sequence[int]) -> bool:
    """Whether these ids are the beginning of a longer number that the document states."""
    held = tuple(ids)
    return kind in NUMBERS and any(
        len(one.ids) > len(held) and one.ids[: len(held)] == held for one in offer.stated[kind]
    )
