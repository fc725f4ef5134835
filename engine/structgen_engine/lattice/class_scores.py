"""The weights of token classes, position by position, while the classes are still being refined.

Axes: N block, V vocabulary, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, REFUSED, Alphabet
from structgen_engine.automata.lazy import LazyDfa
from structgen_engine.kernels import Backend
from structgen_engine.kernels.scores import ClassScores, finite

OPEN = -1

Floats = NDArray[np.float64]


class Rows(Protocol):
    """The weights of token classes at each position of a block."""

    def __len__(self) -> int:
        """N."""
        ...

    def at(self, position: int) -> tuple[Floats, Floats]:
        """log_sum and peak [K] nats of one position under the present classes."""
        ...

    def all_positions(self) -> tuple[Floats, Floats]:
        """log_sum and peak [N, K] of every position, if none has been asked for."""
        ...


class Indifferent:
    """Rows in which every token weighs the same; a settled position [N] allows its token alone."""

    def __init__(self, lazy: LazyDfa, settled: Tensor) -> None:
        self._lazy, self._settled = lazy, settled.tolist()

    def __len__(self) -> int:
        return len(self._settled)

    def at(self, position: int) -> tuple[Floats, Floats]:
        """The logarithms of the classes' sizes; at a settled position, certainty of its token's class."""
        alphabet, token = self._lazy.alphabet, self._settled[position]
        if token == OPEN:
            with np.errstate(divide="ignore"):
                log_sum = np.log(alphabet.members[1].diff().numpy().astype(np.float64))
            peak = np.where(log_sum > IMPOSSIBLE, 0.0, IMPOSSIBLE)
        else:
            log_sum = np.full(alphabet.size, IMPOSSIBLE)
            if token < len(alphabet.class_of):
                log_sum[alphabet.class_of[token]] = 0.0
            peak = log_sum.copy()
        log_sum[REFUSED] = peak[REFUSED] = IMPOSSIBLE
        return log_sum, peak

    def all_positions(self) -> tuple[Floats, Floats]:
        """The rows of all positions."""
        log_sums, peaks = zip(*(self.at(i) for i in range(len(self))), strict=True)
        return np.stack(log_sums), np.stack(peaks)


class Scored:
    """Rows from logits, scored when they are first read; after a split only the classes that changed are scored again.

    While the classes stay the same, each call scores twice as many positions as the last.
    """

    def __init__(
        self, lazy: LazyDfa, logits: Tensor, settled: Tensor | None, temperature: float, backend: Backend
    ) -> None:
        """logits: [1, N, ≥ V]; settled: [1, N] int64."""
        self._lazy, self._logits, self._settled = lazy, logits, settled
        self._temperature, self._backend = temperature, backend
        self._whole: list[tuple[Alphabet, ClassScores]] = []  # of neighbouring positions, never scored again
        self._alphabets: list[Alphabet] = []
        self._version = np.full(len(self), -1)  # the alphabet by which each position was last scored
        self._log_sum, self._peak = np.full((2, len(self), 0), IMPOSSIBLE)
        self._changes: dict[tuple[int, int], tuple[NDArray[np.int64], Alphabet]] = {}
        self._pace = 8

    def __len__(self) -> int:
        return self._logits.shape[1]

    def at(self, position: int) -> tuple[Floats, Floats]:
        """log_sum and peak [K] nats of one position under the present classes."""
        alphabet = self._lazy.alphabet
        same = bool(self._alphabets) and self._alphabets[-1] is alphabet
        if not same:
            self._alphabets.append(alphabet)
            more = np.full((len(self), max(0, alphabet.size - self._log_sum.shape[1])), IMPOSSIBLE)
            self._log_sum, self._peak = np.hstack([self._log_sum, more]), np.hstack([self._peak, more])
        if self._version[position] != len(self._alphabets) - 1:
            if len(self._alphabets) > 1 or self._whole:
                self._pace = 2 * self._pace if same else 1
            self._score_from(position)
        return self._log_sum[position, : alphabet.size], self._peak[position, : alphabet.size]

    def all_positions(self) -> tuple[Floats, Floats]:
        """The rows of all positions, scored at once."""
        self._pace = len(self)
        self.at(0)
        return self._log_sum, self._peak

    def all(self) -> ClassScores:
        """The scores of all positions under the present classes."""
        alphabet = self._lazy.alphabet
        scored = sum(scores.log_sum.shape[1] for _, scores in self._whole)
        if scored == len(self) and all(scored_by is alphabet for scored_by, _ in self._whole):
            return _joined([scores for _, scores in self._whole])
        return self._score(0, len(self), alphabet)

    def _score_from(self, low: int) -> None:
        """Score some positions from `low` on that were scored by the same alphabet, if by any."""
        before, now = int(self._version[low]), len(self._alphabets) - 1
        unlike = np.flatnonzero(self._version[low:] != before)
        high = min(low + self._pace, low + int(unlike[0]) if len(unlike) else len(self))
        if before < 0:
            scores = self._score(low, high, self._alphabets[-1])
            self._whole.append((self._alphabets[-1], scores))
            at: slice | NDArray[np.int64] = slice(0, self._alphabets[-1].size)
        else:
            if (before, now) not in self._changes:
                self._changes[before, now] = _changed(self._alphabets[before], self._alphabets[-1])
            at, alphabet = self._changes[before, now]
            scores = self._score(low, high, alphabet)
        skip = 0 if before < 0 else 1
        self._log_sum[low:high, at] = scores.log_sum[0, :, skip:].cpu().numpy()
        self._peak[low:high, at] = scores.peak[0, :, skip:].cpu().numpy()
        self._version[low:high] = now

    def _score(self, low: int, high: int, alphabet: Alphabet) -> ClassScores:
        pins = None if self._settled is None else self._settled[:, low:high]
        logits = self._logits[:, low:high]
        return finite(
            self._backend.class_scores(logits, alphabet, settled=pins, temperature=self._temperature)
        )


def _changed(before: Alphabet, after: Alphabet) -> tuple[NDArray[np.int64], Alphabet]:
    """The classes of the later alphabet that the earlier one does not have, and an alphabet of their tokens alone.

    The k-th of them is class k + 1 of that alphabet.
    """
    old, new = before.class_of.numpy(), after.class_of.numpy()
    fresh = new >= before.size
    changed = np.zeros(after.size, np.bool_)
    changed[old[fresh]] = True
    changed[before.size :] = True
    changed[REFUSED] = False
    labels = np.flatnonzero(changed)
    place = np.zeros(after.size, np.int32)
    place[labels] = np.arange(1, len(labels) + 1)
    return labels, Alphabet(torch.from_numpy(place[new]), len(labels) + 1)


def _joined(parts: Sequence[ClassScores]) -> ClassScores:
    """The scores of neighbouring positions, concatenated."""
    if len(parts) == 1:
        return parts[0]
    names = ("log_sum", "entropy", "peak", "count", "pinned")
    columns = [torch.cat([getattr(part, name) for part in parts], 1) for name in names]
    chunks = [part.chunks for part in parts if part.chunks is not None]
    return ClassScores(
        *columns,
        chunks=(torch.cat([c[0] for c in chunks], 1), torch.cat([c[1] for c in chunks], 1))
        if chunks
        else None,
    )
