"""Schema to value set: every keyword becomes a value set, and a schema is the intersection of its keywords' value sets.

A `Reader` also names the schemas of its document: `formula` gives a schema a number, and `value_set` reads the schema
behind a number, one level deep. Equal schemas share a number, so two equal references are one name.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from structgen.errors import Unsupported
from structgen.grammar import TEXT, Expr
from structgen.limits.budget import OverLimit, check
from structgen.surface import option

from ..regex import search_expr
from ..regex.dialect import Dialect
from . import formula as f
from . import own
from .arrays import read_arrays
from .combine import Circular, Combiner
from .dependencies import dependencies, linked
from .drafts import OLDEST, REF_ALONE, is_older
from .formats import FORMATS, Read
from .formula import Every, Formula, Name, Some
from .keywords import Unknown, asserts, check_keywords, mentioned
from .misspelt import TYPES
from .node import Node
from .numbers import Numbers, read_numbers
from .objects import read_objects
from .resolve import Library
from .strings import read_strings
from .tags import Values, constants_of, rivals
from .unevaluated import evaluated
from .value_set import KINDS, ValueSet, anything, union
from .values import constant

REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


@dataclass(frozen=True)
class Rules:
    """The options of a reader of schemas.

    formats: the language of each known format's values, or None if the format has no effect
    dialect: the dialect of patterns; unknown: whether unknown keywords are refused
    pointed: whether an integer may be written with .0, as JSON Schema allows
    resources: further documents that references may name, by their identifiers
    own: whether structgen made the schema of a class, so that it may use structgen's own keywords
    reading: whether to describe everything that may be read, in canonical spelling
    """

    formats: Mapping[str, Expr | None] = field(default_factory=lambda: FORMATS)
    dialect: Dialect = Dialect.ECMA
    unknown: Unknown = "ignore"
    pointed: bool = True
    resources: Mapping[str, Any] = field(default_factory=dict)
    own: bool = False
    reading: bool = False

    def for_reading(self) -> Rules:
        """The same rules, for the texts that are read instead of those that are generated."""
        return replace(self, formats=Read(self.formats), reading=True)


JSON_SCHEMA = Rules()
MOST_NESTED = 100  # nested schemas; each takes about eight of the thousand nested calls that Python allows


class Late(OverLimit):
    """The time for collecting refusals is used up."""


class Reader:
    """A reader of the schemas of one document."""

    def __init__(self, root: Node, rules: Rules):
        self.rules = rules
        self.library = Library(root, rules.resources)
        self.combine = Combiner(self.value_set)
        self.places: list[tuple[Node, bool]] = []  # by number: the schema, or constant if the flag is set
        self.referred: set[int] = set()  # numbers of the schemas that some reference names
        self.refusals: list[Unsupported] | None = None  # None: refusals are raised, not collected
        self.relaxed: list[Unsupported] = []  # what is not enforced because it does no harm
        self.judged: dict[
            str, None
        ] = {}  # pointers that the grammar's check decides, since its expressions cannot
        self.patience = self.until = float(
            "inf"
        )  # seconds for collecting refusals, and the thread's CPU time at which that ends
        self._numbers: dict[object, int] = {}
        self._value_sets: dict[Formula, ValueSet] = {}
        self._open: list[Formula] = []
        self._listed: set[int] = set()  # numbers of constants that stand for a value of some other schema
        self._naming: set[tuple[str, str]] = set()

    @property
    def pointed(self) -> bool:
        """Whether 1.0 is an integer. In draft 4 it is not, and validators respect a draft that only a part names."""
        return self.rules.pointed and self.library.eldest > OLDEST

    def root(self) -> Formula:
        """The whole document."""
        return self.formula(self.library.root)

    def formula(self, node: Node) -> Formula:
        """The values that the schema at `node` allows, by name."""
        seen: set[str] = set()
        referred = False
        while True:
            if isinstance(node.value, bool):
                return f.ANYTHING if node.value else f.NO_VALUE
            if not isinstance(node.value, dict):
                node.malformed("a schema: an object, true or false")
            node = self.library.entered(node)
            if "$ref" not in node or not self._only_refers(node) or node.pointer in seen:
                break
            seen.add(node.pointer)
            node, referred = self.library.follow(node, "$ref"), True
        said = self._said(node)
        if said.keys() == {"anyOf"} and (node.pointer, node.base) not in self._naming:
            return self._union(node)
        number = self._number(node, (repr(said), node.base, node.dynamic, node.draft), False)
        if referred:
            self.referred.add(number)
        return Name(number)

    def _union(self, node: Node) -> Formula:
        """The union of schemas under their own names, so that shared schemas stay shared."""
        self._naming.add((node.pointer, node.base))
        try:
            return f.some(*map(self.formula, node.child("anyOf").elements(least=1)))
        finally:
            self._naming.discard((node.pointer, node.base))

    def value_set(self, formula: Formula) -> ValueSet:
        """The values of a formula, written out one level deep."""
        if formula in self._value_sets:
            return self._value_sets[formula]
        self.hurry()
        if formula in self._open:
            raise Circular(
                "a schema must not refer to itself for the same value",
                keyword="$ref",
                pointer=self.origin(formula),
                remedy="put the reference inside properties or items",
            )
        if len(self._open) == MOST_NESTED:
            raise self.too_deep(formula)
        self._open.append(formula)
        try:
            value_set = self._value_sets[formula] = self._value_set(formula)
        except Unsupported as error:
            if self.refusals is None or isinstance(error, Circular | OverLimit):
                raise
            self.refuse(error)
            value_set = self._value_sets[formula] = anything("")
        finally:
            self._open.pop()
        return value_set

    def refuse(self, error: Unsupported) -> None:
        """Collect a refusal, or raise it if refusals are not collected."""
        if self.refusals is None or isinstance(error, OverLimit):
            raise error
        if all(str(error) != str(other) for other in self.refusals):
            self.refusals.append(error)

    def relax(self, error: Unsupported) -> None:
        """Note a keyword that is not enforced."""
        if all(str(error) != str(other) for other in self.relaxed):
            self.relaxed.append(error)

    def hurry(self) -> None:
        """Raise Late if the time for collecting refusals is used up."""
        if time.thread_time() > self.until:
            raise Late(
                f"there may be more that cannot be enforced: {self.patience:g} seconds did not do to find it all",
                remedy="mend what is listed, then ask again",
            )

    def too_deep(self, formula: Formula) -> Unsupported:
        """The refusal of a schema that is nested too deeply."""
        return Unsupported(
            f"schemas are nested too deeply: more than {MOST_NESTED} stand in one another",
            pointer=self.origin(formula),
            remedy="let fewer objects, arrays or allOf nest, or hold the innermost values as a string",
        )

    def ordered(self, parts: Iterable[Formula]) -> list[Formula]:
        """The parts of a formula in the order in which the document names them."""
        return sorted(parts, key=_order)

    def origin(self, formula: Formula) -> str:
        """The pointer of the first schema that a formula names."""
        match formula:
            case Name(number):
                return self.places[number][0].pointer
            case Every(parts) | Some(parts):
                return self.origin(min(parts, key=_order)) if parts else self.library.root.pointer
        raise TypeError(f"{formula} is no formula")

    def _number(self, node: Node, key: object, is_constant: bool) -> int:
        number = self._numbers.setdefault(key, len(self.places))
        if number == len(self.places):
            self.places.append((node, is_constant))
        return number

    def listed(self, value: Any) -> Formula:
        """The formula of one of the few values that a schema holds, spelled as its types require."""
        number = self._number(Node(value), (repr(value), "listed"), True)
        self._listed.add(number)
        return Name(number)

    def _constant(self, node: Node) -> Formula:
        return Name(self._number(node, repr(node.value), True))

    def _value_set(self, formula: Formula) -> ValueSet:
        match formula:
            case Name(number, negated):
                if negated:
                    return self.combine.opposite(self.value_set(Name(number)), self.origin(formula))
                node, is_constant = self.places[number]
                if not is_constant:
                    return self._read(node)
                value_set = constant(node, self._constant)
                typed = tuple(replace(part, typed=True) for part in value_set.numbers)
                return replace(value_set, numbers=typed) if number in self._listed else value_set
            case Every(parts):
                positive = [p for p in parts if not (isinstance(p, Name) and p.negated)]
                value_sets = [self.value_set(part) for part in sorted(positive, key=_order)]
                whole = self.combine.all_of(value_sets[1:], value_sets[0] if value_sets else anything(""))
                for part in sorted(parts.difference(positive), key=_order):
                    whole = self.combine.minus(whole, self.value_set(f.opposite(part)))
                return whole
            case Some(parts):
                return union(*(self.value_set(part) for part in sorted(parts, key=_order)))
        raise TypeError(f"{formula} is no formula")

    def _at(self, node: Node) -> ValueSet:
        return self.value_set(self.formula(node))

    def _read(self, node: Node) -> ValueSet:
        check()
        check_keywords(node, self.rules.unknown, is_older(self.library.root.value))
        if "$ref" in node and node.draft <= REF_ALONE:  # it hides its siblings
            return self._at(self.library.follow(node, "$ref"))
        value_set = self.combine.all_of(self._constants(node), self._by_type(node))
        for keyword in REFERENCES:
            if keyword in node:
                target = self._at(self.library.follow(node, keyword))
                value_set = self.combine.meet(value_set, target)
        value_set = self._applied(node, value_set)
        if "nullable" in node and node.child("nullable").boolean() and self._is_openapi():
            value_set = union(value_set, ValueSet(null=True))
        return (
            own.refined(node, value_set, self.formula, self.value_set, self.rules.reading)
            if self.rules.own
            else value_set
        )

    def _by_type(self, node: Node) -> ValueSet:
        """The values that `type` and the keywords for single types allow."""
        free, said, kinds, whole = anything(node.pointer), mentioned(node), KINDS, False
        spoken = frozenset(said)
        if "type" in node:
            names = self._type_names(node.child("type"))
            kinds = frozenset("number" if name == "integer" else name for name in names)
            spoken, whole = kinds, "integer" in names and "number" not in names
        numbers = read_numbers(node) if "number" in said else Numbers(origin=node.pointer)
        if numbers is not None and whole:
            numbers = numbers.meet(Numbers(integer=True, typed=True))
        value_set = replace(free, numbers=() if numbers is None else (numbers,), implied=KINDS - spoken)
        # Keywords for types that are excluded are not read: an int32 is not a string.
        if "string" in said and "string" in kinds:
            dialect, formats = self.rules.dialect, self.rules.formats
            if self.rules.own:
                dialect, formats = own.dialect(node, dialect), own.formats(node, formats)
            search = partial(search_expr, dialect=dialect)
            strings = read_strings(node, partial(self._format, formats), search)
            value_set = replace(value_set, strings=strings)
        if "array" in said and "array" in kinds:
            value_set = replace(value_set, arrays=read_arrays(node, self.formula, self.rules.own))
        if "object" in said and "object" in kinds:
            names = TEXT
            if "propertyNames" in node:
                names = self._at(node.child("propertyNames")).strings
            value_set = replace(value_set, objects=read_objects(node, self.formula, names, self.search))
        return value_set.only(kinds)

    def _type_names(self, place: Node) -> set[str]:
        if not isinstance(place.value, str | list | tuple):
            place.malformed("the name of a type, or an array of names")
        names = [place] if isinstance(place.value, str) else place.elements(least=1)
        for name in names:
            if name.string() not in TYPES:
                name.malformed("one of " + ", ".join(TYPES))
        return {name.value for name in names}

    def _constants(self, node: Node) -> list[ValueSet]:
        value_sets: list[ValueSet] = []
        if "const" in node:
            value_sets.append(constant(node.child("const"), self._constant))
        if "enum" in node:
            values = node.child("enum").elements(least=1)
            value_sets.append(union(*(constant(value, self._constant) for value in values)))
        return value_sets

    def parts(self, node: Node, keyword: str) -> list[ValueSet]:
        """The value sets of an array of schemas."""
        if keyword not in node:
            return []
        return [self._at(part) for part in node.child(keyword).elements(least=1)]

    def _applied(self, node: Node, value_set: ValueSet) -> ValueSet:
        """The values of `value_set` that satisfy the keywords which apply schemas to the value itself."""
        combine = self.combine
        value_set = combine.all_of(self.parts(node, "allOf"), value_set)
        if "anyOf" in node:
            value_set = combine.meet(value_set, union(*self.parts(node, "anyOf")))
        if "oneOf" in node:
            value_set = union(*self.exactly_one(self.parts(node, "oneOf"), value_set))
        value_set = combine.all_of(linked(node), value_set)
        for condition, then in dependencies(node, self._at):
            present = combine.meet(value_set, condition)
            value_set = union(combine.minus(value_set, condition), combine.meet(present, then))
        if "if" in node and ("then" in node or "else" in node):
            condition = self._at(node.child("if"))
            yes, no = combine.meet(value_set, condition), combine.minus(value_set, condition)
            if "then" in node:
                yes = combine.meet(yes, self._at(node.child("then")))
            if "else" in node:
                no = combine.meet(no, self._at(node.child("else")))
            value_set = union(yes, no)
        if "not" in node:
            value_set = combine.minus(value_set, self._at(node.child("not")))
        if "unevaluatedProperties" in node or "unevaluatedItems" in node:
            cases = evaluated(self, node)
            value_set = union(
                *(combine.meet(combine.meet(value_set, c.condition), c.rest(self, node)) for c in cases)
            )
        return value_set

    def exactly_one(self, parts: list[ValueSet], whole: ValueSet) -> list[ValueSet]:
        """For each part, the values of `whole` that this part allows and no other part does."""
        inside = [self.combine.meet(whole, part) for part in parts]
        only = []
        for part, others in zip(inside, rivals(inside, self._constants_of), strict=True):
            for other in others:
                part = self.combine.minus(part, inside[other])
            only.append(part)
        return only

    def _constants_of(self, formula: Formula) -> Values | None:
        return constants_of(formula, self.places.__getitem__)

    def search(self, pattern: str, pointer: str) -> Expr:
        """The strings in which a pattern is found."""
        return search_expr(pattern, pointer, self.rules.dialect)

    def _format(self, formats: Mapping[str, Expr | None], place: Node) -> Expr:
        """The strings of a format; all strings if the format has no effect."""
        name = place.string()
        if name not in formats and self.rules.unknown == "refuse":
            remedy = f"drop it, write a pattern, or pass {option('unknown', 'ignore')}"
            place.unsupported(f"{name!r} is not a format", "format", remedy)
        return formats.get(name) or TEXT

    def _only_refers(self, node: Node) -> bool:
        """Whether $ref hides all other keywords of a schema, as it does up to draft 7."""
        return node.draft <= REF_ALONE or self._said(node).keys() == {"$ref"}

    def _said(self, node: Node) -> dict[str, Any]:
        """The keywords of a schema without annotations."""
        known, unknown = own.OWN if self.rules.own else (), self.rules.unknown
        return {
            key: value
            for key, value in node.mapping().items()
            if key in known or asserts(key, value, unknown)
        }

    def _is_openapi(self) -> bool:
        """`nullable` is OpenAPI's; in a document that names a JSON Schema dialect it is an unknown keyword."""
        root = self.library.root.value
        return not (isinstance(root, dict) and root.get("$schema"))


def _order(formula: Formula) -> tuple[int, str]:
    """A sort key that does not depend on hashes: the first schema that is named."""
    match formula:
        case Name(number, negated):
            return number, "not" if negated else ""
        case Every(parts) | Some(parts):
            first = min(map(_order, parts), default=(0, ""))
            return first[0], f"{type(formula).__name__}{sorted(map(_order, parts))}"
    raise TypeError(f"{formula} is no formula")
