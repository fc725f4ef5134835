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


class Scored:
    """Rows from logits, scored as positions are read, because the classes may change in between.

    While the classes stay the same, each call scores twice as many positions as the last.
    """

    def __init__(
        self, lazy: LazyDfa, logits: Tensor, settled: Tensor | None, temperature: float, backend: Backend
    ) -> None:
        """logits: [1, N, ≥ V]; settled: [1, N] int64."""
        self._lazy, self._logits, self._settled = lazy, logits, settled
        self._temperature, self._backend = temperature, backend
        self._parts: list[
            tuple[Alphabet, ClassScores]
        ] = []  # scores of neighbouring positions, with their alphabet
        self._window = (
            0,
            np.zeros((0, 0)),
            np.zeros((0, 0)),
        )  # first position, its log_sum and peak on the CPU
        self._pace = 8

    def __len__(self) -> int:
        return self._logits.shape[1]

    def at(self, position: int) -> tuple[Floats, Floats]:
        """log_sum and peak [K] nats of one position under the present classes."""
        alphabet = self._lazy.alphabet
        same = bool(self._parts) and self._parts[-1][0] is alphabet
        if not same or position >= self._window[0] + len(self._window[1]):
            if self._parts:
                self._pace = 2 * self._pace if same else 1
            scores = self._score(position, position + self._pace, alphabet)
            self._parts.append((alphabet, scores))
            self._window = position, scores.log_sum[0].cpu().numpy(), scores.peak[0].cpu().numpy()
        first, log_sum, peak = self._window
        return log_sum[position - first], peak[position - first]

    def all(self) -> ClassScores:
        """The scores of all positions under the present classes."""
        alphabet, N = self._lazy.alphabet, len(self)
        if all(scored_by is alphabet for scored_by, _ in self._parts):
            return _joined([scores for _, scores in self._parts])
        return self._score(0, N, alphabet)

    def _score(self, low: int, high: int, alphabet: Alphabet) -> ClassScores:
        pins = None if self._settled is None else self._settled[:, low:high]
        logits = self._logits[:, low:high]
        return finite(
            self._backend.class_scores(logits, alphabet, settled=pins, temperature=self._temperature)
        )


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
