"""Objects: reading their keywords, and spelling their values.

Members are written in the order in which the schema declares them, optional ones perhaps left out, and undeclared
ones after them. The expression is built from the right, one per (member, number of members so far as far as that
matters), so that all the ways to leave members out share their ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ...errors import Unsupported
from ...grammar import EMPTY, NOTHING, TEXT, Expr, alt, literal, repeat, seq
from ..languages import contains, intersect, without
from .layout import Layout
from .meet import meet
from .node import Node
from .shape import NEVER, Extras, Member, Objects, Shape, anything
from .strings import encodable, spell_key

Read = Callable[[Node], Shape]
Search = Callable[[str, str], Expr]  # the strings in which a pattern, found at a pointer, is found
MOST_PATTERNS = 6  # patternProperties whose combinations are told apart


def read_objects(node: Node, read: Read, search: Search) -> tuple[Objects, ...]:
    """The objects that the keywords allow; no alternative if there are none."""
    extras = _extras(node, read, search)
    names = _names(node, read)
    members = _members(node, read, search, extras)
    if names is not TEXT:
        extras = [Extras(keys, x.shape) for x in extras if (keys := intersect(x.keys, names)) is not NOTHING]
        members = {
            key: m if contains(names, key) else Member(NEVER, m.required, m.declared)
            for key, m in members.items()
        }
    low = node.child("minProperties").count() if "minProperties" in node else 0
    high = node.child("maxProperties").count() if "maxProperties" in node else None
    if high is not None and low > high:
        return ()
    if any(member.required and not member.shape.kinds() for member in members.values()):
        return ()
    return (Objects(members, tuple(extras), low, high, node.pointer),)


def _names(node: Node, read: Read) -> Expr:
    """The language of keys that propertyNames allows."""
    return read(node.child("propertyNames")).strings if "propertyNames" in node else TEXT


def _members(node: Node, read: Read, search: Search, extras: list[Extras]) -> dict[str, Member]:
    """Declared and required members; a pattern that a declared key matches applies to it too."""
    declared = dict(node.child("properties").items()) if "properties" in node else {}
    required = _required(node)
    patterns = list(node.child("patternProperties").items()) if "patternProperties" in node else []
    members: dict[str, Member] = {}
    for key in [*declared, *(key for key in required if key not in declared)]:
        encodable(Node(key, declared[key].pointer if key in declared else f"{node.pointer}/required"))
        matched = [place for pattern, place in patterns if contains(search(pattern, place.pointer), key)]
        parts = [read(place) for place in ([declared[key]] if key in declared else []) + matched]
        shape = parts[0] if parts else _undeclared(node, extras, key)
        for part in parts[1:]:
            shape = meet(shape, part)
        members[key] = Member(shape, key in required, key in declared)
    return members


def _undeclared(node: Node, extras: list[Extras], key: str) -> Shape:
    """A member that is required but not declared."""
    for group in extras:
        if contains(group.keys, key):
            return anything(f"{node.pointer}/required") if group.shape is None else group.shape
    return NEVER


def _required(node: Node) -> list[str]:
    if "required" not in node:
        return []
    if isinstance(node.value["required"], bool):
        node.child("required").malformed("an array of strings; draft 3's boolean belongs to the object above")
    return node.child("required").strings()


def _extras(node: Node, read: Read, search: Search) -> list[Extras]:
    """Undeclared keys, split by which patterns they match, and what their values may be."""
    other = read(node.child("additionalProperties")) if "additionalProperties" in node else None
    patterns = list(node.child("patternProperties").items()) if "patternProperties" in node else []
    if len(patterns) > MOST_PATTERNS:
        place = node.child("patternProperties")
        place.unsupported("so many patterns at once", "patternProperties", f"use at most {MOST_PATTERNS}")
    groups: list[tuple[Expr, Shape | None]] = [
        (TEXT, None)
    ]  # keys so far, and what the patterns matched ask for
    for pattern, place in patterns:
        keys, shape = search(pattern, place.pointer), read(place)
        inside = [(intersect(k, keys), shape if s is None else meet(s, shape)) for k, s in groups]
        groups = [
            (k, s) for k, s in [*inside, *((without(k, keys), s) for k, s in groups)] if k is not NOTHING
        ]
    filled = [(keys, other if shape is None else shape) for keys, shape in groups]
    return [Extras(keys, shape) for keys, shape in filled if shape is None or shape.kinds()]


@dataclass(frozen=True, eq=False)
class ObjectSpeller:
    """Writes objects as text: `spell` their values, `anything` values without any constraint."""

    spell: Callable[[Shape], Expr]
    anything: Callable[[str], Expr]
    layout: Layout

    def text(self, objects: Objects) -> Expr:
        """The texts of these objects."""
        members = [(key, member) for key, member in objects.members.items() if member.shape.kinds()]
        written = [(self._member(literal(key), self.spell(m.shape)), m.required) for key, m in members]
        extra = self._extra(objects)
        self._check_count(objects, extra)
        low, high = objects.low, objects.high
        most = max(low, 1) if high is None else high  # more members than this need not be told apart

        @cache
        def rest(index: int, count: int) -> Expr:
            """From member `index` on, `count` members being written."""
            if index == len(written):
                return self._tail(extra, count, low, high)
            member, required = written[index]
            comma = self.layout.comma if count else EMPTY
            full = high is not None and count >= high
            taken = NOTHING if full else seq(comma, member, rest(index + 1, min(count + 1, most)))
            return taken if required else alt(taken, rest(index + 1, count))

        return seq(literal("{"), self.layout.gap, rest(0, 0))

    def _member(self, keys: Expr, value: Expr) -> Expr:
        return seq(spell_key(keys), self.layout.colon, value)

    def _extra(self, objects: Objects) -> Expr:
        """One undeclared member."""
        declared = alt(*map(literal, objects.members))
        parts = [
            self._member(
                without(x.keys, declared),
                self.anything(objects.origin) if x.shape is None else self.spell(x.shape),
            )
            for x in objects.extras
        ]
        return alt(*parts)

    def _tail(self, extra: Expr, count: int, low: int, high: int | None) -> Expr:
        """After the declared members: undeclared ones, and the closing brace."""
        close = seq(self.layout.gap, literal("}"))
        left = None if high is None else high - count
        need = max(low - count, 0)
        if extra is NOTHING or left == 0:
            return NOTHING if need else (close if count else literal("}"))
        more = seq(self.layout.comma, extra)
        if count:
            return seq(repeat(more, need, left), close)
        some = seq(extra, repeat(more, max(need - 1, 0), None if left is None else left - 1), close)
        return some if need else alt(literal("}"), some)

    def _check_count(self, objects: Objects, extra: Expr) -> None:
        """An undeclared key may be written twice and count once, so a least number is sure only up to one of them."""
        sure = sum(member.required for member in objects.members.values())
        if extra is not NOTHING and objects.low > sure + 1:
            raise Unsupported(
                f"minProperties {objects.low} where undeclared members may make up for it",
                keyword="minProperties",
                pointer=f"{objects.origin}/minProperties",
                remedy="forbid additional members, or require some by name",
            )
