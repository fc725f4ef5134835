"""Sets of objects, described by their named members, other members by key, member counts and required members."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from structgen.grammar import TEXT, Expr, alt, literal

from ..languages import contains, empty, intersect, opposite, without
from . import formula as f
from .arrays import least
from .formula import ANYTHING, NO_VALUE, Formula, every
from .node import Node
from .strings import encodable

Search = Callable[[str, str], Expr]  # the strings in which a pattern, found at a pointer, is found
MOST_PATTERNS = 20  # patternProperties
MOST_GROUPS = 64  # combinations of patterns that are distinguished


@dataclass(frozen=True)
class Member:
    """A member of an object that a schema names.

    declared: `properties` names the member, not only other keywords
    silent: only schemas that the object must not satisfy name it, so the others allow it by default
    """

    value: Formula
    required: bool = False
    declared: bool = False
    silent: bool = False


@dataclass(frozen=True)
class Extras:
    """Members other than the named ones: their keys, as a language of strings, and their values.

    silent: no keyword of the schema is about such members, so they are allowed by default
    """

    keys: Expr
    value: Formula = ANYTHING
    silent: bool = False


@dataclass(frozen=True)
class Need:
    """Some member whose key is in `keys` has its value in `value`."""

    keys: Expr
    value: Formula


@dataclass(frozen=True)
class Link:
    """If the member `key` is present, the member `then` must be present too; the objects name both."""

    key: str
    then: str


FREE = (Extras(TEXT, ANYTHING, silent=True),)
ABSENT = Extras(TEXT, NO_VALUE, silent=True)


@dataclass(frozen=True, eq=False)
class Objects:
    """A set of objects with the named `members` and then `extras`, whose key languages are disjoint.

    A key language may contain the name of a member; the member then takes precedence. No other keys are allowed, and
    an object has `low` to `high` members in all. listed: the schema has a list of members, perhaps an empty one;
    origin: pointer of the schema, for refusals.
    """

    members: Mapping[str, Member] = field(default_factory=dict)
    extras: tuple[Extras, ...] = FREE
    low: int = 0
    high: int | None = None
    needs: tuple[Need, ...] = ()
    origin: str = ""
    listed: bool = False
    links: tuple[Link, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for objects that are written alike."""
        return (
            tuple(self.members.items()),
            self.extras,
            self.low,
            self.high,
            self.needs,
            self.listed,
            self.links,
        )

    def at(self, key: str) -> Member | Extras:
        """What is said of a member called `key`: NO_VALUE is its value where it may not be there."""
        if key in self.members:
            return self.members[key]
        return next((extra for extra in self.extras if contains(extra.keys, key)), ABSENT)

    def value_at(self, key: str) -> Formula:
        """What a member called `key` may be; NO_VALUE where it may not be there."""
        return self.at(key).value

    def meet(self, other: Objects) -> Objects | None:
        """The intersection of both sets; None if it is certainly empty."""
        low, high = max(self.low, other.low), least(self.high, other.high)
        members: dict[str, Member] = {}
        for key in _names(self, other):
            found = self.at(key), other.at(key)
            named = [member for member in found if isinstance(member, Member)]
            members[key] = Member(
                every(found[0].value, found[1].value),
                any(member.required for member in named),
                any(member.declared for member in named),
                silent=all(member.silent for member in found),
            )
        needs = (*self.needs, *(need for need in other.needs if need not in self.needs))
        extras = self.extras if other.extras is FREE else _crossed(self.extras, other.extras)
        origin = max(self.origin, other.origin, key=len)
        listed = self.listed or other.listed
        links = (*self.links, *(link for link in other.links if link not in self.links))
        return Objects(members, extras, low, high, needs, origin, listed, links)._followed().possible()

    def _followed(self) -> Objects:
        """The same set, with links applied: a link from a required member requires its target, and one to an impossible
        member makes its source impossible."""
        members = dict(self.members)
        changed = bool(self.links)
        while changed:
            changed = False
            for link in self.links:
                first, second = members[link.key], members[link.then]
                if first.required and not second.required:
                    members[link.then] = replace(second, required=True)
                    changed = True
                if second.value == NO_VALUE and first.value != NO_VALUE:
                    members[link.key] = replace(first, value=NO_VALUE)
                    changed = True
        return replace(self, members=members) if self.links else self

    def possible(self) -> Objects | None:
        """The same set, or None if it is certainly empty."""
        if any(member.required and member.value == NO_VALUE for member in self.members.values()):
            return None
        required = sum(member.required for member in self.members.values())
        high = self.high
        if not self.extras:
            high = least(high, sum(member.value != NO_VALUE for member in self.members.values()))
        if high is not None and max(self.low, required) > high:
            return None
        return self

    def spoken(self) -> Objects | None:
        """The set without members that are only allowed by default; None if nothing is left.

        If no keyword is about members, all of them are free and the set is returned unchanged.
        """
        members = {key: member for key, member in self.members.items() if not member.silent}
        extras = tuple(extra for extra in self.extras if not extra.silent)
        if not (self.listed or members or extras):
            return self
        if any(member.silent and member.required for member in self.members.values()):
            return None
        return replace(self, members=members, extras=extras).possible()

    def opposite(self) -> Iterator[Objects]:
        """The complement: objects with too many or too few members, or a missing or wrong member."""
        if self.low:
            yield Objects(high=self.low - 1, origin=self.origin)
        if self.high is not None:
            yield Objects(low=self.high + 1, origin=self.origin)
        for key, member in self.members.items():
            if member.required:
                yield Objects({key: Member(NO_VALUE, silent=True)}, origin=self.origin)
            if member.value != ANYTHING:
                wrong = Member(f.opposite(member.value), required=True, silent=True)
                yield Objects({key: wrong}, origin=self.origin)
        for link in self.links:
            there, absent = Member(ANYTHING, required=True, silent=True), Member(NO_VALUE, silent=True)
            yield Objects({link.key: there, link.then: absent}, origin=self.origin)
        names = alt(*map(literal, self.members))
        for extra in self.extras:
            if extra.value != ANYTHING:
                wrong = Need(without(extra.keys, names), f.opposite(extra.value))
                yield Objects(needs=(wrong,), origin=self.origin)
        other = opposite(alt(names, *(extra.keys for extra in self.extras)))
        if not empty(other):
            yield Objects(needs=(Need(other, ANYTHING),), origin=self.origin)
        for need in self.needs:
            inside = Extras(need.keys, f.opposite(need.value), silent=True)
            outside = Extras(opposite(need.keys), silent=True)
            yield Objects(extras=_alive((inside, outside)), origin=self.origin)


def _names(a: Objects, b: Objects) -> list[str]:
    """The members of both, in order: first those that `properties` declares, then those that are only named."""
    members = [item for objects in (a, b) for item in objects.members.items()]
    return list(
        dict.fromkeys(key for declared in (True, False) for key, m in members if m.declared == declared)
    )


def _crossed(left: tuple[Extras, ...], right: tuple[Extras, ...]) -> tuple[Extras, ...]:
    return _alive(
        Extras(intersect(x.keys, y.keys), every(x.value, y.value), x.silent and y.silent)
        for x in left
        for y in right
    )


def _alive(extras: Iterator[Extras] | tuple[Extras, ...]) -> tuple[Extras, ...]:
    return tuple(extra for extra in extras if extra.value != NO_VALUE and not empty(extra.keys))


def read_objects(
    node: Node, formula: Callable[[Node], Formula], names: Expr, search: Search
) -> tuple[Objects, ...]:
    """The objects that the keywords allow, as alternatives; none if there are no such objects.

    names: the keys that the objects may have
    """
    extras = _extras(node, formula, search)
    members = _members(node, formula, search, extras)
    if names is not TEXT:
        extras = [replace(x, keys=keys) for x in extras if not empty(keys := intersect(x.keys, names))]
        members = {
            key: m if contains(names, key) else replace(m, value=NO_VALUE) for key, m in members.items()
        }
    low = node.child("minProperties").count() if "minProperties" in node else 0
    high = node.child("maxProperties").count() if "maxProperties" in node else None
    listed = "properties" in node
    objects = Objects(members, tuple(extras), low, high, origin=node.pointer, listed=listed).possible()
    return () if objects is None else (objects,)


def _members(
    node: Node, formula: Callable[[Node], Formula], search: Search, extras: list[Extras]
) -> dict[str, Member]:
    """Declared and required members; a pattern that a declared key matches applies to it too."""
    declared = dict(node.child("properties").items()) if "properties" in node else {}
    required = _required(node)
    patterns = list(node.child("patternProperties").items()) if "patternProperties" in node else []
    members: dict[str, Member] = {}
    for key in [*declared, *(key for key in required if key not in declared)]:
        encodable(Node(key, declared[key].pointer if key in declared else f"{node.pointer}/required"))
        if key in declared:
            matched = [place for pattern, place in patterns if contains(search(pattern, place.pointer), key)]
            value = every(*map(formula, [declared[key], *matched]))
        else:
            value = next((extra.value for extra in extras if contains(extra.keys, key)), NO_VALUE)
        members[key] = Member(value, key in required, key in declared)
    return members


def _required(node: Node) -> list[str]:
    if "required" not in node:
        return []
    if isinstance(node.value["required"], bool):
        node.child("required").malformed("an array of strings; draft 3's boolean belongs to the object above")
    return node.child("required").strings()


def _extras(node: Node, formula: Callable[[Node], Formula], search: Search) -> list[Extras]:
    """The undeclared keys, split by the patterns they match, and the values that each group allows."""
    patterns = list(node.child("patternProperties").items()) if "patternProperties" in node else []
    if len(patterns) > MOST_PATTERNS:
        place = node.child("patternProperties")
        place.unsupported("so many patterns", "patternProperties", f"use at most {MOST_PATTERNS}")
    other = formula(node.child("additionalProperties")) if "additionalProperties" in node else ANYTHING
    groups: list[tuple[Expr, Formula | None]] = [
        (TEXT, None)
    ]  # keys, and the values that their patterns allow
    for pattern, place in patterns:
        keys, value = search(encodable(Node(pattern, place.pointer)), place.pointer), formula(place)
        inside = [(intersect(k, keys), value if v is None else every(v, value)) for k, v in groups]
        groups = [(k, v) for k, v in [*inside, *((without(k, keys), v) for k, v in groups)] if not empty(k)]
        if len(groups) > MOST_GROUPS:
            place.unsupported("so many patterns that overlap", "patternProperties", "use fewer patterns")
    silent = "additionalProperties" not in node
    return [
        Extras(keys, other if value is None else value, silent and value is None)
        for keys, value in groups
        if (other if value is None else value) != NO_VALUE
    ]
