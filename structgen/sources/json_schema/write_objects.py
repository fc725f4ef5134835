"""Syntax objects as text.

In declared order, members follow the schema, optional ones may be left out, and undeclared ones come last. The
expression is built from the right, one for each (member, state), so that all ways to leave members out share their
tails. In any order, there is one expression for each (set of members that may still come, state); for many members the
sets are left to the automaton, which creates them as they are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import cache

from structgen.errors import Unsupported
from structgen.grammar import EMPTY, NOTHING, Expr, alt, any_order, either, literal, repeat, seq, star
from structgen.limits.budget import check
from structgen.surface import option

from ..languages import strings_of
from ..stackless import solved
from .formula import Formula
from .links import Links, Noted, cases
from .object_state import Bookkeeper, ObjectState
from .objects import Member, Objects
from .pointers import escape
from .style import Style

MOST_LISTED = 64  # keys up to which a finite language becomes single members
MOST_SHUFFLED = 10  # members in any order up to which every subset becomes an expression
MOST_MEMBERS = 64  # members in any order, at most

MOST_LINKED = 1000  # sets of members to remember for other members that depend on them

# The number of a member, the object's state before it, and the members that must still come.
_Place = tuple[int, ObjectState, Noted]


@dataclass(frozen=True, eq=False)
class ObjectWriter:
    """A writer of objects as text; `spell` writes their values, `present` gives the values of an optional member."""

    spell: Callable[[Formula], Expr]
    style: Style
    present: Callable[[Formula], Formula] = lambda value: value

    def text(self, objects: Objects, beside: tuple[int, ...] = ()) -> Expr:
        """The texts of these objects; `beside` holds the numbers of needs of other objects at the same place."""
        inside = self._inside(_listed(objects), beside)
        return alt(*(seq(self.style.spelling.object_opens, self.style.gap, members) for members in inside))

    def _inside(self, objects: Objects, beside: tuple[int, ...]) -> Iterator[Expr]:
        """The texts that may follow the opening brace."""
        writing = _Writing(self, objects, beside)
        if self.style.order != "any":
            yield writing.declared()
        elif not objects.links or len(writing.members) <= MOST_SHUFFLED:
            yield writing.shuffled()
        else:  # too many members to keep the required ones as sets
            for case in cases(objects):
                yield _Writing(self, case, beside).shuffled()

    def member(self, keys: Expr, value: Formula, origin: str = "") -> Expr:
        """The text of a member whose key is in a language."""
        spelled, spelling = self.spell(value), self.style.spelling
        if spelled is NOTHING:
            return NOTHING
        return seq(spelling.keys(keys, origin), self.style.colon, spelled, spelling.member_closes)

    def further(self, keys: Expr, value: Formula) -> Expr:
        """The text of an undeclared member, which is optional."""
        return self.member(keys, self.present(value))


class _Writing:
    """A set of objects in the course of being written."""

    def __init__(self, writer: ObjectWriter, objects: Objects, beside: tuple[int, ...]):
        self.writer, self.objects, self.style = writer, objects, writer.style
        self.members: list[tuple[str, Member]] = []
        for key, member in objects.members.items():  # spelled early, while few calls are open, and memoised
            if writer.spell(member.value) is not NOTHING or member.required:
                self.members.append((key, member))
        sets = 2 ** len(self.members) if self.style.order == "any" else 1
        self.book = Bookkeeper(objects, writer.further, sets, beside)
        self.links = Links.of([key for key, _ in self.members], objects.links)

    def declared(self) -> Expr:
        """The texts after the opening brace, with members in the order of the schema."""
        last_required = max((i for i, (_, member) in enumerate(self.members) if member.required), default=-1)
        met = set[Noted]()

        def named(at: _Place) -> Generator[_Place, Expr, Expr]:
            """The named members that may come from this one on, and the rest; the comma before them is left out.

            All these members share that comma: writing it once keeps the set of continuations small.
            """
            check()
            index, state, noted = at
            met.add(noted)
            if len(met) > MOST_LINKED:
                raise self._too_linked()
            if index == len(self.members):
                return NOTHING
            key, member = self.members[index]
            others = NOTHING
            if not member.required and index not in noted:
                others = yield index + 1, state, self.links.passed(index, noted)
            ways = []
            behind = self.links.written(index, noted)
            if behind is not None:
                for written, after in self._named(state, key, member):
                    onward = (index + 1, after, behind)
                    ways.append(seq(written, then(*onward, (yield onward))))
            return either(alt(*reversed(ways)), others)

        def then(index: int, state: ObjectState, noted: Noted, more: Expr) -> Expr:
            """More members, or none of the named ones from `index` on."""
            owed = index <= last_required or any(note >= 0 for note in noted)
            end = NOTHING if owed else tail(state)
            return either(end, seq(self._comma(state), more))

        @cache
        def tail(state: ObjectState) -> Expr:
            """The texts after the last named member."""
            check()
            if self.book.may_close(state):
                return self._settled(state)
            return self._looped(state, tail, [])

        start = (0, self.book.start, frozenset())
        return then(*start, solved(named, start))

    def shuffled(self) -> Expr:
        """The texts after the opening brace, with members in any order."""
        if len(self.members) > MOST_SHUFFLED:
            return self._unlisted()

        @cache
        def rest(left: frozenset[int], state: ObjectState) -> Expr:
            """The texts with these members still to come, required or optional."""
            check()
            ways = []
            for index in sorted(left):
                for written, after in self._named(state, *self.members[index]):
                    ways.append(seq(self._comma(state), written, rest(left - {index}, after)))
            owed = any(self.members[index][1].required for index in left) or not self.links.kept(left)
            if not owed and self.book.may_close(state):
                if not left:
                    return self._settled(state)
                ways.append(self._closed(state))
            return self._looped(state, lambda after: rest(left, after), ways)

        return rest(frozenset(range(len(self.members))), self.book.start)

    def _unlisted(self) -> Expr:
        """The texts after the opening brace, with members in any order whose sets are too many to list."""
        self._check_countable()
        members = sorted(self.members, key=lambda item: not item[1].required)  # in their order otherwise
        parts = [self._member(key, member, member.value) for key, member in members]
        required = sum(member.required for _, member in members)
        book = Bookkeeper(replace(self.objects, low=0, high=None), self.writer.further)
        others = alt(*(written for written, _ in book.further(book.start)))
        end = self._closed(ObjectState(count=1))
        empty = NOTHING if required else self.style.spelling.object_closes
        return alt(empty, any_order(parts, required, others, self.style.comma, end))

    def _check_countable(self) -> None:
        """Refuse objects whose members would have to be counted in addition to the set of written members."""
        objects, count = self.objects, len(self.members)
        required = sum(member.required for _, member in self.members)
        bounded = objects.high is not None and (objects.extras or objects.high < count)
        keyword = "minProperties" if objects.low > required else "maxProperties" if bounded else "not"
        if count > MOST_MEMBERS or objects.needs or keyword != "not":
            what = f"{count} members" if count > MOST_MEMBERS else f"{keyword} beside {count} members"
            most = MOST_MEMBERS if count > MOST_MEMBERS else MOST_SHUFFLED
            raise Unsupported(
                f"{what} in any order: at most {most} can be told apart",
                keyword="properties" if count > MOST_MEMBERS else keyword,
                pointer=f"{objects.origin}/properties",
                remedy=f"pass {option('order', 'declared')}, or put some members into an object of their own",
            )

    def _too_linked(self) -> Unsupported:
        return Unsupported(
            f"more than {MOST_LINKED:,} sets of members have to be remembered for others that depend on them",
            keyword="dependentRequired",
            pointer=self.objects.origin,
            remedy="name members that depend on one another side by side in properties",
        )

    def _comma(self, state: ObjectState) -> Expr:
        return self.style.comma if state.count else EMPTY

    def _closed(self, state: ObjectState) -> Expr:
        return seq(self.style.end if state.count else EMPTY, self.style.spelling.object_closes)

    def _named(self, state: ObjectState, key: str, member: Member) -> list[tuple[Expr, ObjectState]]:
        """A named member after `state`, without a comma, with the state after it."""
        if self.book.is_full(state):
            return []
        ways = [
            (self._member(key, member, value), after) for value, after in self.book.after(state, key, member)
        ]
        return [(written, after) for written, after in ways if written is not NOTHING]

    def _member(self, key: str, member: Member, value: Formula) -> Expr:
        """The text of a named member with this value."""
        given = value if member.required else self.writer.present(value)
        return self.writer.member(literal(key), given, f"{self.objects.origin}/properties/{escape(key)}")

    def _looped(self, state: ObjectState, go_on: Callable[[ObjectState], Expr], ways: list[Expr]) -> Expr:
        """Some undeclared member and then what `go_on` says, or one of the ways; either after those of no account."""
        loops: list[Expr] = []
        for written, after in () if self.book.is_full(state) else self.book.further(state):
            spelled = seq(self._comma(state), written)
            if after == state:
                loops.append(spelled)
            else:
                ways.append(seq(spelled, go_on(after)))
        return seq(star(alt(*loops)), alt(*ways)) if loops else alt(*ways)

    def _settled(self, state: ObjectState) -> Expr:
        """Only undeclared members may come, and none must."""
        close = self._closed(replace(state, count=1))
        extra = alt(*(written for written, _ in self.book.further(state)))
        left = None if self.objects.high is None else self.objects.high - state.count
        if extra is NOTHING or left == 0:
            return self._closed(state)
        more = seq(self.style.comma, extra)
        if state.count:
            return seq(repeat(more, 0, left), close)
        several = seq(extra, repeat(more, 0, None if left is None else left - 1), close)
        return alt(self.style.spelling.object_closes, several)


def _listed(objects: Objects) -> Objects:
    """The same objects with members in place of finite key languages, so that no key is written twice."""
    members, extras = dict(objects.members), []
    for extra in objects.extras:
        keys = strings_of(extra.keys)
        if keys is None or len(keys) > MOST_LISTED:
            extras.append(extra)
        else:
            members.update({key: Member(extra.value) for key in keys if key not in members})
    return replace(objects, members=members, extras=tuple(extras))
