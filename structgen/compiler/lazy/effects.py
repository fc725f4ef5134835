"""The effect of tokens from a state, independent of what lies below it on the stack.

From the stack "q on an unknown rest" a token leads to some configuration of stacks on the same unknown rest, or
nowhere. It may also leave the component: if the component of q returns in the middle of a token, the state below reads
the *tail* of the token. This module does not know that state, so it reports the set of tails. An effect has two parts:

    arcs    sets of tokens, with the configuration that each leads to (BOTTOM is the unknown rest)
    exits   sets of tails that the state below has to read

The walk over the prefix tree is a loop over a table of known steps. At an unknown step the subtree is postponed; the
missing steps are computed and the walk resumes there. This is a lazily built automaton, as in RE2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown.automaton import Pushdown
from structgen.compiler.lazy.classes import Classes, Occurring
from structgen.compiler.lazy.configurations import BOTTOM, UNREAD, Configurations
from structgen.compiler.lazy.follow import follow_sets
from structgen.compiler.lazy.slices import Slices
from structgen.compiler.lazy.tails import Ints, Tails, other_tokens, remaining_tails, whole_tokens
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.jit import kernel


@dataclass(frozen=True, eq=False)
class Effect:
    """The effect of a set of tails from a state.

    arcs: (number of a token set, configuration on an unknown rest), with disjoint sets; exits: numbers of tails
    """

    arcs: list[tuple[int, int]]
    exits: list[int]


class Effects:
    """The effects computed so far. Set of tails 0 is the vocabulary itself."""

    def __init__(self, pushdown: Pushdown, vocabulary: Vocabulary, configurations: Configurations) -> None:
        self._pushdown, self._vocabulary, self._configurations = pushdown, vocabulary, configurations
        self._follow = follow_sets(pushdown)
        self._tails = [whole_tokens(pushdown, vocabulary)]
        self.vocabulary_tails = self._tails[0]
        self._numbers: dict[bytes, int] = {}
        self._known: dict[tuple[int, int], Effect] = {}
        self.classes = Classes(_occurring(self.vocabulary_tails, vocabulary.size))
        self._slices = Slices(pushdown, vocabulary, configurations)
        self._other = other_tokens(pushdown, vocabulary)
        self._room = np.empty((4, 0), np.int32)  # for one walk: new arrays of this size are slow to get

    @property
    def nbytes(self) -> int:
        """The approximate memory of the effects, without the vocabulary's own tree."""
        return self.classes.nbytes + sum(tails.nbytes for tails in self._tails[1:])

    def effect(self, tails: int, state: int) -> Effect:
        """The effect of the tails from the state."""
        key = tails, state
        if key not in self._known:
            self._known[key] = self._find(tails, state)
        return self._known[key]

    def _find(self, tails: int, state: int) -> Effect:
        tree, configurations, follow = (
            self._tails[tails],
            self._configurations,
            self._follow[state % self._pushdown.states],
        )
        start = configurations.push(state, BOTTOM)
        plain = self._slices.arcs(start, follow, self.classes) if tails == 0 else None
        if plain is not None:
            tree = self._other
        if len(tree.symbol) > self._room.shape[1]:
            self._room = np.empty((4, len(tree.symbol)), np.int32)
        reached = self._room[0]  # read only where it has been written
        reached[0] = start
        live, exits = self._walk(tree, reached, follow)
        return Effect((plain or []) + self._arcs(tree, reached, live), self._exits(tails, tree, exits))

    def _walk(self, tree: Tails, reached: Ints, follow: NDArray[np.bool_]) -> tuple[Ints, Ints]:
        """Fill `reached` [M]; returns the nodes reached, and in preorder those whose edges leave the component."""
        configurations = self._configurations
        at, width = np.array([0], np.int32), configurations.step.shape[1]
        pieces = [], []
        while len(at):
            found = _walk(
                self._pushdown.column,
                tree.symbol,
                tree.parent,
                tree.end,
                configurations.step,
                configurations.leaves,
                follow,
                at,
                self._room,
            )
            live, exits, at = found
            pieces[0].append(live)
            pieces[1].append(exits)
            columns = self._pushdown.column[tree.symbol[at]]
            self._read(np.unique(reached[tree.parent[at]].astype(np.int64) * width + columns), width)
        live, exits = (np.concatenate(piece) for piece in pieces)
        return live, np.sort(exits)

    def _read(self, missing: NDArray[np.int64], width: int) -> None:
        """Compute these steps, numbered row by row; most rows are complete once one step of them is."""
        configurations = self._configurations
        rows = missing // width
        for step in missing[np.diff(rows, prepend=-1) > 0].tolist():
            configurations.read(*divmod(step, width))
        unread = configurations.step[rows, missing - rows * width] == UNREAD
        for step in missing[unread].tolist():
            configurations.read(*divmod(step, width))

    def _arcs(self, tree: Tails, reached: Ints, live: Ints) -> list[tuple[int, int]]:
        """The tokens that end at live nodes, by the configuration they lead to."""
        tokens, targets = _at_nodes(tree.token, tree.token_at, reached, live)
        if not len(tokens):
            return []
        order = np.argsort(targets, kind="stable")
        targets = targets[order]
        starts = np.append(np.flatnonzero(np.diff(targets, prepend=-1)), len(targets))
        sets = self.classes.sets(tokens[order], starts)
        return list(zip(sets, targets[starts[:-1]].tolist(), strict=True))

    def _exits(self, tails: int, tree: Tails, nodes: Ints) -> list[int]:
        """Sets of tails, none of which holds a token twice: if subtrees are nested, the inner ones go to later sets.

        A return before the first symbol keeps the whole set of tails; by FOLLOW, the tails that did not leave lead
        nowhere from the state below.
        """
        first = tree.parent[nodes] == 0
        exits = [tails] if first.any() else []
        nodes = nodes[~first]
        depth = _nesting(nodes, tree.end)
        return exits + [
            self._intern(tree, nodes[depth == level]) for level in range(depth.max(initial=-1) + 1)
        ]

    def _intern(self, tree: Tails, nodes: Ints) -> int:
        """The number of the set of tails that begin with the edges into `nodes`, whose subtrees are disjoint."""
        low, high = tree.token_at[nodes], tree.token_at[tree.end[nodes]]
        at = np.repeat(low - np.concatenate([[0], (high - low).cumsum()[:-1]]), high - low) + np.arange(
            (high - low).sum()
        )
        read = np.repeat(_depths(tree.parent, nodes) - 1, high - low)
        token, skip = tree.token[at], (tree.skip[at] + read).astype(np.int32)
        order = np.argsort(token, kind="stable")
        token, skip = token[order], skip[order]
        key = token.tobytes() + skip.tobytes()
        if key not in self._numbers:
            self._numbers[key] = len(self._tails)
            self._tails.append(remaining_tails(self._vocabulary, token, skip))
        return self._numbers[key]


@lru_cache(maxsize=4)
def _occurring(tree: Tails, tokens: int) -> Occurring:
    """The tokens that the tree spells, out of so many."""
    return Occurring.of(tree.token, tokens)


@kernel
def _walk(column, symbol, parent, end, step, leaves, follow, at, room):  # pragma: no cover
    """Continue the walk in the subtrees of the nodes `at`; returns live nodes, exits and nodes with unknown steps.

    room: [4, ≥ M], whose first row holds what is reached; the others are work space
    """
    reached, live, exits, missing = room[0], room[1], room[2], room[3]
    lives = leaving = later = 0
    for root in at:
        node = root + 1 if root == 0 else root
        while node < end[root]:
            here, by = reached[parent[node]], column[symbol[node]]
            to = step[here, by]
            if to == UNREAD:
                missing[later] = node
                later += 1
                node = end[node]
                continue
            if leaves[here, by] and follow[by]:
                exits[leaving] = node
                leaving += 1
            if to == 0:
                node = end[node]
                continue
            reached[node] = to
            live[lives] = node
            lives += 1
            node += 1
    return live[:lives].copy(), exits[:leaving].copy(), missing[:later].copy()


@kernel
def _at_nodes(token, token_at, reached, live):  # pragma: no cover
    """The tokens that end at live nodes, and the configurations reached there."""
    total = 0
    for node in live:
        total += token_at[node + 1] - token_at[node]
    tokens, targets = np.empty(total, np.int32), np.empty(total, np.int32)
    filled = 0
    for node in live:
        for k in range(token_at[node], token_at[node + 1]):
            tokens[filled], targets[filled] = token[k], reached[node]
            filled += 1
    return tokens, targets


def _depths(parent: Ints, nodes: Ints) -> NDArray[Any]:
    """The number of symbols on the path to each node."""
    depth, at = np.zeros(len(nodes), np.int32), nodes
    while at.any():
        depth += at > 0
        at = parent[at]
    return depth


def _nesting(nodes: Ints, end: Ints) -> NDArray[Any]:
    """For each of the nodes, given in preorder, the number of subtrees of others that it lies in."""
    depth, around = np.zeros(len(nodes), np.int32), list[int]()
    for k, node in enumerate(nodes.tolist()):
        while around and around[-1] <= node:
            around.pop()
        depth[k] = len(around)
        around.append(int(end[node]))
    return depth
