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
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import torch
from torch import Tensor

from structgen_engine.automaton import IMPOSSIBLE, NEVER, BlockAutomaton, Dfa, block
from structgen_engine.denoiser import Denoiser
from structgen_engine.jacobi import Guess, greedy
from structgen_engine.lattice import OPEN, Beliefs, Best, BlockLattice, EmptyLattice, feasible
from structgen_engine.noise import Absorbing
from structgen_engine.policy import EntropyBound, Policy, surest

# nats below a position's best logit: stands for −inf where the automaton needs what the model excludes
FLOOR = -1e4


class BudgetTooSmall(ValueError):
    """The constraint cannot be met within max_tokens; `min_tokens` says what it takes."""

    def __init__(self, row: int, min_tokens: int, max_tokens: int) -> None:
        super().__init__(
            f"row {row}: the shortest accepted output has {min_tokens} tokens, max_tokens is {max_tokens}: "
            f"raise max_tokens to at least {min_tokens}"
        )
        self.row, self.min_tokens, self.max_tokens = row, min_tokens, max_tokens


class Finish(Enum):
    """What the last step of a block commits."""

    BEST = "best"  # the most probable accepted block
    SAMPLE = "sample"  # a joint draw


@dataclass(frozen=True)
class Schedule:
    """Temperature from `start` towards `end`, linear in the steps (DiffusionGemma: 0.8 towards 0.4)."""

    start: float = 0.8
    end: float = 0.4

    def at(self, step: int, steps: int) -> float:
        """The temperature of step 0 … steps − 1."""
        return self.start + (self.end - self.start) * step / steps


@dataclass(frozen=True)
class StoppingRule:
    """Stop refining a block when its free positions are nearly certain and its best block does not change.

    Only free positions count: a constraint forces most of the others, whose zero entropies would end it too early.

    entropy: nats, mean over free positions; repeats: steps in a row with the same best block
    """

    entropy: float = 0.005
    repeats: int = 2


@dataclass(frozen=True, eq=False)
class StepEvent:
    """One refinement step, for whoever watches.

    block, step: counted from 0; rows: [b] int64, the rows of the batch that are still refined
    canvas: [b, n] what the next step sees; ids: [b, n] an accepted block, the step's joint draw or final block;
    accepted: [b, n] bool, positions kept; beliefs: of the b rows
    """

    block: int
    step: int
    rows: Tensor
    canvas: Tensor
    ids: Tensor
    accepted: Tensor
    beliefs: Beliefs


@dataclass(frozen=True, eq=False)
class Decoded:
    """One finished output.

    ids: [T] int64, all blocks, end token and padding included
    log_prob: nats, summed over blocks. Uniform noise: of the committed block given its last logits. Absorbing: of
    the tokens each step settled, given that step's logits and what was settled before. Guess: of each token, among
    those that could stand there after the tokens before it
    steps: forward passes; blocks: how many; scaffold: whether the preferred ids were honoured, None without any
    """

    ids: Tensor
    log_prob: float
    steps: int
    blocks: int
    scaffold: bool | None


def decode(
    denoiser: Denoiser,
    prompts: Sequence[Sequence[int]],
    dfas: Sequence[Dfa],
    *,
    max_tokens: int,
    generator: torch.Generator,
    steps: int = 16,
    policy: Policy | None = None,
    temperature: Schedule | float | None = None,
    pace: Schedule | None = None,
    scaffold: Sequence[Tensor | None] | None = None,
    finish: Finish = Finish.BEST,
    stop: StoppingRule | None = None,
    on_step: Callable[[StepEvent], None] | None = None,
    pad_id: int = 0,
) -> list[Decoded]:
    """Refine blocks until every row's automaton accepts what it holds.

    pace: with uniform noise, the least share of the free positions that a step keeps, the surest first (default: none;
    a model whose beliefs never get sharp needs it to build on what it has).
    dfas: one per prompt. scaffold: per row the ids [≤ N] preferred in the first block, −1 open; kept as a whole if some
    accepted block within budget has them, else dropped as a whole. pad_id fills the canvas beyond the budget.
    The result depends on the generator's state and the arguments alone.
    """
    _check(prompts, dfas, max_tokens, steps)
    preferred = [None] * len(dfas) if scaffold is None else list(scaffold)
    if len(preferred) != len(dfas):
        raise ValueError(f"{len(preferred)} scaffolds for {len(dfas)} prompts: give one (or None) per prompt")
    loop = _Loop(
        denoiser=denoiser,
        steps=steps,
        policy=policy or EntropyBound(),
        schedule=_schedule(temperature),
        pace=pace or Schedule(0.0, 0.0),
        generator=generator,
        finish=finish,
        stop=stop or StoppingRule(),
        on_step=on_step,
        pad_id=pad_id,
    )
    rows = [_Row(b, dfa, dfa.start) for b, dfa in enumerate(dfas)]
    context, live, left, number = denoiser.start(prompts), rows, max_tokens, 0
    while live:
        n = min(denoiser.block_length, left)
        left -= n
        automata = [block(row.dfa, entry=row.state, remaining=left) for row in live]
        settled = _pins(live, automata, preferred, n) if number == 0 else None
        ids = loop.refine(context, live, automata, n, settled, number)
        going = [k for k, row in enumerate(live) if not row.commit(ids[k])]
        if going:
            kept = torch.tensor(going)
            context = denoiser.extend(_select(context, kept, len(live)), loop.padded(ids[kept]))
        live, number = [live[k] for k in going], number + 1
    return [row.decoded() for row in rows]


def _check(prompts: Sequence[Sequence[int]], dfas: Sequence[Dfa], max_tokens: int, steps: int) -> None:
    if len(prompts) != len(dfas):
        raise ValueError(f"{len(dfas)} automata for {len(prompts)} prompts: give one per prompt")
    if steps < 1:
        raise ValueError(f"a block takes at least 1 step, not {steps}")
    for row, dfa in enumerate(dfas):
        needed = int(dfa.distance[dfa.start])
        if needed == NEVER:
            raise EmptyLattice(f"row {row}: the automaton accepts nothing")
        if max(needed, 1) > max_tokens:
            raise BudgetTooSmall(row, max(needed, 1), max_tokens)
        stays = dfa.accepting[dfa.delta[:, dfa.alphabet.class_of.unique().long()].long()].any(-1)
        if (dfa.accepting & ~stays).any():
            raise ValueError(
                f"row {row}: some accepting state cannot be followed by padding, so its blocks cannot be filled: "
                "give every accepting state an edge to an accepting state"
            )


def _schedule(temperature: Schedule | float | None) -> Schedule:
    if isinstance(temperature, Schedule):
        return temperature
    return Schedule() if temperature is None else Schedule(temperature, temperature)


def _pins(
    rows: list[_Row], automata: list[BlockAutomaton], preferred: Sequence[Tensor | None], n: int
) -> Tensor:
    """Settled positions [B, n] from the scaffolds that fit, noting in each row whether its own did."""
    settled = torch.full((len(rows), n), OPEN, dtype=torch.int64)
    for k, (row, automaton) in enumerate(zip(rows, automata, strict=True)):
        wish = preferred[row.index]
        if wish is None:
            continue
        pins = torch.full((n,), OPEN, dtype=torch.int64)
        pins[: len(wish)] = wish[:n]
        row.scaffold = bool((wish[n:] < 0).all()) and feasible(automaton, pins)
        if row.scaffold:
            settled[k] = pins
    return settled


def _select(context: Any, rows: Tensor, total: int) -> Any:
    return context if len(rows) == total else context.select(rows)


@dataclass(eq=False)
class _Row:
    """One output in the making: where its automaton stands and what is committed."""

    index: int
    dfa: Dfa
    state: int
    scaffold: bool | None = None
    log_prob: float = 0.0
    steps: int = 0
    committed: list[Tensor] = field(default_factory=list)

    def commit(self, ids: Tensor) -> bool:
        """Take a block [n]; whether the output is finished."""
        self.committed.append(ids)
        self.state = self.dfa.run(ids, self.state)
        return bool(self.dfa.accepting[self.state])

    def decoded(self) -> Decoded:
        ids = torch.cat(self.committed)
        return Decoded(ids, self.log_prob, self.steps, len(self.committed), self.scaffold)


@dataclass(frozen=True, eq=False)
class _Loop:
    """The refinement of one block; what does not change from step to step."""

    denoiser: Denoiser
    steps: int
    policy: Policy
    schedule: Schedule
    pace: Schedule
    generator: torch.Generator
    finish: Finish
    stop: StoppingRule
    on_step: Callable[[StepEvent], None] | None
    pad_id: int

    def refine(
        self,
        context: Any,
        rows: list[_Row],
        automata: list[BlockAutomaton],
        n: int,
        settled: Tensor | None,
        number: int,
    ) -> Tensor:
        """Accepted blocks [B, n] on the CPU, one per row; rows that are done leave the later forward passes."""
        noise, B = self.denoiser.noise, len(rows)
        settled = torch.full((B, n), OPEN, dtype=torch.int64) if settled is None else settled
        canvas = torch.where(settled >= 0, settled, noise.start((B, n), self.generator))
        result, live = canvas.clone(), torch.arange(B)
        calm = [_Calm() for _ in rows]
        for step in range(self.steps):
            here = live.tolist()
            logits = self.denoiser(_select(context, live, B), self.padded(canvas[live]))[:, :n]
            here_automata = [automata[k] for k in here]
            lattice = self._lattice(here_automata, logits, settled[live], step)
            beliefs = _on_cpu(lattice.beliefs())
            if isinstance(noise, Absorbing):
                choice = self._absorb(lattice, beliefs, settled[live], step)
                settled[live] = torch.where(choice.keep, choice.ids, OPEN)
            elif isinstance(noise, Guess):
                choice = self._reread(greedy(here_automata, logits, settled[live]), canvas[live], step)
            else:
                choice = self._revise(lattice, beliefs, settled[live], [calm[k] for k in here], step)
            canvas[live] = noise.renoise(choice.ids, choice.keep, self.generator)
            result[live] = choice.ids
            for k, gain in zip(here, choice.gain.tolist(), strict=True):
                rows[k].steps += 1
                rows[k].log_prob += gain
            if self.on_step is not None:
                index = torch.tensor([rows[k].index for k in here])
                self.on_step(StepEvent(number, step, index, canvas[live], choice.ids, choice.keep, beliefs))
            live = live[~choice.done]
            if not len(live):
                break
        return result

    def _absorb(self, lattice: BlockLattice, beliefs: Beliefs, settled: Tensor, step: int) -> _Choice:
        """Settle the positions that the policy names, and at least this step's share of the open ones."""
        quota = -((settled < 0).sum(-1) // -(self.steps - step))
        keep = self.policy(beliefs, settled) | (settled >= 0) | surest(beliefs.entropy, settled, quota)
        done = keep.all(-1)
        ids = lattice.sample(self.generator).cpu()
        if self.finish is Finish.BEST and done.any():
            ids = torch.where(done[:, None], lattice.argmax().ids.cpu(), ids)
        return _Choice(ids, keep, done, lattice.log_prob(torch.where(keep, ids, OPEN)).cpu())

    def _revise(
        self, lattice: BlockLattice, beliefs: Beliefs, settled: Tensor, calm: list[_Calm], step: int
    ) -> _Choice:
        """Keep what the policy names of a fresh draw; done when the stopping rule holds, or at the last step."""
        share = self.pace.at(step + 1, self.steps)
        forced = torch.where(beliefs.free, settled, 0)  # what has one possible token needs no keeping
        quota = ((forced < 0).sum(-1) * share).ceil().long()
        keep = self.policy(beliefs, settled) | (settled >= 0) | surest(beliefs.entropy, forced, quota)
        done = self._converged(lattice, beliefs, calm) | (step == self.steps - 1)
        ids, gain = lattice.sample(self.generator).cpu(), torch.zeros(len(keep), dtype=torch.float64)
        if done.any():
            if self.finish is Finish.BEST:
                ids = torch.where(done[:, None], lattice.argmax().ids.cpu(), ids)
            gain = torch.where(done, lattice.log_prob(ids).cpu(), 0.0)
        return _Choice(ids, keep | done[:, None], done, gain)

    def _reread(self, reading: Best, canvas: Tensor, step: int) -> _Choice:
        """Keep the whole reading; done when the canvas held all of it that logits condition on, or at the last step."""
        ids, everything = reading.ids, torch.ones_like(canvas, dtype=torch.bool)
        done = (ids == canvas)[:, :-1].all(-1) | (step == self.steps - 1)
        return _Choice(ids, everything, done, torch.where(done, reading.log_prob, 0.0))

    def padded(self, ids: Tensor) -> Tensor:
        """The block [B, n] on a full canvas [B, N]."""
        return torch.nn.functional.pad(ids, (0, self.denoiser.block_length - ids.shape[1]), value=self.pad_id)

    def _lattice(
        self, automata: list[BlockAutomaton], logits: Tensor, settled: Tensor, step: int
    ) -> BlockLattice:
        """The lattice of a step; −inf is the model's opinion, so it yields where nothing else is accepted."""
        heat, settled = self.schedule.at(step, self.steps), settled.to(logits.device)
        lattice = BlockLattice(automata, logits, settled=settled, temperature=heat)
        lattice.beliefs()  # finds alpha and beta together, which log Z alone would not
        empty = lattice.log_partition() == IMPOSSIBLE
        if not empty.any():
            return lattice
        top = logits.amax(-1, keepdim=True)
        floor = torch.where(top == IMPOSSIBLE, 0.0, top) + FLOOR
        floor[~empty] = IMPOSSIBLE
        return BlockLattice(automata, logits.maximum(floor), settled=settled, temperature=heat)

    def _converged(self, lattice: BlockLattice, beliefs: Beliefs, calm: list[_Calm]) -> Tensor:
        """[B] bool: rows whose stopping rule holds; the best block is found only for those that may stop."""
        free = beliefs.free.sum(-1).clamp_min(1)
        low = (beliefs.entropy * beliefs.free).sum(-1) / free < self.stop.entropy
        best = lattice.argmax().ids.cpu() if low.any() else None
        return torch.tensor(
            [
                c.steps(None if best is None or not low[k] else best[k]) >= self.stop.repeats
                for k, c in enumerate(calm)
            ]
        )


@dataclass(frozen=True, eq=False)
class _Choice:
    """What a step makes of a lattice: an accepted block [b, n], the positions kept [b, n], the rows done [b], and the
    log-probability [b] nats of what was newly committed."""

    ids: Tensor
    keep: Tensor
    done: Tensor
    gain: Tensor


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
