"""The distribution over the blocks that an automaton accepts, given one step's logits.

    p(x) ∝ exp Σ_i s[i, x_i] · entry(q_0) · exit(q_N)     s = logits / temperature, x accepted

A `BlockLattice` computes results on demand and keeps them: one pass over the logits sums them by token class, one scan
in each direction over the automaton's edges gives log Z, marginals and samples, and one max-plus scan gives the best
block. A settled position admits only its token, with score 0, so that every result is conditioned on it.

An example with three positions: the language `ab|b`, then <eos> and padding. State 1 is the start, 2 is after `a`, 3 is
after the text, 4 is after <eos>. The tokens that can move weigh: a 0.40, b 0.30 and ab 0.15 at position 1, b 0.10 and
<eos> 0.35 at position 2, <eos> 0.50 and <pad> 0.30 at position 3.

    α forward    α_0 = {1: 1}   α_1 = {2: 0.40, 3: 0.30 + 0.15}   α_2 = {3: 0.40·0.10, 4: 0.45·0.35}
    β backward   β_3 = {4: 1}   β_2 = {3: 0.50, 4: 0.30}   β_1 = {2: 0.10·0.50, 3: 0.35·0.30}
    Z            α_2(3)·0.50 + α_2(4)·0.30 = 0.02 + 0.04725 = 0.06725 = β_0(1)
    marginal     of b at position 1: α_0(1) · 0.30 · β_1(3) / Z = 0.30 · 0.105 / 0.06725 = 0.468
    sample       a token at position 1 with the probability of its marginal, then from the state it leads to by β_2, β_3

With max in place of +, the same recursion finds the best block, b <eos> <pad>: 0.30 · 0.35 · 0.30 = 0.0315.

Axes: B batch, N block, V vocabulary, K classes, S states.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from structgen_engine.automata.dfa import DEAD, IMPOSSIBLE, BlockAutomaton
from structgen_engine.kernels import Backend, backend_for
from structgen_engine.kernels.scores import (
    check_scores,
    check_width,
    pin_table_,
)
from structgen_engine.lattice.beam import PrunedBlock
from structgen_engine.lattice.class_scores import OPEN
from structgen_engine.lattice.run import Beliefs, Best, Run, Together


class EmptyLattice(ValueError):
    """No accepted block has any weight."""


class BlockLattice:
    """The accepted blocks of a batch, weighted by logits; each row has its own automaton, or all share one."""

    def __init__(
        self,
        automata: BlockAutomaton | Sequence[BlockAutomaton | PrunedBlock],
        logits: Tensor,
        *,
        settled: Tensor | None = None,
        temperature: float | Sequence[float] = 1.0,
        backend: Backend | None = None,
    ) -> None:
        """logits: [B, N, V of the model], of any float type; settled: [B, N] int64, −1 where open; temperature: one for
        all rows, or one per row.

        The model's vocabulary may be padded beyond the automaton's; tokens that the automaton does not know are
        refused. Explored blocks must have been explored with the same logits, settled positions and temperature.
        """
        given = [automata] * len(logits) if isinstance(automata, BlockAutomaton) else list(automata)
        rows = [row.automaton if isinstance(row, PrunedBlock) else row for row in given]
        temperatures = (
            [temperature] * len(rows) if isinstance(temperature, (int, float)) else list(temperature)
        )
        _check(rows, logits, settled, temperatures)
        self.automata, self._logits = rows, logits
        backend = backend or backend_for(logits.device)
        explored = [row if isinstance(row, PrunedBlock) else None for row in given]
        if backend.prepared is not None:
            self._runs: list[Run | Together] = [
                Together(rows, logits, settled, temperatures, backend, explored)
            ]
            return
        self._runs = []
        alone = [
            -1 if part is None else b for b, part in enumerate(explored)
        ]  # an explored row has its own scores
        for _, group in groupby(range(len(rows)), key=lambda b: (id(rows[b].dfa), alone[b], temperatures[b])):
            span = list(group)
            at = slice(span[0], span[-1] + 1)  # neighbours that share an automaton are a view, not a copy
            pins = None if settled is None else settled[at].to(logits.device)
            self._runs.append(
                Run(rows[at], logits[at], pins, temperatures[span[0]], backend, explored[span[0]])
            )

    def log_partition(self) -> Tensor:
        """log Z [B] float64 nats; −inf if no block is accepted."""
        return torch.cat([run.log_partition for run in self._runs])

    def marginals(self) -> Tensor:
        """[B, N, V] probabilities of every token: the full table, for callers that need it."""
        return _joined([run.marginals() for run in self._runs])

    def log_marginals(self, *, out: Tensor | None = None, least: float = IMPOSSIBLE) -> Tensor:
        """[B, N, V] nats, the logarithms of the marginals, at least `least`: scores plus one shift for each class.

        out: a tensor like the logits to write to, or None for a new one
        """
        table = torch.empty_like(self._logits) if out is None else out
        parts = table.split([len(run.logits) for run in self._runs])
        with torch.inference_mode():  # a model's logits may be tensors that nothing else may write to
            for run, part in zip(self._runs, parts, strict=True):
                run.log_marginals(part, least)
        return table

    def log_marginals_(self) -> Tensor:
        """`log_marginals`, written over the logits: the last thing that can be asked of this lattice."""
        return self.log_marginals(out=self._logits)

    def mask(self) -> Tensor:
        """[B, N, V] bool: the tokens that occur in some accepted block."""
        return _joined([run.mask() for run in self._runs])

    def beliefs(self) -> Beliefs:
        """Entropy, top probability and freedom of every position, from class statistics alone."""
        parts = [run.beliefs for run in self._runs]
        return Beliefs(
            torch.cat([p.entropy for p in parts]),
            torch.cat([p.top_probability for p in parts]),
            torch.cat([p.free for p in parts]),
        )

    def sample(self, generators: torch.Generator | Sequence[torch.Generator]) -> Tensor:
        """ids [B, N] int64 of one exact joint draw per row, from one generator per row or one for all."""
        self._require_blocks()
        B, N = self._logits.shape[:2]
        if isinstance(generators, torch.Generator):
            drawn = _uniforms((B, N), generators)
        else:
            drawn = torch.cat([_uniforms((1, N), generator) for generator in generators])
        paths, tokens = drawn.split([N + 1, N], 1)
        sizes = [len(run.logits) for run in self._runs]
        pieces = zip(self._runs, paths.split(sizes), tokens.split(sizes), strict=True)
        return torch.cat([run.sample(path, token) for run, path, token in pieces])

    def argmax(self) -> Best:
        """The most probable accepted block of each row; with several entry states, the block of the likeliest path."""
        self._require_blocks()
        columns = zip(*[run.certified_best for run in self._runs], strict=True)
        return Best(*(torch.cat(column) for column in columns))

    def dropped(self) -> Tensor:
        """[B] float64: a bound on the share of the accepted blocks' probability that was left out; 0 for tables."""
        return torch.cat([run.dropped for run in self._runs])

    def log_prob(self, ids: Tensor) -> Tensor:
        """[B] float64 nats: log-probability of the blocks [B, N], summed over all tokens at positions that hold −1."""
        sizes = [len(run.logits) for run in self._runs]
        return torch.cat([run.log_prob(part) for run, part in zip(self._runs, ids.split(sizes), strict=True)])

    def _require_blocks(self) -> None:
        empty = (self.log_partition() == IMPOSSIBLE).nonzero().flatten().tolist()
        if empty:
            raise EmptyLattice(
                f"rows {empty} accept no block of {self._logits.shape[1]} tokens with these logits and settled "
                "positions: settle fewer positions, or do not give logits of −inf to what the automaton needs"
            )


def _uniforms(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """[B, 2N + 1] float64 in [0, 1) for B draws of N tokens: for entry and path, then for the tokens."""
    B, N = shape
    new = {"generator": generator, "device": generator.device, "dtype": torch.float64}
    inside, first = torch.rand(B, N, 2, **new), torch.rand(B, 1, **new)
    return torch.cat([first, inside[..., 0], inside[..., 1]], 1)


def _check(
    automata: list[BlockAutomaton], logits: Tensor, settled: Tensor | None, temperature: Sequence[float]
) -> None:
    for what, values in (("automata", automata), ("temperatures", temperature)):
        if not values or len(values) != len(logits):
            raise ValueError(
                f"{len(values)} {what} for {len(logits)} rows of logits: give one, or one per row"
            )
    for degree in dict.fromkeys(temperature):
        check_scores(logits, settled, degree)
    for automaton in automata:
        check_width(automaton.dfa.alphabet, logits)


def _joined(parts: list[Tensor]) -> Tensor:
    """The rows of all parts; a single part is returned as it is, because copying a full table is expensive."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def feasible(automaton: BlockAutomaton, settled: Tensor) -> bool:
    """Whether some accepted block has these tokens at the settled positions; settled [N] int64, −1 where open."""
    return bool((completable(automaton, settled)[0] & (automaton.entry > IMPOSSIBLE)).any())


def example(automaton: BlockAutomaton, settled: Tensor) -> Tensor | None:
    """An accepted block [N] int64 with these tokens at the settled positions, or None; settled [N], −1 where open."""
    alive, dfa = completable(automaton, settled), automaton.dfa
    order, offsets = dfa.alphabet.members
    state, ids = int(torch.where(alive[0], automaton.entry, IMPOSSIBLE).argmax()), settled.clone()
    if not alive[0, state] or automaton.entry[state] == IMPOSSIBLE:
        return None
    for i, token in enumerate(settled.tolist()):
        ways = alive[i + 1][dfa.row(state).long()] & (offsets.diff() > 0)
        label = int(ways.int().argmax()) if token == OPEN else int(dfa.alphabet.class_of[token])
        ids[i] = order[offsets[label]] if token == OPEN else token
        state = int(dfa.row(state)[label])
    return ids


def completable(automaton: BlockAutomaton, settled: Tensor) -> Tensor:
    """[N + 1, S] bool: the states from which positions i … N − 1 can lead to an exit, given settled [N]."""
    dfa, backend = automaton.dfa, backend_for("cpu")
    end = automaton.exit.double()[None].clone()
    end[:, DEAD] = IMPOSSIBLE
    beta = backend.backward(_indifferent(automaton, settled), dfa, end)
    return backend.nats(beta)[0] > IMPOSSIBLE


def _indifferent(automaton: BlockAutomaton, settled: Tensor) -> Tensor:
    """Weights [1, N, K] of classes, 0 for each that has tokens; settled [N]."""
    alphabet = automaton.dfa.alphabet
    spelled = alphabet.members[1].diff() > 0  # a class may be empty
    weights = torch.where(spelled, 0.0, IMPOSSIBLE).double().repeat(1, len(settled), 1)
    return pin_table_(weights, settled.cpu()[None], alphabet)


def forced(automata: Sequence[BlockAutomaton | PrunedBlock], settled: Tensor, width: int) -> Tensor:
    """Beliefs [B, N, width] nats before any forward pass: certain where one token is possible, flat elsewhere."""
    known = torch.stack([only(one, pins) for one, pins in zip(automata, settled, strict=True)])
    beliefs = torch.full((*settled.shape, width), -math.log(width))
    at = (known != OPEN).nonzero(as_tuple=True)
    beliefs[at] = IMPOSSIBLE
    beliefs[(*at, known[at])] = 0.0
    return beliefs


def only(automaton: BlockAutomaton | PrunedBlock, settled: Tensor) -> Tensor:
    """[N] int64: the one token that is possible at each position given settled [N]; −1 where there are more or none."""
    automaton = automaton.automaton if isinstance(automaton, PrunedBlock) else automaton
    dfa, backend, pins = automaton.dfa, backend_for("cpu"), settled.cpu()[None]
    weights = _indifferent(automaton, settled)
    start, end = (part.double()[None].clone() for part in (automaton.entry, automaton.exit))
    start[:, DEAD] = end[:, DEAD] = IMPOSSIBLE
    order, offsets = dfa.alphabet.members
    sizes = offsets.diff().int().repeat(1, pins.shape[1], 1)
    counts = pin_table_(sizes, pins, dfa.alphabet, empty=0, full=1)
    found = backend.posterior(weights, counts, dfa, start, backend.backward(weights, dfa, end))
    chance, label = found.classes[0].max(-1)
    token = torch.where(pins[0] == OPEN, order[offsets[label].clamp_max(len(order) - 1)].long(), pins[0])
    return torch.where(found.free[0] | (chance == 0), OPEN, token)
