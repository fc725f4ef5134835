"""Syntax arrays as text.

The elements by position, followed by any number of others, are one expression, built from the right. If elements are
counted by kind (`contains`) or must differ (`uniqueItems`), the continuation depends on the earlier elements: on the
counts, or on which of a few values are used up. If elements that must differ have more than a few values, the
expression allows repetitions, and the check of the grammar finds them (see repeats).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

from structgen.errors import Unsupported
from structgen.grammar import EMPTY, NOTHING, Expr, alt, optional, repeat, seq, star
from structgen.limits.budget import check

from ..stackless import solved
from .arrays import Arrays, Contains, least
from .formula import Formula, every, opposite
from .style import Style

MOST_UNIQUE = 10  # values whose subsets are states
MOST_STATES = 20_000  # states: positions times counts

Counts = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ArrayWriter:
    """A writer of arrays as text.

    `spell` writes elements; `values` lists the values of a finite set, one formula each; `relax` notes what is not
    enforced, and `judge` what is left to the check.
    """

    spell: Callable[[Formula], Expr]
    values: Callable[[Formula], list[Formula] | None]
    relax: Callable[[Unsupported], None]
    judge: Callable[[Arrays], None]
    style: Style

    def text(self, arrays: Arrays) -> Expr:
        """The texts of these arrays."""
        if arrays.unique and (arrays.high is None or arrays.high > 1):
            return self._different(arrays)
        elif arrays.unique is False:
            raise _refused(arrays, "arrays that must repeat an element")
        elif arrays.contains:
            inside = _Counted(self, arrays).text()
        else:
            inside = alt(
                self._plain(arrays), self.style.spelling.array_closes if arrays.low == 0 else NOTHING
            )
        return seq(self.style.spelling.array_opens, self.style.gap, inside)

    def _different(self, arrays: Arrays) -> Expr:
        """Arrays of different elements; of any elements if these have too many values for states."""
        positions = range(len(arrays.prefix) + (arrays.high != len(arrays.prefix)))
        allowed = [self.values(arrays.item(index)) for index in positions]
        pool = {value: None for values in allowed for value in values or ()}
        finite = None not in allowed
        if finite and len(pool) <= MOST_UNIQUE and not arrays.contains:
            sets = [frozenset(values or ()) for values in allowed]
            return seq(
                self.style.spelling.array_opens, self.style.gap, self._unique(arrays, list(pool), sets)
            )
        high = least(arrays.high, len(pool)) if finite else arrays.high
        if high is not None and arrays.low > high:
            return NOTHING
        if not arrays.told_apart:
            self.relax(_refused(arrays, "that elements of a set differ"))
        elif not arrays.alike:
            raise _refused(arrays, "which elements of a set Python takes for equal")
        elif _may_run_out(arrays, allowed):
            raise _refused(arrays, "uniqueItems of a few values that elements before them may use up")
        else:
            self.judge(arrays)
        return self.text(replace(arrays, unique=None, high=high))

    def _plain(self, arrays: Arrays) -> Expr:
        """The texts from the first element on, built from the right so that the ends are shared."""
        close = seq(self.style.end, self.style.spelling.array_closes)
        low, high, count = arrays.low, arrays.high, len(arrays.prefix)
        prefix = [self.spell(value) for value in arrays.prefix]
        if high == 0:
            return NOTHING
        rest = self.spell(arrays.rest) if high is None or high > count else NOTHING
        if not prefix:
            more = repeat(seq(self.style.comma, rest), max(low - 1, 0), None if high is None else high - 1)
            return seq(rest, more, close)
        most = None if high is None else high - count
        tail = repeat(seq(self.style.comma, rest), max(low - count, 0), most)
        for index in range(count - 1, 0, -1):
            tail = seq(self.style.comma, prefix[index], tail)
            tail = optional(tail) if index >= low else tail
        return seq(prefix[0], tail, close)

    def _unique(self, arrays: Arrays, pool: list[Formula], allowed: list[frozenset[Formula]]) -> Expr:
        """Arrays of different values out of a few; the continuation depends on which are used up.

        allowed: the values at each position; the last entry is for all further positions
        """
        high = len(pool) if arrays.high is None else min(arrays.high, len(pool))
        close = self.style.spelling.array_closes

        @cache
        def rest(used: frozenset[Formula]) -> Expr:
            check()
            count = len(used)
            end = (seq(self.style.end, close) if count else close) if count >= arrays.low else NOTHING
            if count >= high:
                return end
            comma = self.style.comma if count else EMPTY
            here = allowed[min(count, len(allowed) - 1)]
            return alt(
                end,
                *(
                    seq(comma, self.spell(value), rest(used | {value}))
                    for value in pool
                    if value in here and value not in used
                ),
            )

        return rest(frozenset())


@dataclass(frozen=True, eq=False)
class _Counted:
    """The construction for arrays whose elements are counted by kind."""

    writer: ArrayWriter
    arrays: Arrays

    def text(self) -> Expr:
        """The texts after the opening bracket."""
        arrays, style = self.arrays, self.writer.style
        groups = arrays.contains
        last = max(len(arrays.prefix), arrays.low, 1, *(group.start for group in groups))
        last = last if arrays.high is None else arrays.high
        states = (last + 1) * _product(_most(group) + 1 for group in groups)
        if states > MOST_STATES:
            raise _refused(arrays, "elements counted so far")
        close = style.spelling.array_closes

        def rest(at: tuple[int, Counts]) -> Generator[tuple[int, Counts], Expr, Expr]:
            check()
            index, counts = at
            done = index >= arrays.low and all(
                n >= group.low for n, group in zip(counts, groups, strict=True)
            )
            end = (seq(style.end, close) if index else close) if done else NOTHING
            if index == arrays.high:
                return end
            comma = style.comma if index else EMPTY
            loops, ways = [], [end]
            for value, after in self._elements(index, counts):
                element = self.writer.spell(value)
                if element is NOTHING:
                    continue
                following = min(index + 1, last)
                if (following, after) == (index, counts):
                    loops.append(seq(comma, element))
                else:
                    ways.append(seq(comma, element, (yield following, after)))
            return seq(star(alt(*loops)), alt(*ways)) if loops else alt(*ways)

        return solved(rest, (0, (0,) * len(groups)))

    def _elements(self, index: int, counts: Counts) -> Iterator[tuple[Formula, Counts]]:
        """The kinds of element allowed at an index, each with the counts after it."""
        item = self.arrays.item(index)
        groups = self.arrays.contains
        open_ = [k for k, group in enumerate(groups) if index >= group.start and _matters(group, counts[k])]
        for size in range(len(open_) + 1):
            for chosen in combinations(open_, size):
                after = tuple(n + (k in chosen) for k, n in enumerate(counts))
                if any(g.high is not None and n > g.high for n, g in zip(after, groups, strict=True)):
                    continue
                # If only a least number is required, leaving an element uncounted does no harm.
                others = [
                    opposite(groups[k].value) for k in open_ if k not in chosen and groups[k].high is not None
                ]
                yield every(item, *(groups[k].value for k in chosen), *others), after


def _may_run_out(arrays: Arrays, allowed: list[list[Formula] | None]) -> bool:
    """Whether the earlier elements may use up all values of a position that must be filled."""
    return any(values is not None and len(values) <= i < arrays.low for i, values in enumerate(allowed))


def _matters(group: Contains, count: int) -> bool:
    return group.high is not None or count < group.low


def _most(group: Contains) -> int:
    return group.low if group.high is None else group.high


def _product(numbers: Iterator[int]) -> int:
    product = 1
    for number in numbers:
        product *= number
    return product


def _refused(arrays: Arrays, what: str) -> Unsupported:
    keyword = "uniqueItems" if arrays.unique is not None else "contains"
    return Unsupported(
        f"{what} cannot be told while generating",
        keyword=keyword,
        pointer=f"{arrays.origin}/{keyword}",
        remedy="drop it, or use an object with a boolean member per choice, or check the result after parsing",
    )
