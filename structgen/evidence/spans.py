"""Where the document states each value, the preferred place first.

A value is preferred on a line that names it. A verbatim value often stands in the document several times, and any of
these places is a copy: of places that are named alike, the one nearest to the values beside it in the answer comes
first. In "2 lamps 10.00 / 3 lamps 15.00" the price of a line says which "lamps" is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from structgen.evidence.warnings import copied
from structgen.generation.leaves import Leaf
from structgen.generation.result import TextSpan
from structgen.reading.stated import Place, Stated
from structgen.sources.json_schema.pointers import steps


def spans_of(
    leaves: Sequence[Leaf], outlines: Sequence[Mapping[str, Any]], stated: Stated
) -> dict[str, list[TextSpan]]:
    """Every place of each value, by pointer."""
    verbatim = {
        leaf.pointer: copied(outlines, leaf.pointer) for leaf in leaves if isinstance(leaf.value, str)
    }
    places = {leaf.pointer: _places(leaf, verbatim.get(leaf.pointer, ()), stated) for leaf in leaves}
    for pointer, found in places.items():
        if verbatim.get(pointer) and len(found) > 1:
            beside = _beside(pointer, places)
            names = steps(pointer)
            found.sort(key=lambda place: (-stated.named(place, names), _distance(place, beside), place))
    return {pointer: [TextSpan(*place) for place in found] for pointer, found in places.items()}


def _places(leaf: Leaf, copyings: Sequence[Any], stated: Stated) -> list[Place]:
    names = steps(leaf.pointer)
    if not copyings:
        return stated.places(leaf.value, names)
    found = {place for one in copyings for place in stated.copies(leaf.value, one, names)}
    return sorted(found, key=lambda place: (-stated.named(place, names), place))


def _beside(pointer: str, places: Mapping[str, Sequence[Place]]) -> list[Place]:
    """The places of values with one place only, beside a value: in the same object or list, or else in those around."""
    above = pointer
    while above:
        above = above.rpartition("/")[0]
        inside = [at for at in places if at != pointer and at.startswith(f"{above}/")]
        found = [places[at][0] for at in inside if len(places[at]) == 1]
        if found:
            return found
    return []


def _distance(place: Place, others: Sequence[Place]) -> int:
    """The sum of the numbers of characters between a place and others."""
    return sum(max(start - place[1], place[0] - end, 0) for start, end in others)
