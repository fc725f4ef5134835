"""The state of an object while it is written: what has come so far, and which members may come next.

A text may repeat an undeclared key, and readers keep the last value. A need for some undeclared member is therefore met
only if no later member can undo it, and two undeclared members count as different only if their keys certainly differ.
No finite automaton can compare keys, but it can remember their *kind*: the characters that a key begins and ends with.
After an undeclared member has met a need, later members of the same kind must meet it too; all others are free:

    needs: a string, an integer     {"a": "x", "b": 1, "c": null, "a": "y"}
                                    "a" meets the first need and "b" the second; "c" is free; the second "a" has the
                                    kind of the first, so its value must be a string again

An object that needs several undeclared members is not written if their keys have the same kind. The number of kinds
depends on the number of needs, because the kinds of all members that met a need are remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import combinations
from math import comb, prod

from structgen.errors import Unsupported
from structgen.grammar import EMPTY, NOTHING, TEXT, Expr, alt, char_ranges, literal, seq

from ..languages import contains, empty, intersect, without
from .formula import ANYTHING, Formula, every
from .objects import Member, Objects

MOST_NEEDS = 5
MOST_COUNTED = 200  # members up to which an object is counted if it needs some by kind
# Ways in which members may follow (needs met so far, kinds that met them, next member), times the length of its key.
MOST_WAYS = 900
MOST_FOLLOWED = 30_000  # such ways, if fewer would tell too few kinds apart
# Numbers of groups of first and of last characters; a kind is a pair of groups.
FINENESS = ((5, 5), (4, 4), (3, 3), (3, 2), (2, 2), (2, 1), (1, 1))
# The same, by the number of undeclared members that must differ.
GROUPS = {2: (5, 5), 3: (3, 4), 4: (3, 3), 5: (3, 3)}

Indices = frozenset[int]
NONE: Indices = frozenset()


@dataclass(frozen=True)
class ObjectState:
    """The state of an object: everything written so far that matters for the rest.

    count: number of members, capped at one if nothing bounds it
    different: number of members that certainly differ, capped at the required minimum
    seen: kinds of the undeclared members among these, until the minimum is reached
    owed: numbers of the needs that have not been met; kept: kinds of the undeclared members that have met one
    """

    count: int = 0
    different: int = 0
    seen: Indices = NONE
    owed: Indices = NONE
    kept: Indices = NONE


@dataclass(frozen=True)
class _Cell:
    """A group of undeclared members: their keys, their values, and the needs about exactly these keys."""

    keys: Expr
    value: Formula
    needs: Indices


@dataclass(frozen=True, eq=False)
class Bookkeeper:
    """The transitions between states of objects; `write` spells a member from the language of its keys and its value.

    sets: number of sets of named members that are told apart in addition to the state
    beside: numbers of needs of other objects that may occur at the same place, whose states the automaton must follow
        at the same time
    """

    objects: Objects
    write: Callable[[Expr, Formula], Expr]
    sets: int = 1
    beside: tuple[int, ...] = ()
    _written: dict[object, Expr] = field(default_factory=dict)
    _found: dict[_Cell, Indices] = field(default_factory=dict)

    def __post_init__(self) -> None:
        objects = self.objects
        if len(objects.needs) > MOST_NEEDS:
            raise Unsupported(
                "too many members that are needed without a name",
                keyword="not",
                pointer=objects.origin,
                remedy="name the members that are required",
            )
        if objects.extras and self._missing > max(GROUPS):
            raise Unsupported(
                f"minProperties {objects.low} that undeclared members may have to meet",
                keyword="minProperties",
                pointer=f"{objects.origin}/minProperties",
                remedy="forbid additional members, or require some by name",
            )
        if objects.needs and objects.extras and (objects.high or 0) > MOST_COUNTED:
            raise Unsupported(
                "maxProperties together with needed members that have no name",
                keyword="maxProperties",
                pointer=f"{objects.origin}/maxProperties",
                remedy="name the members that are required",
            )

    @property
    def start(self) -> ObjectState:
        """The state before anything is written."""
        return ObjectState(owed=frozenset(range(len(self.objects.needs))))

    def may_close(self, state: ObjectState) -> bool:
        """Whether all needs are met and enough members differ; required members are not tracked here."""
        return not state.owed and state.different >= self.objects.low

    def is_full(self, state: ObjectState) -> bool:
        """Whether there may be no more members."""
        return self.objects.high is not None and state.count >= self.objects.high

    def after(self, state: ObjectState, key: str, member: Member) -> list[tuple[Formula, ObjectState]]:
        """The values of a named member, each with the state after it."""
        state = self._grown(state, state.seen, named=True)
        ways = [(member.value, state)]
        for index in sorted(state.owed):
            need = self.objects.needs[index]
            if contains(need.keys, key):
                ways += [(every(value, need.value), replace(p, owed=p.owed - {index})) for value, p in ways]
        return ways

    def further(self, state: ObjectState) -> Iterator[tuple[Expr, ObjectState]]:
        """The undeclared members that may come next, each with the state after it."""
        for names, seen in self._names(state) if self.objects.extras else ():
            grown = self._grown(state, seen)
            for met, kind in self._meetings(state.owed):
                key = names, met, kind, state.owed, state.kept
                if key not in self._written:
                    self._written[key] = alt(*self._members(names, met, kind, state))
                if (member := self._written[key]) is not NOTHING:
                    kept = grown.kept | {kind} if met else grown.kept
                    yield member, replace(grown, owed=grown.owed - met, kept=kept)

    def _meetings(self, owed: Indices) -> Iterator[tuple[Indices, int]]:
        """The needs that one member may meet, and the kind of its key; −1 if it meets none."""
        yield NONE, -1
        for size in range(1, len(owed) + 1):
            for met in combinations(sorted(owed), size):
                for kind in range(len(self._witnesses)):
                    yield frozenset(met), kind

    def _grown(self, state: ObjectState, seen: Indices, named: bool = False) -> ObjectState:
        """The state after one more member."""
        low, high = self.objects.low, self.objects.high
        count = 1 if high is None else min(state.count + 1, high)
        more = named or len(seen) > len(state.seen)
        different = min(state.different + more, low)
        return replace(state, count=count, different=different, seen=NONE if different == low else seen)

    def _members(self, names: Expr, met: Indices, kind: int, state: ObjectState) -> Iterator[Expr]:
        """Undeclared members with these names that meet some needs and undo none that has been met."""
        needs = self.objects.needs
        for cell in self._cells:
            if not met <= cell.needs:
                continue
            for kinds, guarded in self._guarded(kind, state.kept):
                kinds = self._inhabited(cell, kinds)
                keys = intersect(self._of_kinds(cell, kinds), names)
                if kinds and (names is TEXT or not empty(keys)):
                    asked = met | (cell.needs - state.owed if guarded else NONE)
                    value = every(cell.value, *(needs[index].value for index in sorted(asked)))
                    yield self.write(without(keys, self._declared), value)

    def _guarded(self, kind: int, kept: Indices) -> Iterator[tuple[Indices, bool]]:
        """A kind of keys, or all (−1), and whether they must undo nothing."""
        if kind >= 0:
            yield frozenset({kind}), kind in kept
            return
        every_kind = frozenset(range(len(self._witnesses)))
        yield every_kind - kept, False
        yield kept, True

    def _inhabited(self, cell: _Cell, kinds: Indices) -> Indices:
        """The given kinds that some key of the cell has."""
        if cell not in self._found:
            some = (k for k, kind in enumerate(self._witnesses) if not empty(intersect(cell.keys, kind)))
            self._found[cell] = frozenset(some)
        return kinds & self._found[cell]

    def _of_kinds(self, cell: _Cell, kinds: Indices) -> Expr:
        """The keys of a cell that have one of the kinds; possibly all its keys."""
        if kinds == self._inhabited(cell, frozenset(range(len(self._witnesses)))):
            return cell.keys
        return intersect(cell.keys, alt(*(self._witnesses[kind] for kind in sorted(kinds))))

    @cached_property
    def _cells(self) -> list[_Cell]:
        """The undeclared members, split into groups that the needs tell apart."""
        cells = [_Cell(extra.keys, extra.value, NONE) for extra in self.objects.extras]
        for index, need in enumerate(self.objects.needs):
            inside = [_Cell(intersect(c.keys, need.keys), c.value, c.needs | {index}) for c in cells]
            outside = [replace(c, keys=without(c.keys, need.keys)) for c in cells]
            cells = [cell for cell in (*inside, *outside) if not empty(cell.keys)]
        return cells

    def _names(self, state: ObjectState) -> list[tuple[Expr, Indices]]:
        """Names of undeclared members, each with the kinds seen after it."""
        seen, missing = state.seen, self.objects.low - state.different
        if not missing:
            return [(TEXT, NONE)]
        if self._missing < 2:
            return [(TEXT, frozenset({0}))]
        known = alt(*(self._kinds[index] for index in sorted(seen)))
        if missing == 1:  # the kind of the last one does not matter any more
            return [(known, seen), (without(TEXT, known), seen | {-1})]
        new = [(kind, seen | {index}) for index, kind in enumerate(self._kinds) if index not in seen]
        return [(known, seen), *new]

    @cached_property
    def _declared(self) -> Expr:
        return alt(*map(literal, self.objects.members))

    @cached_property
    def _missing(self) -> int:
        """The largest number of undeclared members that may be required."""
        return self.objects.low - sum(member.required for member in self.objects.members.values())

    @cached_property
    def _kinds(self) -> list[Expr]:
        """The kinds of keys that tell apart the members that must differ."""
        return _kinds(*GROUPS[self._missing])

    @cached_property
    def _witnesses(self) -> list[Expr]:
        """The kinds of keys that tell apart the members that meet needs."""
        return _kinds(*self._fineness)

    @cached_property
    def _fineness(self) -> tuple[int, int]:
        """The finest kinds that are cheap to remember; else one for each need, or as many as there is room for."""
        needs = len(self.objects.needs)
        if all(need.value == ANYTHING for need in self.objects.needs):
            return (1, 1)  # whatever a later member holds undoes nothing
        states = self.sets * self._crowds * ((self.objects.high or 0) + 1)
        spelled = sum(max(cell.keys.facts.size, 1) for cell in self._cells) or 1
        followed = (needs, *self.beside)
        cost = {
            kinds: states * spelled * prod(_ways(each, kinds[0] * kinds[1]) for each in followed)
            for kinds in FINENESS
        }
        apart = [groups for groups in FINENESS if groups[0] * groups[1] >= needs]
        ample = [groups for groups in apart if needs < 2 or groups[0] * groups[1] > MOST_NEEDS]
        cheap = [groups for groups in ample if cost[groups] <= MOST_WAYS]
        paid = [groups for groups in (ample[-1], *apart, *FINENESS) if cost[groups] <= MOST_FOLLOWED]
        return [*cheap, *paid, FINENESS[-1]][0]

    @cached_property
    def _crowds(self) -> int:
        """The number of sets of kinds that may be seen before the minimum number of members is reached."""
        kinds = len(self._kinds) if self._missing > 1 else 1
        return sum(comb(kinds, count) for count in range(max(self._missing, 1)))


def _ways(needs: int, kinds: int) -> int:
    """The number of ways in which members may follow, over all sets of met needs and of kinds that met them."""
    return sum(
        comb(needs, met)
        * sum(comb(kinds, closed) for closed in range(min(met, 1), met + 1))
        * ((2 ** (needs - met) - 1) * kinds + 1)
        for met in range(needs + 1)
    )


@cache
def _kinds(firsts: int, lasts: int) -> list[Expr]:
    """Disjoint languages whose union is all names."""
    if (firsts, lasts) == (1, 1):
        return [TEXT]
    kinds = [
        alt(
            seq(_characters(i, firsts), TEXT, _characters(j, lasts)),
            intersect(_characters(i, firsts), _characters(j, lasts)),
        )
        for i in range(firsts)
        for j in range(lasts)
    ]
    return [alt(EMPTY, kinds[0]), *kinds[1:]]


def _characters(group: int, count: int) -> Expr:
    """One character of a group. ASCII is dealt out to `count` groups in turn; all others are in the first group."""
    beyond = [(128, 0x10FFFF)] if group == 0 else []
    return char_ranges([*((c, c) for c in range(group, 128, count)), *beyond])
