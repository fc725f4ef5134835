"""Small pushdowns: random ones for Hypothesis, and a recogniser that shares nothing with the code under test."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from hypothesis import strategies as st

from structgen.automata.pushdown.automaton import STOP, Pushdown
from structgen.tokens.vocabulary import Vocabulary

LETTERS = b"abc"
ENDLESS = 1 << 62


def pushdown_of(
    delta: np.ndarray,
    calls: dict[int, list[tuple[int, int]]],
    accepting: list[bool],
    start: list[int],
    tokens: tuple[str, ...] = (),
) -> Pushdown:
    """A pushdown over the letters a, b, c (other bytes are class 0) from delta [S, 4 + T] and calls (callee, back)."""
    byte_class = np.zeros(256, np.uint8)
    byte_class[list(LETTERS)] = [1, 2, 3]
    states = len(delta)
    flat = [pair for state in range(states) for pair in calls.get(state, [])]
    call_at = np.cumsum([0, *(len(calls.get(state, [])) for state in range(states))]).astype(np.int32)
    edges = (delta != 0).any(1) | (np.diff(call_at) > 0)
    callee, back = np.array(flat, np.int32).reshape(-1, 2).T
    accepts = np.array(accepting)
    left, way = _ways(delta, call_at, callee, back, accepts, start)
    return Pushdown(
        byte_class,
        tokens,
        delta.astype(np.int32),
        call_at,
        callee,
        back,
        accepts,
        accepts & ~edges,
        np.array(start, np.int32),
        left,
        way,
    )


def _ways(delta, call_at, callee, back, accepting, start) -> tuple[np.ndarray, np.ndarray]:
    """Shortest ways by repeating the definition until nothing changes."""
    states = len(delta)
    left, way = np.where(accepting, 0, ENDLESS), np.full(states, STOP, np.int32)
    for _ in range(states * states):
        for q in range(1, states):
            options = [(int(left[t]) + 1, s) for s, t in enumerate(delta[q].tolist()) if t]
            options += [
                (min(ENDLESS, int(left[start[callee[c]]]) + int(left[back[c]])), -2 - c)
                for c in range(call_at[q], call_at[q + 1])
            ]
            for cost, choice in options:
                if cost < left[q]:
                    left[q], way[q] = cost, choice
    return left.astype(np.int64), way


@st.composite
def pushdowns(draw: st.DrawFn, tokens: tuple[str, ...] = ()) -> Pushdown:
    """Up to three components of up to three states; some of their strings are finite."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    start = (1 + np.cumsum([0, *sizes])[:-1]).tolist()
    states, symbols = 1 + sum(sizes), 4 + len(tokens)
    delta = np.zeros((states, symbols), np.int64)
    accepting, calls = [False] * states, {}
    for component, (first, size) in enumerate(zip(start, sizes, strict=True)):
        inner = list(range(first + 1, first + size))  # a start is never entered again
        for q in range(first, first + size):
            for symbol in range(1, symbols):
                if inner and draw(st.integers(0, 2)) == 0:
                    delta[q, symbol] = draw(st.sampled_from(inner))
            lowest = (
                component + 1 if q == first else 0
            )  # starts call only what comes later: no left recursion
            callees = [c for c in range(lowest, len(sizes)) if c and draw(st.integers(0, 2)) == 0]
            if inner and callees:
                calls[q] = [(c, draw(st.sampled_from(inner))) for c in callees]
            accepting[q] = (q != first or component == 0) and draw(st.integers(0, 2)) > 0
    return pushdown_of(delta, calls, accepting, start, tokens)


def accepts(pushdown: Pushdown, symbols: tuple[int, ...]) -> bool:
    """Whether the symbols are a text: by the definition of a return, with no stack."""

    @lru_cache(None)
    def ends(state: int, i: int) -> frozenset[int]:
        """Where a component that is in `state` at position i may return."""
        found = {i} if pushdown.accepting[state] else set()
        if i < len(symbols) and (target := int(pushdown.delta[state, symbols[i]])):
            found |= ends(target, i + 1)
        for callee, back in pushdown.calls(state):
            for j in ends(int(pushdown.start[callee]), i):
                found |= ends(back, j)
        return frozenset(found)

    return len(symbols) in ends(int(pushdown.start[0]), 0)


def spelled(pushdown: Pushdown, vocabulary: Vocabulary, ids: tuple[int, ...]) -> tuple[int, ...] | None:
    """The symbols of ids; None if some id spells none."""
    names = {index: name for name, index in vocabulary.special.items()}
    symbols: list[int] = []
    for v in ids:
        if v in names and names[v] in pushdown.tokens:
            symbols.append(pushdown.byte_classes + pushdown.tokens.index(names[v]))
        elif vocabulary.spelling(v):
            symbols += pushdown.byte_class[list(vocabulary.spelling(v))].tolist()
        else:
            return None
    return tuple(symbols)


def answers(pushdown: Pushdown, vocabulary: Vocabulary, length: int) -> list[tuple[int, ...]]:
    """All accepted strings of `length` ids."""
    found = []
    for ids in product(range(vocabulary.size), repeat=length):
        symbols = spelled(pushdown, vocabulary, ids)
        if symbols is not None and accepts(pushdown, symbols):
            found.append(ids)
    return found
