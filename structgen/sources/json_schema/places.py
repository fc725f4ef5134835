"""Schemas as they are written: a reader that distinguishes all places of a document and reads what outlines show.

The compiler gives equal schemas the same number and orders unions by it. An outline follows the document, so here every
place has its own number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from structgen.grammar import Alt, Bytes
from structgen.limits.budget import check

from ..languages import contains
from . import own
from .combine import Combiner
from .formula import ANYTHING, NO_VALUE, Formula, Name
from .keywords import TYPED
from .node import Node, exact, is_number
from .read import REFERENCES, Reader, Rules
from .value_set import ValueSet, anything
from .values import constant

UNIONS = ("anyOf", "oneOf")
_TAKEN_APART = frozenset((*REFERENCES, "allOf", *UNIONS, "nullable"))
_CONDITIONS = frozenset(
    ("not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedItems",
     "unevaluatedProperties")
)  # fmt: skip
_BOUNDS = frozenset(
    (*TYPED["number"], *TYPED["string"], "uniqueItems", "contains", "minContains", "maxContains", "minProperties",
     "maxProperties", own.QUOTED, own.MINIMUM, own.MAXIMUM, own.ZONE)
)  # fmt: skip
_NESTING = frozenset({dict, list, tuple})
_PICKING = frozenset({"required", "not", "minProperties", "maxProperties", "dependentRequired"})


class Shallow(Combiner):
    """A combiner that does not read members to test them for emptiness: drawing the outline will do so."""

    def hollow(self, formula: Formula) -> bool:
        """Whether the formula is empty by its own form."""
        return formula == NO_VALUE

    def _count(self, cases: int, origin: str) -> None:
        """Outlines are limited by their own size."""
        check()


class Places(Reader):
    """A reader for which every place in the document is a separate schema, even if others are equal."""

    def __init__(self, root: Node, rules: Rules):
        super().__init__(root, rules)
        self.combine = Shallow(self.value_set)

    def formula(self, node: Node) -> Formula:
        """The schema that is written at `node`, by name; references are left as they are."""
        if isinstance(node.value, bool):
            return ANYTHING if node.value else NO_VALUE
        node = self.library.entered(node)
        return Name(self._number(node, (node.pointer, node.base, node.dynamic, "written"), False))

    def sketched(self, nodes: Iterable[Node]) -> ValueSet:
        """The values that the schemas at the nodes have in common by themselves, as far as an outline shows them."""
        nodes = list(nodes)
        names = {name for node in nodes for name in _names(node)}
        return self._common(self._telling(_without(node, _unseen(node)), names) for node in nodes)

    def _telling(self, node: Node, names: set[str]) -> Node:
        """The schema without its constraints on the keys of members other than these."""
        if "patternProperties" not in node and "propertyNames" not in node:
            return node
        patterns = node.child("patternProperties").items() if "patternProperties" in node else ()
        told = {
            pattern: place.value
            for pattern, place in patterns
            if names and any(contains(self.search(pattern, place.pointer), name) for name in names)
        }
        rest = _without(node, frozenset({"patternProperties"} if names else {"propertyNames"}))
        return replace(rest, value={**rest.value, "patternProperties": told})

    def listed(self, nodes: Iterable[Node]) -> ListedConstants:
        """The constants that the schemas at the nodes have in common; one of them lists some."""
        return ListedConstants(self, self._common(_without(node, _TAKEN_APART) for node in nodes))

    def node(self, name: Name) -> Node:
        """The schema of a name; for a constant, the schema that allows only this constant."""
        node, is_constant = self.places[name.number]
        return Node({"const": node.value}, node.pointer) if is_constant else node

    def meets(self, node: Node, value_set: ValueSet) -> bool:
        """Whether the constant at `node` is among the values of a value set."""
        return bool(self.combine.meet(constant(node, self._constant), value_set).kinds())

    def openapi(self, node: Node) -> bool:
        """Whether the schema allows null in OpenAPI's way."""
        return "nullable" in node and node.value["nullable"] is True and self._is_openapi()

    def only_picks(self, node: Node) -> bool:
        """Whether the schema only states which members there are."""
        return isinstance(node.value, dict) and _PICKING.issuperset(self._said(node))

    def only_bounds(self, node: Node) -> bool:
        """Whether the schema shows nothing in an outline once the type of its values is known."""
        return isinstance(node.value, dict) and (_BOUNDS | _CONDITIONS).issuperset(self._said(node))

    def _common(self, nodes: Iterable[Node]) -> ValueSet:
        first, *others = [self.value_set(self._named(node)) for node in nodes] or [anything("")]
        return self.combine.all_of(others, first)

    def _named(self, node: Node) -> Formula:
        """The schema at `node` by its place; equal schemas without subschemas are one schema."""
        if _NESTING.isdisjoint(map(type, node.mapping().values())):
            return Name(self._number(node, (repr(node.value), node.draft), False))
        return Name(self._number(node, (node.pointer, node.base, node.dynamic, tuple(node.value)), False))


class ListedConstants:
    """The values of a set of constants, with lookup because there may be thousands."""

    def __init__(self, reader: Places, value_set: ValueSet):
        self.reader, self.value_set = reader, value_set
        self.numbers = {part.low for part in value_set.numbers}
        strings = value_set.strings.parts if isinstance(value_set.strings, Alt) else (value_set.strings,)
        self.texts = {part.value for part in strings if isinstance(part, Bytes)}
        self.others = [part for part in strings if not isinstance(part, Bytes)]

    def __contains__(self, node: Node) -> bool:
        value = node.value
        if isinstance(value, str):
            return value.encode() in self.texts or any(contains(part, value) for part in self.others)
        return exact(value) in self.numbers if is_number(value) else self.reader.meets(node, self.value_set)


def _unseen(node: Node) -> frozenset[str]:
    """The keywords that do not show in an outline; a bound shows if nothing else gives the type of the values."""
    return _TAKEN_APART | _CONDITIONS | (_BOUNDS if "type" in node else frozenset[str]())


def _without(node: Node, keywords: frozenset[str]) -> Node:
    return replace(node, value={key: value for key, value in node.mapping().items() if key not in keywords})


def _names(node: Node) -> Iterator[str]:
    """The members that a schema names."""
    yield from node.child("properties").mapping() if "properties" in node else ()
    yield from node.child("required").strings() if "required" in node else ()
