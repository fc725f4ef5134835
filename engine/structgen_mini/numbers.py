"""Numbers that a document states, whole: no reading of a part of their digits, and none that runs over a cell's end."""

from __future__ import annotations

from collections.abc import Iterable

from structgen_mini.canvas import Found, ListedSeries


def whole_numbers(found: Found, numbers: Found) -> Found:
    """What is found of a text, without what reads fewer digits than another number at its place."""
    most: dict[int, int] = {}
    for value, places in numbers.items():
        most |= {at: max(most.get(at, 0), _digits(value)) for at, _ in places}
    kept = {
        value: [at for at in places if _digits(value) >= most.get(at[0], 0)]
        for value, places in found.items()
    }
    return {value: places for value, places in kept.items() if places}


def _digits(value: str) -> int:
    return sum(map(str.isdigit, value))


def number_cells(document: str, known: Iterable[ListedSeries]) -> set[tuple[int, int]]:
    """Cells that hold numbers, of tables whose columns a comma divides: what stands beside it is another number."""
    return {
        (start, end)
        for one in known
        if one.kind == "table"
        for part in one.parts
        for start, end in part.cells
        if (document[end : end + 1] == "," and any(char.isdigit() for char in document[start:end]))
        or (document[start - 1 : start] == "," and any(char.isdigit() for char in document[start:end]))
    }
