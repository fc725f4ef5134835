"""The automaton of a text's pieces, in time and memory that grow with the text and not with its square.

After reading some bytes the automaton has to know where in the text they may have been read: a set of places. The
automaton whose states are these sets is the directed acyclic word graph (Blumer et al., "The smallest automaton
recognizing the subwords of a text", 1985); it has at most two states for each byte. Here pieces begin and end at marks
only and their characters are counted, which the algorithm of that paper cannot express. So the sets are found
in the text's suffix array, the list of its suffixes in the order of the alphabet (Manber and Myers, 1990): the suffixes
that begin with the bytes read so far stand in one run of it. For "ana" with marks everywhere:

    suffixes in order      a (place 2)   ana (0)   na (1)
    after nothing          all three; the next byte is a for the first two and n for the last
    after "a"              the first two, one byte deep: places 3 and 1. The first ends here; the other goes on by n
    after "an"             ana, two bytes deep: place 2
    after "n"              na, one byte deep: place 2, the same set, so it is the same state

A set is known again by a digest: Σ r^place is r^depth times a difference of two prefix sums over the array, for each of
two random r modulo a prime. Among a million sets the chance that two share one is 1e-6.

Axes: n bytes, m marked suffixes, S states, E edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.crawl import MAX_EDGES, Crawled
from structgen.automata.finite.interning import grown_to, mixed
from structgen.automata.finite.nfa import FIRST_TOKEN, too_large
from structgen.grammar import Excerpt
from structgen.grammar.expr import BEGIN, BREAK, CHARACTER, END
from structgen.limits.budget import check, loading
from structgen.limits.interrupt import SLICE, used_up
from structgen_engine.jit import kernel

PRIMES = (2147483629, 2147483587)
ROOTS = (1220703125, 742938285)


def pieces(expr: Excerpt, symbols: int, most: int = MAX_EDGES) -> tuple[Crawled, NDArray[np.bool_]]:
    """The automaton of an excerpt as a crawl has it, and which of its sets accept [S] bool; at most `most` sets."""
    check()
    value, marks = np.frombuffer(expr.value, np.uint8), np.frombuffer(expr.marks, np.uint8)
    order = suffixes(value)
    order = order[(marks[order] & BEGIN) > 0]
    check()
    with loading("excerpts"):
        source, label, target, accepting = _places(
            value,
            marks,
            order,
            _digests(order, len(value)),
            (expr.low, -1 if expr.high is None else expr.high, most),
        )
    check()
    if not len(accepting):
        raise too_large(most, "states")
    class_of = np.full(symbols, BREAK, np.int32)
    class_of[:FIRST_TOKEN] = np.arange(FIRST_TOKEN)
    none = np.zeros(len(accepting) + 1, np.int64)
    return Crawled(class_of, source, label, target, np.zeros(0, np.int32), none), accepting


def suffixes(value: NDArray[np.uint8]) -> NDArray[np.int64]:
    """[n] where the suffixes begin, in the order of the alphabet, by doubling the length that is compared."""
    rank = value.astype(np.int64) + 1
    length = 1
    while True:
        behind = np.zeros_like(rank)
        behind[:-length] = rank[length:]
        key = rank * (rank.max(initial=0) + 1) + behind
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        rank[order] = np.cumsum(np.diff(ordered, prepend=ordered[:1] - 1) > 0)
        if length >= len(rank) or rank[order[-1]] == len(rank):
            return order
        length *= 2


def _digests(order: NDArray[np.int64], size: int) -> NDArray[np.uint64]:
    """[4, …]: for each prime the powers of its root [n + 2], and their sums over the first k suffixes [m + 1]."""
    digests = np.zeros((4, size + 2), np.uint64)
    for which, (prime, root) in enumerate(zip(PRIMES, ROOTS, strict=True)):
        powers = digests[2 * which]
        _powers(powers, prime, root)
        digests[2 * which + 1, 1 : len(order) + 1] = np.cumsum(powers[order]) % np.uint64(prime)
    return digests


@kernel
def _powers(powers, prime, root):  # pragma: no cover
    """Fill in the powers of a root modulo a prime."""
    power = np.int64(1)
    for k in range(len(powers)):
        powers[k] = power
        power = power * root % prime


@kernel
def _digest(sums, low, high, depth, chars):  # pragma: no cover
    """The digest of a run of suffixes at a depth, that is of a set of places, with a number of characters."""
    digest = np.uint64(chars) * np.uint64(0x9E3779B97F4A7C15)
    for which in range(2):
        prime = np.uint64(PRIMES[which])
        inside = (sums[2 * which + 1, high] + prime - sums[2 * which + 1, low]) % prime
        digest ^= mixed(inside * sums[2 * which, depth] % prime + np.uint64(which << 40))
    return digest


@kernel
def _run_end(value, order, depth, low, high):  # pragma: no cover
    """The end of the run of suffixes from `low` on that have the same byte at a depth."""
    byte, step = value[order[low] + depth], 1
    while low + step < high and value[order[low + step] + depth] == byte:
        low += step
        step *= 2
    end = min(low + step, high)
    while low + 1 < end:
        middle = (low + end) // 2
        if value[order[middle] + depth] == byte:
            low = middle
        else:
            end = middle
    return end


@kernel
def _accepts(marks, order, depth, low, high):  # pragma: no cover
    """Whether a piece may end at one of the places."""
    k = low
    while k < high and not marks[order[k] + depth] & END:
        k += 1
    return k < high


@kernel
def _slot(table, digests, digest):  # pragma: no cover
    """The slot of a digest, or the free one that it would take."""
    mask = np.uint64(len(table) - 1)
    slot = digest & mask
    while table[slot] and digests[table[slot]] != digest:
        slot = (slot + np.uint64(1)) & mask
    return slot


@kernel
def _wider(digests, sets, size):  # pragma: no cover
    """The table of the sets from 2 on, with `size` slots; nothing leads to set 1."""
    table = np.zeros(size, np.int32)
    for other in range(2, sets):
        table[_slot(table, digests, digests[other])] = other
    return table


@kernel
def _places(value, marks, order, sums, limits) -> Any:  # pragma: no cover
    """The sets of places from the start on, which is set 1: edges by source and label, and which sets accept.

    limits: the least and the greatest number of characters (−1: none), and of sets. Without any set if there would be
    more, or if time is used up.
    """
    least, greatest, most = limits
    low, high = np.zeros(1024, np.int32), np.zeros(1024, np.int32)
    depth, chars = np.zeros(1024, np.int32), np.zeros(1024, np.int32)
    digests, table, accepting = np.zeros(1024, np.uint64), np.zeros(4096, np.int32), np.zeros(1024, np.bool_)
    source, label, target = np.zeros(4096, np.int32), np.zeros(4096, np.int32), np.zeros(4096, np.int32)
    high[1], accepting[1] = len(order), least == 0
    sets, edges, at, work, look = 2, 0, 0, 0, SLICE
    while at + 1 < sets:
        at += 1
        end, d = low[at], depth[at]
        while end < high[at]:
            k, place = end, order[end] + d
            if place >= len(value) or value[place] == BREAK:
                end += 1
                continue
            end = _run_end(value, order, d, k, high[at])
            size = chars[at] + (marks[place] & CHARACTER)
            if 0 <= greatest < size:
                continue
            size = size if greatest >= 0 else min(size, least)
            digest = _digest(sums, k, end, d + 1, size)
            slot = _slot(table, digests, digest)
            if edges == len(source):
                source, label = grown_to(source, edges + 1), grown_to(label, edges + 1)
                target = grown_to(target, edges + 1)
            source[edges], label[edges], target[edges] = at, value[place], sets
            if table[slot]:
                target[edges] = table[slot]
            edges += 1
            if table[slot]:
                continue
            work += end - k
            if sets > most or (work > look and used_up()):
                return source[:0], label[:0], target[:0], accepting[:0]
            look = work + SLICE if work > look else look
            low, high, chars = grown_to(low, sets + 1), grown_to(high, sets + 1), grown_to(chars, sets + 1)
            depth, digests = grown_to(depth, sets + 1), grown_to(digests, sets + 1)
            accepting = grown_to(accepting, sets + 1)
            low[sets], high[sets], depth[sets], chars[sets], digests[sets] = k, end, d + 1, size, digest
            accepting[sets] = size >= least and _accepts(marks, order, d + 1, k, end)
            table[slot], sets = sets, sets + 1
            if 2 * sets > len(table):
                table = _wider(digests, sets, 2 * len(table))
    return source[:edges].copy(), label[:edges].copy(), target[:edges].copy(), accepting[:sets].copy()
