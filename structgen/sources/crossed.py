"""The intersection of a grammar with a regular language, which is a grammar again (Bar-Hillel, Perles, Shamir 1961).

Each rule is split by the states of the language's automaton between which its texts lead: of `list: "<" list | "a"` and
an automaton that remembers in state 1 whether the last character was "<", the rule `list 0→0` holds the texts that lead
from state 0 to state 0. Most rules lead from each state to one other, so the grammar hardly grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from structgen.errors import Unsupported
from structgen.grammar import (
    EMPTY,
    Alt,
    Bytes,
    Chars,
    Expr,
    Grammar,
    Ref,
    Repeat,
    Seq,
    alt,
    automaton,
    char_ranges,
    ref,
    seq,
)
from structgen.limits.budget import check

from .languages import empty, intersect
from .productive import derives, productive

DEAD, START = 0, 1
MOST_RULES = 20_000
SURROGATES = (0xD800, 0xE000)
LAST = 0x110000  # one more than the last code point

Ways = Mapping[int, Expr]  # texts by the state to which they lead
Ranges = list[tuple[int, int]]


def crossed(grammar: Grammar, language: Expr) -> Grammar:
    """The texts of a grammar, of characters alone, that are in a language without references.

    Raises Unsupported for parts of a grammar that are no texts, such as tokens.
    """
    if not grammar.rules:
        return Grammar(intersect(grammar.start, language))
    return _Crossing(grammar, Letters(language)).grammar()


def meets(grammar: Grammar, language: Expr) -> bool:
    """Whether some text of a grammar is in a language."""
    common = crossed(grammar, language)
    if not common.rules:
        return not empty(common.start)
    return derives(common.start, productive(common.rules))


@dataclass(frozen=True, eq=False)
class Letters:
    """The automaton of a language, over characters; its states are those of the automaton over bytes."""

    language: Expr
    _leaving: dict[int, dict[int, Ranges]] = field(default_factory=dict)

    @cached_property
    def _table(self) -> tuple[list[list[int]], list[int], list[bool]]:
        from structgen.automata import compile_bytes  # numba takes a moment to import

        table = compile_bytes(Grammar(self.language))
        return table.delta().tolist(), table.class_of.tolist(), table.accepting.tolist()

    @cached_property
    def _parts(self) -> Ranges:
        """The code points in ranges that the language does not tell apart inside."""
        cuts, seen, waiting = {0, *SURROGATES, LAST}, {self.language}, [self.language]
        while waiting:
            one = waiting.pop()
            cuts.update(point for low, high in _points(one) for point in (low, high + 1))
            new = set(one.children) - seen
            seen |= new
            waiting += new
        bounds = sorted(cuts)
        return [(low, high - 1) for low, high in pairwise(bounds) if low != SURROGATES[0]]

    def accepts(self, state: int) -> bool:
        """Whether a text may end in the state."""
        return self._table[2][state]

    def after(self, state: int, text: str) -> int:
        """The state after a text."""
        delta, class_of, _ = self._table
        for byte in text.encode():
            state = delta[state][class_of[byte]]
        return state

    def leaving(self, state: int) -> dict[int, Ranges]:
        """The characters that lead from a state to each other one."""
        if state not in self._leaving:
            found: dict[int, Ranges] = {}
            for low, high in self._parts:
                found.setdefault(self.after(state, chr(low)), []).append((low, high))
            found.pop(DEAD, None)
            self._leaving[state] = found
        return self._leaving[state]

    def between(self, first: int, last: int) -> Expr:
        """The texts that lead from one state to another."""
        number = {first: 0}
        moves: list[tuple[int, Expr, int]] = []
        waiting = [first]
        for state in waiting:  # the list grows
            for target, ranges in self.leaving(state).items():
                if target not in number:
                    number[target] = len(number)
                    waiting.append(target)
                moves.append((number[state], char_ranges(ranges), number[target]))
        return automaton(moves, [number[last]]) if last in number else automaton([], [1])


def _points(expr: Expr) -> Iterator[tuple[int, int]]:
    if isinstance(expr, Chars):
        yield from expr.ranges
    if isinstance(expr, Bytes):
        yield from ((ord(char), ord(char)) for char in expr.value.decode())


@dataclass(eq=False)
class _Crossing:
    """A grammar being split by the states of an automaton; reached: the states to which a rule leads from a state."""

    source: Grammar
    letters: Letters
    reached: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    closed: dict[tuple[Expr, int], Ways] = field(default_factory=dict)

    def grammar(self) -> Grammar:
        """The whole, once it is known which states the rules lead to."""
        start = self.ways(self.source.start, START)
        while self._grows():
            start = self.ways(self.source.start, START)
        rules: dict[str, Expr] = {}
        for (name, state), targets in list(self.reached.items()):
            ways = self.ways(self.source.rules[name], state)
            rules |= {_name(name, state, target): ways[target] for target in targets}
        return Grammar(alt(*(text for end, text in start.items() if self.letters.accepts(end))), rules)

    def _grows(self) -> bool:
        """Whether some rule is read from, or leads to, more states than was known."""
        before = self._known()
        for (name, state), known in list(self.reached.items()):
            check()
            known.update(self.ways(self.source.rules[name], state))
        if sum(map(len, self.reached.values())) > MOST_RULES:
            raise Unsupported(
                f"the grammar has more than {MOST_RULES:,} rules once it is intersected with a language",
                remedy="write a smaller grammar",
            )
        return self._known() > before

    def _known(self) -> tuple[int, int]:
        return len(self.reached), sum(map(len, self.reached.values()))

    def ways(self, expr: Expr, state: int) -> Ways:
        """The texts of an expression that can be read from a state, by the state that they lead to."""
        if not expr.facts.closed:
            return self._ways(expr, state)
        key = expr, state
        if key not in self.closed:
            self.closed[key] = self._ways(expr, state)
        return self.closed[key]

    def _ways(self, expr: Expr, state: int) -> Ways:
        match expr:
            case Ref(name):
                known = self.reached.setdefault((name, state), set())
                if name not in self.source.rules:
                    return {state: expr}  # which lowering refuses
                return {target: ref(_name(name, state, target)) for target in known}
            case Bytes(value):
                target = self.letters.after(state, value.decode())
                return {} if target == DEAD else {target: expr}
            case Chars(ranges):
                return _cut(ranges, self.letters.leaving(state))
            case Seq(parts):
                found: Ways = {state: EMPTY}
                for part in parts:
                    found = _joined(
                        (end, seq(before, after))
                        for middle, before in found.items()
                        for end, after in self.ways(part, middle).items()
                    )
                return found
            case Alt(parts):
                return _joined(way for part in parts for way in self.ways(part, state).items())
            case Repeat():
                return self._repeated(expr, state)
        if not expr.facts.textual:
            raise Unsupported(
                f"{type(expr).__name__.lower()} in a text that a tool takes",
                remedy="write the grammar with characters alone, without special tokens and limits on tokens",
            )
        return self._within(expr, state, self._all_from(state, self.letters.leaving))

    def _repeated(self, expr: Repeat, state: int) -> Ways:
        """The ways of a repetition, with the number of rounds as part of the state if there are references in it."""
        once = self.ways(expr.body, state)
        if once == {state: expr.body}:
            return {state: expr}
        if expr.facts.closed:
            ends = self._all_from(state, lambda at: self.ways(expr.body, at))
            return self._within(expr, state, ends)
        most = expr.low if expr.high is None else expr.high
        number = {(state, 0): 0}
        moves: list[tuple[int, Expr, int]] = []
        waiting = [(state, 0)]
        for at, count in waiting:  # the list grows
            if expr.high is not None and count == expr.high:
                continue
            for end, text in self.ways(expr.body, at).items():
                target = end, min(count + 1, most)
                if target not in number:
                    number[target] = len(number)
                    waiting.append(target)
                moves.append((number[at, count], text, number[target]))
        ends = {at for at, _ in number}
        accepting = {
            end: [number[at, count] for at, count in number if at == end and count >= expr.low]
            for end in ends
        }
        return {end: automaton(moves, states) for end, states in accepting.items() if states}

    def _within(self, expr: Expr, state: int, ends: set[int]) -> Ways:
        """The ways of an expression without references, of which no part is split."""
        found = {end: intersect(expr, self.letters.between(state, end)) for end in ends}
        return {end: text for end, text in found.items() if not empty(text)}

    def _all_from(self, state: int, leaving: Callable[[int], Mapping[int, object]]) -> set[int]:
        """The state and all that can be reached from it."""
        found, waiting = {state}, [state]
        while waiting:
            new = leaving(waiting.pop()).keys() - found
            found |= new
            waiting += new
        return found


def _cut(ranges: tuple[tuple[int, int], ...], leaving: Mapping[int, Ranges]) -> Ways:
    """The characters of the ranges by the state that they lead to."""
    return {
        target: char_ranges(kept)
        for target, others in leaving.items()
        if (kept := [(max(a, c), min(b, d)) for a, b in ranges for c, d in others if max(a, c) <= min(b, d)])
    }


def _joined(ways: Iterator[tuple[int, Expr]]) -> Ways:
    """The ways with those that lead to the same state as alternatives."""
    found: dict[int, list[Expr]] = {}
    for end, text in ways:
        found.setdefault(end, []).append(text)
    return {end: alt(*texts) for end, texts in found.items()}


def _name(rule: str, first: int, last: int) -> str:
    return f"{rule} {first}→{last}"
