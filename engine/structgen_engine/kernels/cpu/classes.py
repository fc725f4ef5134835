"""Class scores: one pass over the logits, class by class in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, REFUSED, Alphabet
from structgen_engine.kernels.cpu.logits import SUM, exp, held, single, stored
from structgen_engine.kernels.cpu.threads import run, spans
from structgen_engine.kernels.scores import ClassScores, largest, pin_

Array = NDArray[Any]

CHUNK = 1024


class Members(NamedTuple):
    """The tokens of an alphabet, class by class in chunks.

    order: [V'] uint32, tokens by class without the refused; chunk: [C + 1], where each chunk starts in `order`;
    first: [K + 1], the first chunk of each class
    """

    order: Array
    chunk: Array
    first: Array


_members: WeakKeyDictionary[Alphabet, Members] = WeakKeyDictionary()


def members_of(alphabet: Alphabet) -> Members:
    """The members of an alphabet's classes, computed once per alphabet."""
    if alphabet not in _members:
        order, offsets = (t.numpy() for t in alphabet.members)
        base = offsets[REFUSED + 1]
        starts, first = [0], np.zeros(alphabet.size + 1, np.int64)
        for c in range(1, alphabet.size):
            low, high = int(offsets[c] - base), int(offsets[c + 1] - base)
            first[c] = len(starts) - 1
            starts += [*range(low + CHUNK, high, CHUNK), high] if high > low else []
        first[alphabet.size] = len(starts) - 1
        _members[alphabet] = Members(order[base:].astype(np.uint32), np.array(starts, np.int64), first)
    return _members[alphabet]


def open_rows(pinned: Tensor) -> Iterator[tuple[int, Array]]:
    """Pairs of a row of the batch and a piece of its open positions; pinned [B, N]."""
    for b, row in enumerate(pinned):
        positions = (row < 0).nonzero().flatten().numpy()
        for low, high in spans(len(positions), len(pinned)):
            yield b, positions[low:high]


def class_scores(
    logits: Tensor, alphabet: Alphabet, *, settled: Tensor | None = None, temperature: float = 1.0
) -> ClassScores:
    """Log-sum, entropy, peak and count of the tokens of each class; logits [B, N, ≥ V], settled [B, N]."""
    B, N, _ = logits.shape
    members, K = members_of(alphabet), alphabet.size
    log_sum, peak = torch.full((2, B, N, K), IMPOSSIBLE, dtype=torch.float64)
    entropy = torch.zeros(B, N, K, dtype=torch.float64)
    count = torch.zeros(B, N, K, dtype=torch.int32)
    tops, sums = torch.zeros(2, B, N, len(members.chunk) - 1)
    pinned = torch.full((B, N), -1, dtype=torch.int64) if settled is None else settled
    tables = [_Tables(*(t[b].numpy() for t in (log_sum, entropy, peak, count, tops, sums))) for b in range(B)]
    sources = [stored(row) for row in logits]
    run(
        [
            partial(_segment, sources[b], rows, members, 1 / temperature, largest(temperature), tables[b])
            for b, rows in open_rows(pinned)
        ]
    )
    return pin_(ClassScores(log_sum, entropy, peak, count, pinned, (tops, sums)), alphabet)


class _Tables(NamedTuple):
    """The tables that `_segment` fills for one row of the batch: [N, K] for classes, [N, C] for chunks."""

    log_sum: Array
    entropy: Array
    peak: Array
    count: Array
    tops: Array
    sums: Array


@numba.njit(nogil=True, cache=True)
def _highest(x: Array, n: int) -> Any:
    """The maximum, and how many lie above −inf; compared as integers in the same order, because that vectorises."""
    top, count = np.int32(-(2**31)), np.int32(0)
    for j in range(n):
        bits = np.float32(x[j]).view(np.int32)
        key = np.int32(bits ^ (np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))
        top = key if key > top else top
        count += np.int32(key > np.int32(-0x7F800001))
    return np.int32(top ^ (np.int32(top >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32), count


@numba.njit(nogil=True, cache=True, fastmath=SUM)
def _masses(x: Array, n: int, top: Any, scale: Any) -> Any:
    """Σ e and Σ e·d with d = (x − top)·scale and e = exp d.

    Below −87 nats e stays at 1e-38, which is negligible beside the 1 of the maximum and saves a branch.
    """
    mass, moment = np.float32(0), np.float32(0)
    for j in range(n):
        d = (x[j] - top) * scale
        d = np.float32(-87) if d < np.float32(-87) else d  # NaN stays NaN
        e = exp(d)
        mass += e
        moment += e * d
    return mass, moment


@numba.njit(nogil=True, cache=True)
def _segment(logits: Array, rows: Array, members: Members, scale: float, bound: float, out: _Tables) -> None:
    """Class scores of the given rows of logits [N, V]; `tops` holds unclamped logits, even beyond `bound`."""
    order, chunk, first = members
    log_sum, entropy, peak, count, tops, sums = out
    buffer = np.empty(CHUNK, np.float32)
    inverse, most = np.float32(scale), np.float32(bound)
    low_end = np.float32(88 / scale - bound)  # `bound` raises tokens of a chunk whose maximum is lower
    moments = np.empty(tops.shape[1], np.float32)
    for i in rows:
        row = logits[i]
        for c in range(1, first.size - 1):
            top, possible = -np.inf, 0
            for k in range(first[c], first[c + 1]):
                low, n = chunk[k], chunk[k + 1] - chunk[k]
                for j in range(n):
                    buffer[j] = single(row[order[low + j]])
                high, found = _highest(buffer, n)
                tops[i, k], sums[i, k] = high, np.float32(0)
                if found:
                    if high > most or high < low_end:
                        high = held(high, most)
                        for j in range(n):
                            buffer[j] = held(buffer[j], most)
                    sums[i, k], moments[k] = _masses(buffer, n, high, inverse)
                top = max(top, np.float64(high))
                possible += found
            count[i, c] = possible
            if possible == 0:
                continue
            mass, moment = 0.0, 0.0
            for k in range(first[c], first[c + 1]):
                if sums[i, k] != 0:
                    gap = (np.float64(held(tops[i, k], most)) - top) * scale
                    share = np.exp(gap)
                    mass += share * sums[i, k]
                    moment += share * (moments[k] + gap * sums[i, k])
            peak[i, c] = top * scale
            log_sum[i, c] = top * scale + np.log(mass)
            entropy[i, c] = max(0.0, np.log(mass) - moment / mass)
