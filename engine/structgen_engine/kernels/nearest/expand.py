"""The edges of a node: those of every state that its calls and returns lead to."""

from __future__ import annotations

import numpy as np

from structgen_engine.jit import kernel


@kernel
def _slot(a, b, c, size):  # pragma: no cover
    mixed = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed = (mixed ^ (np.uint64(c) * np.uint64(0x165667B19E3779F9))) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mixed >> np.uint64(20)) & np.int64(size - 1)


@kernel
def interned(a, b, c, first, second, third, table, counts, which):  # pragma: no cover
    """The number of the row (a, b, c), a new one if it has none yet; −1 if there is no room."""
    at = _slot(a, b, c, len(table))
    while table[at] >= 0:
        found = table[at]
        if first[found] == a and second[found] == b and third[found] == c:
            return np.int64(found)
        at = (at + 1) & np.int64(len(table) - 1)
    new = counts[which]
    if new >= len(first):
        return np.int64(-1)
    counts[which] = new + 1
    first[new], second[new], third[new] = a, b, c
    table[at] = new
    return new


@kernel
def rehash(first, second, third, table, count):  # pragma: no cover
    """Enter all rows into an empty table."""
    for row in range(count):
        at = _slot(first[row], second[row], third[row], len(table))
        while table[at] >= 0:
            at = (at + 1) & np.int64(len(table) - 1)
        table[at] = row


@kernel
def expanded(node, machine, graph):  # pragma: no cover
    """Find the edges of a node. False if there is no room for them; then nothing but new nodes is changed."""
    counts, nodes, stacks, edges, pairs, tables = graph
    moves_at, label, target = machine[0], machine[1], machine[2]
    call_at, callee, back = machine[3], machine[4], machine[5]
    accepting, final, hub, start = machine[6], machine[7], machine[8], machine[9]
    gives, asks, walked = machine[10], machine[11], machine[12]
    order_of, left_of = machine[13], machine[14]
    state, parts, stack, accepts, begin, end, pair_begin, pair_end, mark, slot = nodes
    s_back, s_parts, s_below, s_left = stacks
    e_label, e_target = edges
    p_target, p_label = pairs
    counts[4] += 1
    stamp, filled = counts[4], counts[2]
    waiting = [np.int64(node)]
    mark[node] = stamp
    ends = False
    while len(waiting):
        at = waiting.pop()
        q, below = state[at], np.int64(stack[at])
        if accepting[q]:
            if below == 0:
                ends = True
            else:
                to = interned(
                    s_back[below], s_parts[below], s_below[below], state, parts, stack, tables[0], counts, 0
                )
                if to < 0:
                    return False
                if mark[to] != stamp:
                    mark[to] = stamp
                    waiting.append(to)
        for call in range(call_at[q], call_at[q + 1]):
            c = callee[call]
            if walked[c] or parts[at] & gives[c] or asks[c] & ~parts[at]:
                continue
            over = below
            if not final[back[call]]:
                kept = parts[at] | gives[c] if hub[back[call]] else np.int64(0)
                over = interned(back[call], kept, below, s_back, s_parts, s_below, tables[1], counts, 1)
                if over < 0:
                    return False
                s_left[over] = left_of[back[call]] + s_left[below]
            to = interned(start[c], np.int64(0), over, state, parts, stack, tables[0], counts, 0)
            if to < 0:
                return False
            if mark[to] != stamp:
                mark[to] = stamp
                waiting.append(to)
        if filled + moves_at[q + 1] - moves_at[q] > len(e_label):
            return False
        for move in range(moves_at[q], moves_at[q + 1]):
            onward, left, kept = np.int64(target[move]), below, np.int64(0)
            while final[onward] and left:
                onward, kept, left = np.int64(s_back[left]), s_parts[left], np.int64(s_below[left])
            to = interned(onward, kept, left, state, parts, stack, tables[0], counts, 0)
            if to < 0:
                return False
            e_label[filled], e_target[filled] = label[move], to
            filled += 1
    low = counts[2]
    if counts[3] + filled - low > len(p_target):
        return False
    order = np.argsort(e_label[low:filled])
    labels, targets = e_label[low:filled].copy(), e_target[low:filled].copy()
    for e in range(filled - low):
        e_label[low + e], e_target[low + e] = labels[order[e]], targets[order[e]]
    here = counts[3]
    top = here
    for e in range(low, filled):
        to = e_target[e]
        known = here <= slot[to] < top and p_target[slot[to]] == to
        if not known:
            slot[to] = top
            p_target[top], p_label[top] = to, e_label[e]
            top += 1
        elif order_of[e_label[e]] < order_of[p_label[slot[to]]]:
            p_label[slot[to]] = e_label[e]
    begin[node], end[node], pair_begin[node], pair_end[node], accepts[node] = low, filled, here, top, ends
    counts[2], counts[3] = filled, top
    return True
