"""The numeric routines behind `BlockLattice`, one module per kind of device.

A backend is a module with the functions of `Backend`: `reference` (plain torch, the truth), `cpu` (numba) and `gpu`
(Triton). They are imported on first use, so that importing the engine loads no compiler.

Axes: B batch, N block, V vocabulary, K classes, S states.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor

from structgen_engine.automata.dfa import Alphabet, Dfa
from structgen_engine.kernels.scores import ClassScores

Messages = Any  # a backend's own form of alpha or beta [B, N + 1, S]; `nats` turns it into a tensor


class Posterior(NamedTuple):
    """Class marginals: classes [B, N, K] float64 probabilities; free [B, N] bool, whether two tokens are possible.

    What a float32 cannot hold, less than 1e-38, may count as 0 in `classes`; `free` counts it.
    """

    classes: Tensor
    free: Tensor


class Backend(Protocol):
    """The functions that every backend provides, for rows of a batch that share one automaton.

    Weights and messages are float64 nats; −inf is impossible.
    prepared: makes a step for rows of different automata if the device needs whole batches (see `gpu.step`), or None
    """

    @property
    def prepared(self) -> Callable[..., Any] | None: ...

    def class_scores(
        self, logits: Tensor, alphabet: Alphabet, *, settled: Tensor | None, temperature: float
    ) -> ClassScores:
        """Log-sum, entropy, peak and count of the tokens of each class; logits [B, N, ≥ V], settled [B, N]."""
        ...

    def backward(self, weights: Tensor, dfa: Dfa, end: Tensor) -> Messages:
        """Beta: the weight of every suffix; weights [B, N, K], end [B, S]."""
        ...

    def forward(self, weights: Tensor, dfa: Dfa, start: Tensor) -> Messages:
        """Alpha: the weight of every prefix; weights [B, N, K], start [B, S]."""
        ...

    def nats(self, messages: Messages) -> Tensor:
        """[B, N + 1, S] float64."""
        ...

    def log_partition(self, beta: Messages, start: Tensor) -> Tensor:
        """[B] float64."""
        ...

    def posterior(
        self, weights: Tensor, counts: Tensor, dfa: Dfa, start: Tensor, beta: Messages
    ) -> Posterior:
        """Class marginals and free positions; alpha is found on the way and not kept.

        counts [B, N, K]: the number of possible tokens of each class; start [B, S]
        """
        ...

    def possible(self, weights: Tensor, dfa: Dfa, alpha: Messages, beta: Messages) -> Tensor:
        """[B, N, K] bool: the classes that occur in some accepted block."""
        ...

    def sample(self, weights: Tensor, dfa: Dfa, start: Tensor, beta: Messages, uniforms: Tensor) -> Tensor:
        """Classes [B, N] int64 of a joint draw; uniforms [B, N + 1] in [0, 1); the first picks the entry."""
        ...

    def best(self, peaks: Tensor, dfa: Dfa, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """Classes [B, N] int64 of the heaviest path, and its weight [B] nats; peaks [B, N, K]."""
        ...

    def draw_tokens(
        self,
        logits: Tensor,
        alphabet: Alphabet,
        scores: ClassScores,
        labels: Tensor,
        uniforms: Tensor,
        *,
        temperature: float,
    ) -> Tensor:
        """Tokens [B, N] int64, each drawn inside its class; labels, uniforms [B, N]."""
        ...

    def best_tokens(self, logits: Tensor, alphabet: Alphabet, scores: ClassScores, labels: Tensor) -> Tensor:
        """Tokens [B, N] int64: the highest score in each class; among equals, the lowest id."""
        ...

    def spread(
        self,
        logits: Tensor,
        alphabet: Alphabet,
        scores: ClassScores,
        classes: Tensor,
        *,
        temperature: float,
    ) -> Tensor:
        """Token marginals [B, N, V of the logits] from class marginals [B, N, K]; zero outside the alphabet."""
        ...

    def shift(
        self,
        logits: Tensor,
        alphabet: Alphabet,
        scores: ClassScores,
        classes: Tensor,
        out: Tensor,
        *,
        temperature: float,
        least: float,
    ) -> None:
        """Write the log-marginals of tokens, nats, to `out`: at least `least`, which refused tokens get.

        A token's log-marginal is its score plus one shift for its position and class. `out` has the shape and type of
        the logits, and may be the logits.
        """
        ...


def backend_for(device: torch.device | str) -> Backend:
    """The fastest backend for tensors on `device`."""
    return _backend(torch.device(device).type)


@cache
def _backend(kind: str) -> Backend:
    fastest = {"cpu": "cpu", "cuda": "gpu" if find_spec("triton") else "reference"}
    name = fastest.get(kind, "reference")
    return cast(Backend, importlib.import_module(f"structgen_engine.kernels.{name}"))
