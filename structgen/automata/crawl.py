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

from structgen.automata.nfa import Ints, Nfa, too_large, too_slow

# What the crawl may hold: table cells (4 bytes), members of sets (4 bytes) and edges (about 100 bytes until minimal).
MAX_CELLS = 100_000_000
MAX_MEMBERS = 50_000_000
MAX_EDGES = 10_000_000
MAX_WORK = 250_000_000  # states looked at, each time: about five seconds


@dataclass(frozen=True, eq=False)
class Crawled:
    """The sets met and the moves between them; set 0 is the empty one.

    class_of: [symbols] int32 interval of each symbol; delta: [S, K] int32; start: 1
    members, offsets: the states of set s are members[offsets[s] : offsets[s + 1]]
    """

    class_of: Ints
    delta: Ints
    members: Ints
    offsets: NDArray[np.int64]


def crawl(nfa: Nfa, *, together: int = 1) -> Crawled:
    """Every set of states that a string leads to; sets with fewer than `together` members are not followed."""
    class_of, first, last = _intervals(nfa)
    order = np.argsort(nfa.moves[:, 0], kind="stable")
    moves = np.ascontiguousarray(
        np.stack([first[order], last[order], nfa.moves[order, 3]], axis=1).astype(np.int32)
    )
    move_offsets = _offsets(nfa.moves[order, 0], nfa.states)
    by_source = np.argsort(nfa.empty[:, 0], kind="stable")
    empty_targets = np.ascontiguousarray(nfa.empty[by_source, 1])
    empty_offsets = _offsets(nfa.empty[by_source, 0], nfa.states)
    matters = (np.diff(move_offsets) > 0) | (nfa.finals > 0)
    delta, members, offsets, work = _subsets(
        np.array(nfa.starts, np.int32),
        moves,
        move_offsets,
        empty_targets,
        empty_offsets,
        matters,
        int(class_of.max()) + 1,
        together,
        (MAX_CELLS, MAX_MEMBERS, MAX_EDGES, MAX_WORK),
    )
    if not len(delta):
        raise too_slow() if work > MAX_WORK else too_large(MAX_EDGES, "edges")
    return Crawled(class_of, delta, members, offsets)


def _intervals(nfa: Nfa) -> tuple[Ints, Ints, Ints]:
    """Intervals of symbols that no move splits: class of each symbol, first and last class of each move."""
    cuts = np.zeros(nfa.symbols + 1, bool)
    cuts[nfa.moves[:, 1]] = True
    cuts[nfa.moves[:, 2] + 1] = True
    cuts[0] = False
    class_of = np.cumsum(cuts)[: nfa.symbols].astype(np.int32)
    return class_of, class_of[nfa.moves[:, 1]], class_of[nfa.moves[:, 2]]


def _offsets(sorted_sources: Ints, states: int) -> NDArray[np.int64]:
    return np.searchsorted(sorted_sources, np.arange(states + 1)).astype(np.int64)


@nb.njit(cache=True)
def _grown(array, size) -> Any:  # pragma: no cover
    bigger = np.zeros(max(size, 2 * len(array)), array.dtype)
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
def _subsets(  # pragma: no cover
    starts, moves, move_offsets, empty_targets, empty_offsets, matters, classes, together, limits
):
    """Tables of the sets met, and the work it took to find them.

    limits: of cells, members, edges and work; no rows where one is exceeded
    """
    cells, most, edges, effort = limits
    limit = cells // classes
    states = len(matters)
    mark, stamp = np.zeros(states, np.int64), 0
    stack, scratch = np.empty(states + 1, np.int32), np.empty(states + 1, np.int32)
    seen, seen_stamp = np.zeros(states, np.int64), 0
    members, offsets = np.empty(1024, np.int32), np.zeros(257, np.int64)
    delta = np.zeros((256, classes), np.int32)
    table, mask = np.zeros(1024, np.int32), 1023
    sets, filled, at, work = 1, 0, 0, 0
    first = np.empty(classes, np.int32)  # per class, a chain of (target, next) pairs
    pairs, chain = np.empty(1024, np.int32), np.empty(1024, np.int32)
    while at < sets:
        first[:] = -1
        count_pairs = 0
        if at > 0:
            alive = offsets[at + 1] - offsets[at] >= together
            for m in range(offsets[at], offsets[at + 1]):
                if not alive:
                    break
                state = members[m]
                for e in range(move_offsets[state], move_offsets[state + 1]):
                    for c in range(moves[e, 0], moves[e, 1] + 1):
                        if count_pairs == most:
                            return delta[:0], members[:0], offsets[:0], work
                        if count_pairs == len(pairs):
                            pairs, chain = _grown(pairs, 0), _grown(chain, 0)
                        pairs[count_pairs] = moves[e, 2]
                        chain[count_pairs] = first[c]
                        first[c] = count_pairs
                        count_pairs += 1
        work += count_pairs
        for c in range(-1, classes):
            count = 0
            if c < 0:
                if at != 0:
                    continue
                for s in starts:
                    scratch[count] = s
                    count += 1
            else:
                if at == 0 or first[c] < 0:
                    continue
                seen_stamp += 1
                p = first[c]
                while p >= 0:
                    if seen[pairs[p]] != seen_stamp:
                        seen[pairs[p]] = seen_stamp
                        scratch[count] = pairs[p]
                        count += 1
                    p = chain[p]
                if c > 0 and first[c - 1] >= 0:  # neighbouring classes often lead to the same set
                    p, q = first[c], first[c - 1]
                    while p >= 0 and q >= 0 and pairs[p] == pairs[q]:
                        p, q = chain[p], chain[q]
                    if p < 0 and q < 0:
                        delta[at, c] = delta[at, c - 1]
                        edges -= 1
                        continue
            stamp += 1
            count, looked = _close(scratch, count, empty_targets, empty_offsets, matters, mark, stamp, stack)
            work += looked
            if work > effort:
                return delta[:0], members[:0], offsets[:0], work
            if count == 0 and c >= 0:
                continue
            scratch[:count].sort()
            slot = np.int64(_digest(scratch, count) & np.uint64(mask))
            found = 0
            while table[slot]:
                other = table[slot]
                if offsets[other + 1] - offsets[other] == count:
                    same = True
                    for i in range(count):
                        if members[offsets[other] + i] != scratch[i]:
                            same = False
                            break
                    if same:
                        found = other
                        break
                slot = (slot + 1) & mask
            if not found:
                if sets >= limit or filled + count > most:
                    return delta[:0], members[:0], offsets[:0], work
                found = sets
                table[slot] = found
                if filled + count > len(members):
                    members = _grown(members, filled + count)
                members[filled : filled + count] = scratch[:count]
                filled += count
                sets += 1
                if sets + 1 > len(offsets):
                    offsets = _grown(offsets, 0)
                offsets[sets] = filled
                if sets > len(delta):
                    wider = np.zeros((min(2 * len(delta), max(limit, 256)), classes), np.int32)
                    wider[: len(delta)] = delta
                    delta = wider
                if 2 * sets > mask:
                    mask = 2 * mask + 1
                    table = np.zeros(mask + 1, np.int32)
                    for other in range(1, sets):
                        size = offsets[other + 1] - offsets[other]
                        slot = np.int64(_digest(members[offsets[other] :], size) & np.uint64(mask))
                        while table[slot]:
                            slot = (slot + 1) & mask
                        table[slot] = other
            if c >= 0:
                delta[at, c] = found
                edges -= 1
        if edges < 0:
            return delta[:0], members[:0], offsets[:0], work
        at += 1
    return delta[:sets], members[:filled], offsets[: sets + 1], work
