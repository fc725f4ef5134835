"""Which members and elements a schema has evaluated, case by case, for unevaluatedProperties and unevaluatedItems.

The keywords of a schema evaluate members by name, by pattern, or all of them; schemas that it applies to the same value
add the members that they evaluate if they hold. The result is a list of cases: a condition on the value, and what is
evaluated under it. Conditions may overlap: a case in which more branches hold evaluates more and forbids less, so the
union of the cases is still exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

from structgen.grammar import NOTHING, TEXT, Expr, alt, literal

from ..languages import empty, opposite
from . import formula as f
from .arrays import Arrays
from .combine import Combiner
from .dependencies import dependent_schemas
from .formula import Formula
from .node import Node
from .objects import Extras, Objects
from .resolve import Library
from .value_set import ValueSet, anything, union

MOST_CASES = 256


class Reading(Protocol):
    """The part of a schema reader that this module needs; the reader itself calls this module for the cases."""

    library: Library
    combine: Combiner

    def formula(self, node: Node) -> Formula: ...
    def value_set(self, formula: Formula) -> ValueSet: ...
    def parts(self, node: Node, keyword: str) -> list[ValueSet]: ...
    def exactly_one(self, parts: list[ValueSet], whole: ValueSet) -> list[ValueSet]: ...
    def search(self, pattern: str, pointer: str) -> Expr: ...


@dataclass(frozen=True, eq=False)
class Case:
    """A case: the values of `condition`, and which of their parts have been evaluated.

    keys: names of evaluated members; first: number of evaluated elements (None: all)
    kinds: elements that are evaluated at any position
    """

    condition: ValueSet
    keys: Expr = NOTHING
    first: int | None = 0
    kinds: tuple[Formula, ...] = ()

    def rest(self, reader: Reading, node: Node) -> ValueSet:
        """What the keywords of the schema at `node` require of everything that is not evaluated."""
        free = anything(node.pointer)
        objects, arrays = free.objects, free.arrays
        if "unevaluatedProperties" in node:
            value = reader.formula(node.child("unevaluatedProperties"))
            groups = [Extras(self.keys, silent=True), Extras(opposite(self.keys), value)]
            extras = tuple(x for x in groups if x.value != f.NO_VALUE and not empty(x.keys))
            objects = (Objects(extras=extras, origin=node.pointer),)
        if "unevaluatedItems" in node and self.first is not None:
            value = f.some(reader.formula(node.child("unevaluatedItems")), *self.kinds)
            closed = Arrays((f.ANYTHING,) * self.first, value, origin=node.pointer).closed()
            arrays = () if closed is None else (closed,)
        return ValueSet(free.null, free.booleans, free.numbers, free.strings, arrays, objects, free.implied)


Meet = Callable[[ValueSet, ValueSet], ValueSet]


def evaluated(reader: Reading, node: Node, *, inner: bool = False) -> list[Case]:
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


def _own(reader: Reading, node: Node, inner: bool) -> Case:
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


def _options(reader: Reading, node: Node) -> Iterator[list[Case]]:
    """For each keyword that applies schemas to the value itself, its possible cases."""
    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        if keyword in node:
            yield _applied(reader, reader.library.follow(node, keyword))
    if "allOf" in node:
        yield from (_applied(reader, part) for part in node.child("allOf").elements())
    if "anyOf" in node:
        branches = [_applied(reader, part) for part in node.child("anyOf").elements()]
        yield _any_of(reader.combine.meet, branches, node)
    if "oneOf" in node:
        yield _one_of(reader, node)
    if "if" in node:
        yield _if(reader, node)
    if "dependentSchemas" in node:
        yield from _dependent(reader, node)


def _applied(reader: Reading, place: Node) -> list[Case]:
    """The cases of a schema, restricted to the values that it allows."""
    return _within(reader, reader.value_set(reader.formula(place)), evaluated(reader, place, inner=True))


def _within(reader: Reading, value_set: ValueSet, cases: list[Case]) -> list[Case]:
    """Cases of the values of a value set."""
    return [replace(case, condition=reader.combine.meet(value_set, case.condition)) for case in cases]


def _one_of(reader: Reading, node: Node) -> list[Case]:
    """One case for each branch, in which no other branch holds."""
    parts = node.child("oneOf").elements()
    only = reader.exactly_one(reader.parts(node, "oneOf"), anything(node.pointer))
    pairs = zip(parts, only, strict=True)
    return [case for part, value_set in pairs for case in _within(reader, value_set, _applied(reader, part))]


def _if(reader: Reading, node: Node) -> list[Case]:
    """`if` and `then` where the condition holds, `else` where it fails; a condition that fails evaluates nothing."""
    meet, condition = reader.combine.meet, node.child("if")
    yes = _applied(reader, condition)
    if "then" in node:
        yes = [_joined(meet, a, b) for a in yes for b in _applied(reader, node.child("then"))]
    no = [Case(reader.combine.opposite(reader.value_set(reader.formula(condition)), node.pointer))]
    if "else" in node:
        no = [_joined(meet, a, b) for a in no for b in _applied(reader, node.child("else"))]
    return yes + no


def _dependent(reader: Reading, node: Node) -> Iterator[list[Case]]:
    """For each member that requires a schema: the member is absent, or the schema holds too."""
    combine = reader.combine
    for present, place in dependent_schemas(node):
        there, absent = Case(present), Case(combine.opposite(present, node.pointer))
        yield [absent, *(_joined(combine.meet, there, case) for case in _applied(reader, place))]


def _any_of(meet: Meet, branches: list[list[Case]], node: Node) -> list[Case]:
    """The cases in which some branches hold; branches that evaluate nothing need no separate cases."""
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
