"""Whether a grammar has a text, by Earley's algorithm: a second opinion that shares nothing with the automata.

A chart has a set of items for each place in the text. An item is a production with a dot in it: what stands before the
dot has been read since the item's origin. Items that differ in their origin alone are one, with a bit for each origin.
Left recursion and ambiguity are nothing special, so that any grammar can be judged (Earley 1970; what can be empty is
stepped over at once, after Aycock and Horspool 2002).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from structgen.grammar import Alt, Bytes, Chars, Expr, Grammar, Ref, Repeat, Seq, star

Symbol = int | str | Expr  # a byte, a rule by name, or a part of one
Item = tuple[int, int]  # the number of a production, what stands before the dot


class Earley:
    """A grammar of bytes, ASCII characters, sequences, alternatives, repetitions, and rules."""

    def __init__(self, grammar: Grammar) -> None:
        self.start = grammar.start
        self.productions: list[tuple[Symbol, tuple[Symbol, ...]]] = []
        self.of: dict[Symbol, list[int]] = {}
        self._define(grammar.start, grammar.start)
        for name, body in grammar.rules.items():
            self._define(name, body)
        self.nullable = self._nullable()

    def _define(self, left: Symbol, expr: Expr) -> None:
        """Add the productions of a symbol, and those of the parts of its expression."""
        if left in self.of:
            return
        self.of[left] = []
        for right in _alternatives(left, expr):
            self.of[left].append(len(self.productions))
            self.productions.append((left, right))
            for part in right:
                if isinstance(part, Expr):
                    self._define(part, part)

    def _nullable(self) -> set[Symbol]:
        found, size = set[Symbol](), -1
        while size < len(found):
            size = len(found)
            found |= {left for left, right in self.productions if all(part in found for part in right)}
        return found

    def accepts(self, text: bytes) -> bool:
        """Whether the text is one of the grammar's."""
        chart: list[dict[Symbol, dict[Item, int]]] = []  # by place and by the symbol behind the dot
        arriving = {(number, 0): 1 for number in self.of[self.start]}
        for place in range(len(text) + 1):
            expecting, ended = self._close(arriving, place, chart)
            chart.append(expecting)
            if place < len(text):
                arriving = {(n, dot + 1): at for (n, dot), at in expecting.get(text[place], {}).items()}
        return bool(ended & 1)

    def _close(
        self, arriving: dict[Item, int], place: int, chart: list[dict[Symbol, dict[Item, int]]]
    ) -> tuple[dict[Symbol, dict[Item, int]], int]:
        """All items of a place, by the symbol behind the dot, and the origins from which the start has been read."""
        expecting: dict[Symbol, dict[Item, int]] = defaultdict(dict)
        done, known, waiting, here = (
            defaultdict[Symbol, int](int),
            dict[Item, int](),
            list(arriving.items()),
            1 << place,
        )
        while waiting:
            item, origins = waiting.pop()
            new = origins & ~known.get(item, 0)
            if not new:
                continue
            known[item] = known.get(item, 0) | new
            left, right = self.productions[item[0]]
            if item[1] == len(right):
                fresh = new & ~done[left] & ~here  # what is empty was stepped over where it was expected
                done[left] |= new
                for origin in _bits(fresh):
                    waiting += [((n, dot + 1), at) for (n, dot), at in chart[origin].get(left, {}).items()]
                continue
            symbol = right[item[1]]
            expecting[symbol][item] = known[item]
            if symbol in self.of:
                waiting += [((number, 0), here) for number in self.of[symbol]]
                if symbol in self.nullable:
                    waiting.append(((item[0], item[1] + 1), new))
        return expecting, done[self.start]


def _alternatives(left: Symbol, expr: Expr) -> list[tuple[Symbol, ...]]:
    """The right sides of a symbol that stands for an expression."""
    match expr:
        case Bytes(value):
            return [tuple(value)]
        case Chars(ranges):
            return [(code,) for low, high in ranges for code in range(low, min(high, 127) + 1)]
        case Ref(name):
            return [(name,)]
        case Seq(parts):
            return [tuple(symbol for part in parts for symbol in _symbols(part))]
        case Alt(parts):
            return [tuple(_symbols(part)) for part in parts]
        case Repeat(body, 0, None):
            return [(), (left, *_symbols(body))]
        case Repeat(body, low, None):
            return [(*_symbols(body) * low, star(body))]
        case Repeat(body, low, int(high)):
            return [tuple(_symbols(body) * count) for count in range(low, high + 1)]
    raise TypeError(f"{type(expr).__name__} is not for this judge")


def _symbols(expr: Expr) -> list[Symbol]:
    match expr:
        case Bytes(value):
            return list(value)
        case Ref(name):
            return [name]
    return [expr]


def _bits(mask: int) -> Iterator[int]:
    """The places of the ones."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
