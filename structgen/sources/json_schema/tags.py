"""Alternatives that a required member with constants distinguishes, as `kind` does in a tagged union.

That no value satisfies two schemas of a oneOf would have to be proved for each pair: 200 tagged objects are 20,000
pairs. If each schema has a different constant in the same required member, the constants prove it for all at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from .formula import Every, Formula, Name, Some
from .node import Node, exact, is_number
from .value_set import ValueSet

Values = frozenset[Hashable]
Constants = Callable[[Formula], Values | None]


def rivals(value_sets: Sequence[ValueSet], constants: Constants) -> list[list[int]]:
    """For each value set, the numbers of the others that may have a value in common with it."""
    tags = [_tags(value_set, constants) for value_set in value_sets]
    frequent = Counter(key for tag in tags for key in tag).most_common(1)
    key = frequent[0][0] if frequent else ""
    untold, bearers = [], dict[Hashable, list[int]]()
    for index, tag in enumerate(tags):
        if key not in tag:
            untold.append(index)
        for value in tag.get(key, ()):
            bearers.setdefault(value, []).append(index)
    found = []
    for index, tag in enumerate(tags):
        alike = [other for value in tag[key] for other in bearers[value]] if key in tag else range(len(tags))
        found.append(sorted({*untold, *alike} - {index}))
    return found


def _tags(value_set: ValueSet, constants: Constants) -> Mapping[str, Values]:
    """The members that all values of a set have, with their constants; {} unless all values are objects."""
    if value_set.kinds() != {"object"}:
        return {}
    required = [
        {key: constants(member.value) for key, member in objects.members.items() if member.required}
        for objects in value_set.objects
    ]
    tags: dict[str, Values] = {}
    for key in required[0]:
        values = [members.get(key) for members in required]
        if None not in values:
            tags[key] = frozenset().union(*(part for part in values if part is not None))
    return tags


def constants_of(formula: Formula, node_of: Callable[[int], tuple[Node, bool]]) -> Values | None:
    """Constants that include all values of a formula, if its schemas list them directly; otherwise None.

    node_of: the schema with a number, and whether it is itself a constant
    """
    match formula:
        case Name(number, negated=False):
            return _named(*node_of(number))
        case Every(parts):
            return next((v for part in parts if (v := constants_of(part, node_of)) is not None), None)
        case Some(parts):
            known = [constants_of(part, node_of) for part in parts]
            return None if None in known else frozenset().union(*(part for part in known if part is not None))
    return None


def _named(node: Node, is_constant: bool) -> Values | None:
    if is_constant:
        values = [node.value]
    elif "nullable" in node or "$ref" in node:  # these add a value, or hide what is beside them
        return None
    elif "const" in node:
        values = [node.value["const"]]
    else:
        values = node.value["enum"] if "enum" in node else None
    if not isinstance(values, list) or any(isinstance(value, dict | list | tuple) for value in values):
        return None
    return frozenset(map(_key, values))


def _key(value: Any) -> Hashable:
    """A key that is equal for two values if and only if they are equal in JSON."""
    return ("number", exact(value)) if is_number(value) else (type(value).__name__, value)
