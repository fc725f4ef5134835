"""Constrained requests on a GPU: vLLM's step gets the lattice's statistics of their rows in place of its own.

For each position of a canvas that step takes the best token, a drawn token, the entropy and the probabilities of all
tokens, tile by tile of canvases. Constrained requests get the joint best block, a joint draw, and the entropies and
marginals under the constraint, all of them in one `Step` of kernel launches, whose results each tile then gets in one
more. Acceptance, renoising, stability, the stopping rule and self-conditioning refer to the constrained distribution,
and what vLLM writes out is the joint best block.

The host learns which canvases are about to be written out one step late, from copies that the step before has begun.
This is the only wait, for work that lies a whole forward pass back.

Axes: H requests of a tile, B constrained ones of them, W canvas, V vocabulary.
"""

from __future__ import annotations

import logging
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

log = logging.getLogger("vllm.structgen")
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
        self,
        inner: Any,
        stock: Callable[..., Statistics],
        batch: Any,
        rows: Sequence[Planned],
        logits: Tensor,
    ) -> None:
        """inner: the sampler; rows: the constrained requests of the step; logits: [R, V] of all requests"""
        counts = np.diff(batch.cu_num_logits_np[: batch.num_reqs + 1])
        places = batch.idx_mapping_np[: batch.num_reqs][counts > 0]
        widths = getattr(inner.diffusion_states, "canvas_width_np", None)
        order = np.arange(len(places)) if widths is None else np.argsort(widths[places], kind="stable")
        self._order, self._rows = order.tolist(), {row.index: row for row in rows}
        self._widths = None if widths is None else widths[places].tolist()
        self._starts = (counts[counts > 0].cumsum() - counts[counts > 0]).tolist()
        self._inner, self._logits = inner, logits
        self._whole: gpu.Step | None = None  # of all rows, made for the first of several tiles
        self._apart = widths is None  # each tile has a step of its own
        self._stock, self._at = stock, 0
        self.status: list[tuple[Sequence[Planned], Tensor]] = []

    def __call__(
        self, logits: Tensor, temperature: Tensor, width: int, seed: int, dtype: torch.dtype | None
    ) -> Statistics:
        """The statistics of the next tile: logits [H · W, V], temperature [H]."""
        H, first = len(logits) // width, self._at
        tile = self._order[first : first + H]
        self._at += H
        mine = {k: self._rows[index] for k, index in enumerate(tile) if index in self._rows}
        whole = len(mine) == H
        found = _empty(logits, dtype) if whole else self._stock(logits, temperature, width, seed, dtype)
        if mine:
            self._fill(found, logits.unflatten(0, (H, width)), temperature, mine, first)
        return found

    def _fill(
        self, found: Statistics, logits: Tensor, temperature: Tensor, mine: dict[int, Planned], first: int
    ) -> None:
        """Put the constrained rows into the tile's statistics; what fails together is tried alone."""
        held = [k for k, row in mine.items() if row.block is None]
        open_ = {k: row for k, row in mine.items() if row.block is not None}
        try:
            if not self._handed(found, logits.shape[1], open_, first):
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

    def _handed(self, found: Statistics, width: int, rows: dict[int, Planned], first: int) -> bool:
        """Give a tile its rows' results of the one step of all rows; whether there is such a step.

        There is none if one tile has all rows, and none once it has failed: then each tile has its own.
        """
        everything = self._open()
        if self._apart or not rows or (self._whole is None and len(rows) == len(everything)):
            return False
        try:
            if self._whole is None:
                self._whole = self._together(everything)
            step, at = self._whole, [row.index for row in everything].index(next(iter(rows.values())).index)
            best, drawn, entropy, table = found
            tile = gpu.Handing(
                first, width, (step.best, step.ids, step.entropy), (best, drawn, entropy), table is not None
            )
            out = None if table is None else table.unflatten(0, (-1, width))
            step.hand_over(_anywhere(self._logits), slice(at, at + len(rows)), tile, out)
        except Exception:
            log.exception("the step of all constrained requests failed: each tile has its own")
            self._apart = True
            return False
        return True

    def _open(self) -> list[Planned]:
        """The rows that have a block, in the order of vLLM's tiles."""
        found = [self._rows[index] for index in self._order if index in self._rows]
        return [row for row in found if row.block is not None]

    def _together(self, rows: list[Planned]) -> gpu.Step:
        """One step of all rows, over the logits where the model has put them."""
        assert self._widths is not None
        states, inner, B = self._inner.diffusion_states, self._inner, len(rows)
        widths = [self._widths[row.index] for row in rows]
        N, order = max(widths), {index: k for k, index in enumerate(self._order)}
        host = gpu.Host(
            B,
            range(B),
            raised=True,
            lengths=widths,
            sources=[self._starts[row.index] for row in rows],
            targets=[order[row.index] for row in rows],
            slots=[row.place for row in rows],
            schedule=gpu.Cooling(states.step, inner.t_min, inner.t_max, states.max_denoising_steps),
        )
        told = self._told(rows, N)
        blocks = [row.block for row in rows if row.block is not None]
        step = gpu.Step.of(blocks, positions=N, device=self._logits.device, host=host, told=told, spared=True)
        step.run(_anywhere(self._logits))
        self.status.append((rows, step.status))
        return step

    def _told(self, rows: list[Planned], width: int) -> gpu.Told:
        return gpu.Told(
            settled=torch.stack([row.settled(width) for row in rows]),
            seeds=torch.tensor([row.seed for row in rows]),
            turns=torch.tensor([row.turn for row in rows]),
            instead=torch.stack([row.slot.padded(None, width) for row in rows]),
        )

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
        told = self._told(ask, W)
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


def _anywhere(logits: Tensor) -> Tensor:
    """Logits [R, V] as [R, 1, V], of which a row of a batch may begin anywhere."""
    stride = logits.stride(0)
    return logits.as_strided((len(logits), 1, logits.shape[1]), (stride, stride, logits.stride(1)))


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
