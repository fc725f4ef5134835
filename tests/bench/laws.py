"""The cost laws of a refinement step: how its parts grow with tokens, edges, states and rows, each with a fitted line.

    python -m bench laws --json docs/benchmarks/laws.json

Automata are random, so that one size grows while the others stay. A law says: time = fixed + slope · size; R² is the
share of the variance that the line explains. CPU milliseconds on one thread, the least of all rounds.

Axes: B rows, N block, V vocabulary, K classes, S states, E edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from bench.step import Action, measured, nothing, stepped
from structgen_engine.automata.dfa import IMPOSSIBLE, Alphabet, Dfa, Edges, block
from structgen_engine.kernels import cpu
from structgen_engine.lattice.lattice import BlockLattice

CLASSES = 400
TOKENS = 65_536


@dataclass(frozen=True)
class Law:
    """What grows, and what is timed at each of its sizes."""

    name: str
    unit: str  # of the slope: nanoseconds for one of these
    sizes: list[int]
    actions: list[Action]


def run(console: Console, *, rounds: int) -> dict[str, Any]:
    """Print every law with its points, and return them."""
    torch.set_num_threads(1)
    table, figures = Table("part", "grows with", "sizes", "ms", "fixed ms", "ns each", "R²"), {}
    for law in _laws():
        times = measured({str(k): (nothing, action) for k, action in enumerate(law.actions)}, rounds)
        points = list(times.values())
        slope, fixed = np.polyfit(law.sizes, points, 1)
        rest = np.array(points) - (slope * np.array(law.sizes) + fixed)
        explained = 1 - float((rest**2).sum() / ((points - np.mean(points)) ** 2).sum())
        figures[law.name] = {
            "unit": law.unit,
            "sizes": law.sizes,
            "ms": points,
            "fixed_ms": float(fixed),
            "ns": float(slope * 1e6),
            "r2": explained,
        }
        ends = f"{law.sizes[0]:,} … {law.sizes[-1]:,}", f"{points[0]:.2f} … {points[-1]:.1f}"
        table.add_row(law.name, law.unit, *ends, f"{fixed:.2f}", f"{slope * 1e6:.3g}", f"{explained:.3f}")
    console.print(table)
    return figures


def _laws() -> Iterator[Law]:
    logits = torch.randn(8, 256, TOKENS, generator=torch.Generator().manual_seed(0)) * 3
    alphabet = _alphabet(TOKENS)
    narrow = [_alphabet(TOKENS * part // 8) for part in range(1, 9)]
    yield Law(
        "class scores by vocabulary",
        "token × position",
        [256 * len(part.class_of) for part in narrow],
        [lambda part=part: cpu.class_scores(logits[:1], part) for part in narrow],
    )
    yield Law(
        "class scores by positions",
        "token × position",
        [TOKENS * 32 * part for part in range(1, 9)],
        [lambda n=32 * part: cpu.class_scores(logits[:1, :n], alphabet) for part in range(1, 9)],
    )
    automata = [_automaton(alphabet, 1000, edges) for edges in (5_000, 10_000, 20_000, 40_000, 80_000)]
    yield _scans("scans by edges", "edge × position", automata, [256 * len(dfa.edges) for dfa in automata])
    automata = [_automaton(alphabet, states, 20_000) for states in (250, 500, 1_000, 2_000, 4_000)]
    yield _scans("scans by states", "state × position", automata, [256 * dfa.states for dfa in automata])
    one = _automaton(alphabet, 1000, 20_000)
    yield _scans("scans by positions", "position", [one] * 5, [32, 64, 128, 192, 256])
    yield Law(
        "a whole step by rows",
        "row",
        [1, 2, 4, 6, 8],
        [lambda rows=rows: stepped(one, logits[:rows]) for rows in (1, 2, 4, 6, 8)],
    )
    yield Law(
        "log-marginals by positions",
        "token × position",
        [TOKENS * 64 * part for part in range(1, 5)],
        [_shifting(one, logits[:1, : 64 * part]) for part in range(1, 5)],
    )


def _scans(name: str, unit: str, automata: list[Dfa], sizes: list[int]) -> Law:
    """Beta and the posterior, from weights that are known."""
    counts = [256] * len(sizes) if unit != "position" else sizes
    return Law(
        name, unit, sizes, [_scanning(dfa, count) for dfa, count in zip(automata, counts, strict=True)]
    )


def _scanning(dfa: Dfa, positions: int) -> Action:
    draw = torch.Generator().manual_seed(0)
    weights = torch.randn(1, positions, dfa.alphabet.size, generator=draw, dtype=torch.float64) * 3
    start = torch.full((1, dfa.states), IMPOSSIBLE, dtype=torch.float64)
    start[0, dfa.start] = 0.0
    end = torch.where(dfa.accepting, 0.0, IMPOSSIBLE).double()[None]
    counts = torch.ones(weights.shape, dtype=torch.int32)

    def scan() -> None:
        cpu.posterior(weights, counts, dfa, start, cpu.backward(weights, dfa, end))

    return scan


def _shifting(dfa: Dfa, logits: Tensor) -> Action:
    lattice, out = BlockLattice(block(dfa), logits), torch.zeros_like(logits)
    lattice.beliefs()
    return lambda: lattice.log_marginals(out=out)


def _alphabet(tokens: int) -> Alphabet:
    """Classes at random places; half of the tokens are in one of them, as in text."""
    label = torch.randint(1, CLASSES, (tokens,), generator=torch.Generator().manual_seed(1))
    label[::2] = 1
    return Alphabet(label.int(), CLASSES)


def _automaton(alphabet: Alphabet, states: int, edges: int) -> Dfa:
    """A random automaton, in which every state accepts."""
    draw = np.random.default_rng(states + edges)
    places = np.sort(draw.choice((states - 1) * (CLASSES - 1), edges, replace=False))
    source, label = places // (CLASSES - 1) + 1, places % (CLASSES - 1) + 1
    target = draw.integers(1, states, edges)
    accepting = torch.ones(states, dtype=torch.bool)
    accepting[0] = False
    return Dfa.from_edges(alphabet, Edges.of(source, label, target, states), accepting, 1)
