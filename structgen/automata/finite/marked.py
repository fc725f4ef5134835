"""The builder of automata that read marks before and after every token, for grammars that speak of tokens.

Budgets and sets of tokens are about the division of a text into tokens, which bytes do not show. The marks are bytes
that no text has. Every state lets them pass, except those of a budget, where the mark before a token leads to the next
layer, and those of a set of tokens, where only the marks of its tokens lead on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from structgen.automata.finite.nfa import (
    BULK,
    FIRST_TOKEN,
    Fragment,
    Ints,
    Nfa,
    NfaBuilder,
    Steps,
    append_rows,
)
from structgen.grammar import Budget, Expr, Ref, TokenSet


@dataclass(frozen=True)
class TokenMarks:
    """The symbols that show where tokens begin and end, for grammars that speak of tokens; bytes that no text has.

    begins: those before a token that spells text; end: the one after every token
    of_set: for each set of tokens, the symbols before its tokens that spell text, and those before its others
    ids: of the special tokens that are symbols of their own; pieces: the automata of recursive rules
    """

    begins: tuple[int, ...]
    end: int
    of_set: Mapping[TokenSet, tuple[tuple[int, ...], tuple[int, ...]]]
    ids: Mapping[str, int]
    pieces: Mapping[str, Fragment] = field(default_factory=dict)


class MarkedBuilder(NfaBuilder):
    """A builder for a grammar that speaks of tokens. counted: the automaton, with all marks, of what a budget counts"""

    def __init__(self, *given: Any, marks: TokenMarks, counted: Callable[[Expr], Fragment]):
        super().__init__(*given)
        self._marks, self._counted = marks, counted
        self._marked: list[tuple[int, int]] = []  # states whose moves by marks are all there, as ranges

    def finish_marked(self, start: int, final: int) -> Nfa:
        """The automaton of everything built, in which tokens may begin and end in every state that is silent."""
        self._pass_marks(self._marks)
        return self.finish(start, final)

    def _pass_marks(self, marks: TokenMarks) -> None:
        free = np.ones(self._states, np.bool_)
        for low, high in self._marked:
            free[low:high] = False
        states = np.flatnonzero(free)
        self._room(len(states) * (len(marks.begins) + 1))
        for symbol in (*marks.begins, marks.end):
            label = np.full(len(states), symbol)
            append_rows(self._moves, np.stack([states, label, label, states], axis=1))

    def _steps(self, expr: Expr, then: int) -> int | Steps:
        if isinstance(expr, TokenSet):
            return self._token_set(expr, then)
        if isinstance(expr, Ref) and expr.name in self._marks.pieces:
            return self._splice(self._marks.pieces[expr.name], then)
        return self._budget(expr, then) if isinstance(expr, Budget) else super()._steps(expr, then)

    def _is_simple(self, expr: Expr) -> bool:
        return not expr.facts.textual or super()._is_simple(expr)

    def _token_set(self, expr: TokenSet, then: int) -> int:
        """A token of a set: the mark before it tells its set, the mark behind it that it is whole."""
        spelling, others = self._marks.of_set[expr]
        source = self.state()
        inside = self.state(2)
        self._marked.append((inside, inside + 2))
        for symbol in spelling:
            self.move(source, symbol, inside)
        for symbol in others:
            self.move(source, symbol, inside + 1)
        self._moves.extend((inside, 0, self._marks.end - 1, inside))
        self._moves.extend((inside, self._marks.end + 1, FIRST_TOKEN - 1, inside))
        for state in (inside, inside + 1):
            self.move(state, self._marks.end, then)
        for name, token in self._marks.ids.items():
            if name in self._tokens and expr.negated != any(
                low <= token <= high for low, high in expr.ranges
            ):
                self.move(source, self._tokens[name], then)
        return source

    def _budget(self, expr: Budget, then: int) -> int:
        """One layer of the body's states for each number of tokens so far, and one from which none has been read."""
        piece = self._counted(expr.body)
        size, layers = piece.states, expr.tokens + 1
        self._room(layers * len(piece.moves))
        first = self.state(layers * size)
        self._marked.append((first, first + layers * size))
        counting, other = _by_counting(piece.moves, self._marks.begins)
        stay = np.arange(layers) * size + first
        for some in np.array_split(stay[:-1], 1 + layers * len(counting) // BULK):
            append_rows(
                self._moves,
                counting + some[:, None, None] * np.array([1, 0, 0, 1]) + np.array([0, 0, 0, size]),
            )
        ends = other[:, 1:3] == self._marks.end
        read = np.where(ends.all(1), 0, size)[:, None] * np.array([0, 0, 0, 1])
        append_rows(self._moves, other + np.array([first, 0, 0, first]) + read)
        for some in np.array_split(stay[1:], 1 + layers * len(other) // BULK):
            append_rows(self._moves, other + some[:, None, None] * np.array([1, 0, 0, 1]))
        for state in piece.accepting.tolist():
            append_rows(self._empty, np.stack([stay + state, np.full(layers, then)], axis=1))
        return first + piece.start


def _by_counting(moves: Ints, begins: tuple[int, ...]) -> tuple[Ints, Ints]:
    """The moves by which a token begins, special tokens included, and all others; ranges are cut where they mix."""
    cuts = sorted({FIRST_TOKEN, *begins, *(symbol + 1 for symbol in begins)})
    pieces = [moves]
    for cut in cuts:
        left, right = [], []
        for rows in pieces:
            crossing = (rows[:, 1] < cut) & (rows[:, 2] >= cut)
            low, high = rows[crossing].copy(), rows[crossing].copy()
            low[:, 2], high[:, 1] = cut - 1, cut
            left += [rows[~crossing], low]
            right.append(high)
        pieces = [np.concatenate([*left, *right])]
    rows = pieces[0]
    counts = np.isin(rows[:, 1], begins) | (rows[:, 1] >= FIRST_TOKEN)
    return rows[counts], rows[~counts]
