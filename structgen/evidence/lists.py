"""Lists that are shorter than the document's: their items lie in a series that goes on where the list does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from structgen.generation.leaves import Answer
from structgen.generation.result import AnswerWarning
from structgen.reading.series import Series, SeriesPart
from structgen.reading.stated import Place, Stated
from structgen.sources.json_schema.pointers import escape

LIKELY = 0.8  # share of the items that lie in a series, each in a part of its own
SURE = ("marked", "table", "records")  # kinds of series that a list with a single item may be
FEWEST = 3  # items of a list that may be a series of another kind


def shortened(answer: Answer, outline: Mapping[str, Any], stated: Stated) -> Iterator[AnswerWarning]:
    """A warning for each list of an answer to which the document has more items."""
    found = [(at, items) for at, items in _lists(json.loads(answer.text), outline, "") if items]
    for pointer, items in found:
        places = [_places(answer, item, stated) for item in items]
        longest = max(
            (len(one.parts) for one in stated.series if _holds(one, places, named=items[0][1] is not None)),
            default=0,
        )
        if longest > len(items):
            detail = f"shortened: the list in the document has {longest} items, the answer has {len(items)}"
            yield AnswerWarning("shortened", pointer, detail)


Item = tuple[str, str | None]  # its pointer, and its name if it is a member of a map


def _lists(value: Any, outline: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, list[Item]]]:
    """The arrays and maps of a value, each with its items."""
    if outline["kind"] == "object" and isinstance(value, dict):
        for field in outline["fields"]:
            if field["name"] in value:
                at = f"{pointer}/{escape(field['name'])}"
                yield from _lists(value[field["name"]], field["value"], at)
    elif outline["kind"] == "array" and isinstance(value, list):
        yield pointer, [(f"{pointer}/{index}", None) for index in range(len(value))]
    elif outline["kind"] == "map" and isinstance(value, dict):
        yield pointer, [(f"{pointer}/{escape(name)}", name) for name in value]


def _places(answer: Answer, item: Item, stated: Stated) -> list[Sequence[Place]]:
    """For each value of an item that the document states, where it does."""
    pointer, name = item
    inside = [
        leaf.value for at, leaf in answer.leaves.items() if at == pointer or at.startswith(f"{pointer}/")
    ]
    found = [stated.places(value) for value in (*([] if name is None else [name]), *inside)]
    return [places for places in found if places]


def _holds(one: Series, items: Sequence[Sequence[Sequence[Place]]], *, named: bool) -> bool:
    """Whether most of the items lie in parts of a series, each in one of its own.

    named: whether they are members of a map, which lines with a name and a value are
    """
    sure = one.kind in SURE or (named and one.kind == "pairs")
    if not sure and (len(items) < FEWEST or one.kind == "pairs"):
        return False
    taken: set[int] = set()
    for values in items:
        own = (at for at, part in enumerate(one.parts) if at not in taken and _states(part, values))
        taken |= {next(own, -1)} - {-1}
    return len(taken) >= LIKELY * len(items)


def _states(part: SeriesPart, values: Sequence[Sequence[Place]]) -> bool:
    """Whether a part states most of the values."""
    held = sum(any(part.start <= start and end <= part.end for start, end in places) for places in values)
    return held > 0 and held * 2 > len(values)
