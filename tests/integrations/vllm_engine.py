"""vLLM's engine as far as the plugin sees it: the sampler's states, and canvases that are refined and written out.

A stand-in after vllm.model_executor.models.diffusion_gemma of vLLM 0.32; `make test-vllm` runs the real one.

Axes: R rows of logits, N canvas, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

PLACES = 4
Statistics = tuple[Tensor, Tensor, Tensor, Tensor | None]


class StockSampler:
    """Accepts by an entropy bound, renoises, stops when calm and stable, and writes out the best of each position."""

    entropy_bound, t_min, t_max, confidence = 0.1, 0.4, 0.8, 0.005

    def __init__(self, canvas: int, vocabulary: int, *, steps: int = 3) -> None:
        self.size = vocabulary
        self.diffusion_states = SimpleNamespace(
            canvas=torch.zeros(PLACES, canvas, dtype=torch.int64),
            argmax_canvas=torch.zeros(PLACES, canvas, dtype=torch.int64),
            is_encoder_phase=torch.zeros(PLACES, dtype=torch.bool),
            step=torch.zeros(PLACES, dtype=torch.int32),
            max_denoising_steps=steps,
        )
        self.req_states = SimpleNamespace(draft_tokens=torch.zeros(PLACES, canvas, dtype=torch.int32))
        self.added: list[int] = []

    def add_request(self, place: int, sampling_params: Any) -> None:
        states = self.diffusion_states
        self.added.append(place)
        states.canvas[place] = torch.randint(self.size, states.canvas[place].shape)
        states.is_encoder_phase[place], states.step[place] = False, 0

    def __call__(
        self, logits: Tensor, batch: Any, draft_logits: Tensor | None = None
    ) -> dict[int, list[int]]:
        """What is written out, by place."""
        states, output = self.diffusion_states, {}
        bounds = batch.cu_num_logits_np
        for i, place in enumerate(batch.idx_mapping_np[: batch.num_reqs].tolist()):
            rows = logits[bounds[i] : bounds[i + 1]].float()
            n, noise = len(rows), torch.randint(self.size, states.canvas[place].shape)
            gumbel = -torch.empty(rows.shape).exponential_().log()
            if states.is_encoder_phase[place]:
                output[place] = states.argmax_canvas[place, :n].tolist()
                states.is_encoder_phase[place], states.step[place], states.canvas[place] = False, 0, noise
                continue
            remaining = (
                max(states.max_denoising_steps - int(states.step[place]), 1) / states.max_denoising_steps
            )
            log_prob = (rows / (self.t_min + (self.t_max - self.t_min) * remaining)).log_softmax(-1)
            entropy = -(log_prob.exp() * log_prob).sum(-1)
            ordered, order = entropy.sort()
            keep = torch.zeros(n, dtype=torch.bool).scatter(
                0, order, ordered.cumsum(0) - ordered <= self.entropy_bound
            )
            best, before = rows.argmax(-1), states.argmax_canvas[place, :n].clone()
            states.argmax_canvas[place, :n] = best
            states.canvas[place, :n] = torch.where(keep, (log_prob + gumbel).argmax(-1), noise[:n])
            states.step[place] += 1
            calm = entropy.mean() < self.confidence and torch.equal(before, best)
            if calm or states.step[place] >= states.max_denoising_steps:
                states.is_encoder_phase[place], states.canvas[place, :n] = True, best
        self.req_states.draft_tokens[:] = states.canvas
        return output


def sample_row_stats(
    logits: Tensor, temperature: Tensor, width: int, seed: int, dtype: torch.dtype | None
) -> Statistics:
    """vLLM's statistics of a tile: best and drawn tokens, entropies and probabilities; logits [H · W, V]."""
    log_prob = (logits.float() / temperature.repeat_interleave(width)[:, None]).log_softmax(-1)
    gumbel = -torch.empty(log_prob.shape).exponential_(generator=torch.Generator().manual_seed(seed)).log()
    chance = log_prob.exp()
    entropy = -torch.where(chance > 0, chance * log_prob, 0.0).sum(-1)
    best, drawn = logits.argmax(-1), (log_prob + gumbel).argmax(-1)
    return best, drawn, entropy, None if dtype is None else chance.to(dtype)


class TiledSampler(StockSampler):
    """The same on a GPU, where a step takes what it needs of all canvases from `sample_row_stats`."""

    def __call__(
        self, logits: Tensor, batch: Any, draft_logits: Tensor | None = None
    ) -> dict[int, list[int]]:
        states, places = self.diffusion_states, batch.idx_mapping_np[: batch.num_reqs].tolist()
        width = len(logits) // len(places)
        at, most = torch.tensor(places), float(states.max_denoising_steps)
        left = (most - states.step[at]).clamp(min=1.0) / most
        temperature, seed = self.t_min + (self.t_max - self.t_min) * left, int(torch.randint(2**31, (1,)))
        parts = self._statistics(logits, temperature, width, seed)
        assert parts[3] is not None
        self.table = parts[3].view(len(places), width, -1)
        best, drawn, entropy = (part.view(len(places), width) for part in parts[:3])
        keep, output = self._kept(entropy), dict[int, list[int]]()
        for k, place in enumerate(places):
            noise = torch.randint(self.size, (width,))
            if states.is_encoder_phase[place]:
                output[place] = states.argmax_canvas[place, :width].tolist()
                states.is_encoder_phase[place], states.step[place] = False, 0
                states.canvas[place, :width] = noise
                continue
            same = torch.equal(states.argmax_canvas[place, :width], best[k])
            states.argmax_canvas[place, :width] = best[k]
            states.canvas[place, :width] = torch.where(keep[k], drawn[k], noise)
            states.step[place] += 1
            calm = bool(entropy[k].mean() < self.confidence) and same
            if calm or states.step[place] >= states.max_denoising_steps:
                states.is_encoder_phase[place], states.canvas[place, :width] = True, best[k]
        self.req_states.draft_tokens[:] = states.canvas
        return output

    def _statistics(self, logits: Tensor, temperature: Tensor, width: int, seed: int) -> Statistics:
        return sample_row_stats(logits, temperature, width, seed, torch.bfloat16)

    def _kept(self, entropy: Tensor) -> Tensor:
        ordered, order = entropy.sort(-1)
        lower = ordered.cumsum(-1) - ordered.cummax(-1).values <= self.entropy_bound
        return torch.zeros_like(lower).scatter(-1, order, lower)


class SeveralTiles(TiledSampler):
    """The same where memory holds the statistics of one canvas at a time."""

    def __init__(self, canvas: int, vocabulary: int, *, steps: int = 3) -> None:
        super().__init__(canvas, vocabulary, steps=steps)
        self.diffusion_states.canvas_width_np = np.full(PLACES, canvas)

    def _statistics(self, logits: Tensor, temperature: Tensor, width: int, seed: int) -> Statistics:
        rows = logits.split(width)
        parts = [
            sample_row_stats(one, temperature[k : k + 1], width, seed + k, torch.bfloat16)
            for k, one in enumerate(rows)
        ]
        return tuple(torch.cat(list(part)) for part in zip(*parts, strict=True))  # type: ignore[arg-type,return-value]


@dataclass
class Request:
    """One request; left: tokens that it may still write."""

    place: int
    left: int
    arguments: dict[str, Any] | None = None
    ids: list[int] = field(default_factory=list)


class Engine:
    """Steps requests until all have written what they may. Logits are random, the same for the same seed and place."""

    def __init__(
        self, sampler: Any, canvas: int, *, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> None:
        self.sampler, self.canvas, self.dtype = sampler, canvas, dtype
        self.generators = [torch.Generator().manual_seed(seed * PLACES + place) for place in range(PLACES)]
        self.steps = 0

    def run(self, requests: list[Request], *, width: int | None = None) -> None:
        """width: of the canvases, where a model's length cuts them"""
        for request in requests:
            params = SimpleNamespace(max_tokens=request.left + len(request.ids), extra_args=request.arguments)
            self.sampler.add_request(request.place, params)
        while active := [request for request in requests if request.left > 0]:
            self.step(active, width or self.canvas)

    def step(self, active: list[Request], width: int) -> None:
        """One forward pass's worth."""
        self.steps += 1
        size = self.sampler.size
        rows = [torch.randn(width, size, generator=self.generators[request.place]) for request in active]
        batch = SimpleNamespace(
            num_reqs=len(active),
            num_draft_tokens=width * len(active),
            idx_mapping_np=np.array([request.place for request in active]),
            cu_num_logits_np=np.arange(len(active) + 1) * width,
        )
        written = self.sampler((3 * torch.cat(rows)).to(self.dtype), batch)
        for request in active:
            ids = written.get(request.place, [])[: request.left]
            request.ids += ids
            request.left -= len(ids)
