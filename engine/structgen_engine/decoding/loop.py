"""One decoding loop for both noises, over as many blocks as the budget holds.

Every step draws whole accepted blocks from the lattice, so there is always a valid answer at hand.

* Absorbing: the positions that the policy names are settled to the drawn tokens. The rest of the draw proves that
  they can be completed, so the loop cannot get stuck; each step settles its share, so `steps` always suffice.
* Uniform: the named positions stay on the canvas and the others are drawn anew; the last step commits the joint best
  block (or a joint draw), never the best token of each position, which need not form an accepted block.
* Guess (uniform, from a causal model): every step reads the block greedily from left to right and keeps all of it; a
  block is done when reading it again changes nothing. Policy, temperature, finish and stop have no say.

Budget: a block may end only in states that can still be closed with the tokens left after it. That takes automata
which can always be filled up with padding, so `decode` refuses others.

Axes: B batch, N block (of the model), n positions in play, V vocabulary, S states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, Dfa
from structgen_engine.automata.lazy import Growing
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.jacobi import Guess, greedy
from structgen_engine.decoding.noise import Absorbing
from structgen_engine.decoding.options import DecodingOptions, Finish
from structgen_engine.decoding.policy import surest
from structgen_engine.decoding.row import (
    Block,
    Decoded,
    Review,
    Row,
    Verdict,
    admits,
    begin,
    opened,
    remember,
    tables,
    widened,
)
from structgen_engine.kernels.scores import largest
from structgen_engine.lattice.beam import Explorer
from structgen_engine.lattice.lattice import OPEN, Beliefs, Best, BlockLattice, forced

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class StepEvent:
    """One refinement step, for whoever watches.

    block, step: counted from 0; rows: [b] int64, the rows of the batch that are still refined
    canvas: [b, n] what the next step sees; ids: [b, n] an accepted block, the step's joint draw or final block;
    accepted: [b, n] bool, positions kept; beliefs: of the b rows
    dropped: [b] float64, at most this share of the accepted blocks' probability was left out; 0 for automata in tables
    certified: [b] bool, `ids` are the most probable of all accepted blocks, those left out included
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


def decode(
    denoiser: Denoiser,
    prompts: Sequence[Sequence[int]],
    automata: Sequence[Dfa | Growing],
    *,
    max_tokens: int,
    generators: Sequence[torch.Generator],
    options: DecodingOptions | None = None,
    pad_id: int = 0,
    scaffold: Sequence[Tensor | None] | None = None,
    reviews: Sequence[Review | None] | None = None,
    on_step: Callable[[StepEvent], None] | None = None,
) -> list[Decoded]:
    """Refine blocks until every row's automaton accepts what it holds.

    automata, generators: one per prompt. A row draws from its own generator alone, so that its draws do not depend on
    the rows beside it. pad_id fills the canvas beyond the budget.
    scaffold: per row the ids [≤ N] preferred in the first block, −1 open; kept as a whole if some accepted block within
    budget has them, else dropped as a whole. reviews: per row who looks at its blocks before they are committed, and
    may have them refined again, with what is well kept and their automaton narrowed.
    """
    total = len(prompts)
    _one_each(total, "automata", automata)
    _one_each(total, "generators", generators)
    preferred = _one_each(total, "scaffolds", [None] * total if scaffold is None else scaffold)
    looked = _one_each(total, "reviews", [None] * total if reviews is None else reviews)
    options = options or DecodingOptions()
    loop = _Loop(denoiser, options, generators, on_step, pad_id)
    rows = [
        begin(automaton, b, max_tokens, options.pruning, looked[b]) for b, automaton in enumerate(automata)
    ]
    context, live, left, number = denoiser.start(prompts), rows, max_tokens, 0
    while live:
        n = min(denoiser.block_length, left)
        left -= n
        parts = [row.block(left) for row in live]
        settled = _pins(live, parts, preferred, n) if number == 0 else None
        before = [row.log_prob for row in live]
        ids = loop.refine(context, live, parts, n, settled, number)
        for k, row in enumerate(live):
            while verdict := row.reviewed(ids[k], left):
                row.log_prob, part = before[k], row.block(left)
                pins = _kept(part, verdict, ids.new_full((n,), OPEN) if settled is None else settled[k])
                one = _select(context, torch.tensor([k]), len(live))
                ids[k] = loop.refine(one, [row], [part], n, pins[None], number)[0]
        going = [k for k, row in enumerate(live) if not row.commit(ids[k])]
        if going and not left:
            raise AssertionError(
                f"row {live[going[0]].index} was not closed within its budget: please report it"
            )
        if going:
            kept = torch.tensor(going)
            context = denoiser.extend(_select(context, kept, len(live)), loop.padded(ids[kept]))
        live, number = [live[k] for k in going], number + 1
    return [row.decoded() for row in rows]


def _one_each(total: int, what: str, values: Sequence[T]) -> Sequence[T]:
    if len(values) != total:
        raise ValueError(f"{len(values)} {what} for {total} prompts: give one per prompt")
    return values


def nonempty(
    parts: list[Block], logits: Tensor, *, settled: Tensor | None = None, temperature: float = 1.0
) -> BlockLattice:
    """The lattice of a step; −inf is the model's opinion, so it yields where nothing else is accepted.

    Before it does, what grows is explored again with next to nothing left out.
    logits: [B, n, ≥ V]; settled: [B, n] int64, −1 where open
    """
    if settled is None:
        settled = torch.full(logits.shape[:2], OPEN, dtype=torch.int64)
    pins = settled.to(logits.device)
    rows = opened(parts, logits, settled, temperature)
    lattice = BlockLattice(rows, logits, settled=pins, temperature=temperature)
    lattice.beliefs()  # finds alpha and beta together, which log Z alone would not
    empty = lattice.log_partition() == IMPOSSIBLE
    if not empty.any():
        return lattice
    rows = widened(parts, rows, logits, settled, temperature, empty)
    lattice = BlockLattice(rows, logits, settled=pins, temperature=temperature)
    empty = lattice.log_partition() == IMPOSSIBLE
    if not empty.any():
        return lattice
    floor = torch.where(empty, -min(largest(temperature), torch.finfo(logits.dtype).max), IMPOSSIBLE)
    logits = logits.maximum(floor.to(logits)[:, None, None])
    return BlockLattice(
        opened(parts, logits, settled, temperature), logits, settled=pins, temperature=temperature
    )


def _pins(rows: list[Row], automata: list[Block], preferred: Sequence[Tensor | None], n: int) -> Tensor:
    """Settled positions [B, n] from the scaffolds that fit, noting in each row whether its own did."""
    settled = torch.full((len(rows), n), OPEN, dtype=torch.int64)
    for k, (row, automaton) in enumerate(zip(rows, automata, strict=True)):
        wish = preferred[row.index]
        if wish is None:
            continue
        pins = torch.full((n,), OPEN, dtype=torch.int64)
        pins[: len(wish)] = wish[:n]
        row.scaffold = bool((wish[n:] < 0).all()) and admits(automaton, pins)
        if row.scaffold:
            settled[k] = pins
    return settled


def _kept(part: Block, verdict: Verdict, scaffold: Tensor) -> Tensor:
    """Settled positions [n] of a block that is refined again: what is kept, and then the scaffold [n] if it fits."""
    pins = torch.full_like(scaffold, OPEN)
    kept = len(verdict.again or ())
    pins[:kept] = torch.tensor(verdict.again)
    wish = torch.cat([pins[:kept], scaffold[kept:]])
    if not torch.equal(wish, pins) and admits(part, wish):
        return wish
    if isinstance(part, Explorer):
        part.witness = list(verdict.example)
    return pins


def _select(context: Any, rows: Tensor, total: int) -> Any:
    return context if len(rows) == total else context.select(rows)


@dataclass(frozen=True, eq=False)
class _Loop:
    """The refinement of one block; what does not change from step to step."""

    denoiser: Denoiser
    options: DecodingOptions
    generators: Sequence[torch.Generator]
    on_step: Callable[[StepEvent], None] | None
    pad_id: int

    def refine(
        self,
        context: Any,
        rows: list[Row],
        automata: list[Block],
        n: int,
        settled: Tensor | None,
        number: int,
    ) -> Tensor:
        """Accepted blocks [B, n] on the CPU, one per row; rows that are done leave the later forward passes."""
        noise, B = self.denoiser.noise, len(rows)
        settled = torch.full((B, n), OPEN, dtype=torch.int64) if settled is None else settled
        canvas = torch.where(settled >= 0, settled, self._noise(rows, n))
        result, live = canvas.clone(), torch.arange(B)
        known = self._known(automata, settled)
        calm = [_Calm() for _ in rows]
        for step in range(self.options.steps):
            here = live.tolist()
            logits = self._logits(context, self.padded(canvas[live]), known)[:, :n]
            here_automata = [automata[k] for k in here]
            heat, cold = self.options.temperature_at(step), self.options.cold(step)
            lattice = nonempty(
                here_automata, logits, settled=settled[live], temperature=1.0 if cold else heat
            )
            beliefs = _on_cpu(lattice.beliefs())
            if isinstance(noise, Absorbing):
                choice = self._absorb(lattice, beliefs, settled[live], [rows[k] for k in here], step, cold)
                settled[live] = torch.where(choice.keep, choice.ids, OPEN)
            elif isinstance(noise, Guess):
                choice = self._reread(greedy(lattice.automata, logits, settled[live]), canvas[live], step)
            else:
                choice = self._revise(
                    lattice,
                    beliefs,
                    settled[live],
                    [rows[k] for k in here],
                    [calm[k] for k in here],
                    step,
                    cold,
                )
            remember(here_automata, choice.ids)
            canvas[live] = torch.where(choice.keep, choice.ids, self._noise([rows[k] for k in here], n))
            result[live] = choice.ids
            dropped = lattice.dropped()
            for k, gain, share in zip(here, choice.gain.tolist(), dropped.tolist(), strict=True):
                rows[k].steps += 1
                rows[k].log_prob += gain
                rows[k].dropped = max(rows[k].dropped, share)
            if self.on_step is not None:
                index = torch.tensor([rows[k].index for k in here])
                seen = canvas[live], choice.ids, choice.keep, beliefs, dropped, choice.certified
                self.on_step(StepEvent(number, step, index, *seen))
            going = (~choice.done).nonzero().flatten()
            if not len(going):
                break
            known = self._learnt(lattice, going)
            context, live = _select(context, going, len(live)), live[going]
        return result

    def _noise(self, rows: list[Row], n: int) -> Tensor:
        """Canvases [b, n] that say nothing, each from its row's generator."""
        return torch.stack([self.denoiser.noise.start((n,), self.generators[row.index]) for row in rows])

    def _known(self, automata: list[Block], settled: Tensor) -> Tensor | None:
        """What a self-conditioned denoiser is told before the first step, [B, n, V]; None for the others."""
        if not self._conditioned or getattr(self.denoiser, "unconditioned_start", False):
            return None
        return forced(tables(automata, settled), settled, self.denoiser.vocabulary_size)

    def _learnt(self, lattice: BlockLattice, rows: Tensor) -> Tensor | None:
        """What a self-conditioned denoiser is told of the rows [b] that go on, [b, n, V]; None for the others."""
        if not self._conditioned:
            return None
        marginals = lattice.marginals()
        return marginals if len(rows) == len(marginals) else marginals[rows]

    @property
    def _conditioned(self) -> bool:
        return getattr(self.denoiser, "self_conditioning", False)

    def _logits(self, context: Any, canvas: Tensor, known: Tensor | None) -> Tensor:
        """Logits [b, N, V] of canvases [b, N]; known [b, n, V] are the beliefs of the step before."""
        if known is None:
            return self.denoiser(context, canvas)
        beyond = canvas.shape[1] - known.shape[1]
        if beyond:  # a copy of the whole table is not for nothing
            padding = torch.nn.functional.one_hot(torch.tensor(self.pad_id), known.shape[2]).to(known)
            known = torch.cat([known, padding.expand(len(known), beyond, -1)], 1)
        denoiser: Any = self.denoiser  # one that is told its beliefs takes a third argument
        return denoiser(context, canvas, known)

    def _absorb(
        self, lattice: BlockLattice, beliefs: Beliefs, settled: Tensor, rows: list[Row], step: int, cold: bool
    ) -> _Choice:
        """Settle the positions that the policy names, and at least this step's share of the open ones."""
        share = -((settled < 0).sum(-1) // -(self.options.steps - step))
        keep = self.options.policy(beliefs, settled) | (settled >= 0)
        lacking = (share - (keep & (settled < 0)).sum(-1)).clamp_min(0)
        keep |= surest(beliefs.entropy, torch.where(keep, 0, settled), lacking)
        done = keep.all(-1)
        ids, certified = self._drawn(lattice, rows, cold)
        if self.options.finish is Finish.BEST and done.any():
            ids, certified = _finished(lattice.argmax(), done, ids)
        return _Choice(ids, keep, done, lattice.log_prob(torch.where(keep, ids, OPEN)).cpu(), certified)

    def _revise(
        self,
        lattice: BlockLattice,
        beliefs: Beliefs,
        settled: Tensor,
        rows: list[Row],
        calm: list[_Calm],
        step: int,
        cold: bool,
    ) -> _Choice:
        """Keep what the policy names of a fresh draw; done when the stopping rule holds, or at the last step."""
        share = self.options.pace.at(step + 1, self.options.steps)
        forced = torch.where(beliefs.free, settled, 0)  # what has one possible token needs no keeping
        quota = ((forced < 0).sum(-1) * share).ceil().long()
        keep = self.options.policy(beliefs, settled) | (settled >= 0) | surest(beliefs.entropy, forced, quota)
        done = self._converged(lattice, beliefs, calm) | (step == self.options.steps - 1)
        (ids, certified), gain = self._drawn(lattice, rows, cold), torch.zeros(len(keep), dtype=torch.float64)
        if done.any():
            if self.options.finish is Finish.BEST:
                ids, certified = _finished(lattice.argmax(), done, ids)
            gain = torch.where(done, lattice.log_prob(ids).cpu(), 0.0)
        return _Choice(ids, keep | done[:, None], done, gain, certified)

    def _drawn(self, lattice: BlockLattice, rows: list[Row], cold: bool) -> tuple[Tensor, Tensor]:
        """Accepted blocks [b, n], a joint draw or the best, and which of them are certified the best [b]."""
        if cold:
            best = lattice.argmax()
            return _finished(best, torch.ones(len(best.ids), dtype=torch.bool), best.ids.cpu())
        ids = lattice.sample([self.generators[row.index] for row in rows]).cpu()
        return ids, torch.zeros(len(ids), dtype=torch.bool)

    def _reread(self, reading: Best, canvas: Tensor, step: int) -> _Choice:
        """Keep the whole reading; done when the canvas held all of it that logits condition on, or at the last step."""
        ids, everything = reading.ids, torch.ones_like(canvas, dtype=torch.bool)
        done = (ids == canvas)[:, :-1].all(-1) | (step == self.options.steps - 1)
        gain = torch.where(done, reading.log_prob, 0.0)
        return _Choice(ids, everything, done, gain, torch.zeros_like(done))

    def padded(self, ids: Tensor) -> Tensor:
        """The block [B, n] on a full canvas [B, N]."""
        return torch.nn.functional.pad(ids, (0, self.denoiser.block_length - ids.shape[1]), value=self.pad_id)

    def _converged(self, lattice: BlockLattice, beliefs: Beliefs, calm: list[_Calm]) -> Tensor:
        """[B] bool: rows whose stopping rule holds; the best block is found only for those that may stop."""
        free = beliefs.free.sum(-1).clamp_min(1)
        low = (beliefs.entropy * beliefs.free).sum(-1) / free < self.options.stop.entropy
        best = lattice.argmax().ids.cpu() if low.any() else None
        return torch.tensor(
            [
                c.steps(None if best is None or not low[k] else best[k]) >= self.options.stop.repeats
                for k, c in enumerate(calm)
            ]
        )


@dataclass(frozen=True, eq=False)
class _Choice:
    """What a step makes of a lattice: an accepted block [b, n], the positions kept [b, n], the rows done [b], the
    log-probability [b] nats of what was newly committed, and whether the block is for certain the best [b]."""

    ids: Tensor
    keep: Tensor
    done: Tensor
    gain: Tensor
    certified: Tensor


def _finished(best: Best, done: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """The best block in the rows that are done [b], the draw `ids` [b, n] in the others; which are certified [b]."""
    certified = done if best.certified is None else done & best.certified
    return torch.where(done[:, None], best.ids.cpu(), ids), certified


@dataclass(eq=False)
class _Calm:
    """For how many steps in a row a row has been nearly certain of the same best block."""

    best: Tensor | None = None
    count: int = 0

    def steps(self, best: Tensor | None) -> int:
        """Count this step's best block [n], or None where the row was not certain."""
        same = best is not None and self.best is not None and torch.equal(best, self.best)
        self.best, self.count = best, 0 if best is None else self.count + 1 if same else 1
        return self.count


def _on_cpu(beliefs: Beliefs) -> Beliefs:
    return Beliefs(beliefs.entropy.cpu(), beliefs.top_probability.cpu(), beliefs.free.cpu())
