"""The functions of `Backend`, built on the GPU kernels, for rows that share one automaton.

Axes: B batch, N block, V vocabulary, K classes, S states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, Alphabet, BlockAutomaton, Dfa
from structgen_engine.kernels import Posterior
from structgen_engine.kernels.gpu import classes, pairs, paths, scans, tokens
from structgen_engine.kernels.gpu.classes import Scores
from structgen_engine.kernels.gpu.layout import AlphabetLayout, AutomatonLayout
from structgen_engine.kernels.gpu.paths import Walks
from structgen_engine.kernels.gpu.pool import pool_of, sent
from structgen_engine.kernels.gpu.posterior import Marginals, marginals
from structgen_engine.kernels.gpu.step import Step, Told
from structgen_engine.kernels.gpu.tokens import Chosen
from structgen_engine.kernels.scores import ClassScores


@dataclass(frozen=True, eq=False)
class Messages:
    """Alpha or beta: pairs, flat int64 as in the kernels; table [B, N + 1, S], a view of them without the scratch."""

    pairs: Tensor
    table: Tensor


def prepared(
    rows: Sequence[BlockAutomaton], logits: Tensor, settled: Tensor | None, temperature: Tensor
) -> Step:
    """A step for logits [B, N, V] of these rows, whose tables lie in the device's pool.

    settled: [B, N] int64, which the host waits for unless it is on the CPU; temperature: [B] float64, on the CPU
    """
    told = Told(settled=None if settled is None else settled.cpu().long(), temperature=temperature)
    return Step.of(rows, positions=logits.shape[1], device=logits.device, told=told)


def _alphabet(alphabet: Alphabet, logits: Tensor) -> AlphabetLayout:
    made = AlphabetLayout.of([alphabet] * len(logits), logits.shape[1], pool_of(logits.device))
    return replace(made, lines=sent(made.lines, logits.device))


def _automaton(dfa: Dfa, weights: Tensor) -> AutomatonLayout:
    made = AutomatonLayout.of([dfa] * len(weights), weights.shape[1], pool_of(weights.device))
    return replace(made, lines=sent(made.lines, weights.device))


def _temperature(value: float, logits: Tensor) -> Tensor:
    return torch.full((len(logits),), value, dtype=torch.float64, device=logits.device)


def class_scores(
    logits: Tensor, alphabet: Alphabet, *, settled: Tensor | None = None, temperature: float = 1.0
) -> ClassScores:
    """Log-sum, entropy, peak and count of the tokens of each class; logits [B, N, ≥ V], settled [B, N]."""
    B, N = logits.shape[:2]
    layout = _alphabet(alphabet, logits)
    if settled is None:
        pinned = torch.full((B, N), -1, dtype=torch.int64, device=logits.device)
    else:
        pinned = settled.to(logits.device).contiguous()
    out = Scores.empty(layout)
    classes.score(layout, logits.detach(), pinned, _temperature(temperature, logits), out)
    chunks = out.top.view(B, N, layout.chunks // B), out.mass.view(B, N, layout.chunks // B)
    log_sum, entropy, peak, count = (
        table.view(B, N, alphabet.size) for table in (out.log_sum, out.entropy, out.peak, out.count)
    )
    return ClassScores(log_sum, entropy, peak, count, pinned, chunks)


def backward(weights: Tensor, dfa: Dfa, end: Tensor) -> Messages:
    """Beta: the weight of every suffix; weights [B, N, K], end [B, S]."""
    return _scans(weights, dfa, end, end, scans.BACKWARD)[1]


def forward(weights: Tensor, dfa: Dfa, start: Tensor) -> Messages:
    """Alpha: the weight of every prefix; weights [B, N, K], start [B, S]."""
    return _scans(weights, dfa, start, start, scans.FORWARD)[0]


def _scans(
    weights: Tensor, dfa: Dfa, start: Tensor, end: Tensor, directions: tuple[int, int]
) -> tuple[Messages, Messages]:
    layout, (B, N, _) = _automaton(dfa, weights), weights.shape
    bundles, nothing = _pairs(layout.sizes["sets"], weights), weights.new_empty(0)
    weights = weights.contiguous()
    scans.bundle(layout, weights, weights, bundles, nothing, scans.SUMS)
    asked = range(directions[0], directions[0] + directions[1])
    beta = _pairs(layout.sizes["leaving"] if 0 in asked else 0, weights)
    alpha = _pairs(layout.sizes["entering"] if 1 in asked else 0, weights)
    ends = start.contiguous(), end.contiguous()
    scans.scan(layout, bundles, nothing, *ends, alpha, beta, nothing, directions)
    return _messages(alpha, dfa, B, N), _messages(beta, dfa, B, N)


def _messages(flat: Tensor, dfa: Dfa, B: int, N: int) -> Messages:
    table = (
        flat.view(B, -1)[:, : (N + 1) * dfa.states] if len(flat) else flat.new_empty(B, (N + 1) * dfa.states)
    )
    return Messages(flat, table.unflatten(1, (N + 1, dfa.states)))


def _pairs(size: int, like: Tensor) -> Tensor:
    return torch.empty(size, dtype=torch.int64, device=like.device)


def nats(messages: Messages) -> Tensor:
    """[B, N + 1, S] float64."""
    return pairs.nats(messages.table)


def log_partition(beta: Messages, start: Tensor) -> Tensor:
    """log Z [B]: the sum over entry states of entering there, then any suffix."""
    return torch.logsumexp(start + pairs.nats(beta.table[:, 0]), -1)


def posterior(weights: Tensor, counts: Tensor, dfa: Dfa, start: Tensor, beta: Messages) -> Posterior:
    """Class marginals [B, N, K], and the positions [B, N] where two tokens are possible."""
    alpha = forward(weights, dfa, start)
    found = _marginals(weights, counts, dfa, alpha, beta)
    return Posterior(found.classes.view(weights.shape), found.free)


def possible(weights: Tensor, dfa: Dfa, alpha: Messages, beta: Messages) -> Tensor:
    """[B, N, K] bool: the classes with an edge from a reachable state to one that can still end."""
    counts = torch.ones(weights.shape, dtype=torch.int32, device=weights.device)
    return _marginals(weights, counts, dfa, alpha, beta).possible.view(weights.shape)


def _marginals(weights: Tensor, counts: Tensor, dfa: Dfa, alpha: Messages, beta: Messages) -> Marginals:
    layout, weights, nothing = _automaton(dfa, weights), weights.contiguous(), torch.empty(0)
    scores = Scores(nothing, nothing, nothing, nothing, weights, weights, weights, counts.contiguous())
    out = Marginals.empty(layout)
    marginals(layout, scores, alpha.pairs, beta.pairs, out)  # its beliefs belong to other scores: unused
    return out


def sample(weights: Tensor, dfa: Dfa, start: Tensor, beta: Messages, uniforms: Tensor) -> Tensor:
    """Classes [B, N] int64 of a joint draw; uniforms [B, N + 1] in [0, 1); the first picks the entry."""
    out = Walks.empty(weights.shape[0], weights.shape[1], weights.device)
    weights, given = weights.contiguous(), uniforms.double().contiguous()
    suffixes = start.contiguous(), beta.pairs, weights.new_empty(0)
    paths.walk(_automaton(dfa, weights), weights, weights, *suffixes, given, out, paths.DRAWN)
    return out.labels


def best(peaks: Tensor, dfa: Dfa, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Classes [B, N] int64 of the heaviest path, and its weight [B] nats; peaks [B, N, K]."""
    layout, (B, N, _), peaks = _automaton(dfa, peaks), peaks.shape, peaks.contiguous()
    highest, heaviest = (peaks.new_empty(layout.sizes[name]) for name in ("sets", "leaving"))
    nothing, out, start = _pairs(0, peaks), Walks.empty(B, N, peaks.device), start.contiguous()
    scans.bundle(layout, peaks, peaks, nothing, highest, scans.PEAKS)
    ends = start, end.contiguous()
    scans.scan(layout, nothing, highest, *ends, nothing, nothing, heaviest, scans.HEAVIEST)
    uniforms = peaks.new_empty(B, 1)  # not read
    paths.walk(layout, peaks, peaks, start, nothing, heaviest, uniforms, out, paths.HEAVIEST)
    return out.best_labels, out.weight


def draw_tokens(
    logits: Tensor,
    alphabet: Alphabet,
    scores: ClassScores,
    labels: Tensor,
    uniforms: Tensor,
    *,
    temperature: float = 1.0,
) -> Tensor:
    """Tokens [B, N] int64, each drawn inside its class; labels, uniforms [B, N]."""
    return _chosen(logits, alphabet, scores, labels, uniforms, temperature, tokens.DRAWN)


def best_tokens(logits: Tensor, alphabet: Alphabet, scores: ClassScores, labels: Tensor) -> Tensor:
    """Tokens [B, N] int64: the highest score in each class; among equals, the lowest id."""
    return _chosen(logits, alphabet, scores, labels, None, 1.0, tokens.HIGHEST)


def _chosen(
    logits: Tensor,
    alphabet: Alphabet,
    scores: ClassScores,
    labels: Tensor,
    uniforms: Tensor | None,
    temperature: float,
    which: tuple[int, int],
) -> Tensor:
    """Tokens [B, N] int64 of one kind; labels [B, N]."""
    ids, nothing = torch.empty_like(labels), torch.empty(0, device=logits.device)
    given = torch.empty(labels.shape[0], 1) if uniforms is None else uniforms.double().contiguous()
    walks, out = Walks(labels, labels, nothing, nothing), Chosen(ids, ids, nothing, nothing)
    degree = _temperature(temperature, logits)
    tokens.choose(
        _alphabet(alphabet, logits),
        logits.detach(),
        _chunks(scores),
        scores.pinned,
        walks,
        given,
        degree,
        nothing,
        out,
        which,
        guarded=False,
    )
    return ids


def _chunks(scores: ClassScores) -> Scores:
    assert scores.chunks is not None
    top, mass = (part.contiguous() for part in scores.chunks)
    rest = scores.count  # not read
    return Scores(top, mass, top, rest, scores.log_sum, scores.entropy, scores.peak, rest)


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
    given = (
        scores.peak.contiguous(),
        _shares(scores, classes),
        scores.pinned,
        _temperature(temperature, logits),
    )
    nats = torch.ones_like(given[-1])
    tokens.weigh(_alphabet(alphabet, logits), logits.detach(), *given, out, unit=nats, least=least)


def _shares(scores: ClassScores, classes: Tensor) -> Tensor:
    """[B, N, K] float32 nats: the log-marginal of each class's best token."""
    inside = torch.where(classes > 0, scores.peak - scores.log_sum, IMPOSSIBLE)
    return (classes.log() + inside).float().contiguous()


def spread(
    logits: Tensor, alphabet: Alphabet, scores: ClassScores, classes: Tensor, *, temperature: float = 1.0
) -> Tensor:
    """Token marginals [B, N, V of the logits] from class marginals [B, N, K]; zero outside the alphabet."""
    out = torch.empty(logits.shape, dtype=logits.dtype, device=logits.device)
    given = (
        scores.peak.contiguous(),
        _shares(scores, classes),
        scores.pinned,
        _temperature(temperature, logits),
    )
    tokens.weigh(_alphabet(alphabet, logits), logits.detach(), *given, out)
    return out
