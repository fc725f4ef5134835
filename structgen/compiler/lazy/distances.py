"""Bounds on the number of tokens that a configuration needs to finish.

The exact minimum would have to consider tokens that reach across returns, and so the whole stack at once. Instead each
stack is finished in a way whose cost is a sum: every state takes its shortest way to a return, written with as few
tokens as possible, none of which reaches across a return:

    tokens(stack) = Σ tokens(q) over its states q
    tokens(q)     = min over the tokens v that go along q's shortest way, into calls but over no return,
                    of 1 + tokens(p) + Σ tokens(r),   p where v ends, r what it left to return to

This upper bound is attained by some token string and decreases by one after the first token of that string, so a
configuration within its budget can always be closed. The lower bound is cruder: all bytes of the shortest way, divided
by the length of the longest token. If the bounds do not decide, the engine searches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown.automaton import STOP, Pushdown
from structgen.automata.pushdown.shortest import ENDLESS, shortest_ways
from structgen.compiler.lazy.configurations import BOTTOM, Configurations
from structgen.compiler.lazy.tails import Tails
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.arrays import NEVER
from structgen_engine.jit import kernel

Longs = NDArray[np.int64]


class Distances:
    """Upper and lower bounds for the configurations met so far, as arrays that grow with them."""

    def __init__(
        self, pushdown: Pushdown, vocabulary: Vocabulary, tree: Tails, configurations: Configurations
    ):
        self.spelled = _spelled(pushdown, vocabulary)
        left, way = _ways(pushdown, self.spelled)
        self._tokens = _tokens(pushdown, tree, left, way).tolist()
        self._bytes = (
            pushdown.bytes_left.tolist()
        )  # with any tokens: longer ones may spell what single ones cannot
        self._pushdown = pushdown
        self._longest = int(np.diff(vocabulary.offsets).max(initial=1))
        self._configurations = configurations
        self._needs = [(NEVER, ENDLESS), (0, 0)]  # tokens and bytes for NOWHERE and BOTTOM
        self._most, self._least = np.full(1024, NEVER, np.int64), np.full(1024, NEVER, np.int64)
        self._most[BOTTOM] = self._least[BOTTOM] = 0

    def upper(self) -> Longs:
        """[configurations] tokens that suffice, NEVER if no number does."""
        return self._bounds()[0]

    def lower(self) -> Longs:
        """[configurations] tokens that are necessary."""
        return self._bounds()[1]

    def _bounds(self) -> tuple[Longs, Longs]:
        needs, pairs = self._needs, self._configurations.pairs
        while len(pairs) > len(self._most):
            self._most, self._least = (
                np.append(a, np.full_like(a, NEVER)) for a in (self._most, self._least)
            )
        for number in range(len(needs), len(pairs)):  # lower configurations have smaller numbers
            tokens = min(self._sum(self._tokens, q) + needs[X][0] if q else 0 for q, X in pairs[number])
            symbols = min(self._sum(self._bytes, q) + needs[X][1] if q else 0 for q, X in pairs[number])
            needs.append((min(NEVER, tokens), min(ENDLESS, symbols)))
            self._most[number] = needs[-1][0]
            self._least[number] = min(NEVER, -(-symbols // self._longest))
        return self._most[: len(needs)], self._least[: len(needs)]

    def _sum(self, of: list[int], state: int) -> int:
        """The cost from a state to a return; for a state with a set, the sum over the calls that are still missing."""
        base = state % self._pushdown.states
        missing = self._pushdown.frames.missing(state) if base != state else []
        return sum(of[self._pushdown.start[c]] for c in missing) if missing else of[base]


def _spelled(pushdown: Pushdown, vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """[B + T] whether some token spells exactly that symbol."""
    spelled = np.zeros(pushdown.delta.shape[1], np.bool_)
    spelled[pushdown.byte_class[vocabulary.trie.single]] = True
    for k, name in enumerate(pushdown.tokens):
        spelled[pushdown.byte_classes + k] = name in vocabulary.special
    return spelled


def _ways(pushdown: Pushdown, spelled: NDArray[np.bool_]) -> tuple[Longs, NDArray[np.int32]]:
    """The shortest way of every state to a return, with only symbols that single tokens spell."""
    used = (pushdown.delta != 0).any(0)
    if spelled[used].all():
        return pushdown.bytes_left, pushdown.shortest
    return _restricted_ways(pushdown, spelled)


def _restricted_ways(pushdown: Pushdown, spelled: NDArray[np.bool_]) -> tuple[Longs, NDArray[np.int32]]:
    """`_ways` if some symbols are not spelled. A call that needs other symbols has a way that is walked beside it."""
    moved, symbol = np.nonzero((pushdown.delta != 0) & spelled)
    caller = np.repeat(np.arange(pushdown.states), np.diff(pushdown.call_at))
    asking = np.isin(pushdown.callee, np.flatnonzero(np.any(pushdown.asks, axis=1)))
    entered = np.where(asking, 0, pushdown.start[pushdown.callee])
    source = np.concatenate([moved, caller]).astype(np.int32)
    target = np.concatenate([pushdown.delta[moved, symbol], pushdown.back]).astype(np.int32)
    into = np.concatenate([np.full(len(moved), -1), entered]).astype(np.int32)
    left, edge = shortest_ways(source, target, into, pushdown.accepting)
    step = np.concatenate([symbol, -2 - np.arange(len(caller))]).astype(np.int32)
    return left, np.append(step, np.int32(STOP))[edge]  # −1 selects the last entry: return now


def _tokens(pushdown: Pushdown, tree: Tails, left: Longs, way: NDArray[np.int32]) -> Longs:
    """[S] tokens(q), computed in the order of the ways' lengths, so that the terms of each sum are known."""
    entered = pushdown.start[pushdown.callee] if len(pushdown.callee) else np.zeros(0, np.int32)
    order = np.argsort(left, kind="stable")
    return _segment(
        pushdown.delta,
        entered,
        pushdown.back,
        pushdown.final,
        order,
        left,
        way,
        pushdown.column,
        tree.symbol,
        tree.end,
        tree.token_at,
    )


@kernel
def _segment(
    delta, entered, back, final, order, left, way, column, symbol, end, token_at
):  # pragma: no cover
    tokens = np.full(len(left), NEVER, np.int64)
    for q in order:
        if left[q] >= ENDLESS:
            break
        if way[q] == STOP:
            tokens[q] = 0
            continue
        best, owed, at, node = np.int64(NEVER), np.int64(0), q, 0
        while way[at] != STOP:
            if way[at] < STOP:
                call = -2 - way[at]
                if not final[back[call]]:
                    owed += tokens[back[call]]
                at = entered[call]
                continue
            child = node + 1  # the first child with that symbol; at the root, one that a token spells alone
            while child < end[node] and (
                column[symbol[child]] != way[at] or (node == 0 and token_at[child + 1] == token_at[child])
            ):
                child = end[child]
            if child >= end[node]:
                break
            at, node = delta[at, way[at]], child
            if token_at[node + 1] > token_at[node]:
                best = min(best, 1 + tokens[at] + owed)
        tokens[q] = best
    return tokens
