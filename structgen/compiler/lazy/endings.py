"""The states and symbols with which the outputs of a pushdown end.

An output of a model ends with an end token and padding. If these and only these complete it, little can follow a
complete output, and the bounds on the pruned share of a block get much sharper.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown.automaton import Pushdown

Marks = NDArray[np.bool_]


def final_states(pushdown: Pushdown) -> Marks:
    """[S] bool, the states that accept with nothing below them, which are the root's."""
    found, waiting = {int(pushdown.start[0])}, [int(pushdown.start[0])]
    while waiting:
        state = waiting.pop()
        backs = (back for _, back in pushdown.calls(state))
        onward = {*pushdown.delta[state].tolist(), *backs} - {0} - found
        found |= onward
        waiting += onward
    ends = np.zeros(pushdown.states, np.bool_)
    ends[sorted(found)] = True
    return ends & pushdown.accepting


def stays(pushdown: Pushdown, spelled: Marks) -> bool:
    """Whether every final state has a symbol of those `spelled` [B + T] that leads to an accepting state."""
    after = pushdown.delta[final_states(pushdown)][:, spelled]
    return bool(pushdown.accepting[after].any(1).all())


def closing_symbols(pushdown: Pushdown) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """The symbols that complete an output, and those that may follow a complete one.

    None unless all of them are special tokens and a complete output stays complete.
    """
    ends = final_states(pushdown)
    into = ends[pushdown.delta]  # [S, symbols]
    complete, onward = into[~ends].any(0), (pushdown.delta[ends] != 0).any(0)
    called = ends[pushdown.back].any() or np.diff(pushdown.call_at)[ends].any()
    textual = (complete | onward)[: pushdown.byte_classes].any()
    lost = not into[ends][pushdown.delta[ends] != 0].all()
    if called or textual or lost or ends[pushdown.start[0]]:
        return None
    return np.flatnonzero(complete), np.flatnonzero(onward)
