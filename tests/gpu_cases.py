"""What the tests of the GPU kernels share: Triton on a GPU or interpreted, poisoned memory, random automata.

Axes: N block, V vocabulary, K classes, S states.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch import Tensor

from structgen_engine.automata.dfa import DEAD, REFUSED, Alphabet, BlockAutomaton, Dfa, block

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
pytest.importorskip("triton", reason="triton is not installed, so the GPU kernels are not tested")

from triton.language import sum as library_function  # noqa: E402
from triton.runtime.interpreter import InterpretedFunction  # noqa: E402

if DEVICE == "cpu" and not isinstance(library_function, InterpretedFunction):
    pytest.skip("triton was imported before TRITON_INTERPRET=1 was set", allow_module_level=True)

IMPOSSIBLE = float("-inf")
LOUD = (2**27 << 32) | 0x3FC00000  # a pair of weights above all others; no valid index, no −inf
POISON = {torch.int64: LOUD, torch.int32: 2**30, torch.bool: True}


@contextmanager
def poisoned() -> Iterator[None]:
    """What is allocated and never written is NaN, or loud."""
    empty = torch.empty

    def loud(*shape: Any, **options: Any) -> Tensor:
        made = empty(*shape, **options)
        return made.fill_(POISON.get(made.dtype, float("nan")))

    with patch.object(torch, "empty", loud):
        yield


def random_dfa(seed: int, *, states: int, classes: int, tokens: int, live: float = 0.5) -> Dfa:
    """`live` of all transitions lead somewhere; one class has no token, and one state no way out."""
    generator = torch.Generator().manual_seed(seed)
    delta = torch.randint(1, states, (states, classes), generator=generator, dtype=torch.int32)
    delta[torch.rand(states, classes, generator=generator) >= live] = DEAD
    delta[DEAD], delta[:, REFUSED], delta[states - 1] = DEAD, DEAD, DEAD
    accepting = torch.rand(states, generator=generator) < 0.4
    accepting[DEAD], accepting[1] = False, True
    labels = torch.randint(0, classes - 1, (tokens,), generator=generator, dtype=torch.int32)
    return Dfa(Alphabet(labels, classes), delta, accepting, 1)


def random_row(seed: int, **sizes: Any) -> BlockAutomaton:
    """A block of such an automaton that is entered anywhere and may end in most states."""
    dfa, generator = random_dfa(seed, **sizes), torch.Generator().manual_seed(seed)
    weights = torch.randn(2, dfa.states, generator=generator)
    weights[0, torch.rand(dfa.states, generator=generator) < 0.3] = IMPOSSIBLE
    weights[:, DEAD] = IMPOSSIBLE
    weights[0, 1] = 0.0
    return BlockAutomaton(dfa, weights[0], weights[1] + block(dfa, remaining=2).exit)


def logits_for(seed: int, shape: tuple[int, ...], kind: str) -> Tensor:
    """[…, V] float32 scores on DEVICE: "plain", "peaked" at 200 nats, "holes" with −inf, "extreme" at ±1e30."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(shape, generator=generator) * (200 if kind == "peaked" else 3)
    if kind == "holes":
        logits[torch.rand(shape, generator=generator) < 0.4] = IMPOSSIBLE
    if kind == "extreme":
        some = torch.rand(shape, generator=generator) < 0.4
        logits[some] = logits[some].sign() * 1e30
    return logits.to(DEVICE)


def close(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Equal within a tolerance relative to what is above 1; infinities equal themselves, NaN nothing."""
    a, b = found.double().cpu(), expected.double().cpu()
    return a.shape == b.shape and bool(((a == b) | ((a - b).abs() <= tolerance * b.abs().clamp_min(1))).all())
