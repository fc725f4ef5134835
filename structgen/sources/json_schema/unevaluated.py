"""Which members and elements a schema has evaluated, case by case: what unevaluatedProperties and -Items go by.

The keywords of a schema evaluate members by name, by pattern or all; schemas that it applies to the same value add
theirs where they hold. So there are cases: each with the values for which it is so, and what is evaluated then. A case
in which more branches hold than are asked for evaluates more and forbids less, so that the union of cases is exact
although their conditions overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from structgen.grammar import NOTHING, TEXT, Expr, alt, literal

from ..languages import empty, opposite
from . import formula as f
from .arrays import Arrays
from .formula import Formula
from .node import Node
from .objects import Extras, Objects
from .shape import Shape, anything, union

if TYPE_CHECKING:
    from .read import Reader

MOST_CASES = 256


@dataclass(frozen=True, eq=False)
class Case:
    """The values of `condition`, and what has been evaluated of them.

    keys: names of members; first: so many elements (None: all); kinds: elements wherever they are
    """

    condition: Shape
    keys: Expr = NOTHING
    first: int | None = 0
    kinds: tuple[Formula, ...] = ()

    def rest(self, reader: Reader, node: Node) -> Shape:
        """What the keywords of the schema at `node` ask of all that is not evaluated."""
        free = anything(node.pointer)
        objects, arrays = free.objects, free.arrays
        if "unevaluatedProperties" in node:
            value = reader.formula(node.child("unevaluatedProperties"))
            groups = [Extras(self.keys, silent=True), Extras(opposite(self.keys), value)]
            extras = tuple(x for x in groups if x.value != f.NOTHING and not empty(x.keys))
            objects = (Objects(extras=extras, origin=node.pointer),)
        if "unevaluatedItems" in node and self.first is not None:
            value = f.some(reader.formula(node.child("unevaluatedItems")), *self.kinds)
            closed = Arrays((f.ANYTHING,) * self.first, value, origin=node.pointer).closed()
            arrays = () if closed is None else (closed,)
        return Shape(free.null, free.booleans, free.numbers, free.strings, arrays, objects, free.implied)


Meet = Callable[[Shape, Shape], Shape]


def evaluated(reader: Reader, node: Node, *, inner: bool = False) -> list[Case]:
    """The cases of the schema at `node`; the unevaluated keywords themselves count for the schemas around (`inner`)."""
    if not isinstance(node.value, dict):
        return [Case(anything(node.pointer))]
    node = reader.library.entered(node)
    cases = [_own(reader, node, inner)]
    for options in _options(reader, node):
        cases = [_joined(reader.combine.meet, a, b) for a in cases for b in options]
        if len(cases) > MOST_CASES:
            node.unsupported("so many branches beside unevaluated keywords", None, "use additionalProperties")
    return cases


def _own(reader: Reader, node: Node, inner: bool) -> Case:
    keys: list[Expr] = [literal(key) for key in node.value.get("properties", ())]
    if "patternProperties" in node:
        patterns = node.child("patternProperties")
        keys += [reader.search(pattern, patterns.pointer) for pattern in patterns.value]
    if "additionalProperties" in node or (inner and "unevaluatedProperties" in node):
        keys = [TEXT]
    listed = next(
        (k for k in ("prefixItems", "items") if k in node and isinstance(node.value[k], list | tuple)), None
    )
    first: int | None = len(node.value[listed]) if listed else 0
    others = "items" if listed != "items" else "additionalItems"
    if others in node or (inner and "unevaluatedItems" in node):
        first = None
    kinds = ()
    if "contains" in node and node.draft >= 2020:
        kinds = (reader.formula(node.child("contains")),)
    return Case(anything(node.pointer), alt(*keys), first, kinds)


def _options(reader: Reader, node: Node) -> list[list[Case]]:
    """For each keyword that applies schemas to the value itself, the cases it may come to."""
    combine, found = reader.combine, []

    def applied(place: Node) -> list[Case]:
        shape = reader.shape(reader.formula(place))
        inside = evaluated(reader, place, inner=True)
        return [Case(combine.meet(shape, c.condition), c.keys, c.first, c.kinds) for c in inside]

    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        if keyword in node:
            found.append(applied(reader.library.follow(node, keyword)))
    if "allOf" in node:
        found += map(applied, node.child("allOf").elements())
    if "anyOf" in node:
        found.append(_any_of(combine.meet, [applied(part) for part in node.child("anyOf").elements()], node))
    if "oneOf" in node:
        parts = node.child("oneOf").elements()
        only = reader.exactly_one(reader.parts(node, "oneOf"), anything(node.pointer))
        cases = []
        for part, shape in zip(parts, only, strict=True):
            cases += [Case(combine.meet(shape, c.condition), c.keys, c.first, c.kinds) for c in applied(part)]
        found.append(cases)
    if "if" in node:
        condition = node.child("if")
        yes = applied(condition)
        if "then" in node:
            yes = [_joined(combine.meet, a, b) for a in yes for b in applied(node.child("then"))]
        fails = combine.opposite(reader.shape(reader.formula(condition)), node.pointer)
        no = [Case(fails)]
        if "else" in node:
            no = [_joined(combine.meet, a, b) for a in no for b in applied(node.child("else"))]
        found.append(yes + no)
    if "dependentSchemas" in node:
        for present, place in reader.dependent_schemas(node):
            there = Case(present)
            absent = Case(combine.opposite(present, node.pointer))
            found.append([absent, *(_joined(combine.meet, there, c) for c in applied(place))])
    return found


def _any_of(meet: Meet, branches: list[list[Case]], node: Node) -> list[Case]:
    """The cases in which some branches hold; those that evaluate nothing need not be told apart."""
    dull = [b for b in branches if all(c.keys is NOTHING and c.first == 0 and not c.kinds for c in b)]
    telling = [b for b in branches if b not in dull]
    if 2 ** len(telling) > MOST_CASES:
        node.unsupported("so many branches beside unevaluated keywords", "anyOf", "use additionalProperties")
    cases = [Case(union(*(c.condition for b in dull for c in b)))] if dull else []
    for count in range(1, len(telling) + 1):
        for chosen in combinations(telling, count):
            joined = chosen[0]
            for branch in chosen[1:]:
                joined = [_joined(meet, a, b) for a in joined for b in branch]
            cases += joined
    return cases


def _joined(meet: Meet, a: Case, b: Case) -> Case:
    first = None if a.first is None or b.first is None else max(a.first, b.first)
    return Case(meet(a.condition, b.condition), alt(a.keys, b.keys), first, a.kinds + b.kinds)
