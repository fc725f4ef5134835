"""The lattice in plain torch: short enough to check by eye, and the reference that every kernel is tested against.

Everything is computed in float64 nats for every type of logits, because a block of 256 positions at 200 nats each
reaches 50,000 nats, where float32 resolves 0.004. Works on any device.

Axes: B batch, N block, V vocabulary, K classes, S states, E edges.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from structgen_engine.automata.dfa import DEAD, IMPOSSIBLE, REFUSED, Alphabet, Dfa
from structgen_engine.kernels import Posterior
from structgen_engine.kernels.scores import ClassScores, bounded, pin_, place_
from structgen_engine.kernels.semiring import BOOLEAN, LOG, MAX, Semiring

_placed: WeakKeyDictionary[object, dict[torch.device, tuple[Tensor, ...]]] = WeakKeyDictionary()


prepared = None  # rows are scanned one automaton at a time


def _labels(alphabet: Alphabet, device: torch.device) -> Tensor:
    """class_of [V] int64 on `device`."""
    at = _placed.setdefault(alphabet, {})
    if device not in at:
        at[device] = (alphabet.class_of.long().to(device),)
    return at[device][0]


def _tables(dfa: Dfa, device: torch.device) -> tuple[Tensor, ...]:
    """delta [S, K], then source, label, target [E], int64 on `device`."""
    at = _placed.setdefault(dfa, {})
    if device not in at:
        edges = dfa.edges
        at[device] = tuple(t.long().to(device) for t in (dfa.delta, edges.source, edges.label, edges.target))
    return at[device]


def class_scores(
    logits: Tensor, alphabet: Alphabet, *, settled: Tensor | None = None, temperature: float = 1.0
) -> ClassScores:
    """Log-sum, entropy, peak and count of the tokens of each class; logits [B, N, ≥ V], settled [B, N]."""
    label = _labels(alphabet, logits.device)
    scores = bounded(logits[..., : len(label)].detach().double(), temperature) / temperature
    scores = scores.masked_fill(label == REFUSED, IMPOSSIBLE)
    peak = MAX.segment_sum(scores, label, alphabet.size)
    shift = torch.where(peak == IMPOSSIBLE, 0.0, peak)
    lower = scores - shift[..., label]
    mass = torch.zeros_like(peak).index_add_(-1, label, lower.exp())
    moment = torch.zeros_like(peak).index_add_(
        -1, label, torch.where(lower == IMPOSSIBLE, 0.0, lower * lower.exp())
    )
    entropy = torch.where(peak == IMPOSSIBLE, 0.0, mass.log() - moment / mass)
    count = torch.zeros_like(peak, dtype=torch.int32).index_add_(-1, label, (scores != IMPOSSIBLE).int())
    pinned = torch.full_like(peak[..., 0], -1, dtype=torch.int64) if settled is None else settled
    return pin_(ClassScores(mass.log() + shift, entropy, peak, count, pinned), alphabet)


def backward(weights: Tensor, dfa: Dfa, end: Tensor, semiring: Semiring = LOG) -> Tensor:
    """Weight of every suffix: beta[b, n, s] sums the paths from state s at position n to `end`.

    weights: [B, N, K]   end: [B, S]   returns: [B, N + 1, S]
    """
    delta = _tables(dfa, weights.device)[0]
    beta = [end]
    for n in reversed(range(weights.shape[1])):
        arcs = semiring.times(weights[:, n, None, :], beta[0][:, delta])  # [B, S, K]
        beta.insert(0, semiring.sum(arcs, -1))
        beta[0][:, DEAD] = semiring.zero
    return torch.stack(beta, dim=1)


def forward(weights: Tensor, dfa: Dfa, start: Tensor, semiring: Semiring = LOG) -> Tensor:
    """Weight of every prefix: alpha[b, n, s] sums the paths from `start` to state s at position n.

    weights: [B, N, K]   start: [B, S]   returns: [B, N + 1, S]
    """
    _, source, label, target = _tables(dfa, weights.device)
    alpha = [start]
    for n in range(weights.shape[1]):
        arcs = semiring.times(alpha[-1][:, source], weights[:, n, label])  # [B, E]
        alpha.append(semiring.segment_sum(arcs, target, dfa.states))
    return torch.stack(alpha, dim=1)


def nats(messages: Tensor) -> Tensor:
    """[B, N + 1, S] float64."""
    return messages


def log_partition(beta: Tensor, start: Tensor) -> Tensor:
    """log Z [B]: the sum over entry states of entering there, then any suffix."""
    return LOG.sum(LOG.times(start, beta[:, 0]), -1)


def posterior(weights: Tensor, counts: Tensor, dfa: Dfa, start: Tensor, beta: Tensor) -> Posterior:
    """Class marginals [B, N, K]: the weight that passes over the edges of each class, as a share of the total."""
    alpha = forward(weights, dfa, start)
    _, source, label, target = _tables(dfa, weights.device)
    total = LOG.sum(alpha[:, -1] + beta[:, -1], -1)
    total = torch.where(total == IMPOSSIBLE, 0.0, total)
    marginal = torch.empty_like(weights)
    for n in range(weights.shape[1]):
        arcs = alpha[:, n, source] + weights[:, n, label] + beta[:, n + 1, target]
        marginal[:, n] = LOG.segment_sum(arcs, label, dfa.alphabet.size) - total[:, None]
    allowed = possible(weights, dfa, alpha, beta)
    return Posterior(marginal.exp(), (counts * allowed).sum(-1) > 1)


def possible(weights: Tensor, dfa: Dfa, alpha: Tensor, beta: Tensor) -> Tensor:
    """[B, N, K] bool: the classes with an edge from a reachable state to one that can still end."""
    _, source, label, target = _tables(dfa, weights.device)
    ahead, behind = alpha != IMPOSSIBLE, beta != IMPOSSIBLE
    arcs = ahead[:, :-1, source] & behind[:, 1:, target]
    return BOOLEAN.segment_sum(arcs, label, dfa.alphabet.size) & (weights != IMPOSSIBLE)


def sample(weights: Tensor, dfa: Dfa, start: Tensor, beta: Tensor, uniforms: Tensor) -> Tensor:
    """Classes [B, N] of a joint draw: each step weights an edge by the suffixes that can follow it."""
    delta = _tables(dfa, weights.device)[0]
    rows = torch.arange(len(weights), device=weights.device)
    state = _pick(start + beta[:, 0], uniforms[:, 0])
    labels = []
    for n in range(weights.shape[1]):
        follow = beta[rows[:, None], n + 1, delta[state]].masked_fill(delta[state] == DEAD, IMPOSSIBLE)
        labels.append(_pick(weights[:, n] + follow, uniforms[:, n + 1]))
        state = delta[state, labels[-1]]
    return torch.stack(labels, dim=1)


def _pick(scores: Tensor, uniforms: Tensor) -> Tensor:
    """Indices [...] with odds exp(scores [..., K]) by inversion: the first whose cumulative share exceeds u."""
    shares = torch.softmax(scores.double(), -1).cumsum(-1)
    below = shares <= (uniforms.double() * shares[..., -1])[..., None]
    return torch.where(scores == IMPOSSIBLE, True, below).long().argmin(-1)


def best(peaks: Tensor, dfa: Dfa, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Classes [B, N] of the heaviest path and its weight [B] (Viterbi 1967), found by following the suffix maxima."""
    delta = _tables(dfa, peaks.device)[0]
    rows = torch.arange(len(peaks), device=peaks.device)
    beta = backward(peaks, dfa, end, MAX)
    weight, state = (start + beta[:, 0]).max(-1)
    labels = []
    for n in range(peaks.shape[1]):
        labels.append((peaks[:, n] + beta[rows[:, None], n + 1, delta[state]]).argmax(-1))
        state = delta[state, labels[-1]]
    return torch.stack(labels, dim=1), weight


def draw_tokens(
    logits: Tensor,
    alphabet: Alphabet,
    scores: ClassScores,
    labels: Tensor,
    uniforms: Tensor,
    *,
    temperature: float = 1.0,
) -> Tensor:
    """Tokens [B, N], each drawn inside its class; labels, uniforms [B, N]."""
    class_of = _labels(alphabet, logits.device)
    inside = bounded(logits[..., : len(class_of)].detach().double(), temperature) / temperature
    inside = inside.masked_fill(class_of != labels[..., None], IMPOSSIBLE)
    return torch.where(scores.pinned >= 0, scores.pinned, _pick(inside, uniforms))


def best_tokens(logits: Tensor, alphabet: Alphabet, scores: ClassScores, labels: Tensor) -> Tensor:
    """Tokens [B, N]: the highest score in each class; among equals, the lowest id."""
    class_of = _labels(alphabet, logits.device)
    inside = logits[..., : len(class_of)].detach().masked_fill(class_of != labels[..., None], IMPOSSIBLE)
    return torch.where(scores.pinned >= 0, scores.pinned, inside.argmax(-1))


def shift(
    logits: Tensor,
    alphabet: Alphabet,
    scores: ClassScores,
    classes: Tensor,
    out: Tensor,
    *,
    temperature: float = 1.0,
    least: float = IMPOSSIBLE,
) -> None:
    """Write the log-marginals of tokens, nats, to `out`: at least `least`, which refused tokens get."""
    label = _labels(alphabet, logits.device)
    inside = bounded(logits[..., : len(label)].detach().double(), temperature) / temperature
    shifts = torch.where(classes > 0, classes.log() - scores.log_sum, IMPOSSIBLE)
    full = torch.full(logits.shape, IMPOSSIBLE, dtype=torch.float64, device=logits.device)
    allowed = classes[..., label] > 0
    full[..., : len(label)] = torch.where(allowed, inside + shifts[..., label], IMPOSSIBLE)
    out.copy_(place_(full, classes.log(), scores.pinned, alphabet, empty=IMPOSSIBLE).clamp_min(least))


def spread(
    logits: Tensor, alphabet: Alphabet, scores: ClassScores, classes: Tensor, *, temperature: float = 1.0
) -> Tensor:
    """Token marginals [B, N, V of the logits] from class marginals [B, N, K]; zero outside the alphabet."""
    label = _labels(alphabet, logits.device)
    inside = bounded(logits[..., : len(label)].detach().double(), temperature) / temperature
    inside = inside - scores.log_sum[..., label]
    inside = torch.where(classes[..., label] > 0, inside.exp() * classes[..., label], 0.0)
    out = torch.zeros(logits.shape, dtype=logits.dtype, device=logits.device)
    out[..., : len(label)] = inside.to(out.dtype)
    return place_(out, classes, scores.pinned, alphabet)
