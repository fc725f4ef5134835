"""dependentRequired, dependentSchemas and dependencies: members that require other members, or a schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from . import formula as f
from .node import Node
from .objects import Link, Member, Objects
from .strings import encodable
from .value_set import ValueSet, anything


def linked(node: Node) -> list[ValueSet]:
    """The value set of members that depend on one another, if `properties` names them; [] if there are none."""
    links = [Link(key, then) for key, keys, _ in _lists(node) for then in keys if then != key]
    if not links:
        return []
    members = {key: Member(f.ANYTHING) for link in links for key in (link.key, link.then)}
    objects = Objects(members, origin=node.pointer, links=tuple(links))
    return [replace(anything(node.pointer), objects=(objects,))]


def _lists(node: Node, named: bool = True) -> Iterator[tuple[str, list[str], Node]]:
    """Members with those that they require; `named`: lists that `properties` names completely, or the others."""
    properties = node.value["properties"] if "properties" in node else {}
    for keyword in ("dependentRequired", "dependencies"):
        for key, place in node.child(keyword).items() if keyword in node else ():
            if isinstance(place.value, list | tuple | str):
                keys = [place.value] if isinstance(place.value, str) else place.strings()
                encodable(Node(key, place.pointer))
                if named == all(name in properties for name in (key, *keys)):
                    yield key, keys, place
            elif keyword == "dependentRequired":
                place.malformed("an array of strings")


def dependencies(node: Node, read: Callable[[Node], ValueSet]) -> list[tuple[ValueSet, ValueSet]]:
    """Pairs of value sets: the objects with a member, and what they must then also be; without the linked members.

    read: returns the value set of the schema at a place
    """
    found = [(_having([key], place), _having(keys, place)) for key, keys, place in _lists(node, named=False)]
    for keyword in ("dependentSchemas", "dependencies"):
        for key, place in node.child(keyword).items() if keyword in node else ():
            if keyword == "dependentSchemas" or not isinstance(place.value, list | tuple | str):
                present = _having([encodable(Node(key, place.pointer))], place)
                found.append((present, read(place)))
    return found


def dependent_schemas(node: Node) -> list[tuple[ValueSet, Node]]:
    """Pairs of the objects that have a member, and the schema that then applies."""
    places = node.child("dependentSchemas").items()
    return [(_having([key], place), place) for key, place in places]


def _having(keys: list[str], place: Node) -> ValueSet:
    """Objects that have these members."""
    members = {key: Member(f.ANYTHING, required=True) for key in keys}
    return ValueSet(objects=(Objects(members, origin=place.pointer),))
