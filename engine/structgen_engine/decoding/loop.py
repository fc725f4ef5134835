"""One decoding loop for every noise, over as many blocks as each row's budget holds; rows join and leave between steps.

    loop = Loop(denoiser)
    loop.start([task, …])          # also while other rows are being decoded
    while loop.busy:
        for number, decoded in loop.step().items(): …

A step is one forward pass, one lattice and one choice (see `sampling`) for all rows that can share them. A row whose
block is done begins its next block in the following step; it leaves the loop when its automaton accepts the output.

A row draws only from its own generator. If the denoiser treats the rows of a batch independently, the output of a row
therefore does not depend on the other rows or on when it joins.

Budget: a block may end only in states from which the tokens left after it suffice to finish. This needs automata that
can always be filled up with padding, so `start` refuses others.

Axes: b rows, N block (of the model), n positions in play, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeVar

import torch
from torch import Tensor

from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.blocks import admits, nonempty, remember, tables
from structgen_engine.decoding.cohort import Cohort, Live, Task, alike, free, heard, joined, tell
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.options import DecodingOptions
from structgen_engine.decoding.ranking import last_look
from structgen_engine.decoding.row import Decoded, Review, Verdict, begin
from structgen_engine.decoding.sampling import Decision, Stability, View
from structgen_engine.lattice.beam import Beam
from structgen_engine.lattice.lattice import OPEN, Beliefs, BlockLattice, forced

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class StepEvent:
    """One refinement step of rows that are at the same block and step, as reported to `on_step`.

    block, step: counted from 0; rows: [b] int64, their numbers, in the order in which they started
    canvas: [b, n] what the next step sees; ids: [b, n] an accepted block, the step's joint draw or final block;
    accepted: [b, n] bool, positions kept; beliefs: of the b rows
    dropped: [b] float64, a bound on the share of the accepted blocks' probability left out; 0 for automata in tables
    certified: [b] bool, whether `ids` are the most probable of all accepted blocks, including those left out
    settled: [b, n] bool, positions whose ids no later step can change, none where a review may have the block refined
        again; None if the whole output may be begun anew
    """

    block: int
    step: int
    rows: Tensor
    canvas: Tensor
    ids: Tensor
    accepted: Tensor
    beliefs: Beliefs
    dropped: Tensor | None = None
    certified: Tensor | None = None
    settled: Tensor | None = None


def decode(
    denoiser: Denoiser,
    prompts: Sequence[Sequence[int]],
    automata: Sequence[TokenAutomaton],
    *,
    max_tokens: int,
    generators: Sequence[torch.Generator],
    options: DecodingOptions | None = None,
    pad_id: int = 0,
    scaffold: Sequence[Tensor | None] | None = None,
    reviews: Sequence[Review | None] | None = None,
    on_step: Callable[[StepEvent], None] | None = None,
) -> list[Decoded]:
    """The outputs of a batch that starts together, with one automaton, generator and so on per prompt; see `Task`."""
    steps = decoding(
        denoiser,
        prompts,
        automata,
        max_tokens=max_tokens,
        generators=generators,
        options=options,
        pad_id=pad_id,
        scaffold=scaffold,
        reviews=reviews,
    )
    return drained(steps, on_step)


def drained(steps: Generator[StepEvent, None, T], on_step: Callable[[StepEvent], None] | None = None) -> T:
    """What a generator of steps returns at its end; on_step is called with each step."""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value
        if on_step is not None:
            on_step(event)


def decoding(
    denoiser: Denoiser,
    prompts: Sequence[Sequence[int]],
    automata: Sequence[TokenAutomaton],
    *,
    max_tokens: int,
    generators: Sequence[torch.Generator],
    options: DecodingOptions | None = None,
    pad_id: int = 0,
    scaffold: Sequence[Tensor | None] | None = None,
    reviews: Sequence[Review | None] | None = None,
) -> Generator[StepEvent, None, list[Decoded]]:
    """`decode` step by step: yields what each step did, and returns the outputs. It can be closed between two steps."""
    total, options = len(prompts), options or DecodingOptions()
    rows = zip(
        prompts,
        _one_each(total, "automata", automata),
        _one_each(total, "generators", generators),
        _one_each(total, "scaffolds", scaffold or [None] * total),
        _one_each(total, "reviews", reviews or [None] * total),
        strict=True,
    )
    events: list[StepEvent] = []
    loop, finished = Loop(denoiser, on_step=events.append), dict[int, Decoded]()
    loop.start(
        [
            Task(prompt, automaton, generator, max_tokens, options, pad_id, wish, review)
            for prompt, automaton, generator, wish, review in rows
        ]
    )
    while loop.busy:
        finished |= loop.step()
        yield from events
        events.clear()
    return [finished[number] for number in range(total)]


def _one_each(total: int, what: str, values: Sequence[T]) -> Sequence[T]:
    if len(values) != total:
        raise ValueError(f"{len(values)} {what} for {total} prompts: give one per prompt")
    return values


class Loop:
    """The decoding loop of one denoiser, and the rows that it is decoding."""

    def __init__(self, denoiser: Denoiser, *, on_step: Callable[[StepEvent], None] | None = None) -> None:
        self.denoiser, self._on_step = denoiser, on_step
        self._cohorts: list[Cohort] = []
        self._started = 0

    @property
    def busy(self) -> bool:
        """Whether any row is being decoded."""
        return bool(self._cohorts)

    def start(self, tasks: Sequence[Task]) -> list[int]:
        """Let rows join before the next step; returns their numbers, which count all rows of this loop from 0.

        Raises BudgetTooSmall, EmptyLattice or ValueError if one of them cannot be decoded; then none joins.
        """
        rows = []
        for number, task in enumerate(tasks, self._started):
            row = begin(task.automaton, number, task.max_tokens, task.options.pruning, task.review)
            rows.append(Live(task, row))
        if rows:
            context = self.denoiser.start([task.prompt for task in tasks])
            self._begin(rows, [_pins(live, self.denoiser.block_length) for live in rows])
            self._cohorts.append(Cohort(context, rows))
        self._started += len(rows)
        return [live.row.index for live in rows]

    def cancel(self, number: int) -> None:
        """Remove a row unfinished; nothing happens if it is not being decoded."""
        stay = [cohort.only([live.row.index != number for live in cohort.rows]) for cohort in self._cohorts]
        self._cohorts = [cohort for cohort in stay if cohort.rows]

    def step(self) -> dict[int, Decoded]:
        """Refine every row once; returns the rows that this finished, by number."""
        finished, onward = dict[int, Decoded](), list[Cohort]()
        for cohort in joined(self._cohorts):
            logits = self._logits(cohort)
            for places in alike(cohort.rows):
                rows = [cohort.rows[k] for k in places]
                self._refine(rows, logits if len(places) == len(logits) else logits[places])
            del logits
            onward += self._onward(cohort, finished)
        self._cohorts = onward
        return finished

    def _begin(self, rows: Sequence[Live], settled: Sequence[Tensor]) -> None:
        """Give each row a fresh canvas with these positions [n] settled and, if self-conditioned, its beliefs."""
        noise = self.denoiser.noise
        for live, pins in zip(rows, settled, strict=True):
            live.settled, live.step, live.stability = pins, 0, Stability()
            live.known, live.done = None, False
            live.canvas = torch.where(pins >= 0, pins, noise.start((len(pins),), live.task.generator))
        if self.denoiser.self_conditioning and not self.denoiser.unconditioned_start:
            for _, group in groupby(rows, key=lambda live: len(live.settled)):
                equal = list(group)
                pins = torch.stack([live.settled for live in equal])
                parts = tables([self._part(live) for live in equal], pins)
                tell(equal, forced(parts, pins, self.denoiser.vocabulary_size))

    def _part(self, live: Live) -> Any:
        return live.row.block(self.denoiser.block_length)

    def _logits(self, cohort: Cohort) -> Tensor:
        """Logits [b, N, V] of the canvases of a cohort; rows without beliefs take a separate pass."""
        told = [live.known is not None for live in cohort.rows]
        if all(told) or not any(told):
            return self._forward(cohort)
        places = sorted(range(len(told)), key=told.__getitem__)
        logits = torch.cat(
            [self._forward(cohort.only([own == kind for own in told])) for kind in (False, True)]
        )
        return logits[torch.tensor(places).argsort().to(logits.device)]

    def _forward(self, cohort: Cohort) -> Tensor:
        """Logits [b, N, V] of rows that all have beliefs or all have none."""
        N = self.denoiser.block_length
        canvas = torch.stack([live.padded(live.canvas, N) for live in cohort.rows])
        if cohort.rows[0].known is None:
            return self.denoiser(cohort.context, canvas)
        return self.denoiser(cohort.context, canvas, heard(cohort.rows, N))

    def _refine(self, rows: list[Live], logits: Tensor) -> None:
        """One step of rows that can share it (see `alike`), with logits [b, N, V]."""
        n, options = len(rows[0].canvas), rows[0].task.options
        parts, settled = [self._part(live) for live in rows], torch.stack([live.settled for live in rows])
        logits, cold = logits[:, :n], rows[0].cold
        temperature = [1.0 if cold else options.temperature_at(live.step) for live in rows]
        lattice = nonempty(parts, logits, settled=settled, temperature=temperature)
        view = View(
            lattice,
            logits,
            _on_cpu(lattice.beliefs()),
            torch.stack([live.canvas for live in rows]),
            settled,
            torch.tensor([live.step for live in rows]),
            cold,
            options,
            [live.task.generator for live in rows],
            [live.stability for live in rows],
        )
        choice = self.denoiser.noise.choose(view)
        remember(parts, choice.ids)
        dropped = lattice.dropped()
        for k, live in enumerate(rows):
            fresh = self.denoiser.noise.start((n,), live.task.generator)
            live.take(choice, k, fresh, float(dropped[k]))
            if live.done and options.keep:
                live.row.look = last_look(parts[k], logits[k], settled[k], temperature[k])
        self._tell_marginals(rows, lattice)
        if self._on_step is not None:
            for event in _events(rows, view, choice, dropped):
                self._on_step(event)

    def _tell_marginals(self, rows: list[Live], lattice: BlockLattice) -> None:
        """Store the marginals for the next step of the rows that go on, if the denoiser is self-conditioned."""
        if self.denoiser.self_conditioning and not all(live.done for live in rows):
            tell(rows, lattice.log_marginals_())

    def _onward(self, cohort: Cohort, finished: dict[int, Decoded]) -> list[Cohort]:
        """The rows of a cohort that go on, with those that committed a block apart; records the finished ones."""
        ended = [False] * len(cohort.rows)
        for k, live in enumerate(cohort.rows):
            if live.done and not self._again(live):
                ended[k] = True
                if live.row.commit(live.ids, certified=live.certified):
                    finished[live.row.index] = replace(live.row.decoded(), denoiser=self.denoiser)
                elif not live.row.left:
                    raise AssertionError(
                        f"row {live.row.index} was not closed within its budget: please report it"
                    )
        staying = cohort.only([not end for end in ended])
        extended = cohort.only(
            [end and live.row.index not in finished for end, live in zip(ended, cohort.rows, strict=True)]
        )
        if extended.rows:
            N = self.denoiser.block_length
            blocks = torch.stack([live.padded(live.ids, N) for live in extended.rows])
            extended = Cohort(self.denoiser.extend(extended.context, blocks), extended.rows)
            for live in extended.rows:
                live.base = live.row.log_prob
            self._begin(extended.rows, [_pins(live, N) for live in extended.rows])
        return [part for part in (staying, extended) if part.rows]

    def _again(self, live: Live) -> bool:
        """Whether the row's review, if any, has the block refined again; if so, the block is restarted."""
        verdict = live.row.reviewed(live.ids)
        if verdict is None:
            return False
        live.row.log_prob = live.base
        wish = live.scaffold if live.row.scaffold else free(len(live.ids))
        self._begin([live], [_kept(self._part(live), verdict, wish)])
        return True


def _pins(live: Live, length: int) -> Tensor:
    """Settled positions [n] of the next block: its part of the scaffold if that fits; records whether it does."""
    wish, n = live.task.scaffold, live.row.in_play(length)
    live.scaffold = free(n)
    if wish is None:
        return live.scaffold
    begin = length * len(live.row.committed)
    own = wish[begin : begin + n]
    if begin and not (own >= 0).any():
        return live.scaffold
    live.scaffold[: len(own)] = own
    affordable = bool((wish[begin + live.row.left :] < 0).all())
    fits = affordable and admits(live.row.block(length), live.scaffold)
    live.row.scaffold = fits and live.row.scaffold is not False
    return live.scaffold if fits else free(n)


def _kept(part: Any, verdict: Verdict, scaffold: Tensor) -> Tensor:
    """Settled positions [n] of a block that is refined again: the kept ids, then the scaffold [n] if it fits."""
    pins = torch.full_like(scaffold, OPEN)
    kept = len(verdict.again or ())
    pins[:kept] = torch.tensor(verdict.again)
    wish = torch.cat([pins[:kept], scaffold[kept:]])
    if not torch.equal(wish, pins) and admits(part, wish):
        return wish
    if isinstance(part, Beam):
        part.witness = list(verdict.example)
    return pins


def _events(rows: list[Live], view: View, choice: Decision, dropped: Tensor) -> list[StepEvent]:
    """The events of one step: one for each block and step that rows are at."""
    places: dict[tuple[int, int], list[int]] = {}
    for k, live in enumerate(rows):
        places.setdefault((len(live.row.committed), live.step - 1), []).append(k)
    canvas, seen = torch.stack([live.canvas for live in rows]), view.beliefs
    reviewed = torch.tensor([live.row.review is not None for live in rows])
    settled = ((choice.settled >= 0) | choice.done[:, None]) & ~reviewed[:, None]
    return [
        StepEvent(
            block,
            step,
            torch.tensor([rows[k].row.index for k in at]),
            canvas[at],
            choice.ids[at],
            choice.keep[at],
            Beliefs(seen.entropy[at], seen.top_probability[at], seen.free[at]),
            dropped[at],
            choice.certified[at],
            settled[at],
        )
        for (block, step), at in places.items()
    ]


def _on_cpu(beliefs: Beliefs) -> Beliefs:
    return Beliefs(beliefs.entropy.cpu(), beliefs.top_probability.cpu(), beliefs.free.cpu())
