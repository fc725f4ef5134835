"""The search for the nearest text: a shortest path through the readings of an answer and the graph of all texts.

A point of the search is (place in the answer, node of the graph, mode). Places are worked off from left to right, the
points of one place by rising distance (Dijkstra's algorithm with a bucket for each distance), because adding a byte
stays in its place and everything else leads to a later one. No weight is negative, so the distance of a point is final
when it is taken out; a point beyond `most` is left out, so what is found within `most` is nearest.

Modes: in the text, in the text within a run of deleted or of added bytes, before the text, and after it. In a run
everything is possible that is possible outside it, at no higher weight, so a point of a run that is no farther makes
the one outside it superfluous; and a point of a run farther by what a run costs to begin is superfluous itself.
"""

from __future__ import annotations

import numpy as np

from structgen_engine.jit import kernel
from structgen_engine.kernels.nearest.expand import expanded

TEXT, DELETING, ADDING, BEFORE, AFTER = range(5)
ROOM = 64  # points that one point may add beside those of its edges
MODES = 3  # that a node may be in
NOTHING, COMPLETION = -1, -2  # written: no byte; the shortest completion of the node before
FOUND, FAR, GRAPH_FULL, POINTS_FULL = range(4)


@kernel
def _push(to, node, mode, cost, parent, written, most, heads, points, filled):  # pragma: no cover
    """The number of points after one more, in the list of its place; those beyond `most` are dropped."""
    if cost > most:
        return filled
    p_place, p_node, p_mode, p_cost, p_parent, p_written, p_next = points
    p_place[filled], p_node[filled], p_mode[filled] = to, node, mode
    p_cost[filled], p_parent[filled], p_written[filled] = cost, parent, written
    p_next[filled], heads[to] = heads[to], filled
    return filled + 1


@kernel
def search(  # pragma: no cover
    places, arcs, drops, skips, machine, added, graph, points, most, opening, begin
):
    """(status, the last point). Room that is lacking is reported as GRAPH_FULL or POINTS_FULL; then call again.

    places: following, whether the text may be cut off here; weights of deleting a byte alone and in a run, of
        replacing it, of beginning and of ending the text here
    arcs: at, to, label, weight, byte: of what the answer may be read as; drops, skips: at, to, weight: of what may be
        left out
    machine, graph: arrays of both; added: [K] weight of adding a byte alone and in a run, and the byte of each class
    opening: weights of beginning a run of deleted and of added bytes, and the greatest weight of completing a text that
        is cut off, which otherwise is its length; begin: the node to begin in
    """
    following, cheap, alone, run, replaced, enter, leave = places
    arc_at, arc_to, arc_label, arc_cost, arc_written = arcs
    drop_at, drop_to, drop_cost = drops
    skip_at, skip_to, skip_cost = skips
    nodes, stacks, edges, pairs = graph[1], graph[2], graph[3], graph[4]
    once, runs, written_of = added
    accepts, e_begin, e_end, p_begin, p_end = nodes[3], nodes[4], nodes[5], nodes[6], nodes[7]
    e_label, e_target = edges
    pair_target, pair_label = pairs
    p_node, p_mode, p_cost, p_next = points[1], points[2], points[3], points[6]
    open_delete, open_add, longest_cut = opening
    state, stack, left_of, stack_left = nodes[0], nodes[2], machine[14], stacks[3]
    last, room = len(following) - 1, len(nodes[0])
    heads = np.full(last + 1, -1, np.int32)
    bucket = np.full(most + 2, -1, np.int32)
    settled_at, settled = np.full((MODES, room), -1, np.int32), np.zeros((MODES, room), np.int32)
    seen_at, seen = np.full((2, MODES, room), -1, np.int32), np.zeros((2, MODES, room), np.int32)
    around_at = np.full(2, -1, np.int32)
    filled = _push(0, begin, BEFORE if begin == 0 else TEXT, 0, -1, NOTHING, most, heads, points, 0)
    side = 0
    for here in range(last + 1):
        main = following[here] >= 0 or here == last
        if main:
            side = 1 - side
        if heads[here] < 0:
            continue
        lowest, e = most, heads[here]
        while e >= 0:
            after, c = p_next[e], p_cost[e]
            p_next[e], bucket[c] = bucket[c], e
            lowest = min(lowest, c)
            e = after
        for c in range(lowest, most + 1):
            while bucket[c] >= 0:
                e = bucket[c]
                bucket[c] = p_next[e]
                node, mode = p_node[e], p_mode[e]
                if filled + ROOM > len(p_node):
                    return POINTS_FULL, 0
                if mode >= BEFORE:
                    if around_at[mode - BEFORE] == here:
                        continue
                    around_at[mode - BEFORE] = here
                    if mode == AFTER and here == last:
                        return FOUND, e
                    for k in range(skip_at[here], skip_at[here + 1]):
                        if filled == len(p_node):
                            return POINTS_FULL, 0
                        filled = _push(
                            skip_to[k], node, mode, c + skip_cost[k], e, NOTHING, most, heads, points, filled
                        )
                    if mode == AFTER or c + enter[here] > most:
                        continue
                    mode, c_in = TEXT, c + enter[here]
                    if c_in > c:
                        if seen_at[side, TEXT, 0] != here or seen[side, TEXT, 0] > c_in:
                            seen_at[side, TEXT, 0], seen[side, TEXT, 0] = here, c_in
                            before = heads[here]
                            filled = _push(here, 0, TEXT, c_in, e, NOTHING, most, heads, points, filled)
                            heads[here] = before
                            p_next[filled - 1], bucket[c_in] = bucket[c_in], filled - 1
                        continue
                if settled_at[mode, node] == here:
                    continue
                if mode == TEXT:
                    if settled_at[DELETING, node] == here or settled_at[ADDING, node] == here:
                        continue
                else:
                    to_open = open_delete if mode == DELETING else open_add
                    if settled_at[TEXT, node] == here and settled[TEXT, node] + to_open <= c:
                        continue
                    other = ADDING if mode == DELETING else DELETING
                    if settled_at[other, node] == here and settled[other, node] + to_open <= c:
                        continue
                settled_at[mode, node], settled[mode, node] = here, c
                if e_begin[node] < 0 and not expanded(node, machine, graph):
                    return GRAPH_FULL, 0
                if filled + 4 * (p_end[node] - p_begin[node] + 4) + 8 * (
                    arc_at[here + 1] - arc_at[here]
                ) > len(p_node):
                    return POINTS_FULL, 0
                low, high = e_begin[node], e_end[node]
                for k in range(arc_at[here], arc_at[here + 1]):
                    to, cost, label = arc_to[k], c + arc_cost[k], arc_label[k]
                    if cost > most:
                        continue
                    left, right = low, high
                    while left < right:
                        middle = (left + right) // 2
                        if e_label[middle] < label:
                            left = middle + 1
                        else:
                            right = middle
                    while left < high and e_label[left] == label:
                        target = e_target[left]
                        left += 1
                        if to == following[here]:
                            if seen_at[1 - side, TEXT, target] == to and seen[1 - side, TEXT, target] <= cost:
                                continue
                            seen_at[1 - side, TEXT, target], seen[1 - side, TEXT, target] = to, cost
                        if filled == len(p_node):
                            return POINTS_FULL, 0
                        filled = _push(to, target, TEXT, cost, e, arc_written[k], most, heads, points, filled)
                if not main:
                    continue
                if accepts[node]:
                    before = heads[here]
                    filled = _push(here, 0, AFTER, c + leave[here], e, NOTHING, most, heads, points, filled)
                    if heads[here] != before:
                        heads[here] = before
                        p_next[filled - 1], bucket[c + leave[here]] = bucket[c + leave[here]], filled - 1
                elif cheap[here]:
                    cost = c + min(left_of[state[node]] + stack_left[stack[node]], longest_cut)
                    if cost <= most:
                        before = heads[here]
                        filled = _push(here, 0, AFTER, cost, e, COMPLETION, most, heads, points, filled)
                        heads[here] = before
                        p_next[filled - 1], bucket[cost] = bucket[cost], filled - 1
                for k in range(p_begin[node], p_end[node]):
                    target, label = pair_target[k], pair_label[k]
                    for kind in (TEXT, ADDING):
                        if kind == TEXT:
                            cost = c + once[label]
                        else:
                            cost = c + runs[label] + (0 if mode == ADDING else open_add)
                        if cost > most:
                            continue
                        if seen_at[side, kind, target] == here and seen[side, kind, target] <= cost:
                            continue
                        seen_at[side, kind, target], seen[side, kind, target] = here, cost
                        before = heads[here]
                        filled = _push(
                            here, target, kind, cost, e, written_of[label], most, heads, points, filled
                        )
                        heads[here] = before
                        p_next[filled - 1], bucket[cost] = bucket[cost], filled - 1
                if here == last:
                    continue
                to = following[here]
                cost = c + alone[here]
                if cost <= most and not (
                    seen_at[1 - side, TEXT, node] == to and seen[1 - side, TEXT, node] <= cost
                ):
                    seen_at[1 - side, TEXT, node], seen[1 - side, TEXT, node] = to, cost
                    filled = _push(to, node, TEXT, cost, e, NOTHING, most, heads, points, filled)
                cost = c + run[here] + (0 if mode == DELETING else open_delete)
                if cost <= most and not (
                    seen_at[1 - side, DELETING, node] == to and seen[1 - side, DELETING, node] <= cost
                ):
                    seen_at[1 - side, DELETING, node], seen[1 - side, DELETING, node] = to, cost
                    filled = _push(to, node, DELETING, cost, e, NOTHING, most, heads, points, filled)
                for k in range(drop_at[here], drop_at[here + 1]):
                    if filled == len(p_node):
                        return POINTS_FULL, 0
                    filled = _push(
                        drop_to[k], node, TEXT, c + drop_cost[k], e, NOTHING, most, heads, points, filled
                    )
                cost = c + replaced[here]
                if cost > most:
                    continue
                for k in range(p_begin[node], p_end[node]):
                    target = pair_target[k]
                    if seen_at[1 - side, TEXT, target] == to and seen[1 - side, TEXT, target] <= cost:
                        continue
                    seen_at[1 - side, TEXT, target], seen[1 - side, TEXT, target] = to, cost
                    if filled == len(p_node):
                        return POINTS_FULL, 0
                    filled = _push(
                        to, target, TEXT, cost, e, written_of[pair_label[k]], most, heads, points, filled
                    )
    return FAR, 0
