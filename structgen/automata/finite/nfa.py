"""Nondeterministic automata as flat arrays, and the builder that writes one expression into them.

The builder works backwards, in continuation-passing style: `build(expr, then)` returns a state from which `expr`
leads to the state `then`. Memoised on (expr, then), it gives equal tails one copy: an object with forty optional
members, whose lowering shares every tail, costs forty members and not forty times forty.

Symbols 0 … 255 are bytes; named special tokens follow, then calls of the rules that are automata of their own. Bodies
of counted repetitions, intersections, complements and longer texts are compiled to minimal automata of their own and
spliced in as `Fragment`s.

The builder of an expression with parts is a generator that asks for each part by `state = yield part, then`. `build`
keeps the waiting generators on a stack of its own, so that deep nesting does not exhaust the interpreter's stack.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import (
    Alt,
    And,
    AnyOrder,
    Bytes,
    Chars,
    Excerpt,
    Expr,
    Not,
    Placeholder,
    Ref,
    Repeat,
    Seq,
    Slack,
    StateGraph,
    Token,
)
from structgen.grammar.utf8 import byte_sequences
from structgen.limits.budget import check

FIRST_TOKEN = 256  # symbols below are bytes
# A state costs a few hundred bytes while it is built and a move about a hundred in the crawl: about 1 GB at most.
MAX_STATES = 1_000_000
MAX_MOVES = 6_000_000
APART = 16  # a text of at least so many bytes and characters gets a minimal automaton of its own

MANY_RANGES = 32  # character sets with at least so many ranges are much smaller as a minimal automaton
BULK = 1 << 16  # moves copied at a time

Ints = NDArray[np.int32]
Steps = Generator[tuple[Expr, int], Any, int]  # asks for (part, then), is sent the part's state


class TooLarge(Unsupported):
    """An automaton would exceed a limit of memory or work; another form of the same automaton may not."""


def too_large(limit: int, what: str) -> TooLarge:
    """The refusal of a constraint that would not fit into memory."""
    return TooLarge(
        f"the constraint needs more memory than {limit:,} automaton {what} may take",
        remedy="simplify it or lower the bounds of its repetitions (maxLength, maxItems, {m,n})",
    )


def too_slow() -> TooLarge:
    """The refusal of a constraint that would take minutes to compile."""
    return TooLarge(
        "the constraint takes too long to compile: too many of its parts may stand at the same place",
        remedy="simplify it or lower the bounds of its repetitions (maxLength, maxItems, {m,n})",
    )


@dataclass(frozen=True, eq=False)
class Nfa:
    """A nondeterministic automaton with states 0 … states − 1, moves over inclusive symbol ranges, and empty moves.

    moves: [M, 4] int32 rows (source, low, high, target); empty: [L, 2] int32 rows (source, target)
    """

    states: int
    moves: Ints
    empty: Ints
    starts: tuple[int, ...]
    finals: Ints  # [states] int32: 0, or 1 + the index of the component that ends here
    symbols: int


@dataclass(frozen=True, eq=False)
class Fragment:
    """A deterministic piece to splice in: its moves (relative), its start and its accepting states.

    peak: the largest number of states that it, or a piece of it, had before it was minimal
    """

    states: int
    moves: Ints
    start: int
    accepting: Ints
    peak: int


@dataclass(frozen=True)
class CallSymbol:
    """The symbol that stands for the strings of a called rule, and whether the rule contains the empty string."""

    symbol: int
    nullable: bool


NO_CALLS: Mapping[str, CallSymbol] = {}


def symbol_count(tokens: Mapping[str, int], calls: Mapping[str, CallSymbol]) -> int:
    """The number of symbols: bytes, tokens and calls."""
    return max([FIRST_TOKEN + len(tokens), *(call.symbol + 1 for call in calls.values())])


class NfaBuilder:
    """A builder collects the states and moves of one automaton; see the module's docstring."""

    def __init__(
        self,
        rules: Mapping[str, Expr],
        tokens: Mapping[str, int],
        null: str | None,
        fragment: Callable[[Expr], Fragment],
        apart: bool,
        open_rules: list[str],
        calls: Mapping[str, CallSymbol] = NO_CALLS,
        most: int | None = None,
    ):
        self._rules, self._tokens, self._null = rules, tokens, null
        self._make, self._apart = fragment, apart
        self._open_rules = open_rules  # the rules being expanded, outermost first
        self._calls, self._most = calls, most or MAX_STATES
        self._states = 0
        self._moves, self._empty = array("i"), array("i")  # rows of four and of two numbers
        self._memo: dict[tuple[Expr, int], int] = {}
        self._spelled: dict[tuple[int, int], int] = {}  # states of literals, by their byte and what follows
        self._deepest = 0

    @property
    def peak(self) -> int:
        """The largest number of states that this automaton, or a fragment in it, had before it was minimal."""
        return max(self._states, self._deepest)

    def state(self, count: int = 1) -> int:
        """The first of `count` new states."""
        first = self._states
        self._states += count
        if self._states >> 12 != first >> 12:
            check()
        if self._states > self._most:
            raise too_large(self._most, "states")
        if len(self._moves) > 4 * MAX_MOVES:
            raise too_large(MAX_MOVES, "moves")
        return first

    def _room(self, moves: int) -> None:
        """Raise TooLarge if there is no room for `moves` more moves."""
        if len(self._moves) // 4 + moves > MAX_MOVES:
            raise too_large(MAX_MOVES, "moves")

    def move(self, source: int, symbol: int, target: int) -> None:
        """Add a move between existing states."""
        self._moves.extend((source, symbol, symbol, target))

    def skip(self, source: int, target: int) -> None:
        """Add an empty move."""
        self._empty.extend((source, target))

    def finish(self, start: int, final: int, *, never: Sequence[int] = (), symbols: int = 0) -> Nfa:
        """The automaton of everything built, from `start` to `final`; nothing may be added to it any more.

        never: states that no accepted string may end in (2 in `finals`); symbols: the least number of symbols
        """
        finals = np.zeros(self._states, np.int32)
        finals[final] = 1
        finals[list(never)] = 2
        moves, empty = np.asarray(self._moves).reshape(-1, 4), np.asarray(self._empty).reshape(-1, 2)
        symbols = max(symbols, symbol_count(self._tokens, self._calls))
        return Nfa(self._states, moves, empty, (start,), finals, symbols)

    def build(self, expr: Expr, then: int) -> int:
        """A state from which `expr` leads to `then`."""
        waiting: list[tuple[tuple[Expr, int], Steps]] = []
        wanted = (expr, then)
        while True:
            state = self._memo.get(wanted)
            if state is None:
                inside = bool(waiting) and waiting[-1][0][0].facts.textual
                apart = self._apart and not inside and _is_apart(wanted[0])
                built = self._spliced(*wanted) if apart else self._steps(*wanted)
                if isinstance(built, int):
                    state = self._memo[wanted] = built
                else:
                    waiting.append((wanted, built))
            while waiting:
                key, steps = waiting[-1]
                try:
                    wanted = steps.send(state)
                    break
                except StopIteration as done:
                    state = self._memo[key] = done.value
                    waiting.pop()
            else:
                return cast(int, state)

    def _steps(self, expr: Expr, then: int) -> int | Steps:
        return _BUILD[type(expr)](self, expr, then)

    def _is_simple(self, expr: Expr) -> bool:
        """Whether an expression is simple enough to be written out for each copy."""
        return _is_simple(expr)

    def _fragment(self, expr: Expr) -> Fragment:
        piece = self._make(expr)
        self._deepest = max(self._deepest, piece.peak)
        return piece

    def _bytes(self, expr: Bytes, then: int) -> int:
        for byte in reversed(expr.value):  # literals that end alike share their ends
            at = self._spelled.get((byte, then))
            if at is None:
                at = self._spelled[byte, then] = self._move(byte, byte, then)
            then = at
        return then

    def _move(self, low: int, high: int, then: int) -> int:
        source = self.state()
        self._moves.extend((source, low, high, then))
        return source

    def _chars(self, expr: Chars, then: int) -> int:
        source, tails = self.state(), {}
        for low, high in expr.ranges:
            for ranges in byte_sequences(low, high):
                target, tail = then, ()
                for piece in reversed(ranges[1:]):  # characters share their continuation bytes
                    tail = (piece, *tail)
                    if tail not in tails:
                        tails[tail] = self._move(*piece, target)
                    target = tails[tail]
                self._moves.extend((source, *ranges[0], target))
        return source

    def _token(self, expr: Token, then: int) -> int:
        symbol = self._tokens.get(expr.name)
        if symbol is None:
            raise InvalidSource(f"the vocabulary has no special token called {expr.name!r}")
        return self._move(symbol, symbol, then)

    def _slack(self, expr: Slack, then: int) -> int:
        if self._null is None:
            return then
        symbol, loop = self._tokens[self._null], self.state()
        self.move(loop, symbol, loop)
        self.skip(loop, then)
        return loop

    def _seq(self, expr: Seq, then: int) -> Steps:
        for part in reversed(expr.parts):
            then = yield part, then
        return then

    def _alt(self, expr: Alt, then: int) -> Steps:
        source = self.state()
        for part in expr.parts:
            self.skip(source, (yield part, then))
        return source

    def _repeat(self, expr: Repeat, then: int) -> Steps:
        copies = (expr.high or expr.low) + (expr.high is None)
        simple = copies <= 2 or self._is_simple(expr.body)
        piece = None if simple else self._fragment(expr.body)
        end = then
        if expr.high is None:
            then = self.state()
            body = (yield expr.body, then) if piece is None else self._splice(piece, then)
            self._empty.extend((then, body, then, end))
        if piece is not None:
            then = self._copies(piece, max((expr.high or 0) - expr.low, 0), then, end)
            return self._copies(piece, expr.low, then, None)
        for _ in range(expr.low, expr.high or 0):
            source = self.state()
            body = yield expr.body, then
            self._empty.extend((source, body, source, end))  # straight to the end: small closures
            then = source
        for _ in range(expr.low):
            then = yield expr.body, then
        return then

    def _copies(self, piece: Fragment, count: int, then: int, end: int | None) -> int:
        """The first state of `count` copies in a row that lead to `then`; each may be left out if `end` is given.

        Each copy has a state in front, which leads into the copy and, by an empty move, to `end`.
        """
        if not count:
            return then
        self._room(count * len(piece.moves))
        front = self.state(count * (piece.states + 1)) + np.arange(count) * (piece.states + 1)
        onward = np.concatenate([[then], front[:-1]])
        for some in np.array_split(front, 1 + count * len(piece.moves) // BULK):
            append_rows(self._moves, piece.moves + (some + 1)[:, None, None] * np.array([1, 0, 0, 1]))
        columns = [(front, front + 1 + piece.start)]
        columns += [(front + 1 + int(state), onward) for state in piece.accepting]
        columns += [] if end is None else [(front, np.full(count, end))]
        for pair in columns:
            append_rows(self._empty, np.stack(pair, axis=1))
        return int(front[-1])

    def _splice(self, piece: Fragment, then: int) -> int:
        offset = self.state(piece.states)
        self._room(len(piece.moves))
        append_rows(self._moves, piece.moves + np.array([offset, 0, 0, offset], np.int32))
        for state in piece.accepting.tolist():
            self.skip(offset + state, then)
        return offset + piece.start

    def _automaton(self, expr: StateGraph, then: int) -> Steps:
        states: dict[int, int] = {}
        for number in sorted({0, *expr.accepting, *(state for a, _, b in expr.moves for state in (a, b))}):
            states[number] = self.state()
        for number in expr.accepting:
            self.skip(states[number], then)
        for source, label, target in expr.moves:
            self.skip(states[source], (yield label, states[target]))
        return states[0]

    def _spliced(self, expr: Expr, then: int) -> int:
        return self._splice(self._fragment(expr), then)

    def _any_order(self, expr: AnyOrder, then: int) -> int:
        raise Unsupported(
            f"{len(expr.parts)} parts in any order take more states than a table may have",
            remedy='leave the regime to "auto", or fix their order',
        )

    def _placeholder(self, expr: Placeholder, then: int) -> int:
        raise InvalidSource("a verbatim value has no document to copy from")

    def _ref(self, expr: Ref, then: int) -> Steps:
        if expr.name in self._calls:
            call = self._calls[expr.name]
            state = self._move(call.symbol, call.symbol, then)
            if call.nullable:
                self.skip(state, then)
            return state
        if expr.name not in self._rules:
            raise InvalidSource(f"no rule is called {expr.name!r}")
        if expr.name in self._open_rules:
            cycle = " → ".join([*self._open_rules[self._open_rules.index(expr.name) :], expr.name])
            raise Unsupported(f"the grammar is recursive ({cycle})", remedy="unroll it to the depth you need")
        self._open_rules.append(expr.name)
        state = yield self._rules[expr.name], then
        self._open_rules.pop()
        return state


def _is_simple(expr: Expr) -> bool:
    """Whether an expression is simple enough to be written out for each copy."""
    return isinstance(expr, Bytes | Token | Slack) or (
        isinstance(expr, Chars) and len(expr.ranges) < MANY_RANGES
    )


def _is_apart(expr: Expr) -> bool:
    """Whether an expression gets an automaton of its own; depends on it alone, never on earlier compilations."""
    facts = expr.facts
    return facts.textual and facts.size >= APART and not isinstance(expr, Bytes)


def append_rows(numbers: array[int], rows: NDArray[Any]) -> None:
    """Append the numbers of `rows`: an `array` grows in place and takes no more memory than its numbers."""
    if rows.size:
        numbers.frombytes(np.ascontiguousarray(rows, np.int32).data.cast("B"))


_BUILD: dict[type[Expr], Callable[[NfaBuilder, Any, int], int | Steps]] = {
    Bytes: NfaBuilder._bytes,
    Chars: NfaBuilder._chars,
    Token: NfaBuilder._token,
    Slack: NfaBuilder._slack,
    Seq: NfaBuilder._seq,
    Alt: NfaBuilder._alt,
    Repeat: NfaBuilder._repeat,
    And: NfaBuilder._spliced,
    Excerpt: NfaBuilder._spliced,
    Not: NfaBuilder._spliced,
    StateGraph: NfaBuilder._automaton,
    Ref: NfaBuilder._ref,
    AnyOrder: NfaBuilder._any_order,
    Placeholder: NfaBuilder._placeholder,
}
