"""Schema to shape: every keyword becomes a shape, and a schema is what its keywords' shapes have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...grammar import Expr
from ..regex import search_expr
from ..regex_syntax import Dialect
from .arrays import read_arrays
from .formats import FORMATS
from .keywords import TYPED, TYPES, Unknown, check_keywords, mentioned
from .meet import disjoint, meet
from .node import Node
from .numbers import Numbers, read_numbers
from .objects import read_objects
from .resolve import resolve
from .shape import KINDS, NEVER, Shape, anything, union
from .strings import read_strings
from .values import constant

MOST_CASES = 5000  # alternatives of one schema after its unions are multiplied out


@dataclass(frozen=True)
class Rules:
    """What a reader of schemas may differ in.

    `formats` maps the known formats to the languages of their values, or to None where they say nothing;
    `dialect` is that of patterns; `unknown` says whether keywords that nobody knows are refused or ignored.
    """

    formats: Mapping[str, Expr | None] = field(default_factory=lambda: FORMATS)
    dialect: Dialect = Dialect.ECMA
    unknown: Unknown = "refuse"


JSON_SCHEMA = Rules()


@dataclass
class Reader:
    """Reads one document; schemas that several references name are read once."""

    root: Node
    rules: Rules
    known: dict[str, Shape] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    def read(self, node: Node) -> Shape:
        """The values that the schema at `node` allows."""
        if node.pointer in self.known:
            return self.known[node.pointer]
        if node.pointer in self.open:
            remedy = "unfold it to the depth you need"
            node.unsupported("a schema that contains itself is not supported", "$ref", remedy)
        self.open.append(node.pointer)
        shape = self._read(node)
        self.open.pop()
        self.known[node.pointer] = shape
        return shape

    def _read(self, node: Node) -> Shape:
        if isinstance(node.value, bool):
            return anything(node.pointer) if node.value else NEVER
        if not isinstance(node.value, dict):
            node.malformed("a schema: an object, true or false")
        if "$ref" in node and self._references_stand_alone():
            return self._referred(node)
        check_keywords(node, self.rules.unknown)
        shape = self._by_type(node)
        for part in self._applied(node):
            shape = meet(shape, part)
            if len(shape.objects) + len(shape.arrays) + len(shape.numbers) > MOST_CASES:
                node.unsupported("too many combinations of anyOf", "anyOf", "merge the alternatives")
        if "nullable" in node and node.child("nullable").boolean() and self._is_openapi():
            shape = union(shape, Shape(null=True))
        return shape

    def _by_type(self, node: Node) -> Shape:
        """What `type` and the keywords of single types allow."""
        free, spoken, kinds, whole = anything(node.pointer), mentioned(node), KINDS, False
        if "type" in node:
            names = self._type_names(node.child("type"))
            kinds = frozenset("number" if name == "integer" else name for name in names)
            spoken, whole = kinds, "integer" in names and "number" not in names
        numbers = read_numbers(node) if _has(node, "number") else Numbers(origin=node.pointer)
        if numbers is not None and whole:
            numbers = numbers.meet(Numbers(integer=True))
        shape = replace(
            free,
            numbers=() if numbers is None else (numbers,),
            implied=KINDS - spoken,
        )
        # What says nothing about the types that remain is not read: an int32 is no string.
        if _has(node, "string") and "string" in kinds:
            shape = replace(shape, strings=read_strings(node, self.rules.formats, self._search))
        if _has(node, "array") and "array" in kinds:
            shape = replace(shape, arrays=read_arrays(node, self.read))
        if _has(node, "object") and "object" in kinds:
            shape = replace(shape, objects=read_objects(node, self.read, self._search))
        return shape.only(kinds)

    def _type_names(self, place: Node) -> set[str]:
        names = [place] if isinstance(place.value, str) else place.elements(least=1)
        for name in names:
            if name.string() not in TYPES:
                name.malformed("one of " + ", ".join(TYPES))
        return {name.value for name in names}

    def _applied(self, node: Node) -> list[Shape]:
        """The shapes of enum, const, references and combinations."""
        shapes: list[Shape] = []
        if "const" in node:
            shapes.append(constant(node.child("const")))
        if "enum" in node:
            shapes.append(union(*map(constant, node.child("enum").elements(least=1))))
        if "$ref" in node:
            shapes.append(self._referred(node))
        for keyword in ("allOf", "anyOf", "oneOf"):
            if keyword in node:
                parts = node.child(keyword).elements(least=1)
                read = [self.read(part) for part in parts]
                if keyword == "oneOf":
                    _check_disjoint(parts, read, node)
                shapes += read if keyword == "allOf" else [union(*read)]
        return shapes

    def _referred(self, node: Node) -> Shape:
        place = node.child("$ref")
        target = resolve(self.root, place)
        if target.pointer in self.open:
            remedy = "unfold it to the depth you need"
            place.unsupported(
                f"the reference {place.value!r} is recursive, which is not supported", "$ref", remedy
            )
        return self.read(target)

    def _search(self, pattern: str, pointer: str) -> Expr:
        return search_expr(pattern, pointer, self.rules.dialect)

    def _references_stand_alone(self) -> bool:
        """Until draft 7 a $ref hides its siblings."""
        return re.search(r"draft-0[1-7]/", self._dialect()) is not None

    def _is_openapi(self) -> bool:
        """`nullable` is OpenAPI's; in a document that names a JSON Schema dialect it is an unknown word."""
        return not self._dialect()

    def _dialect(self) -> str:
        return str(self.root.value.get("$schema", "")) if isinstance(self.root.value, dict) else ""


def _has(node: Node, kind: str) -> bool:
    return any(keyword in node for keyword in TYPED[kind])


def _check_disjoint(parts: list[Node], shapes: list[Shape], node: Node) -> None:
    """oneOf is anyOf where no two branches share a value."""
    for i, left in enumerate(shapes):
        for j in range(i):
            if not disjoint(shapes[j], left):
                parts[i].unsupported(
                    f"oneOf whose branches {j} and {i} may both hold",
                    "oneOf",
                    "use anyOf, or tell the branches apart by a required member with different constants",
                )
