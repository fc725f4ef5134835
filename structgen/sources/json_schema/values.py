"""Constants as value sets: a value is the set that holds it alone, under JSON's equality, where 1 and 1.0 are one."""

from __future__ import annotations

from collections.abc import Callable

from structgen.grammar import literal

from .arrays import Arrays
from .formula import NO_VALUE, Formula
from .node import Node, exact, is_number
from .numbers import Numbers
from .objects import Member, Objects
from .strings import encodable
from .value_set import ValueSet


def constant(node: Node, name: Callable[[Node], Formula]) -> ValueSet:
    """The value set of the one JSON value at `node`; `name` gives the formulas of the values inside it."""
    value = node.value
    if value is None:
        return ValueSet(null=True)
    if isinstance(value, bool):
        return ValueSet(booleans=frozenset({value}))
    if is_number(value):
        return ValueSet(numbers=(Numbers(exact(value), exact(value), integer=isinstance(value, int)),))
    if isinstance(value, str):
        return ValueSet(strings=literal(encodable(node)))
    if isinstance(value, list | tuple):
        items = tuple(map(name, node.elements()))
        return ValueSet(arrays=(Arrays(items, NO_VALUE, len(items), len(items), origin=node.pointer),))
    if isinstance(value, dict):
        members = {}
        for key, member in node.items():
            encodable(Node(key, member.pointer))
            members[key] = Member(name(member), required=True)
        return ValueSet(objects=(Objects(members, (), origin=node.pointer),))
    node.malformed("a JSON value")
