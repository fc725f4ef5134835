"""The classes of a LangExtract task, read from its examples, and the JSON Schema that asks for them.

LangExtract wants a list of extractions of mixed classes. A model is asked for an object with a member for each class
instead, which a schema describes far better; the extractions are put in the order of the text afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from structgen.reading.copying import Copying
from structgen.reading.stated import Stated

COPY = "text"
ATTRIBUTES = "_attributes"
COPIED: dict[str, Any] = {"type": "string", "x-verbatim": {"align": "word"}}
BY_WORDS = Copying(align="word")
TextPlace = tuple[int, int]  # characters start … end − 1


@dataclass(frozen=True)
class ExampleClass:
    """A class of extractions as the examples show it.

    several: whether an example has more than one; otherwise a passage is asked for one or none
    attributes: by name the schema of an attribute
    """

    name: str
    several: bool
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def schema(self) -> dict[str, Any]:
        """What the model is asked for: one value or null, or a list."""
        one = self._one()
        if self.several:
            return {"type": "array", "items": one}
        return {"anyOf": [one, {"type": "null"}]} if self.attributes else one | {"type": ["string", "null"]}

    def _one(self) -> dict[str, Any]:
        if not self.attributes:
            return COPIED
        members = {COPY: COPIED, **self.attributes}
        return {"type": "object", "properties": members, "required": list(members)}

    def extractions(self, value: Any) -> list[dict[str, Any]]:
        """The value as LangExtract's extractions, without those of blanks alone."""
        found = value if isinstance(value, list) else [] if value is None else [value]
        return [item for one in found if (item := self._extraction(one))[self.name]]

    def _extraction(self, one: Any) -> dict[str, Any]:
        members = dict(one) if isinstance(one, dict) else {COPY: one}
        text = members.pop(COPY).strip()
        given = {name: value for name, value in members.items() if value is not None}
        return {self.name: text, f"{self.name}{ATTRIBUTES}": given}


def classes_of(examples: Iterable[Any]) -> list[ExampleClass]:
    """The classes of the examples (LangExtract's ExampleData), in the order in which they first occur."""
    counts, given = dict[str, int](), dict[str, list[Mapping[str, Any]]]()
    for example in examples:
        here = Counter(one.extraction_class for one in example.extractions)
        for name, count in here.items():
            counts[name] = max(counts.get(name, 0), count)
        for one in example.extractions:
            given.setdefault(one.extraction_class, []).append(one.attributes or {})
    return [ExampleClass(name, counts[name] > 1, _attributes(given[name])) for name in given]


def _attributes(given: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The schema of each attribute; one that is missing somewhere may be null."""
    found = dict[str, dict[str, Any]]()
    for name in dict.fromkeys(name for one in given for name in one):
        values = [one[name] for one in given if name in one]
        lists = any(isinstance(value, list) for value in values)
        kind: dict[str, Any] = {"type": "array", "items": {"type": "string"}} if lists else {"type": "string"}
        if len(values) < len(given):
            kind["type"] = [kind["type"], "null"]
        found[name] = kind
    return found


def schema_of(classes: Sequence[ExampleClass], task: str) -> dict[str, Any]:
    """The schema of an object with a member for each class; task: what the user asked for, in words."""
    asked: dict[str, Any] = {
        "type": "object",
        "properties": {one.name: one.schema for one in classes},
        "required": [one.name for one in classes],
    }
    return {"description": task, **asked} if task else asked


def in_order(passage: str, classes: Sequence[ExampleClass], value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The extractions in the order of the passage, none of a class more often than the passage has it.

    LangExtract matches extractions with the text from left to right, and calls those exact that do not overlap. So
    each gets a place of its own where there is one, the longest first.
    """
    found = [(one.name, item) for one in classes for item in one.extractions(value[one.name])]
    stated, placed = Stated(passage), list[tuple[TextPlace, str, dict[str, Any]]]()
    for name, item in sorted(found, key=lambda one: -len(one[1][one[0]])):
        places = stated.copies(item[name], BY_WORDS, [name])
        free = [place for place in places if not any(_overlap(place, other) for other, _, _ in placed)]
        shared = [
            place for place in places if not any(place == other and name == of for other, of, _ in placed)
        ]
        if place := next(iter(free or shared), None):
            placed.append((place, name, item))
    return [item for _, _, item in sorted(placed, key=lambda one: one[0])]


def _overlap(one: TextPlace, other: TextPlace) -> bool:
    return one[0] < other[1] and other[0] < one[1]
