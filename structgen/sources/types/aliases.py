"""Fields under alias paths: AliasPath("a", 0, "b") is member "b" of the first element of the array in member "a".

The fields of a class together describe a tree of objects and arrays. A required field makes every place above it
required.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]


@dataclass
class _Place:
    """A place in the tree: it holds a field, or other places below it."""

    value: dict[str, Any] | None = None
    required: bool = False
    below: dict[str | int, _Place] = field(default_factory=dict)

    def schema(self) -> dict[str, Any] | bool:
        """The schema of the values allowed at this place."""
        if not self.below:
            return True if self.value is None else self.value
        if any(isinstance(step, str) for step in self.below):
            inside = _object({step: place for step, place in self.below.items() if isinstance(step, str)})
        else:
            inside = _array({step: place for step, place in self.below.items() if isinstance(step, int)})
        return inside if self.value is None else {"allOf": [self.value, inside]}


def with_paths(fields: list[tuple[Path, dict[str, Any], bool]]) -> dict[str, Any]:
    """The object schema of fields given by path, each with its schema and whether it is required."""
    root = _Place()
    for path, value, required in fields:
        place = root
        for step in path:
            place = place.below.setdefault(step, _Place())
            place.required |= required
        place.value = value
    return _object({str(step): place for step, place in root.below.items()})


def _object(places: dict[str, _Place]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "object",
        "properties": {name: place.schema() for name, place in places.items()},
    }
    required = [name for name, place in places.items() if place.required]
    return {**found, "required": required} if required else found


def _array(places: dict[int, _Place]) -> dict[str, Any]:
    """The array schema of places by index; index -1, the last element, comes after all others."""
    last = places.get(-1)
    places = {index: place for index, place in places.items() if index >= 0}
    most = max(places, default=-1) + 1
    if last is not None:
        places[most], most = last, most + 1
    elements = [places[index].schema() if index in places else True for index in range(most)]
    least = max((index + 1 for index, place in places.items() if place.required), default=0)
    least = least if last is None else most
    return {"type": "array", "prefixItems": elements, "minItems": least, "maxItems": most}


def is_written(path: Path) -> bool:
    """Whether some object has a value at the path."""
    return isinstance(path[0], str) and all(isinstance(step, str) or step >= -1 for step in path)
