"""What a reader says of the series of a document: whether the items of an array begin in their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from structgen_mini.canvas import ListedSeries
from structgen_mini.reader.reading import FieldReading

EVEN = 0.2  # of a fair share of a list: an item that a reader gives less it does not find


@dataclass(frozen=True)
class FoundItem:
    """An item that a reader found."""

    start: int
    end: int
    cells: Sequence[tuple[int, int]] = ()


def trimmed(fields: Sequence[FieldReading | None], series: ListedSeries) -> ListedSeries:
    """The series without the parts before the first and behind the last one in which a reader finds an item."""
    held = [begun for field in fields if field is not None for begun in _begun(field, series)[1:]]
    found = [at for at in range(len(series.parts)) if any(one[at] for one in held)]
    return replace(series, parts=series.parts[found[0] : found[-1] + 1]) if len(found) > 1 else series


def _begun(field: FieldReading, series: ListedSeries) -> tuple[float, list[bool]]:
    """The probability by a reader that an item begins in the parts of a series, and in which of them one does."""
    shares = field.begun(tuple((part.start, part.end) for part in series.parts))
    mass = float(shares.sum())
    return mass, (shares > EVEN * mass / len(shares)).tolist()


def share_read(fields: Sequence[FieldReading | None], series: ListedSeries) -> float:
    """The probability by a reader that items begin in the parts of a series, times the share of parts they begin in.

    It is the mean of those of the members; 0 without a reader.
    """
    found = [_begun(field, series) for field in fields if field is not None]
    return sum(mass * sum(held) / len(held) for mass, held in found) / len(found) if found else 0.0
