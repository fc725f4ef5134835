"""Constants as shapes: a value is the set that holds it alone."""

from __future__ import annotations

from ...grammar import literal
from .node import Node, exact, is_number
from .numbers import Numbers
from .shape import NEVER, Arrays, Member, Objects, Shape
from .strings import encodable


def constant(node: Node) -> Shape:
    """The shape of the one JSON value at `node`. An integer is written as one; 1.0 may be written 1 or 1.0."""
    value = node.value
    if value is None:
        return Shape(null=True)
    if isinstance(value, bool):
        return Shape(booleans=frozenset({value}))
    if is_number(value):
        return Shape(numbers=(Numbers(exact(value), exact(value), integer=isinstance(value, int)),))
    if isinstance(value, str):
        return Shape(strings=literal(encodable(node)))
    if isinstance(value, list | tuple):
        items = tuple(map(constant, node.elements()))
        return Shape(arrays=(Arrays(items, NEVER, len(items), len(items), node.pointer),))
    if isinstance(value, dict):
        members = {key: Member(constant(member), True) for key, member in node.items()}
        return Shape(objects=(Objects(members, (), origin=node.pointer),))
    return node.malformed("a JSON value")
