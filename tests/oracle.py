"""The lattice by enumeration: every string of V^N, weighed one by one in float64. Small V and N only.

Axes: M accepted strings, N block, V vocabulary, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from structgen_engine.automata.dfa import BlockAutomaton

IMPOSSIBLE = float("-inf")
LIMIT = 250_000.0  # nats: a score beyond counts as this


@dataclass(frozen=True, eq=False)
class Enumeration:
    """strings: [M, N] int64, those with any weight; weights: [M] float64 nats."""

    strings: Tensor
    weights: Tensor
    vocabulary: int

    @property
    def log_partition(self) -> float:
        return float(torch.logsumexp(self.weights, 0)) if len(self.weights) else IMPOSSIBLE

    @property
    def log_probs(self) -> Tensor:
        return self.weights - self.log_partition

    def marginals(self) -> Tensor:
        """[N, V] probability of each token."""
        table = torch.zeros(self.strings.shape[1], self.vocabulary, dtype=torch.float64)
        share = self.log_probs.exp()[:, None].expand_as(self.strings)
        return table.index_put_((self._places, self.strings), share, accumulate=True)

    def mask(self) -> Tensor:
        """[N, V] bool: the tokens of some string."""
        table = torch.zeros(self.strings.shape[1], self.vocabulary, dtype=torch.bool)
        table[self._places, self.strings] = True
        return table

    @property
    def _places(self) -> Tensor:
        """[M, N] the position of each token."""
        return torch.arange(self.strings.shape[1]).expand_as(self.strings)


def enumerate_blocks(
    automaton: BlockAutomaton, logits: Tensor, settled: Tensor | None = None, temperature: float = 1.0
) -> Enumeration:
    """All accepted blocks of logits [N, V], scores within ±LIMIT; settled [N] admits its token alone, with score 0."""
    dfa, (N, V) = automaton.dfa, logits.shape
    known = len(dfa.alphabet.class_of)
    strings = torch.cartesian_prod(*[torch.arange(known)] * N).reshape(-1, N)  # [M, N]
    most = LIMIT * temperature
    scores = logits.double().where(logits.isinf(), logits.double().clamp(-most, most)) / temperature
    if settled is not None:
        for i, token in enumerate(settled.tolist()):
            if token >= 0:
                scores[i] = IMPOSSIBLE
                scores[i, token] = 0.0
    state = torch.arange(dfa.states).expand(len(strings), -1)  # from every entry at once: [M, S]
    for i in range(N):
        state = dfa.delta.long()[state, dfa.alphabet.class_of.long()[strings[:, i], None]]
    ends = (automaton.entry.double() + automaton.exit.double()[state])[:, 1:]  # all states but DEAD
    weights = scores[torch.arange(N), strings].sum(-1) + torch.logsumexp(ends, -1)
    accepted = weights > IMPOSSIBLE
    return Enumeration(strings[accepted], weights[accepted], V)


def total_variation(draws: Tensor, truth: Enumeration) -> float:
    """Half the L1 distance between the frequencies of draws [n, N] and the true probabilities."""
    counts = dict.fromkeys(map(tuple, truth.strings.tolist()), 0)
    for draw in map(tuple, draws.tolist()):
        counts[draw] += 1  # KeyError: a draw that is not accepted
    frequencies = torch.tensor(list(counts.values()), dtype=torch.float64) / len(draws)
    return float((frequencies - truth.log_probs.exp()).abs().sum()) / 2
