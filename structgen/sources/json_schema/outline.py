"""The outline of a schema: its value sets, with the order and the titles that the document gives them.

A value set has no titles, and does not keep the order in which the document names alternatives and constants. This
reader therefore splits a schema into its `ways`: each is a list of schemas that a value satisfies together, and the
value set of that list says what the value is made of.

    {"allOf": [{"$ref": "#/$defs/base"}, {"anyOf": [A, B]}], "properties": P}     ways: [P, base, A], [P, base, B]

For instance, {"type": ["object", "null"], "properties": {"id": {"type": "integer"}, "tag": {"enum": ["a", "b"]}},
"required": ["id"]} has this outline:

    object, nullable
        id      integer
        tag     enum of "a" and "b", may be absent

Only what an outline shows is read. Bounds and patterns are not, unless constants have to satisfy them. Of conditions
(`not`, `if`, `dependencies`, alternatives that only require members), only the members that they name are read, which
become optional members.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import islice, product
from typing import Any

from structgen.errors import Unsupported
from structgen.limits.budget import OverLimit

from ..outline import ANY, FORMATS, NULL, Field, Outline
from .arrays import Arrays
from .copying import VERBATIM, copying_of
from .drafts import REF_ALONE
from .formula import ANYTHING, NO_VALUE, Every, Formula, Name
from .node import Node
from .objects import Objects
from .places import UNIONS, Places
from .read import MOST_NESTED, REFERENCES, Rules
from .value_set import ValueSet

MOST_WAYS = 256  # alternatives of one value; further unions that it satisfies at once are not multiplied out
MOST_OPTIONS = 2000  # alternatives of one value, at most
MOST_OUTLINES = 5000  # outlines of one document; definitions that use one another multiply

Place = tuple[str, str]  # the base and the pointer of a schema

_KINDS = ("string", "integer", "number", "boolean", "array", "object")


def outline_of(schema: Any, rules: Rules) -> Outline:
    """The outline of a schema. Whatever cannot be read is "any": compiling says why."""
    return Outliner(Places(Node(schema), rules)).root()


@dataclass(frozen=True)
class Way:
    """A way to satisfy a schema: a list of schemas that a value satisfies together.

    parts: the schemas, each read for its own keywords only; perhaps: schemas that apply under some condition
    common, own: schemas whose titles and descriptions describe the value: in all ways, and in this way only
    above: the references followed so far; cut: whether one of them leads back into itself
    bound: whether an alternative of bounds alone has been chosen, which may look like the others
    """

    parts: tuple[Node, ...] = ()
    perhaps: tuple[Node, ...] = ()
    common: tuple[Node, ...] = ()
    own: tuple[Node, ...] = ()
    above: tuple[Place, ...] = ()
    cut: bool = False
    bound: bool = False

    def and_(self, other: Way) -> Way:
        """The way with the schemas of both."""
        return Way(
            self.parts + other.parts,
            self.perhaps + other.perhaps,
            self.common + other.common,
            self.own + other.own,
            tuple(dict.fromkeys(self.above + other.above)),
            self.cut or other.cut,
            self.bound or other.bound,
        )

    def chosen(self, bound: bool) -> Way:
        """The way, as one of several alternatives."""
        return replace(self, common=(), own=self.common + self.own, bound=self.bound or bound)


class Outliner:
    """A reader of the outline of one document."""

    def __init__(self, reader: Places):
        self.reader = reader
        self.drawn = self.deep = self.cuts = 0
        self._known: dict[
            Formula, tuple[Outline | None, int]
        ] = {}  # without a cut reference; with their sizes

    def root(self) -> Outline:
        """The outline of the whole document."""
        return self.outline(self.reader.root(), ()) or ANY

    def outline(self, formula: Formula, above: tuple[Place, ...]) -> Outline | None:
        """The outline of a formula's values, below these references; None if there are no values."""
        known, size = self._known.get(formula, (ANY, 1))
        if formula == ANYTHING or self.deep == MOST_NESTED or self.drawn + size > MOST_OUTLINES:
            self.cuts += formula != ANYTHING
            return ANY
        cuts, before = self.cuts, self.drawn
        self.drawn += size
        if formula in self._known:
            return known
        self.deep += 1
        try:
            drawn = self._drawn(formula, above)
        except OverLimit:
            raise
        except (Unsupported, RecursionError):
            drawn = ANY
        finally:
            self.deep -= 1
        if cuts == self.cuts:
            self._known[formula] = drawn, self.drawn - before
        return drawn

    def _drawn(self, formula: Formula, above: tuple[Place, ...]) -> Outline | None:
        ways = self._all([self._ways(self.reader.node(name), above) for name in self._names(formula)])
        options: list[Outline] = []
        for way in ways:
            found = (_described(one, way.own) for one in self._options(way))
            options += (one for one in found if not (way.bound and one in options))
        return _described(_one_of(options), ways[0].common) if options else None

    def _names(self, formula: Formula) -> list[Name]:
        """The schemas of which a formula is made, all of which its values satisfy."""
        parts = self.reader.ordered(formula.parts) if isinstance(formula, Every) else [formula]
        return [part for part in parts if isinstance(part, Name)]

    def _ways(self, node: Node, above: tuple[Place, ...]) -> list[Way]:
        """The ways to satisfy the schema at `node`, in the order of the document."""
        if isinstance(node.value, bool):
            return [Way()] if node.value else []
        node = self.reader.library.entered(node)
        if "$ref" in node and node.draft <= REF_ALONE:
            return self._followed(node, "$ref", above)
        groups = [self._followed(node, keyword, above) for keyword in REFERENCES if keyword in node]
        groups += [self._ways(part, above) for part in _elements(node, "allOf")]
        perhaps = tuple(_conditional(node))
        for keyword in UNIONS:
            options = _elements(node, keyword)
            if options and all(map(self.reader.only_picks, options)):
                perhaps += tuple(options)
            elif options:
                chosen = (way for part in options for way in self._chosen(part, above))
                groups.append(list(islice(chosen, MOST_OPTIONS)))
        ways = self._all([[Way((node,), perhaps, (node,), above=above)], *groups])
        if self.reader.openapi(node):
            ways.append(Way((Node({"const": None}, node.pointer),), common=ways[0].common if ways else ()))
        return ways

    def _chosen(self, node: Node, above: tuple[Place, ...]) -> Iterator[Way]:
        """The ways to satisfy one of several alternatives."""
        bound = self.reader.only_bounds(node)
        return (way.chosen(bound) for way in self._ways(node, above))

    def _followed(self, node: Node, keyword: str, above: tuple[Place, ...]) -> list[Way]:
        """The ways to satisfy what a reference names."""
        target = self.reader.library.follow(node, keyword)
        place = target.base, target.pointer
        if place in above:
            self.cuts += 1
            return [Way(cut=True)]
        return self._ways(target, (*above, place))

    def _all(self, groups: list[list[Way]]) -> list[Way]:
        """The ways to take one of each group, the first ones staying together."""

        def both(left: list[Way], right: list[Way]) -> list[Way]:
            if min(len(left), len(right)) > 1 and len(left) * len(right) > MOST_WAYS:
                return left
            return [a.and_(b) for a, b in product(left, right)]

        return reduce(both, groups, [Way()])

    def _options(self, way: Way) -> list[Outline]:
        """The outlines of the values that satisfy a way, one for each type; words are left to the caller."""
        if way.cut:
            return [ANY]
        listing = next((part for key in ("const", "enum") for part in way.parts if key in part), None)
        if listing is not None:
            return self._constants(way, listing)
        value_set = self.reader.sketched(way.parts)
        if not value_set.said:
            return [ANY]
        spoken = value_set.spoken()
        null = [NULL] if spoken.null else []
        found = (self._typed(kind, spoken, way) for kind in _order(way, spoken))
        return [*(one for one in found if one is not None), *null]

    def _constants(self, way: Way, listing: Node) -> list[Outline]:
        """The constants that a part of the way lists and the others admit."""
        keyword = "const" if "const" in listing else "enum"
        values = [listing.child("const")] if keyword == "const" else listing.child("enum").elements()
        constants = self.reader.listed(way.parts)
        admitted = [value.value for value in values if value in constants]
        kept = [value for value in admitted if value is not None]
        found = [Outline.of_constants(keyword, kept)] if kept else []
        return [*found, NULL] if len(kept) < len(admitted) else found

    def _typed(self, kind: str, value_set: ValueSet, way: Way) -> Outline | None:
        """The outline of the values of one type; None if there are none."""
        if kind == "object":
            return self._object(value_set.objects[0], way)
        if kind == "array":
            return self._array(value_set.arrays[0], way)
        if kind == "string":
            formats = (part.value["format"] for part in way.parts if "format" in part)
            copied = (copying_of(part.child(VERBATIM)) for part in way.parts if VERBATIM in part)
            named = next((name for name in formats if name in FORMATS), kind)
            return Outline(named, copied=next((one for one in copied if one is not None), None))
        return Outline(kind)

    def _object(self, objects: Objects, way: Way) -> Outline | None:
        """The outline of objects: the members that the schema mentions, in the order in which they are written."""
        spoken = objects.spoken()
        fields = []
        for name, member in spoken.members.items() if spoken else ():
            inside = None if member.value == NO_VALUE else self.outline(member.value, way.above)
            if inside is not None:
                fields.append(Field(name, inside, member.required))
            elif member.required:
                return None
        fields += self._maybe(objects, way)
        if spoken is not None and not fields:
            return self._map(spoken, way)
        return None if spoken is None else Outline.of_fields(fields)

    def _map(self, objects: Objects, way: Way) -> Outline:
        """The outline of objects without named members: a map if the schema is about members of any name."""
        values = (self.outline(one.value, way.above) for one in objects.extras if not one.silent)
        item = next((one for one in values if one is not None), None)
        if item is None:
            return Outline.of_fields(())
        return Outline("map", item=item, least=objects.low, most=objects.high)

    def _maybe(self, objects: Objects, way: Way) -> Iterator[Field]:
        """The further members that a condition may add to the objects."""
        known = set(objects.members)
        for place in way.perhaps:
            for parts in (perhaps.parts for perhaps in self._ways(place, way.above) if perhaps.parts):
                for both in filter(None, map(objects.meet, self.reader.sketched(parts).objects)):
                    for name, member in both.members.items():
                        inside = None if name in known else self.outline(member.value, way.above)
                        known.add(name)
                        if inside is not None:
                            yield Field(name, inside, required=False)

    def _array(self, arrays: Arrays, way: Way) -> Outline | None:
        """The outline of arrays, in which the item of each position counts as much as the items after them."""
        items = list(arrays.prefix)
        if not items or (arrays.rest != ANYTHING and (arrays.high is None or arrays.high > len(items))):
            items.append(arrays.rest)
        found: list[Outline] = []
        for item in items:
            drawn = None if item == NO_VALUE else self.outline(item, way.above)
            if drawn is not None and all(replace(drawn, said=one.said) != one for one in found):
                found.append(drawn)
        if found:
            return Outline("array", item=_one_of(found), least=arrays.low, most=arrays.high)
        return None if arrays.low else Outline("array", item=ANY, most=0)


def _elements(node: Node, keyword: str) -> list[Node]:
    return node.child(keyword).elements(least=1) if keyword in node else []


def _conditional(node: Node) -> Iterator[Node]:
    """The schemas that apply under some condition."""
    yield from (node.child(keyword) for keyword in ("then", "else") if "if" in node and keyword in node)
    for keyword in ("dependentSchemas", "dependencies"):
        places = node.child(keyword).items() if keyword in node else ()
        yield from (place for _, place in places if isinstance(place.value, dict))


def _order(way: Way, value_set: ValueSet) -> list[str]:
    """The types of a set's values, in the order in which the schema lists them."""
    lists = (part.value["type"] for part in way.parts if "type" in part)
    listed = next((names for names in lists if isinstance(names, list | tuple)), ())
    kinds = set(value_set.kinds()) - {"number"}
    if value_set.numbers and all(part.typed for part in value_set.numbers):
        kinds.add("integer")
    elif value_set.numbers:
        kinds |= {"number", *(name for name in listed if name == "integer")}
    return [name for name in dict.fromkeys((*listed, *_KINDS)) if name in kinds and name != "null"]


def _described(outline: Outline, nodes: Sequence[Node]) -> Outline:
    """The outline with the titles and descriptions of schemas in front of its own."""
    words = tuple(
        word
        for keyword in ("title", "description")
        for node in nodes
        if isinstance(word := node.value.get(keyword), str)
    )
    return replace(outline, said=words + outline.said) if words else outline


def _one_of(options: Sequence[Outline]) -> Outline:
    """The union of outlines: null among them makes it nullable, and one alone is itself."""
    kept = [replace(one, nullable=False) for one in options if one.options != NULL.options]
    nullable = len(kept) < len(options) or any(one.nullable for one in options)
    if not kept:
        return NULL
    if len(kept) == 1:
        return replace(kept[0], nullable=nullable)
    return Outline("union", nullable=nullable, options=tuple(kept))
