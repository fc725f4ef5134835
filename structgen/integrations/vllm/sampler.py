"""vLLM's sampler of DiffusionGemma, with constraints for the requests that ask for one.

A request refines a canvas step by step until vLLM's stopping rule holds, and writes it out in the next step. On a
GPU vLLM's step gets what it computes from the logits of constrained requests from the lattice instead: see `pooled`.
Elsewhere, and for automata that are explored as they go, before
vLLM's sampler sees the logits of a step, those of constrained requests are replaced by their log-marginals at the
step's temperature, so its entropies, acceptance, stopping rule and self-conditioning refer to the constrained
distribution. Afterwards the accepted positions get the tokens of one joint draw, and a canvas that is about to be
written out becomes the joint best one. The rows of other requests, and the random numbers they are drawn with, do not
change. Whatever goes wrong with a constrained request ends that request alone.

In such a step the host waits for the device a few times, to learn whether the lattice accepts anything and which
canvases are about to be written out.

Axes: R rows of logits of all requests, b requests of the same shape, N canvas, n positions in play, V vocabulary.
"""

from __future__ import annotations

import importlib
import logging
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from structgen.errors import Unsupported
from structgen.integrations.rows import LEAST_LOG, log_marginals
from structgen.integrations.vllm.asked import CANVAS_OPTIONS, KEY, Asked
from structgen.integrations.vllm.constraints import WARM_UP, Constraints
from structgen.integrations.vllm.slots import RequestState
from structgen_engine.automata.dfa import BlockAutomaton
from structgen_engine.decoding.blocks import nonempty
from structgen_engine.decoding.policy import EntropyBound
from structgen_engine.decoding.row import begin
from structgen_engine.lattice.lattice import BlockLattice

if TYPE_CHECKING:
    from structgen.integrations.vllm.pooled import Arriving, Planned

UNLIMITED = 1 << 30  # tokens, for a request that says nothing about their number
TOGETHER = 4  # requests in one lattice; each takes some tables of N × V floats
WARM_TOKENS = 32  # of the step that compiles the kernels
SLOTS = 1 << 20  # more than a batch has; a request's seed holds its slot
log = logging.getLogger("vllm.structgen")


@dataclass(frozen=True, eq=False)
class Turn:
    """A constrained request in one step.

    index: among the requests that have logits, the first of which is `start`; known: whether it has an automaton
    """

    index: int
    place: int
    slot: RequestState
    start: int
    positions: int
    known: bool


def pools(logits: Tensor) -> bool:
    """Whether the statistics of constrained requests are computed where these logits are."""
    return logits.is_cuda and find_spec("triton") is not None


def _pooled_module() -> Any:
    return importlib.import_module("structgen.integrations.vllm.pooled")  # imports Triton


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
        self._seed, self._turns = seed, 0
        self._late: Arriving | None = None  # what the last step has told of itself

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def tell(self, place: int, room: int, written: list[int], name: str = "") -> None:
        """Announce a request that is about to be added.

        room: tokens after the prompt; written: tokens generated before the request was interrupted; name: for the log
        """
        self._told[place] = room, written, name

    def warm(self) -> None:
        """Do what a step on a CPU does, once, before the first request waits for the kernels to be compiled."""
        try:
            constraint = self._constraints.submit(WARM_UP).result()
            row = begin(constraint.automaton, 0, WARM_TOKENS)
            scores = torch.zeros(1, WARM_TOKENS, constraint.vocabulary.size)
            lattice = nonempty([row.block(WARM_TOKENS)], scores)
            log_marginals(lattice)
            lattice.sample(torch.Generator())
            lattice.beliefs()
            lattice.argmax()
        except Exception:
            log.exception("the kernels are compiled when a request needs them")

    def add_request(self, place: int, sampling_params: Any) -> None:
        """Add a request to the batch."""
        self.inner.add_request(place, sampling_params)
        self._slots.pop(place, None)
        room, written, name = self._told.pop(place, (None, [], ""))
        arguments = getattr(sampling_params, "extra_args", None) or {}
        if KEY in arguments:
            most = min(limit for limit in (sampling_params.max_tokens, room, UNLIMITED) if limit is not None)
            self._slots[place] = RequestState(
                partial(self._pending, arguments), most - len(written), written, name
            )

    def __call__(self, logits: Tensor, input_batch: Any, draft_logits: Tensor | None = None) -> Any:
        """One step over logits [R, V]; those of constrained requests are overwritten."""
        late, self._late = self._late, None
        if late is not None:
            try:
                late.tell(self._slots)
            except Exception as error:
                self._lose([row.slot for row in late.rows], error)
        asked, written_out = self._asked(input_batch) if self._slots else ([], [])
        output = self._answered(asked, logits, input_batch, draft_logits)
        for slot, positions in written_out:
            slot.commit(positions)
        return output

    def _answered(self, asked: list[Turn], logits: Tensor, batch: Any, draft_logits: Tensor | None) -> Any:
        """The inner sampler's output, with the constrained requests' part in it."""
        pooled, rest = self._divided(asked, logits)
        shown = self._constrain_(logits, rest)
        if not pooled:
            output = self.inner(logits, batch, draft_logits)
        else:
            output = self._pooled(pooled, logits, batch, draft_logits)
        if shown:
            self._overwrite_(shown)
        return output

    def _divided(self, asked: list[Turn], logits: Tensor) -> tuple[list[Planned], list[Turn]]:
        """The requests whose statistics vLLM's step gets from the pool, and those that are shown changed logits.

        The latter are all if the logits are not on a GPU, and those whose automata are explored as they go.
        """
        if not asked or not pools(logits):
            return [], asked
        try:
            pooled = _pooled_module()
            if pooled.holder_of(self.inner) is None:
                return [], asked
        except Exception:
            log.exception("the kernels cannot be loaded: constraints are computed without them")
            return [], asked
        plan, rest = list[Any](), list[Turn]()
        for turn in asked:
            block = None
            try:
                block = turn.slot.block(turn.positions) if turn.known else None
            except Exception as error:
                turn.slot.fail(error)
            if block is None or isinstance(block, BlockAutomaton):
                seed = self._seed * SLOTS + turn.place
                self._turns += 1
                plan.append(
                    pooled.Planned(
                        turn.index, turn.place, turn.slot, turn.positions, seed, self._turns, block
                    )
                )
            else:
                rest.append(turn)
        return plan, rest

    def _pooled(self, plan: list[Planned], logits: Tensor, batch: Any, draft_logits: Tensor | None) -> Any:
        """The inner sampler's output with the pool's statistics of these requests."""
        pooled = _pooled_module()
        holder = pooled.holder_of(self.inner)
        stock = getattr(holder, pooled.STATISTICS)
        statistics = pooled.PooledStatistics(self.inner, stock, batch, plan, logits)
        with pooled.replaced(holder, statistics):
            output = self.inner(logits, batch, draft_logits)
        for again in (True, False):
            try:
                self._late = pooled.noted(self.inner.diffusion_states, plan, statistics.status)
                break
            except Exception as error:
                if not again:
                    self._lose([planned.slot for planned in plan], error)
        return output

    def _lose(self, slots: list[RequestState], error: Exception) -> None:
        """End requests of which the host does not know how far they are."""
        for slot in slots:
            slot.fail(error)

    def _pending(self, arguments: dict[str, Any]) -> Future[Any]:
        try:
            if own := [name for name in CANVAS_OPTIONS if arguments.get(name)]:
                raise Unsupported(f"{own[0]} beside a constraint is not supported", remedy="give one of them")
            return self._constraints.submit(Asked.read(arguments[KEY]))
        except Exception as error:
            refused: Future[Any] = Future()
            refused.set_exception(error)
            return refused

    def _asked(self, batch: Any) -> tuple[list[Turn], list[tuple[RequestState, int]]]:
        """The constrained requests that are refined now, and those that are written out now with their positions."""
        if batch.num_draft_tokens == 0:  # prompts only
            return [], []
        count, bounds = batch.num_reqs, batch.cu_num_logits_np
        asked, written_out, index = list[Turn](), [], -1
        for i, place in enumerate(batch.idx_mapping_np[:count].tolist()):
            slot, start, positions = self._slots.get(place), int(bounds[i]), int(bounds[i + 1] - bounds[i])
            index += positions > 0
            if slot is None or not positions:
                continue
            if slot.committing:
                written_out.append((slot, positions))
            elif slot.left > 0:
                known = slot.open(self._constraints)
                asked.append(Turn(index, place, slot, start, positions, known))
        return asked, written_out

    def _constrain_(self, logits: Tensor, asked: list[Turn]) -> list[Shown]:
        """Replace these requests' logits by log-marginals; returns what is shown."""
        alike: dict[tuple[int, int, bool], list[Turn]] = defaultdict(list)
        for turn in asked:
            alike[turn.positions, turn.slot.in_play(turn.positions), turn.known].append(turn)
        shown = []
        for (positions, n, known), rows in alike.items():
            for first in range(0, len(rows), TOGETHER):
                some = rows[first : first + TOGETHER]
                slots, starts = [turn.slot for turn in some], [turn.start for turn in some]
                part = Shown([turn.place for turn in some], slots, starts, positions, n)
                shown += self._each_(logits, part) if known else [_held_(logits, part)]
        return shown

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
            beliefs = part.lattice.beliefs()
            keep = EntropyBound(self.inner.entropy_bound)(
                beliefs, torch.full_like(beliefs.free, -1, dtype=torch.int64)
            )
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
