"""A finite automaton that accepts more than a lazy one, to bound what may follow a configuration.

A configuration is a state and a stack; the *relaxed* automaton forgets the stack. Its nodes are states, and a return
may go to any place from which the component can have been called. Of these the bound takes the largest, not the sum,
because one stack holds one of them. So whatever the lazy automaton accepts from a configuration, the relaxed one
accepts from the configuration's node, and a backward pass over its nodes bounds every β from above.

    value  ──[──▶ item ═call value═▶ more ──]──▶ ◉ returns to:  more | end of the text, whichever weighs more

A node is a sum over its arcs and over the nodes that it refers to at the same position, or the maximum of the nodes it
refers to. A node that is not explored is *free*: whatever the position allows may follow.

Axes: M nodes, A arcs, R references.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FREE, END = 0, 1  # the node whose arcs are unknown, and the one after a whole output


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The nodes as arrays.

    most: [M] bool, a maximum over its references, not a sum; free: [M] bool, bounded only by what the position allows
    least: [M] int64, tokens needed at least to finish from a node that a block ends in; NEVER if no block does
    arc_at: [M + 1]; arc_set, arc_target: [A], a token set by number and the node one position later
    ref_at: [M + 1]; ref: [R] nodes at the same position; order: [M], every node after those it refers to
    """

    most: NDArray[np.bool_]
    free: NDArray[np.bool_]
    least: NDArray[np.int64]
    arc_at: NDArray[Any]
    arc_set: NDArray[Any]
    arc_target: NDArray[Any]
    ref_at: NDArray[Any]
    ref: NDArray[Any]
    order: NDArray[Any]


class Outlook(Protocol):
    """The relaxed automaton of a lazy automaton."""

    @property
    def relaxed(self) -> Relaxed:
        """The nodes; the same object at every call, whatever has been asked before."""
        ...

    def nodes(self, count: int, /) -> tuple[NDArray[Any], NDArray[Any]]:
        """at [≥ count + 1] and nodes: those of configuration c are at[c] … at[c + 1], and a bound is their sum."""
        ...
