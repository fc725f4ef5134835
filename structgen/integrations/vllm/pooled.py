"""Constrained requests on a GPU: vLLM's step gets the lattice's statistics of their rows in place of its own.

For each position of a canvas that step takes the best token, a drawn token, the entropy and the probabilities of all
tokens. Constrained requests get the joint best block, a joint draw, and the entropies and marginals under the
constraint, all of them in one `Step` of kernel launches. Acceptance, renoising, stability, the stopping rule and
self-conditioning then refer to the constrained distribution, and what vLLM writes out is the joint best block.

The host learns which canvases are about to be written out one step late, from copies that the step before has begun.
This is the only wait, for work that lies a whole forward pass back.

Axes: H requests of a tile, B constrained ones of them, W canvas, V vocabulary.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from structgen.integrations.vllm.slots import RequestState
from structgen_engine.automata.dfa import BlockAutomaton
from structgen_engine.kernels import gpu

STATISTICS = "sample_row_stats"  # vLLM's function for the statistics of a tile
Statistics = tuple[Tensor, Tensor, Tensor, Tensor | None]  # best and drawn tokens, entropies, probabilities


class Diverged(ValueError):
    """The model's logits hold NaN or +inf, or leave no accepted block."""


@dataclass(frozen=True, eq=False)
class Planned:
    """A constrained request of a step.

    index: among the requests that have logits; seed, turn: of its joint draws; block: None if its canvas ends at once
    """

    index: int
    place: int
    slot: RequestState
    positions: int
    seed: int
    turn: int
    block: BlockAutomaton | None

    def settled(self, width: int) -> Tensor:
        """[W] int64: −1 where the constraint decides, and padding behind the positions in play."""
        n = self.slot.in_play(self.positions)
        return self.slot.padded(torch.full((n,), -1), width)


@dataclass(frozen=True, eq=False)
class Arriving:
    """What the host learns of a step in the next one: which requests it planned, and copies that are on their way.

    ended: by place, whether a canvas is about to be written out; canvas: by place, that canvas; status: of rows
    """

    rows: Sequence[Planned]
    ended: Tensor
    canvas: Tensor
    status: list[tuple[Sequence[Planned], Tensor]]
    arrived: Any

    def tell(self, slots: dict[int, RequestState]) -> None:
        """Let the requests that are still there know; waits until the copies have arrived."""
        if self.arrived is not None:
            self.arrived.synchronize()
        wrong = {id(row) for rows, status in self.status for row, state in _pairs(rows, status) if state}
        for row in self.rows:
            if slots.get(row.place) is not row.slot:
                continue
            if id(row) in wrong:
                row.slot.fail(Diverged("the model's logits hold NaN or +inf: its answer is ended"))
            try:
                self._tell(row, lost=row.block is None or id(row) in wrong)
            except Exception as error:
                row.slot.fail(error)
                self._tell(row, lost=True)

    def _tell(self, row: Planned, *, lost: bool) -> None:
        if self.ended[row.place]:
            n = row.slot.in_play(row.positions)
            row.slot.decide(None if lost else self.canvas[row.place, :n], row.positions)


def _pairs(rows: Sequence[Planned], status: Tensor) -> Iterator[tuple[Planned, int]]:
    return zip(rows, status.tolist(), strict=True)


class PooledStatistics:
    """A stand-in for vLLM's statistics of tiles, tile after tile of one step."""

    def __init__(
        self, inner: Any, stock: Callable[..., Statistics], batch: Any, rows: Sequence[Planned]
    ) -> None:
        """inner: the sampler; rows: the constrained requests of the step"""
        counts = np.diff(batch.cu_num_logits_np[: batch.num_reqs + 1])
        places = batch.idx_mapping_np[: batch.num_reqs][counts > 0]
        widths = getattr(inner.diffusion_states, "canvas_width_np", None)
        order = np.arange(len(places)) if widths is None else np.argsort(widths[places], kind="stable")
        self._order, self._rows = order.tolist(), {row.index: row for row in rows}
        self._stock, self._at = stock, 0
        self.status: list[tuple[Sequence[Planned], Tensor]] = []

    def __call__(
        self, logits: Tensor, temperature: Tensor, width: int, seed: int, dtype: torch.dtype | None
    ) -> Statistics:
        """The statistics of the next tile: logits [H · W, V], temperature [H]."""
        H = len(logits) // width
        tile = self._order[self._at : self._at + H]
        self._at += H
        mine = {k: self._rows[index] for k, index in enumerate(tile) if index in self._rows}
        whole = len(mine) == H
        found = _empty(logits, dtype) if whole else self._stock(logits, temperature, width, seed, dtype)
        if mine:
            self._fill(found, logits.unflatten(0, (H, width)), temperature, mine)
        return found

    def _fill(self, found: Statistics, logits: Tensor, temperature: Tensor, mine: dict[int, Planned]) -> None:
        """Put the constrained rows into the tile's statistics; what fails together is tried alone."""
        held = [k for k, row in mine.items() if row.block is None]
        open_ = {k: row for k, row in mine.items() if row.block is not None}
        try:
            self._weigh(found, logits, temperature, open_)
        except Exception as error:
            for k, row in open_.items():
                try:
                    if len(open_) == 1:
                        raise error
                    self._weigh(found, logits, temperature, {k: row})
                except Exception as own:
                    row.slot.fail(own)
                    held.append(k)
        for k in held:
            _hold(found, logits.shape[1], k, mine[k])

    def _weigh(
        self, found: Statistics, logits: Tensor, temperature: Tensor, rows: dict[int, Planned]
    ) -> None:
        """One step of the lattice for these rows, whose results go where vLLM looks for them."""
        if not rows:
            return
        (H, W, _), ask = logits.shape, list(rows.values())
        best, drawn, entropy, table = found
        host = gpu.Host(
            H,
            list(rows),
            raised=True,
            temperature=temperature,
            best=best.view(H, W),
            ids=drawn.view(H, W),
            entropy=entropy.view(H, W),
        )
        told = gpu.Told(
            settled=torch.stack([row.settled(W) for row in ask]),
            seeds=torch.tensor([row.seed for row in ask]),
            turns=torch.tensor([row.turn for row in ask]),
            instead=torch.stack([row.slot.padded(None, W) for row in ask]),
        )
        blocks = [row.block for row in ask if row.block is not None]
        step = gpu.Step.of(blocks, positions=W, device=logits.device, host=host, told=told, spared=True)
        step.run(logits)
        if table is not None:
            step.spread(logits, table.unflatten(0, (H, W)))
        self.status.append((ask, step.status))


def holder_of(inner: Any) -> Any:
    """The module in which vLLM's sampler looks for its statistics; None if this version has no such function."""
    module = sys.modules.get(type(inner).__module__)
    return module if hasattr(module, STATISTICS) else None


@contextmanager
def replaced(holder: Any, statistics: PooledStatistics) -> Iterator[None]:
    """vLLM's sampler uses these statistics inside."""
    stock = getattr(holder, STATISTICS)
    setattr(holder, STATISTICS, statistics)
    try:
        yield
    finally:
        setattr(holder, STATISTICS, stock)


def noted(states: Any, rows: Sequence[Planned], status: list[tuple[Sequence[Planned], Tensor]]) -> Arriving:
    """Begin to copy what the host must know of a step, without waiting for it."""
    on_gpu = away(states.canvas)
    ended, canvas = _copied(states.is_encoder_phase), _copied(states.argmax_canvas)
    flags = [(ask, _copied(flag)) for ask, flag in status]
    arrived = None
    if on_gpu:
        arrived = torch.cuda.Event()
        arrived.record()
    return Arriving(rows, ended, canvas, flags, arrived)


def away(values: Tensor) -> bool:
    """Whether the host would wait for a copy of these values."""
    return values.is_cuda


def _copied(values: Tensor) -> Tensor:
    if not away(values):
        return values.to("cpu", copy=True)
    pinned = torch.empty_like(values, device="cpu", pin_memory=values.is_cuda)
    return pinned.copy_(values, non_blocking=True)


def _empty(logits: Tensor, dtype: torch.dtype | None) -> Statistics:
    """Statistics of a tile that the lattice fills whole."""
    rows, device, new = len(logits), logits.device, torch.empty
    best, drawn = (new(rows, dtype=torch.int64, device=device) for _ in range(2))
    table = None if dtype is None else torch.empty(logits.shape, dtype=dtype, device=device)
    return best, drawn, new(rows, dtype=torch.float32, device=device), table


def _hold(found: Statistics, width: int, k: int, row: Planned) -> None:
    """Make a canvas that ends at once certain in row k of a tile."""
    best, drawn, entropy, table = found
    at, ids = slice(k * width, (k + 1) * width), row.slot.padded(None, width).to(best.device)
    best[at], drawn[at], entropy[at] = ids, ids, 0.0
    if table is not None:
        table[at] = 0.0
        table[at].scatter_(1, ids[:, None], 1.0)
