"""Spelling objects as text.

Members are written in the order in which the schema names them, optional ones perhaps left out, and others after
them. The expression is built from the right, one per (member, what is still owed), so that all the ways to leave
members out share their ends. What is owed: so many members, and members of a kind (`Need`), each met once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

from ...errors import Unsupported
from ...grammar import EMPTY, NOTHING, Expr, alt, literal, repeat, seq, star
from ...limits import check
from ..languages import contains, empty, intersect, strings_of, without
from .formula import Formula, every
from .layout import Layout
from .objects import Member, Need, Objects
from .strings import spell_key

MOST_LISTED = 64  # keys of a finite language that become members one by one
MOST_NEEDS = 6
MOST_COUNTED = 200  # members that are counted where some are needed by kind

Owed = frozenset[int]  # needs that have not been met, by number


@dataclass(frozen=True, eq=False)
class ObjectWriter:
    """Writes objects as text; `spell` writes their values."""

    spell: Callable[[Formula], Expr]
    layout: Layout

    def text(self, objects: Objects) -> Expr:
        """The texts of these objects."""
        objects = _listed(objects)
        self._check(objects)
        needs = tuple(need for need in objects.needs)
        members = [(key, m) for key, m in objects.members.items() if m.required or self._may_be(m)]
        low, high = objects.low, objects.high
        most = max(low, 1) if high is None else high  # more members than this need not be told apart
        tail = _Tail(self, objects, needs, low, high)

        @cache
        def rest(index: int, count: int, owed: Owed) -> Expr:
            """From member `index` on, `count` members being written."""
            check()
            if index == len(members):
                return tail.text(count, owed)
            key, member = members[index]
            ways = [] if member.required else [rest(index + 1, count, owed)]
            if high is None or count < high:
                for value, left in self._values(key, member, needs, owed):
                    comma = self.layout.comma if count else EMPTY
                    written = self.member(literal(key), value)
                    if written is not NOTHING:
                        ways.append(seq(comma, written, rest(index + 1, min(count + 1, most), left)))
            return alt(*reversed(ways))

        return seq(literal("{"), self.layout.gap, rest(0, 0, frozenset(range(len(needs)))))

    def member(self, keys: Expr, value: Formula) -> Expr:
        """One member whose key is of a language."""
        spelled = self.spell(value)
        return NOTHING if spelled is NOTHING else seq(spell_key(keys), self.layout.colon, spelled)

    def _may_be(self, member: Member) -> bool:
        return self.spell(member.value) is not NOTHING

    def _values(
        self, key: str, member: Member, needs: tuple[Need, ...], owed: Owed
    ) -> list[tuple[Formula, Owed]]:
        """What the member may be, and which needs are then still owed."""
        ways = [(member.value, owed)]
        for index in sorted(owed):
            if contains(needs[index].keys, key):
                ways += [(every(value, needs[index].value), left - {index}) for value, left in ways]
        return ways

    def _check(self, objects: Objects) -> None:
        """A key beyond the named ones may be written twice and count once: a least number of them is not sure."""
        sure = sum(member.required for member in objects.members.values())
        if objects.extras and objects.low > sure + 1:
            raise Unsupported(
                f"minProperties {objects.low} where undeclared members may make up for it",
                keyword="minProperties",
                pointer=f"{objects.origin}/minProperties",
                remedy="forbid additional members, or require some by name",
            )
        if len(objects.needs) > MOST_NEEDS:
            raise Unsupported(
                "too many members that are needed without a name",
                keyword="not",
                pointer=objects.origin,
                remedy="name the members that are required",
            )


@dataclass(frozen=True, eq=False)
class _Tail:
    """The members after the named ones, and the closing brace."""

    writer: ObjectWriter
    objects: Objects
    needs: tuple[Need, ...]
    low: int
    high: int | None

    def text(self, count: int, owed: Owed) -> Expr:
        """After `count` members, with some needs owed."""
        layout = self.writer.layout
        close = seq(layout.gap, literal("}"))
        left = None if self.high is None else self.high - count
        need = max(self.low - count, 0)
        if owed:
            return self._owing(count, owed)
        extra = self._extra()
        if extra is NOTHING or left == 0:
            return NOTHING if need else (close if count else literal("}"))
        more = seq(layout.comma, extra)
        if count:
            return seq(repeat(more, need, left), close)
        some = seq(extra, repeat(more, max(need - 1, 0), None if left is None else left - 1), close)
        return some if need else alt(literal("}"), some)

    def _owing(self, count: int, owed: Owed) -> Expr:
        """Some members of any kind, then one that meets a need."""
        if self.high is not None and self.high - count > MOST_COUNTED:
            raise Unsupported(
                "maxProperties where members are needed without a name",
                keyword="maxProperties",
                pointer=f"{self.objects.origin}/maxProperties",
                remedy="name the members that are required",
            )
        if self.high is not None and count >= self.high:
            return NOTHING
        comma = self.writer.layout.comma if count else EMPTY
        free = self._extra()
        most = max(self.low, 1) if self.high is None else self.high
        following = min(count + 1, most)
        ways = [
            seq(comma, self._extra(met), self.text(following, owed - met))
            for size in range(1, len(owed) + 1)
            for met in map(frozenset, combinations(sorted(owed), size))
        ]
        if following == count:
            return seq(star(seq(comma, free)), alt(*ways)) if free is not NOTHING else alt(*ways)
        if free is not NOTHING:
            ways.append(seq(comma, free, self.text(following, owed)))
        return alt(*ways)

    def _extra(self, met: Owed = frozenset()) -> Expr:
        """One member beyond the named ones that meets some needs."""
        names = alt(*map(literal, self.objects.members))
        needs = [self.needs[index] for index in met]
        parts = []
        for extra in self.objects.extras:
            keys, value = without(extra.keys, names), every(extra.value, *(need.value for need in needs))
            for need in needs:
                keys = intersect(keys, need.keys)
            if not empty(keys):
                parts.append(self.writer.member(keys, value))
        return alt(*parts)


def _listed(objects: Objects) -> Objects:
    """The same objects with members in place of keys of finite languages, so that none is written twice."""
    members, extras = dict(objects.members), []
    for extra in objects.extras:
        keys = strings_of(extra.keys)
        if keys is None or len(keys) > MOST_LISTED:
            extras.append(extra)
        else:
            members.update({key: Member(extra.value) for key in keys if key not in members})
    return replace(objects, members=members, extras=tuple(extras))
