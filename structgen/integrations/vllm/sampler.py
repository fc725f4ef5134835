"""vLLM's sampler of DiffusionGemma, with constraints for the requests that ask for one.

A request refines a canvas step by step until vLLM's stopping rule holds, and writes it out in the next step. Before
vLLM's sampler sees the logits of a step, those of constrained requests are replaced by their log-marginals at the
step's temperature, so its entropies, acceptance, stopping rule and self-conditioning refer to the constrained
distribution. Afterwards the accepted positions get the tokens of one joint draw, and a canvas that is about to be
written out becomes the joint best one. The rows of other requests, and the random numbers they are drawn with, do not
change. Whatever goes wrong with a constrained request ends that request alone.

In a step with constrained requests the host waits for the device a few times, to learn whether the lattice accepts
anything and which canvases are about to be written out.

Axes: R rows of logits of all requests, b requests of the same shape, N canvas, n positions in play, V vocabulary.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from structgen.errors import Unsupported
from structgen.integrations.rows import LEAST_LOG, log_marginals
from structgen.integrations.vllm.asked import CANVAS_OPTIONS, KEY, Asked
from structgen.integrations.vllm.constraints import Constraints
from structgen.integrations.vllm.slots import RequestState
from structgen_engine.decoding.blocks import nonempty
from structgen_engine.decoding.policy import EntropyBound
from structgen_engine.lattice.lattice import BlockLattice

UNLIMITED = 1 << 30  # tokens, for a request that says nothing about their number
TOGETHER = 4  # requests in one lattice; each takes some tables of N × V floats


@dataclass(frozen=True, eq=False)
class Shown:
    """Requests of one shape in one step.

    places: numbers of their slots; starts: their first rows of logits
    scores: [b, n, V], their logits at the step's temperature
    """

    places: list[int]
    slots: list[RequestState]
    starts: list[int]
    positions: int
    in_play: int
    scores: Tensor | None = None
    lattice: BlockLattice | None = None

    def alone(self) -> Iterator[Shown]:
        """Each request by itself, with a lattice of its own if they have one together."""
        for k in range(len(self.slots)):
            one = slice(k, k + 1)
            scores = None if self.scores is None else self.scores[one]
            yield replace(
                self,
                places=self.places[one],
                slots=self.slots[one],
                starts=self.starts[one],
                scores=scores,
                lattice=None,
            )

    def weighed(self) -> Shown:
        """The same with the lattice of the scores."""
        assert self.scores is not None
        return replace(
            self, lattice=nonempty([slot.block(self.positions) for slot in self.slots], self.scores)
        )


class ConstrainedSampler:
    """A wrapper around vLLM's sampler, which still does all the work for unconstrained requests."""

    def __init__(self, inner: Any, constraints: Constraints, *, seed: int = 0) -> None:
        """inner: a DiffusionSampler; seed: of the joint draws"""
        self.inner, self._constraints = inner, constraints
        self._slots: dict[int, RequestState] = {}
        self._told: dict[int, tuple[int, list[int], str]] = {}
        self._generator = torch.Generator().manual_seed(seed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def tell(self, place: int, room: int, written: list[int], name: str = "") -> None:
        """Announce a request that is about to be added.

        room: tokens after the prompt; written: tokens generated before the request was interrupted; name: for the log
        """
        self._told[place] = room, written, name

    def add_request(self, place: int, sampling_params: Any) -> None:
        """Add a request to the batch."""
        self.inner.add_request(place, sampling_params)
        self._slots.pop(place, None)
        room, written, name = self._told.pop(place, (None, [], ""))
        arguments = getattr(sampling_params, "extra_args", None) or {}
        if KEY in arguments:
            most = min(limit for limit in (sampling_params.max_tokens, room, UNLIMITED) if limit is not None)
            self._slots[place] = RequestState(self._pending(arguments), most - len(written), written, name)

    def __call__(self, logits: Tensor, input_batch: Any, draft_logits: Tensor | None = None) -> Any:
        """One step over logits [R, V]; those of constrained requests are overwritten."""
        shown, written_out = self._constrain_(logits, input_batch) if self._slots else ([], [])
        output = self.inner(logits, input_batch, draft_logits)
        for slot, positions in written_out:
            slot.commit(positions)
        if shown:
            self._overwrite_(shown)
        return output

    def _pending(self, arguments: dict[str, Any]) -> Future[Any]:
        try:
            if own := [name for name in CANVAS_OPTIONS if arguments.get(name)]:
                raise Unsupported(f"{own[0]} beside a constraint is not supported", remedy="give one of them")
            return self._constraints.submit(Asked.read(arguments[KEY]))
        except Exception as error:
            refused: Future[Any] = Future()
            refused.set_exception(error)
            return refused

    def _constrain_(self, logits: Tensor, batch: Any) -> tuple[list[Shown], list[tuple[RequestState, int]]]:
        """Replace constrained requests' logits by log-marginals; returns those shown and those written out now."""
        if batch.num_draft_tokens == 0:  # prompts only
            return [], []
        count, bounds = batch.num_reqs, batch.cu_num_logits_np
        alike: dict[tuple[int, int, bool], list[tuple[int, RequestState, int]]] = defaultdict(list)
        written_out = []
        for i, place in enumerate(batch.idx_mapping_np[:count].tolist()):
            slot, start, positions = self._slots.get(place), int(bounds[i]), int(bounds[i + 1] - bounds[i])
            if slot is None or not positions:
                continue
            if slot.committing:
                written_out.append((slot, positions))
            elif slot.left > 0:
                known = slot.open(self._constraints)
                alike[positions, slot.in_play(positions), known].append((place, slot, start))
        shown = []
        for (positions, n, known), rows in alike.items():
            for first in range(0, len(rows), TOGETHER):
                places, slots, starts = map(list, zip(*rows[first : first + TOGETHER], strict=True))
                part = Shown(places, slots, starts, positions, n)
                shown += self._each_(logits, part) if known else [_held_(logits, part)]
        return shown, written_out

    def _each_(self, logits: Tensor, part: Shown) -> list[Shown]:
        """The requests with their lattices; what fails together is tried alone, and ended if it fails again."""
        try:
            return [self._weighed_(logits, part)]
        except Exception as error:
            if len(part.slots) > 1:
                return [shown for one in part.alone() for shown in self._each_(logits, one)]
            part.slots[0].fail(error)
            return [_held_(logits, part)]

    def _weighed_(self, logits: Tensor, part: Shown) -> Shown:
        """The requests with their lattice; their logits are replaced by log-marginals."""
        n, temperature = part.in_play, self._temperature(part.places)[:, None, None]
        scores = torch.stack([logits[start : start + n] for start in part.starts]).float() / temperature
        weighed = replace(part, scores=scores).weighed()
        assert weighed.lattice is not None
        table = log_marginals(weighed.lattice).mul_(temperature)
        for slot, start, rows in zip(part.slots, part.starts, table, strict=True):
            logits[start : start + n] = rows.to(logits.dtype)
            if n < part.positions:
                tail = slot.padded(torch.zeros(n, dtype=torch.int64), part.positions)[n:]
                _hold_(logits[start + n : start + part.positions], tail)
        return weighed

    def _temperature(self, places: list[int]) -> Tensor:
        """[b] the temperatures by which vLLM's sampler is going to divide."""
        states, at = self.inner.diffusion_states, torch.tensor(places)
        done = states.step[at.to(states.step.device)].float()
        most = float(states.max_denoising_steps)
        remaining = (most - done).clamp(min=1.0)
        return self.inner.t_min + (self.inner.t_max - self.inner.t_min) * (remaining / most)

    def _overwrite_(self, shown: list[Shown]) -> None:
        """Put joint draws into accepted positions, and joint best blocks into canvases about to be written out."""
        decided = self.inner.diffusion_states.is_encoder_phase.tolist()
        for part in shown:
            try:
                self._decide_(part, decided)
            except Exception:
                for one in part.alone():
                    self._decide_alone_(one, decided)

    def _decide_alone_(self, part: Shown, decided: list[bool]) -> None:
        """Do for one request what failed for several, or end it."""
        try:
            self._decide_(part if part.scores is None else part.weighed(), decided)
        except Exception as error:
            part.slots[0].fail(error)
            self._decide_(part, decided)

    def _decide_(self, part: Shown, decided: list[bool]) -> None:
        """The canvases of one part. decided: by place, whether a canvas is about to be written out"""
        states = self.inner.diffusion_states
        ends = [decided[place] for place in part.places]
        best = part.lattice.argmax().ids if part.lattice and any(ends) else None
        drawn = keep = None
        if part.lattice and not all(ends):
            drawn = part.lattice.sample(self._generator).to(states.canvas)
            open_ = torch.full_like(drawn, -1)
            keep = EntropyBound(self.inner.entropy_bound)(part.lattice.beliefs(), open_)
        for k, (place, slot) in enumerate(zip(part.places, part.slots, strict=True)):
            if ends[k]:
                canvas = slot.decide(None if best is None else best[k], part.positions)
                self._put_(place, canvas)
                states.argmax_canvas[place, : part.positions] = canvas.to(states.argmax_canvas)
            elif drawn is not None and keep is not None:
                before = states.canvas[place, : part.in_play]
                self._put_(place, torch.where(keep[k].to(before.device), drawn[k], before))

    def _put_(self, place: int, ids: Tensor) -> None:
        """Put ids [≤ N] at the start of a canvas and of the next forward pass's input."""
        canvas, drafts = self.inner.diffusion_states.canvas, self.inner.req_states.draft_tokens
        canvas[place, : len(ids)] = ids.to(canvas)
        drafts[place, : len(ids)] = ids.to(drafts)


def _held_(logits: Tensor, part: Shown) -> Shown:
    """Requests without an automaton, whose canvases end at once."""
    for slot, start in zip(part.slots, part.starts, strict=True):
        _hold_(logits[start : start + part.positions], slot.padded(None, part.positions))
    return part


def _hold_(rows: Tensor, ids: Tensor) -> None:
    """Make only ids [N] possible in the scores [N, V]."""
    rows.fill_(LEAST_LOG)
    rows.scatter_(1, ids.to(rows.device)[:, None], 0.0)
