"""What one step of vLLM's sampler with constraints asks of a GPU, counted on meta tensors; nothing runs.

`PYTHONPATH=.:engine:tests python -m integrations.vllm_counts` prints a table for 1, 8 and 32 requests of different
automata. The step is the plugin's own; around it stands a stand-in for vLLM's sampler, which takes the statistics of
its canvases tile by tile, as vllm.model_executor.models.diffusion_gemma of vLLM 0.32 does.

Axes: R rows of logits of all requests, W canvas, V vocabulary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

import gpu_cases  # noqa: F401  before triton is imported, for it says who runs it
from gpu_counts import Counts, counted
from structgen.integrations.vllm import pooled, sampler
from structgen.integrations.vllm.sampler import ConstrainedSampler
from structgen_engine.automata.dfa import Alphabet, BlockAutomaton, Dfa, block

CANVAS, V, ROOM = 256, 262_144, 50e6
META = torch.device("meta")


def sample_row_stats(*given: Any) -> Any:
    """vLLM's statistics, which a step of constrained requests alone never asks for."""
    raise AssertionError("no request of the step is free")


def automaton(seed: int, states: int) -> BlockAutomaton:
    """An automaton over the whole vocabulary: three transitions from each state, some hundred classes."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.ones(V, dtype=torch.int32)
    labels[: 20 * 200] = torch.arange(200, dtype=torch.int32).repeat_interleave(20) + 2
    delta = torch.zeros(states, 202, dtype=torch.int32)
    for _ in range(3):
        at = torch.randint(1, 202, (states,), generator=generator)
        into = torch.randint(1, states, (states,), generator=generator, dtype=torch.int32)
        delta[torch.arange(states), at] = into
    delta[0], accepting = 0, torch.ones(states, dtype=torch.bool)
    accepting[0] = False
    return block(Dfa(Alphabet(labels, 202), delta, accepting, 1))


class Slot:
    """A request whose automaton is there."""

    committing, left = False, 10_000

    def __init__(self, row: BlockAutomaton) -> None:
        self.row = row

    def open(self, constraints: Any) -> bool:
        return True

    def block(self, positions: int) -> BlockAutomaton:
        return self.row

    def in_play(self, positions: int) -> int:
        return positions

    def padded(self, ids: Tensor | None, positions: int) -> Tensor:
        given = torch.zeros(0, dtype=torch.int64) if ids is None else ids
        return torch.cat([given, given.new_zeros(positions - len(given))])

    def decide(self, ids: Tensor | None, positions: int) -> None:
        self.committing = True

    def fail(self, error: Exception) -> None:
        raise error


class Tiles:
    """vLLM's sampler as far as it asks for statistics: tiles of canvases of one width, as many as memory holds."""

    entropy_bound, t_min, t_max = 0.1, 0.4, 0.8

    def __init__(self, widths: Sequence[int], most: int) -> None:
        places, new = len(widths), torch.zeros
        self.most = most
        self.diffusion_states = SimpleNamespace(
            canvas=new(places, CANVAS, dtype=torch.int64, device=META),
            argmax_canvas=new(places, CANVAS, dtype=torch.int64, device=META),
            is_encoder_phase=new(places, dtype=torch.bool, device=META),
            step=new(places, dtype=torch.int32, device=META),
            canvas_width_np=np.array(widths),
            max_denoising_steps=48,
        )
        self.tables: list[Tensor | None] = []

    def __call__(self, logits: Tensor, batch: Any, draft_logits: Tensor | None = None) -> None:
        widths = self.diffusion_states.canvas_width_np
        order = np.argsort(widths, kind="stable")
        at = 0
        while at < len(order):
            width = widths[order[at]]
            number = min(self.most, int((widths == width).sum() - (widths[order[:at]] == width).sum()))
            tile = torch.empty(number * width, V, dtype=logits.dtype, device=META)
            temperature = torch.empty(number, device=META)
            self.tables.append(sample_row_stats(tile, temperature, int(width), 0, torch.bfloat16)[3])
            at += number


@dataclass(frozen=True)
class Asked:
    """What one step asks: Triton's and torch's launches, host waits, copies to the device, memory of a row in bytes."""

    counts: Counts
    tiles: int
    bytes_a_row: float


@contextmanager
def _on_meta(waits: Counter[str]) -> Iterator[None]:
    """Meta tensors are those of a GPU, and waiting for the copies of the step before is noted."""

    class Arrived:
        def record(self) -> None: ...

        def synchronize(self) -> None:
            waits["the step before"] += 1

    with (
        patch.object(sampler, "pools", lambda logits: True),
        patch.object(pooled, "away", lambda values: values.is_meta),
        patch.object(torch.cuda, "Event", Arrived),
    ):
        yield


def step_of(rows: Sequence[BlockAutomaton], widths: Sequence[int], *, most: int = 64) -> Asked:
    """The second step of these requests, whose canvases have these widths; most: requests of a tile."""
    ours = ConstrainedSampler(Tiles(widths, most), None)  # type: ignore[arg-type]
    ours._slots.update({place: Slot(row) for place, row in enumerate(rows)})  # type: ignore[misc]
    bounds = np.concatenate([[0], np.cumsum(widths)])
    batch = SimpleNamespace(
        num_reqs=len(rows),
        num_draft_tokens=int(bounds[-1]),
        idx_mapping_np=np.arange(len(rows)),
        cu_num_logits_np=bounds,
    )
    logits = torch.empty(int(bounds[-1]), V, dtype=torch.bfloat16, device=META)
    made: list[int] = []
    real = pooled.gpu.Step.of

    def noting(*given: Any, **named: Any) -> Any:
        step = real(*given, **named)
        made.append(step.nbytes)
        return step

    waits = Counter[str]()
    with _on_meta(waits), patch.object(pooled.gpu.Step, "of", noting):
        for _ in range(2):
            made.clear()
            ours.inner.tables.clear()
            with counted() as counts:
                ours(logits, batch)
    counts.waits += waits
    return Asked(counts, len(ours.inner.tables), sum(made) / len(rows))


def different(rows: int, *, states: int = 100) -> list[BlockAutomaton]:
    """Automata of which four differ in their tables, and all are requests of their own."""
    some = [automaton(seed, states + seed) for seed in range(min(rows, 4))]
    return [some[k % 4] for k in range(rows)]


def cases() -> Iterator[tuple[str, Asked]]:
    """Each case with what its step asks."""
    for rows in (1, 8, 32):
        yield f"{rows} canvases of {CANVAS}", step_of(different(rows), [CANVAS] * rows)
    for rows in (8, 32):
        widths = [16 * (1 + k % 16) for k in range(rows)]
        yield f"{rows} canvases of {len(set(widths))} lengths", step_of(different(rows), widths)
    yield f"32 canvases of {CANVAS}, 5 to a tile", step_of(different(32), [CANVAS] * 32, most=5)
    yield "8 canvases, 3,000 states each", step_of(different(8, states=3000), [CANVAS] * 8)


def main() -> None:
    print(
        "| a step of | tiles | launches | host waits | copies to the device | MB a row |\n|---|---|---|---|---|---|"
    )
    for name, asked in cases():
        counts = asked.counts
        cells = asked.tiles, counts.total, counts.waits.total(), counts.sent, f"{asked.bytes_a_row / 1e6:.1f}"
        print("|", " | ".join(map(str, (name, *cells))), "|")


if __name__ == "__main__":
    main()
