"""The one construction: crawl the sets of states that some string can reach.

Determinising, intersecting, uniting and complementing are the same walk. It starts from a set of states of a
nondeterministic automaton and follows every symbol class, naming each set it meets once (the subset construction of
Rabin and Scott, 1959). Two deterministic automata laid side by side, started in both starts at once, meet sets that
are pairs: the product. Only the rule that says which sets accept differs, and it reads the finished sets.

Symbols are first grouped into intervals no move splits, so that a step costs one set operation per interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.edges import by
from structgen.automata.finite.nfa import Ints, Nfa, too_large, too_slow
from structgen.limits.budget import check, loading, out_of_time, remaining
from structgen.limits.interrupt import SLICE, used_up

# What the crawl may hold: members of sets (4 bytes) and edges (about 100 bytes until minimal).
MAX_MEMBERS = 50_000_000
MAX_EDGES = 10_000_000
MAX_WORK = 250_000_000  # states looked at, each time: about five seconds
EACH = 50  # edges for each set that a crawl may meet
EDGE_RATE = 500_000  # edges for which a second suffices, with all that is done to them later
DONE, WORK, EDGES, SETS, MEMBERS = range(5)  # why a crawl ended


@dataclass(frozen=True, eq=False)
class Crawled:
    """The sets met and the moves between them; set 0 is the empty one, set 1 the start.

    class_of: [symbols] int32 interval of each symbol
    source, label, target: [E] int32, the moves to sets that are not empty, by source and then label
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
        """How many sets there are, the empty one included."""
        return len(self.offsets) - 1

    @property
    def size(self) -> int:
        """What `most` limits: the sets, the empty one aside, or the edges at EACH to a set where those are more."""
        return max(self.sets - 1, -(-len(self.source) // EACH))

    def holding(self, states: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """[sets] bool: the sets that hold any of these states, [states] bool."""
        return _holding(self.members, self.offsets, states)


def crawl(nfa: Nfa, *, together: int = 1, effort: int = MAX_WORK, most: int = MAX_EDGES) -> Crawled:
    """Every set of states that a string leads to; sets with fewer than `together` members are not followed.

    Raises TooLarge where that takes more memory than the limits above, more work than `effort` or more than `most`
    sets, and OverLimit where what would come of it could not be handled in the time that is left.
    """
    check()
    edges = min(MAX_EDGES, EACH * most)
    in_time = int(min(edges, remaining() * EDGE_RATE))
    class_of = _intervals(nfa.moves, nfa.symbols)
    moves, move_offsets = _moves_by_source(nfa.moves, class_of, nfa.states)
    order, empty_offsets = by(nfa.empty[:, 0], nfa.states)
    empty_targets = nfa.empty[order, 1]
    matters = (np.diff(move_offsets) > 0) | (nfa.finals > 0)
    with loading("crawl"):
        source, label, target, members, offsets, why = _subsets(
            np.array(nfa.starts, np.int32),
            moves,
            move_offsets,
            empty_targets,
            empty_offsets,
            matters,
            int(class_of.max()) + 1,
            together,
            (MAX_MEMBERS, in_time, effort, most),
        )
    check()
    if why == EDGES and in_time < edges:
        raise out_of_time(f"more than {in_time:,} automaton edges")
    if why == WORK:
        raise too_slow()
    if why != DONE:
        limits = {
            EDGES: (edges, "edges"),
            SETS: (most, "states"),
            MEMBERS: (MAX_MEMBERS, "members of states"),
        }
        raise too_large(*limits[why])
    return Crawled(class_of, source, label, target, members, offsets)


@nb.njit(cache=True)
def _intervals(moves, symbols):  # pragma: no cover
    """[symbols] int32: intervals of symbols that no move splits, as the class of each symbol."""
    cuts = np.zeros(symbols + 1, np.bool_)
    for m in range(len(moves)):
        cuts[moves[m, 1]] = True
        cuts[moves[m, 2] + 1] = True
    class_of, count = np.zeros(symbols, np.int32), 0
    for symbol in range(1, symbols):
        count += cuts[symbol]
        class_of[symbol] = count
    return class_of


@nb.njit(cache=True)
def _moves_by_source(moves, class_of, states):  # pragma: no cover
    """The moves [M, 3] by source: first and last class, target; and [states + 1] where those of each source begin."""
    order, offsets = by(moves[:, 0], states)
    rows = np.empty((len(moves), 3), np.int32)
    for at in range(len(order)):
        m = order[at]
        rows[at, 0], rows[at, 1], rows[at, 2] = class_of[moves[m, 1]], class_of[moves[m, 2]], moves[m, 3]
    return rows, offsets


@nb.njit(cache=True)
def _holding(members, offsets, states):  # pragma: no cover
    held = np.zeros(len(offsets) - 1, np.bool_)
    for s in range(len(held)):
        for m in range(offsets[s], offsets[s + 1]):
            held[s] |= states[members[m]]
    return held


@nb.njit(cache=True)
def _grown(array, size) -> Any:  # pragma: no cover
    bigger = np.empty(max(size, 2 * len(array)), array.dtype)  # what is not written yet takes no memory
    bigger[: len(array)] = array
    return bigger


@nb.njit(cache=True)
def _close(states, count, empty_targets, empty_offsets, matters, mark, stamp, stack):  # pragma: no cover
    """Replace states[:count] by the states that matter among those reachable by empty moves.

    Returns how many there are, and how many states were looked at.
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
        work += 1 + empty_offsets[state + 1] - empty_offsets[state]
        for e in range(empty_offsets[state], empty_offsets[state + 1]):
            target = empty_targets[e]
            if mark[target] != stamp:
                mark[target] = stamp
                stack[top] = target
                top += 1
    return found, work


@nb.njit(cache=True)
def _digest(states, count):  # pragma: no cover
    digest = np.uint64(count + 1)
    for i in range(count):
        digest = (digest ^ np.uint64(states[i])) * np.uint64(0x9E3779B97F4A7C15)
        digest ^= digest >> np.uint64(29)
    return digest


@nb.njit(cache=True)
def _rehashed(members, offsets, sets, mask):  # pragma: no cover
    """A hash table of mask + 1 slots that holds the numbers of all sets."""
    table = np.zeros(mask + 1, np.int32)
    for other in range(1, sets):
        size = offsets[other + 1] - offsets[other]
        slot = np.int64(_digest(members[offsets[other] :], size) & np.uint64(mask))
        while table[slot]:
            slot = (slot + 1) & mask
        table[slot] = other
    return table


@nb.njit(cache=True)
def _subsets(  # pragma: no cover
    starts, moves, move_offsets, empty_targets, empty_offsets, matters, classes, together, limits
):
    """The moves between the sets met, the sets, and why it ended: of no use if not DONE.

    limits: of members and edges held, of work and of sets
    """
    most, most_edges, effort, most_sets = limits
    states = len(matters)
    mark, stamp = np.zeros(states, np.int32), 0
    stack, scratch = np.empty(states + 1, np.int32), np.empty(states + 1, np.int32)
    seen, seen_stamp = np.zeros(states, np.int32), 0
    members, offsets = np.empty(1024, np.int32), np.zeros(257, np.int64)
    source, label, target = np.empty(1024, np.int32), np.empty(1024, np.int32), np.empty(1024, np.int32)
    table, mask = np.zeros(1024, np.int32), 1023
    sets, known, filled, edges, at, work, look = 1, 0, 0, 0, 0, 0, SLICE
    first = np.full(classes, -1, np.int32)  # per class, a chain of (target, next) pairs
    touched = np.empty(classes, np.int32)
    pairs, chain = np.empty(1024, np.int32), np.empty(1024, np.int32)
    while at < sets:
        count_pairs, count_touched = 0, 0
        if offsets[at + 1] - offsets[at] >= together:
            for m in range(offsets[at], offsets[at + 1]):
                state = members[m]
                for e in range(move_offsets[state], move_offsets[state + 1]):
                    for c in range(moves[e, 0], moves[e, 1] + 1):
                        if count_pairs == MAX_EDGES:
                            return source, label, target, members, offsets, MEMBERS
                        if count_pairs == len(pairs):
                            pairs, chain = _grown(pairs, 0), _grown(chain, 0)
                        if first[c] < 0:
                            touched[count_touched] = c
                            count_touched += 1
                        pairs[count_pairs] = moves[e, 2]
                        chain[count_pairs] = first[c]
                        first[c] = count_pairs
                        count_pairs += 1
        work += count_pairs
        touched[:count_touched].sort()
        for t in range(count_touched if at else 1):  # set 0 stands for the way into the start
            count, c = 0, touched[t]
            if at == 0:
                for s in starts:
                    scratch[count] = s
                    count += 1
            else:
                seen_stamp += 1
                p = first[c]
                while p >= 0:
                    if seen[pairs[p]] != seen_stamp:
                        seen[pairs[p]] = seen_stamp
                        scratch[count] = pairs[p]
                        count += 1
                    p = chain[p]
                if t > 0:  # neighbouring classes often lead to the same set
                    p, q = first[c], first[touched[t - 1]]
                    while p >= 0 and q >= 0 and pairs[p] == pairs[q]:
                        p, q = chain[p], chain[q]
                    if p < 0 and q < 0:
                        if known:
                            if edges >= most_edges:
                                return source, label, target, members, offsets, EDGES
                            if edges == len(source):
                                source, label, target = _grown(source, 0), _grown(label, 0), _grown(target, 0)
                            source[edges], label[edges], target[edges] = at, c, known
                            edges += 1
                        continue
            stamp += 1
            count, looked = _close(scratch, count, empty_targets, empty_offsets, matters, mark, stamp, stack)
            work += looked
            if work > look:
                look = work + SLICE
                if work > effort or used_up():
                    return source, label, target, members, offsets, WORK
            known = 0
            if count == 0 and at > 0:
                continue
            scratch[:count].sort()
            slot = np.int64(_digest(scratch, count) & np.uint64(mask))
            while table[slot]:
                other = table[slot]
                if offsets[other + 1] - offsets[other] == count:
                    same = True
                    for i in range(count):
                        if members[offsets[other] + i] != scratch[i]:
                            same = False
                            break
                    if same:
                        known = other
                        break
                slot = (slot + 1) & mask
            if not known:
                if filled + count > most or sets > most_sets:
                    return source, label, target, members, offsets, MEMBERS if sets <= most_sets else SETS
                known = sets
                table[slot] = known
                if filled + count > len(members):
                    members = _grown(members, filled + count)
                members[filled : filled + count] = scratch[:count]
                filled += count
                sets += 1
                if sets + 1 > len(offsets):
                    offsets = _grown(offsets, 0)
                offsets[sets] = filled
                if 2 * sets > mask:
                    mask = 2 * mask + 1
                    table = _rehashed(members, offsets, sets, mask)
            if at > 0:
                if edges >= most_edges:
                    return source, label, target, members, offsets, EDGES
                if edges == len(source):
                    source, label, target = _grown(source, 0), _grown(label, 0), _grown(target, 0)
                source[edges], label[edges], target[edges] = at, c, known
                edges += 1
        for t in range(count_touched):
            first[touched[t]] = -1
        at += 1
    return source[:edges], label[:edges], target[:edges], members[:filled], offsets[: sets + 1], DONE
