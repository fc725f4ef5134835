"""The shortest paths to a return in automata that call each other."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.nfa import Ints
from structgen_engine.jit import kernel

ENDLESS = 1 << 62  # the length of a path that does not exist


def shortest_ways(
    source: Ints, target: Ints, entered: Ints, accepting: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The length in symbols of the shortest path from each state to a return, and its first edge (−1: return now).

    entered: [E] the start of the component that an edge calls, −1 if it reads a symbol, 0 if no path leads through it
    This is Dijkstra's algorithm with edges that cost as much as another state's path (Knuth, "A generalization of
    Dijkstra's algorithm", 1977). Returns [S] lengths, ENDLESS if there is no path, and [S] edges.
    """
    return _distances(source, target, entered, accepting)


@kernel
def _grouped(keys, states):  # pragma: no cover
    """The items grouped by key: item order[i] has key k for at[k] ≤ i < at[k + 1]; negative keys are left out."""
    at = np.zeros(states + 1, np.int64)
    for key in keys:
        if key >= 0:
            at[key + 1] += 1
    for state in range(states):
        at[state + 1] += at[state]
    order, fill = np.empty(at[states], np.int32), at[:-1].copy()
    for item in range(len(keys)):
        if keys[item] >= 0:
            order[fill[keys[item]]] = item
            fill[keys[item]] += 1
    return order, at


@kernel
def _distances(source, target, entered, accepting):  # pragma: no cover
    states = len(accepting)
    into, into_at = _grouped(target, states)
    through, through_at = _grouped(entered, states)
    best, choice = np.full(states, ENDLESS, np.int64), np.full(states, -1, np.int64)
    done = np.zeros(states, np.bool_)
    heap = [(np.int64(0), np.int64(0))]
    heap.pop()
    for state in range(1, states):
        if accepting[state]:
            best[state] = 0
            heap.append((np.int64(0), np.int64(state)))  # equal keys: a heap already
    while heap:
        length, state = heapq.heappop(heap)
        if done[state]:
            continue
        done[state] = True
        incoming = into_at[state + 1] - into_at[state]
        for i in range(incoming + through_at[state + 1] - through_at[state]):
            if i < incoming:
                edge = into[into_at[state] + i]
                cost = best[entered[edge]] if entered[edge] >= 0 else 1
                ready = entered[edge] < 0 or done[entered[edge]]  # 0, a component without strings, never is
            else:
                edge = through[through_at[state] + i - incoming]
                cost, ready = best[target[edge]], done[target[edge]]
            total = min(length + cost, ENDLESS - 1)
            if ready and total < best[source[edge]]:
                best[source[edge]] = total
                choice[source[edge]] = edge
                heapq.heappush(heap, (total, np.int64(source[edge])))  # pyright: ignore[reportArgumentType]
    return best, choice
