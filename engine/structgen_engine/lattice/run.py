"""The weights of one step's blocks on a device, for rows that share an automaton or for a whole batch at once.

Axes: B batch, b rows of a run, N block, V vocabulary, K classes, S states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from structgen_engine.automata.dfa import DEAD, IMPOSSIBLE, BlockAutomaton
from structgen_engine.kernels import Backend, Messages, Posterior
from structgen_engine.kernels.scores import ClassScores, bounded, finite, pin_table_, place_
from structgen_engine.lattice.beam import PrunedBlock


class Best(NamedTuple):
    """The most probable blocks: ids [B, N] int64 and log_prob [B] float64 nats.

    certified: [B] bool, whether no accepted block is better, including those that exploring left out; None: not asked
    """

    ids: Tensor
    log_prob: Tensor
    certified: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Beliefs:
    """A summary of the marginals at each position, computed without the full table.

    entropy: [B, N] float32 nats; top_probability: [B, N] float32, of the likeliest token; free: [B, N] bool, whether
    more than one token is possible
    """

    entropy: Tensor
    top_probability: Tensor
    free: Tensor


class Run:
    """The lattice of b neighbouring rows that share one automaton."""

    def __init__(
        self,
        automata: list[BlockAutomaton],
        logits: Tensor,
        settled: Tensor | None,
        temperature: float,
        backend: Backend,
        explored: PrunedBlock | None,
    ) -> None:
        self.logits, self.settled, self.temperature, self.backend = logits, settled, temperature, backend
        self.explored = explored
        self.dfa = automata[0].dfa
        self.start = torch.stack([a.entry for a in automata]).double().to(logits.device)
        self.end = torch.stack([a.exit for a in automata]).double().to(logits.device)
        self.start[:, DEAD] = self.end[:, DEAD] = IMPOSSIBLE

    @cached_property
    def scores(self) -> ClassScores:
        if self.explored is not None:
            return self.explored.scores
        alphabet = self.dfa.alphabet
        return finite(
            self.backend.class_scores(
                self.logits, alphabet, settled=self.settled, temperature=self.temperature
            )
        )

    @cached_property
    def beta(self) -> Messages:
        return self.backend.backward(self.scores.log_sum, self.dfa, self.end)

    @cached_property
    def alpha(self) -> Messages:
        return self.backend.forward(self.scores.log_sum, self.dfa, self.start)

    @cached_property
    def log_partition(self) -> Tensor:
        return self.backend.log_partition(self.beta, self.start)

    @cached_property
    def posterior(self) -> Posterior:
        scores = self.scores
        return self.backend.posterior(scores.log_sum, scores.count, self.dfa, self.start, self.beta)

    def marginals(self) -> Tensor:
        return self.backend.spread(
            self.logits, self.dfa.alphabet, self.scores, self.posterior.classes, temperature=self.temperature
        )

    def log_marginals(self, out: Tensor, least: float) -> None:
        given = self.logits, self.dfa.alphabet, self.scores, self.posterior.classes, out
        self.backend.shift(*given, temperature=self.temperature, least=least)

    def mask(self) -> Tensor:
        alpha = self.alpha
        allowed = self.backend.possible(self.scores.log_sum, self.dfa, alpha, self.beta)
        label = self.dfa.alphabet.class_of.long().to(self.logits.device)
        mask = torch.zeros(self.logits.shape, dtype=torch.bool, device=self.logits.device)
        mask[..., : len(label)] = allowed[..., label] & (self.logits[..., : len(label)] != IMPOSSIBLE)
        return place_(mask, allowed, self.scores.pinned, self.dfa.alphabet)

    @cached_property
    def beliefs(self) -> Beliefs:
        """H = H(Q over classes) + Σ_c Q(c) · H(token | c): the chain rule of entropy."""
        classes, scores = self.posterior.classes, self.scores
        spread = torch.special.entr(classes).sum(-1) + (classes * scores.entropy).sum(-1)
        inside = torch.where(classes > 0, scores.peak - scores.log_sum, IMPOSSIBLE).exp()
        top = (classes * inside).amax(-1)
        return Beliefs(spread.clamp_min(0).float(), top.clamp_max(1).float(), self.posterior.free)

    def sample(self, paths: Tensor, tokens: Tensor) -> Tensor:
        paths, tokens = paths.to(self.logits.device), tokens.to(self.logits.device)
        labels = self.backend.sample(self.scores.log_sum, self.dfa, self.start, self.beta, paths)
        return self.backend.draw_tokens(
            self.logits, self.dfa.alphabet, self.scores, labels, tokens, temperature=self.temperature
        )

    @property
    def dropped(self) -> Tensor:
        shares = [0.0 if self.explored is None else self.explored.share(float(z)) for z in self.log_partition]
        return torch.tensor(shares, dtype=torch.float64)

    @cached_property
    def certified_best(self) -> Best:
        labels, weight = self.backend.best(self.scores.peak, self.dfa, self.start, self.end)
        ids = self.backend.best_tokens(self.logits, self.dfa.alphabet, self.scores, labels)
        certified = [self.explored is None or self.explored.certifies(float(w)) for w in weight]
        return Best(ids, weight - self.log_partition, torch.tensor(certified))

    def log_prob(self, ids: Tensor) -> Tensor:
        """Z of the blocks that hold these ids, as a share of Z."""
        ids = ids.to(self.logits.device)
        fixed = self.scores.pinned >= 0
        wrong = fixed & (ids >= 0) & (ids != self.scores.pinned)
        named = (ids >= 0) & ~fixed
        pinned = torch.where(named, ids, self.scores.pinned)
        weights = pin_table_(self.scores.log_sum.clone(), pinned, self.dfa.alphabet)
        beta = self.backend.backward(weights, self.dfa, self.end)
        rest = self.backend.log_partition(beta, self.start)
        width = self.logits.shape[-1]
        token = ids.clamp(0, width - 1)[..., None]
        own = bounded(self.logits.gather(-1, token)[..., 0].double(), self.temperature) / self.temperature
        own = torch.where(named, own, 0.0).sum(-1)
        refused = wrong.any(-1) | (rest == IMPOSSIBLE) | (self.log_partition == IMPOSSIBLE)
        return torch.where(refused, IMPOSSIBLE, rest + own - self.log_partition)


class Together:
    """The lattice of a batch with different automata, as one prepared step: one launch of a kernel for all rows.

    log Z, beliefs and best blocks are on the CPU, in one copy; draws and tables are where the logits are.
    """

    def __init__(
        self,
        automata: Sequence[BlockAutomaton],
        logits: Tensor,
        settled: Tensor | None,
        temperature: Sequence[float],
        backend: Backend,
        explored: Sequence[PrunedBlock | None],
    ) -> None:
        assert backend.prepared is not None
        self.automata, self.logits, self.explored = automata, logits.detach(), explored
        self._temperature = torch.tensor(list(temperature), dtype=torch.float64)
        self._step = backend.prepared(automata, logits, settled, self._temperature)

    @cached_property
    def step(self) -> Any:
        """The step after it has run on the logits."""
        self._step.measure(self.logits)
        return self._step

    @cached_property
    def read(self) -> Any:
        """What the host reads of the step, all at once: the only wait for the device until something is drawn."""
        read = self.step.read()
        if (read.status == self.step.DIVERGED).any():
            raise ValueError("the logits of allowed tokens hold NaN or +inf: the denoiser has diverged")
        return read

    @property
    def log_partition(self) -> Tensor:
        return self.read.log_partition

    @cached_property
    def beliefs(self) -> Beliefs:
        return Beliefs(self.read.entropy.clamp_min(0), self.read.top.clamp_max(1), self.read.free)

    def marginals(self) -> Tensor:
        out = torch.empty_like(self.logits)
        self.step.spread(self.logits, out)
        return out

    def log_marginals(self, out: Tensor, least: float) -> None:
        self.step.shift(self.logits, out, least=least)

    def mask(self) -> Tensor:
        mask = torch.zeros(self.logits.shape, dtype=torch.bool, device=self.logits.device)
        for b, possible in enumerate(self._tables(self.step.marginals.possible)):
            alphabet = self.automata[b].dfa.alphabet
            label = alphabet.class_of.long().to(mask.device)
            mask[b, :, : len(label)] = possible[:, label] & (self.logits[b, :, : len(label)] != IMPOSSIBLE)
            place_(mask[b : b + 1], possible[None], self.step.settled[b : b + 1], alphabet)
        return mask

    def sample(self, paths: Tensor, tokens: Tensor) -> Tensor:
        self.step.draw(self.logits, torch.cat([paths, tokens], 1))
        return self.step.ids.clone()

    @property
    def dropped(self) -> Tensor:
        pairs = zip(self.explored, self.log_partition.tolist(), strict=True)
        return torch.tensor([0.0 if one is None else one.share(z) for one, z in pairs], dtype=torch.float64)

    @cached_property
    def certified_best(self) -> Best:
        weight, ids = self.read.best_weight, self.read.best
        pairs = zip(self.explored, weight.tolist(), strict=True)
        certified = [one is None or one.certifies(w) for one, w in pairs]
        return Best(ids, weight - self.log_partition, torch.tensor(certified))

    def log_prob(self, ids: Tensor) -> Tensor:
        """Z of the blocks that hold these ids, as a share of Z."""
        step, ids = self.step, ids.to(self.logits.device)
        fixed = step.settled >= 0
        wrong = fixed & (ids >= 0) & (ids != step.settled)
        named = (ids >= 0) & ~fixed
        pinned, weights = torch.where(named, ids, step.settled), step.scores.log_sum.clone()
        for b, table in enumerate(self._tables(weights)):
            pin_table_(table[None], pinned[b : b + 1], self.automata[b].dfa.alphabet)
        rest = torch.empty_like(step.log_partition)
        step.weight(weights, rest)
        own = self.logits.gather(-1, ids.clamp(0, self.logits.shape[-1] - 1)[..., None])[..., 0].double()
        rows = zip(own, self._temperature.tolist(), strict=True)
        own = torch.stack([bounded(row, temperature) / temperature for row, temperature in rows])
        own = torch.where(named, own, 0.0).sum(-1)
        whole = step.log_partition
        refused = wrong.any(-1) | (rest == IMPOSSIBLE) | (whole == IMPOSSIBLE)
        return torch.where(refused, IMPOSSIBLE, rest + own - whole)

    def _tables(self, flat: Tensor) -> list[Tensor]:
        """Views [N, K] of a table [ΣN·K], one for each row."""
        N, sizes = self.logits.shape[1], [row.dfa.alphabet.size for row in self.automata]
        return [part.view(N, -1) for part in flat.split([N * size for size in sizes])]
