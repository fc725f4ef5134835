"""The symbols that may follow the return of a component to any caller: the FOLLOW sets of compiler construction.

A return is only worth following if some caller can continue with the next symbol. In a number every digit might be the
last one, but no caller continues with a digit, so no token of digits leaves the number in its middle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown.automaton import Pushdown
from structgen.limits.budget import check
from structgen.limits.interrupt import SLICE, used_up
from structgen_engine.jit import kernel


def follow_sets(pushdown: Pushdown) -> NDArray[np.bool_]:
    """[S, B + T] whether a symbol may follow the return of the component that the state is in."""
    call_of = np.repeat(np.arange(pushdown.states, dtype=np.int32), np.diff(pushdown.call_at))
    entered = pushdown.start[pushdown.callee]
    first = pushdown.delta != 0
    _spread(first, entered, call_of)  # what a state can read, itself or through its calls
    follow = np.zeros_like(first)
    np.logical_or.at(follow, entered, first[pushdown.back])
    source, target = _onward(pushdown.delta)
    returns = pushdown.accepting[pushdown.back]  # then what follows the caller follows the callee
    sources = np.concatenate([source, call_of, pushdown.back[returns]])
    targets = np.concatenate([target, pushdown.back, entered[returns]])
    _spread(follow, sources, targets)
    return follow


@kernel
def _onward(delta):  # pragma: no cover
    """The pairs of a state and a target of its edges; neighbouring edges to the same target count once."""
    states, columns = delta.shape
    source, target, filled = np.empty(delta.size, np.int32), np.empty(delta.size, np.int32), 0
    for state in range(1, states):
        before = 0
        for column in range(columns):
            to = delta[state, column]
            if to and to != before:
                source[filled], target[filled] = state, to
                filled += 1
            before = to or before
    return source[:filled].copy(), target[:filled].copy()


def _spread(marks: NDArray[np.bool_], source: NDArray[Any], target: NDArray[Any]) -> None:
    """The least marks [S, symbols] above the given ones with marks[target] ⊇ marks[source]."""
    order = np.argsort(source, kind="stable")
    at = np.zeros(len(marks) + 1, np.int64)
    at[1:] = np.bincount(source, minlength=len(marks)).cumsum()
    _flow(marks, at, np.ascontiguousarray(target[order]).astype(np.int64))
    check()


@kernel
def _flow(marks, at, target):  # pragma: no cover
    states, symbols = marks.shape
    waiting, queued = np.empty(states, np.int64), np.ones(states, np.bool_)
    for state in range(states):
        waiting[state] = state
    count, work, look = states, 0, SLICE
    while count:
        if work > look:
            look = work + SLICE
            if used_up():
                break
        count -= 1
        state = waiting[count]
        queued[state] = False
        work += (at[state + 1] - at[state]) * symbols
        for e in range(at[state], at[state + 1]):
            to, grew = target[e], False
            for symbol in range(symbols):
                if marks[state, symbol] and not marks[to, symbol]:
                    marks[to, symbol] = True
                    grew = True
            if grew and not queued[to]:
                queued[to] = True
                waiting[count] = to
                count += 1
