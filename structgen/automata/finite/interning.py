"""Interning in kernels: equal sequences of numbers get one number, and are found again by their digests.

Three constructions name what they meet: the crawl names sets of states, the lift names functions from states to
states, and minimising numbers the digests of languages. All three use one kind of hash table, with linear probing
(Knuth, "The Art of Computer Programming", volume 3, section 6.4): its length is a power of two, its slots hold numbers
from 1 on, or 0 if they are free, and a second array holds the digest of each number. Sequences with equal digests are
compared item by item, because equal digests do not prove equality.

A candidate is written after the known sequences, then looked up, and becomes a known sequence only if it is new:

    items    4 7 | 2 5 9 | 4 7       a candidate, 4 7, behind the sequences 1 and 2
    offsets  0 0   2       5         sequence n is items[offsets[n] : offsets[n + 1]]; there is no sequence 0
    find     its digest and its items equal those of sequence 1: it is sequence 1, and is overwritten next

The helpers take arrays one by one, since numba counts references to each array of a tuple at every call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from structgen_engine.jit import kernel


@kernel
def mixed(number):  # pragma: no cover
    """A well-spread 64-bit digest of a number (splitmix64)."""
    digest = np.uint64(number) + np.uint64(0x9E3779B97F4A7C15)
    digest = (digest ^ (digest >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    digest = (digest ^ (digest >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return digest ^ (digest >> np.uint64(31))


@kernel
def digest_of(items, low, high):  # pragma: no cover
    """A digest of the sequence items[low:high]."""
    digest = np.uint64(high - low + 1)
    for i in range(low, high):
        digest = (digest ^ np.uint64(items[i])) * np.uint64(0x9E3779B97F4A7C15)
        digest ^= digest >> np.uint64(29)
    return digest


@kernel
def seek(table, digests, digest, slot):  # pragma: no cover
    """The first slot from `slot` on (taken modulo the table's length) that is free or holds a number of this digest."""
    mask = np.uint64(len(table) - 1)
    slot &= mask
    while table[slot] and digests[table[slot]] != digest:
        slot = (slot + np.uint64(1)) & mask
    return slot


@kernel
def find(items, offsets, digests, table, count, end):  # pragma: no cover
    """The number of the sequence that equals the candidate, 0 if none does; and the candidate's digest.

    The candidate follows the sequences below `count`, and ends at `end`.
    """
    low = offsets[count]
    digest = digest_of(items, low, end)
    slot = seek(table, digests, digest, digest)
    while table[slot]:
        other = np.int64(table[slot])
        start, same = offsets[other], offsets[other + 1] - offsets[other] == end - low
        i = 0
        while same and i < end - low:
            same = items[start + i] == items[low + i]
            i += 1
        if same:
            return other, digest
        slot = seek(table, digests, digest, slot + np.uint64(1))
    return 0, digest


@kernel
def push(offsets, digests, table, count, end, digest) -> Any:  # pragma: no cover
    """The three arrays after the candidate has become sequence number `count`."""
    offsets, digests = grown_to(offsets, count + 2), grown_to(digests, count + 1)
    offsets[count + 1], digests[count] = end, digest
    if 2 * count > len(table) - 2:
        table = np.zeros(2 * len(table), np.int32)
        for other in range(1, count):
            _put(table, digests[other], other)
    _put(table, digest, count)
    return offsets, digests, table


@kernel
def _put(table, digest, number):  # pragma: no cover
    """Write a number into the first free slot for its digest."""
    mask = np.uint64(len(table) - 1)
    slot = digest & mask
    while table[slot]:
        slot = (slot + np.uint64(1)) & mask
    table[slot] = number


@kernel
def no_sequences() -> Any:  # pragma: no cover
    """Offsets, digests and a table that hold no sequence yet."""
    return np.zeros(256, np.int64), np.zeros(256, np.uint64), np.zeros(1024, np.int32)


@kernel
def grown(array, size):  # pragma: no cover
    """The array with room for at least `size` items, and at least twice as much room as before."""
    bigger = np.empty(max(size, 2 * len(array)), array.dtype)  # pages that are not written yet take no memory
    for i in range(len(array)):  # numba takes long to compile the assignment of a slice
        bigger[i] = array[i]
    return bigger


@kernel
def grown_to(array, size) -> Any:  # pragma: no cover
    """The array with room for at least `size` items; the array itself if it is large enough."""
    return array if size <= len(array) else grown(array, size)
