"""A step of DiffusionGemma in SGLang: constrained rows get the lattice's statistics in place of their own.

SGLang's step takes, for each position, the probabilities of all tokens, their entropy, the best token and a drawn one.
Constrained rows get the marginals and entropies under the constraint, the joint best block and a joint draw.
Acceptance, renoising, the stopping rule and self-conditioning then refer to the constrained distribution, and what
SGLang commits is the joint best block.

Axes: B batch, N block, n positions in play, V vocabulary.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from structgen.integrations.sglang.held import Held, of
from structgen_engine.decoding.blocks import nonempty

STATISTICS = ("_denoiser_statistics", "_denoiser_statistics_cuda")
DRAW = "_sample_denoiser"


def step(
    original: Callable[..., Any], algorithm: Any, batch: Any, logits: Tensor, states: list[Any]
) -> list[bool]:
    """SGLang's step, with the constrained rows' statistics replaced while it runs."""
    active = [k for k, state in enumerate(states) if not state["finished"]]
    rows = {k: held for k, held in of(batch).items() if k in active}
    if not rows:
        return original(algorithm, batch, logits, states)
    temperatures = {k: algorithm._temperature(states[k]["step"]) for k in rows}
    modules = (sys.modules[kind.__module__] for kind in type(algorithm).__mro__)
    with _replaced(next(one for one in modules if hasattr(one, DRAW)), rows, temperatures, active):
        return original(algorithm, batch, logits, states)


@contextmanager
def _replaced(
    module: Any, rows: Mapping[int, Held], temperatures: Mapping[int, float], active: list[int]
) -> Iterator[None]:
    """The module's functions for statistics and draws, changed for these rows."""
    stock = {name: getattr(module, name) for name in (*STATISTICS, DRAW)}
    drawn: dict[int, Tensor] = {}
    order = iter(active)

    def statistics(name: str) -> Callable[..., Any]:
        def found(logits: Tensor, *given: Any, **named: Any) -> Any:
            parts = stock[name](logits, *given, **named)
            for k, held in rows.items():
                drawn[k] = _fill(parts, logits, k, held, temperatures[k])
            return parts

        return found

    def draw(probabilities: Tensor, generator: torch.Generator) -> Tensor:
        k = next(order)
        return drawn[k] if k in drawn else stock[DRAW](probabilities, generator)

    try:
        for name in STATISTICS:
            setattr(module, name, statistics(name))
        setattr(module, DRAW, draw)
        yield
    finally:
        for name, function in stock.items():
            setattr(module, name, function)


def _fill(parts: tuple[Any, ...], logits: Tensor, k: int, held: Held, temperature: float) -> Tensor:
    """Put the constrained statistics of row k into SGLang's tables; returns its joint draw [N]."""
    N, device = logits.shape[1], logits.device
    drawn = best = held.padded(None, N)
    n, table, entropy = 0, None, None
    if not held.failed:
        try:
            block, n = held.block(N)
            lattice = nonempty([block], logits[k : k + 1, :n], temperature=temperature)
            table, entropy = lattice.marginals()[0], lattice.beliefs().entropy[0]
            drawn = held.padded(lattice.sample(held.generator)[0].cpu(), N)
            best = held.padded(lattice.argmax().ids[0].cpu(), N)
        except Exception as error:
            held.fail(error)
            n, table, drawn, best = 0, None, held.padded(None, N), held.padded(None, N)
    probabilities, entropies, argmax, *soft = parts
    for one in (probabilities, *soft):
        if one is None:
            continue
        one[k] = 0.0
        one[k].scatter_(1, best.to(device)[:, None], 1.0)
        if table is not None:
            one[k, :n, : table.shape[1]] = table.to(one)
    entropies[k] = 0.0
    if entropy is not None:
        entropies[k, :n] = entropy.to(entropies)
    argmax[k] = best.to(argmax)
    return drawn.to(argmax)
