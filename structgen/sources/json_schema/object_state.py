"""How far an object has been written, and which members may come next.

A text may repeat an undeclared key, and whoever reads it keeps the last value. So what is asked of some member counts
only where no later member can undo it, and undeclared members count as different only where their keys are surely
different. No finite automaton can compare keys; it can remember their *kind*, the characters they begin and end with.
After an undeclared member that meets a need, later ones of the same kind undo nothing, all others are free:

    some string, some integer     {"a": "x", "b": 1, "c": null, "a": "y"}
                                   meets the first, the second; free; of the first's kind: a string again

So of objects that need several undeclared members, those are not written whose keys are alike in this. How many kinds
are told apart depends on how many needs there are: the kinds of the members that met them are remembered.
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
MOST_COUNTED = 200  # members that are counted where some are needed by kind
MOST_WAYS = (
    900  # in which members may follow: by the needs met so far, the kinds that met them, what comes next
)
MOST_FOLLOWED = 30_000  # of these ways, where fewer would tell too few kinds apart
# Groups of first characters, and of last ones, that make up kinds.
FINENESS = ((5, 5), (4, 4), (3, 3), (3, 2), (2, 2), (2, 1), (1, 1))
# Groups of first characters, and of last ones, by the number of undeclared members that must be different.
GROUPS = {2: (5, 5), 3: (3, 4), 4: (3, 3), 5: (3, 3)}

Indices = frozenset[int]
NONE: Indices = frozenset()


@dataclass(frozen=True)
class ObjectState:
    """What has been written of an object, as far as it matters for the rest.

    count: members, up to one where nothing bounds them; different: those that surely differ, up to the least number
    seen: the kinds of the undeclared ones among these, until the least number is reached
    owed: needs that have not been met, by number; kept: the kinds of the undeclared members that have met some
    """

    count: int = 0
    different: int = 0
    seen: Indices = NONE
    owed: Indices = NONE
    kept: Indices = NONE


@dataclass(frozen=True)
class _Cell:
    """Undeclared members: their keys, their values, and the needs about just these keys."""

    keys: Expr
    value: Formula
    needs: Indices


@dataclass(frozen=True, eq=False)
class Bookkeeper:
    """Follows the state of objects; `write` spells a member from the language of its keys and its value.

    sets: of named members that are told apart beside the state; beside: the numbers of needs of other objects that
    may stand at the same place, whose state an automaton follows at the same time
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
                f"minProperties {objects.low} where undeclared members may make up for it",
                keyword="minProperties",
                pointer=f"{objects.origin}/minProperties",
                remedy="forbid additional members, or require some by name",
            )
        if objects.needs and objects.extras and (objects.high or 0) > MOST_COUNTED:
            raise Unsupported(
                "maxProperties where members are needed without a name",
                keyword="maxProperties",
                pointer=f"{objects.origin}/maxProperties",
                remedy="name the members that are required",
            )

    @property
    def start(self) -> ObjectState:
        """Nothing has been written."""
        return ObjectState(owed=frozenset(range(len(self.objects.needs))))

    def may_close(self, state: ObjectState) -> bool:
        """Whether nothing is owed; required members are not followed here."""
        return not state.owed and state.different >= self.objects.low

    def is_full(self, state: ObjectState) -> bool:
        """Whether there may be no more members."""
        return self.objects.high is not None and state.count >= self.objects.high

    def after(self, state: ObjectState, key: str, member: Member) -> list[tuple[Formula, ObjectState]]:
        """What a named member may be, and how far the object has then come."""
        state = self._grown(state, state.seen, named=True)
        ways = [(member.value, state)]
        for index in sorted(state.owed):
            need = self.objects.needs[index]
            if contains(need.keys, key):
                ways += [(every(value, need.value), replace(p, owed=p.owed - {index})) for value, p in ways]
        return ways

    def further(self, state: ObjectState) -> Iterator[tuple[Expr, ObjectState]]:
        """Undeclared members that may come next, and how far the object has then come."""
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
        """The needs that one member may meet, and the kind of its key; −1 where it meets none."""
        yield NONE, -1
        for size in range(1, len(owed) + 1):
            for met in combinations(sorted(owed), size):
                for kind in range(len(self._witnesses)):
                    yield frozenset(met), kind

    def _grown(self, state: ObjectState, seen: Indices, named: bool = False) -> ObjectState:
        """One member more."""
        low, high = self.objects.low, self.objects.high
        count = 1 if high is None else min(state.count + 1, high)
        more = named or len(seen) > len(state.seen)
        different = min(state.different + more, low)
        return replace(state, count=count, different=different, seen=NONE if different == low else seen)

    def _members(self, names: Expr, met: Indices, kind: int, state: ObjectState) -> Iterator[Expr]:
        """Undeclared members with such names that meet some needs and undo none that has been met."""
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
        """Those of the kinds that keys of the cell have."""
        if cell not in self._found:
            some = (k for k, kind in enumerate(self._witnesses) if not empty(intersect(cell.keys, kind)))
            self._found[cell] = frozenset(some)
        return kinds & self._found[cell]

    def _of_kinds(self, cell: _Cell, kinds: Indices) -> Expr:
        """The keys of a cell that have one of the kinds, all that it has perhaps."""
        if kinds == self._inhabited(cell, frozenset(range(len(self._witnesses)))):
            return cell.keys
        return intersect(cell.keys, alt(*(self._witnesses[kind] for kind in sorted(kinds))))

    @cached_property
    def _cells(self) -> list[_Cell]:
        """The undeclared members, apart where needs tell them apart."""
        cells = [_Cell(extra.keys, extra.value, NONE) for extra in self.objects.extras]
        for index, need in enumerate(self.objects.needs):
            inside = [_Cell(intersect(c.keys, need.keys), c.value, c.needs | {index}) for c in cells]
            outside = [replace(c, keys=without(c.keys, need.keys)) for c in cells]
            cells = [cell for cell in (*inside, *outside) if not empty(cell.keys)]
        return cells

    def _names(self, state: ObjectState) -> list[tuple[Expr, Indices]]:
        """Names of undeclared members, and the kinds that have then been seen."""
        seen, missing = state.seen, self.objects.low - state.different
        if not missing:
            return [(TEXT, NONE)]
        if self._missing < 2:
            return [(TEXT, frozenset({0}))]
        known = alt(*(self._kinds[index] for index in sorted(seen)))
        if missing == 1:  # which one completes the number does not matter any more
            return [(known, seen), (without(TEXT, known), seen | {-1})]
        new = [(kind, seen | {index}) for index, kind in enumerate(self._kinds) if index not in seen]
        return [(known, seen), *new]

    @cached_property
    def _declared(self) -> Expr:
        return alt(*map(literal, self.objects.members))

    @cached_property
    def _missing(self) -> int:
        """How many members must come from the undeclared ones at worst."""
        return self.objects.low - sum(member.required for member in self.objects.members.values())

    @cached_property
    def _kinds(self) -> list[Expr]:
        """The kinds of keys that tell apart members which must be different."""
        return _kinds(*GROUPS[self._missing])

    @cached_property
    def _witnesses(self) -> list[Expr]:
        """The kinds of keys that tell apart members which meet needs."""
        return _kinds(*self._fineness)

    @cached_property
    def _fineness(self) -> tuple[int, int]:
        """As many kinds as can be remembered: cheaply, else one for each need, else what there is room for."""
        needs = len(self.objects.needs)
        if all(need.value == ANYTHING for need in self.objects.needs):
            return (1, 1)  # whatever a later member holds undoes nothing
        states = self.sets * self._crowds * ((self.objects.high or 0) + 1) * max(len(self._cells), 1)
        followed = (needs, *self.beside)
        cost = {
            kinds: states * prod(_ways(each, kinds[0] * kinds[1]) for each in followed) for kinds in FINENESS
        }
        apart = [groups for groups in FINENESS if groups[0] * groups[1] >= needs]
        ample = [groups for groups in apart if needs < 2 or groups[0] * groups[1] > MOST_NEEDS]
        cheap = [groups for groups in ample if cost[groups] <= MOST_WAYS]
        paid = [groups for groups in (ample[-1], *apart, *FINENESS) if cost[groups] <= MOST_FOLLOWED]
        return [*cheap, *paid, FINENESS[-1]][0]

    @cached_property
    def _crowds(self) -> int:
        """How many sets of kinds may have been seen before the least number of members is there."""
        kinds = len(self._kinds) if self._missing > 1 else 1
        return sum(comb(kinds, count) for count in range(max(self._missing, 1)))


def _ways(needs: int, kinds: int) -> int:
    """In how many ways members may follow, over all that may have been met and the kinds that have."""
    return sum(
        comb(needs, met)
        * sum(comb(kinds, closed) for closed in range(min(met, 1), met + 1))
        * ((2 ** (needs - met) - 1) * kinds + 1)
        for met in range(needs + 1)
    )


@cache
def _kinds(firsts: int, lasts: int) -> list[Expr]:
    """Disjoint languages of names that make up all of them."""
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
    """One character of a group: those of ASCII are dealt out to `count` groups in turn, all others are in the first."""
    beyond = [(128, 0x10FFFF)] if group == 0 else []
    return char_ranges([*((c, c) for c in range(group, 128, count)), *beyond])
