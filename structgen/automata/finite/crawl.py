"""The crawl: the sets of states that some string can reach (the subset construction of Rabin and Scott, 1959).

Determinising, intersecting, uniting and complementing are the same walk. It starts from a set of states of a
nondeterministic automaton, follows every symbol class and numbers each new set. Symbols are first grouped into
intervals that no move splits, so that a step costs one set operation per interval.

One step, for (a|b)*ab with the moves 1 ──a,b──→ 1, 1 ──a──→ 2, 2 ──b──→ 3, where 3 accepts. The start is set 1 = {1};
by a it leads to {1, 2}, which becomes set 2, and by b to itself. Set 2 is followed next:

    class   from 1    from 2    together    number
    a       1, 2      nowhere   {1, 2}      2, known
    b       1         3         {1, 3}      3, new: it is followed later, and accepts because 3 does

Two deterministic automata laid side by side and started in both starts at once meet sets that are pairs: their product.
Only the rule that says which sets accept differs, and it is applied to the finished sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.edges import by
from structgen.automata.finite.interning import digest_of, find, grown, grown_to, no_sequences, push
from structgen.automata.finite.nfa import Ints, Nfa, too_large, too_slow
from structgen.limits.budget import check, loading, out_of_time, remaining
from structgen.limits.interrupt import SLICE, used_up
from structgen_engine.jit import kernel

# Limits on the memory of a crawl: members of sets (4 bytes) and edges (about 100 bytes until minimal).
MAX_MEMBERS = 50_000_000
MAX_EDGES = 10_000_000
MAX_WORK = 250_000_000  # visits of states: about five seconds
EACH = 50  # edges allowed for each set that a crawl may meet
EDGE_RATE = 500_000  # edges a second, all later processing included
DONE, WORK, EDGES, SETS, MEMBERS = range(5)  # why a crawl ended


class Limits(NamedTuple):
    """The limits of a crawl: how many members of sets, edges, visits of states (`effort`) and sets it may take.

    together: the number of members that a set must have to be followed
    """

    members: int
    edges: int
    effort: int
    sets: int
    together: int


@dataclass(frozen=True, eq=False)
class Crawled:
    """The result of a crawl: the sets met and the moves between them; set 0 is the empty set, set 1 the start.

    class_of: [symbols] int32 interval of each symbol
    source, label, target: [E] int32, the moves to non-empty sets, sorted by source and then label
    members, offsets: the states of set s are members[offsets[s] : offsets[s + 1]]
    """

    class_of: Ints
    source: Ints
    label: Ints
    target: Ints
    members: Ints
    offsets: NDArray[np.int64]

    @property
    def sets(self) -> int:
        """The number of sets, the empty set included."""
        return len(self.offsets) - 1

    @property
    def size(self) -> int:
        """The size that `most` limits: the number of non-empty sets or, if larger, of edges divided by EACH."""
        return max(self.sets - 1, -(-len(self.source) // EACH))

    def holding(self, states: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """[sets] bool, whether each set holds any of the given states [states] bool."""
        return _holding(self.members, self.offsets, states)


def crawl(nfa: Nfa, *, together: int = 1, effort: int = MAX_WORK, most: int = MAX_EDGES) -> Crawled:
    """Every set of states that a string leads to; sets with fewer than `together` members are not followed.

    Raises TooLarge if the crawl exceeds the memory limits above, `effort` visits of states or `most` sets, and
    OverLimit if the remaining time would not suffice to process the result.
    """
    check()
    most_edges = min(MAX_EDGES, EACH * most)
    in_time = int(min(most_edges, remaining() * EDGE_RATE))
    class_of = _intervals(nfa.moves, nfa.symbols)
    moves, move_offsets = _moves_by_source(nfa.moves, class_of, nfa.states)
    order, empty_offsets = by(nfa.empty[:, 0], nfa.states)
    empty_targets = nfa.empty[order, 1]
    matters = (np.diff(move_offsets) > 0) | (nfa.finals > 0)
    with loading("crawl"):
        edges, begins, members, offsets, sets, why = _subsets(
            np.array(nfa.starts, np.int32),
            (moves, move_offsets),
            (empty_targets, empty_offsets, matters),
            int(class_of.max()) + 1,
            Limits(MAX_MEMBERS, in_time, effort, most, together),
        )
    check()
    if why == EDGES and in_time < most_edges:
        raise out_of_time(f"more than {in_time:,} automaton edges")
    if why == WORK:
        raise too_slow()
    if why != DONE:
        limits = {
            EDGES: (most_edges, "edges"),
            SETS: (most, "states"),
            MEMBERS: (MAX_MEMBERS, "members of states"),
        }
        raise too_large(*limits[why])
    label, target = edges[:, : begins[sets]]
    source = np.repeat(np.arange(sets, dtype=np.int32), begins[1 : sets + 1] - begins[:sets])
    return Crawled(class_of, source, label, target, members[: offsets[sets]], offsets[: sets + 1])


@kernel
def _intervals(moves, symbols):  # pragma: no cover
    """[symbols] int32, the class of each symbol; classes are intervals that no move splits."""
    cuts = np.zeros(symbols + 1, np.bool_)
    for m in range(len(moves)):
        cuts[moves[m, 1]] = True
        cuts[moves[m, 2] + 1] = True
    class_of, count = np.zeros(symbols, np.int32), 0
    for symbol in range(1, symbols):
        count += cuts[symbol]
        class_of[symbol] = count
    return class_of


@kernel
def _moves_by_source(moves, class_of, states):  # pragma: no cover
    """The moves [M, 3] by source: first class, last class, target; and where each source's begin [states + 1]."""
    order, offsets = by(moves[:, 0], states)
    rows = np.empty((len(moves), 3), np.int32)
    for at in range(len(order)):
        m = order[at]
        rows[at, 0], rows[at, 1], rows[at, 2] = class_of[moves[m, 1]], class_of[moves[m, 2]], moves[m, 3]
    return rows, offsets


@kernel
def _holding(members, offsets, states):  # pragma: no cover
    held = np.zeros(len(offsets) - 1, np.bool_)
    for s in range(len(held)):
        for m in range(offsets[s], offsets[s + 1]):
            held[s] |= states[members[m]]
    return held


@kernel
def _close(states, count, targets, offsets, matters, mark, stamp, stack):  # pragma: no cover
    """Replace states[:count] by the states that matter among those reachable by empty moves.

    Returns how many there are, and how many states were visited.
    """
    top, work = 0, count
    for i in range(count):
        if mark[states[i]] != stamp:
            mark[states[i]] = stamp
            stack[top] = states[i]
            top += 1
    found = 0
    while top:
        top -= 1
        state = stack[top]
        if matters[state]:
            states[found] = state
            found += 1
        work += 1 + offsets[state + 1] - offsets[state]
        for e in range(offsets[state], offsets[state + 1]):
            target = targets[e]
            if mark[target] != stamp:
                mark[target] = stamp
                stack[top] = target
                top += 1
    return found, work


@kernel
def _links(states, moves, offsets):  # pragma: no cover
    """The number of pairs of a class and a target in the moves of some states."""
    links = 0
    for state in states:
        for e in range(offsets[state], offsets[state + 1]):
            links += 1 + moves[e, 1] - moves[e, 0]
    return links


@kernel
def _targets_by_class(states, moves, offsets, first, touched, target, onward):  # pragma: no cover
    """The targets of the moves of some states, as a linked list (chain) for each class.

    The chain of class c begins at link first[c], which must be −1 before; each link has a `target` and a next link
    `onward`, −1 at the end. Returns the number of classes with a chain: they are the first of `touched`, in order.
    """
    links, count = 0, 0
    for state in states:
        for e in range(offsets[state], offsets[state + 1]):
            for c in range(moves[e, 0], moves[e, 1] + 1):
                if first[c] < 0:
                    touched[count] = c
                    count += 1
                target[links], onward[links], first[c] = moves[e, 2], first[c], links
                links += 1
    touched[:count].sort()
    return count


@kernel
def _alike(one, other, target, onward):  # pragma: no cover
    """Whether two chains have the same targets in the same order, as those of neighbouring classes often do."""
    while one >= 0 and other >= 0 and target[one] == target[other]:
        one, other = onward[one], onward[other]
    return one < 0 and other < 0


@kernel
def _distinct(link, target, onward, states, mark, stamp):  # pragma: no cover
    """Write the distinct targets of a chain into `states`; returns how many there are."""
    count = 0
    while link >= 0:
        state = target[link]
        if mark[state] != stamp:
            mark[state] = stamp
            states[count] = state
            count += 1
        link = onward[link]
    return count


@kernel
def _with_room(edges, count, most):  # pragma: no cover
    """The edges [2, E] with room for `count` edges: twice as many as before, but no more than may be needed."""
    if count <= edges.shape[1]:
        return edges
    wider = np.empty((2, max(count, min(2 * edges.shape[1], most))), np.int32)
    for e in range(edges.shape[1]):
        wider[0, e], wider[1, e] = edges[0, e], edges[1, e]
    return wider


@kernel
def _start_set(starts, empty_targets, empty_offsets, matters, mark, stack):  # pragma: no cover
    """The members, with those of set 1, and how many; the offsets, digests and table that know that set."""
    members, (offsets, digests, table) = np.empty(1024 + len(matters), np.int32), no_sequences()
    for i in range(len(starts)):
        members[i] = starts[i]
    size, _ = _close(members, len(starts), empty_targets, empty_offsets, matters, mark, 1, stack)
    members[:size].sort()
    offsets, digests, table = push(offsets, digests, table, 1, size, digest_of(members, 0, size))
    return members, size, offsets, digests, table


@kernel
def _subsets(starts, by_state, empty, classes, limits):  # pragma: no cover
    """The subset construction, one set at a time; the result is valid only if it ended with DONE.

    by_state: the moves, and where those of each state begin; empty: likewise empty moves, and which states matter
    Returns the edges and where those of each set begin; the members likewise; the number of sets; why it ended.
    """
    (moves, move_offsets), (empty_targets, empty_offsets, matters) = by_state, empty
    states = len(matters)
    mark, seen, stack = np.zeros(states, np.int32), np.zeros(states, np.int32), np.empty(states + 1, np.int32)
    first, touched = np.full(classes, -1, np.int32), np.empty(classes, np.int32)
    link_target, onward = np.empty(1024, np.int32), np.empty(1024, np.int32)
    edges, begins, count = np.empty((2, 1024), np.int32), np.zeros(256, np.int64), 0
    members, size, offsets, digests, table = _start_set(
        starts, empty_targets, empty_offsets, matters, mark, stack
    )
    at, sets, filled, look, stamp, work = 0, 2, size, SLICE, 1, 0
    while at + 1 < sets:
        at += 1
        begins = grown_to(begins, at + 2)
        begins[at] = count
        own = members[offsets[at] : offsets[at + 1]]
        if len(own) < limits.together:
            continue
        links = _links(own, moves, move_offsets)
        if links > MAX_EDGES:
            return edges, begins, members, offsets, sets, MEMBERS
        if links > len(onward):
            link_target, onward = grown(link_target, links), grown(onward, links)
        labels = _targets_by_class(own, moves, move_offsets, first, touched, link_target, onward)
        edges, work, target = _with_room(edges, count + labels, limits.edges), work + links, 0
        for t in range(labels):
            c = touched[t]
            if t == 0 or not _alike(first[c], first[touched[t - 1]], link_target, onward):
                members, stamp = grown_to(members, filled + states), stamp + 1
                new = members[filled:]
                size = _distinct(first[c], link_target, onward, new, seen, stamp)
                size, looked = _close(new, size, empty_targets, empty_offsets, matters, mark, stamp, stack)
                work += looked
                if work > look:
                    look = work + SLICE
                    if work > limits.effort or used_up():
                        return edges, begins, members, offsets, sets, WORK
                new[:size].sort()
                target, digest = find(members, offsets, digests, table, sets, filled + size)
                target = target if size else 0
                if size and not target:
                    target, sets, filled = sets, sets + 1, filled + size
                    if target > limits.sets or filled > limits.members:
                        why = SETS if target > limits.sets else MEMBERS
                        return edges, begins, members, offsets, sets, why
                    offsets, digests, table = push(offsets, digests, table, target, filled, digest)
            if target:
                if count >= limits.edges:
                    return edges, begins, members, offsets, sets, EDGES
                edges[0, count], edges[1, count] = c, target
                count += 1
        for t in range(labels):
            first[touched[t]] = -1
    begins[sets] = count
    return edges, begins, members, offsets, sets, DONE
