"""What one pass over the logits leaves: a few numbers per position and class.

Axes: B batch, N block, V vocabulary, K classes, C chunks of classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from structgen_engine.automaton import IMPOSSIBLE, REFUSED, Alphabet

# nats: a score beyond ±LIMIT counts as ±LIMIT. The least power of two that the GPU kernels tell from 0, 2^(−2^29), is
# 1,488 positions of it away; float64 sums of 256 such scores are right to 1e-8; logits of 200 at temperature 0.001 fit
LIMIT = 250_000.0
LARGEST = float(np.finfo(np.float32).max)


def largest(temperature: float) -> float:
    """The largest logit that is told from larger ones, as every kernel has it: in float32."""
    return float(np.float32(min(LIMIT * temperature, LARGEST)))


def bounded(logits: Tensor, temperature: float) -> Tensor:
    """The logits, finite ones beyond ±`largest` replaced by it; −inf is impossible, +inf and NaN are refused later."""
    bound = largest(temperature)
    return torch.where(logits.isinf(), logits, logits.clamp(-bound, bound))


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Statistics of the tokens of each class under softmax(bounded(logits) / temperature).

    log_sum: [B, N, K] float64 nats, log Σ exp s
    entropy: [B, N, K] float64 nats, of a token given its class
    peak:    [B, N, K] float64 nats, the highest s
    count:   [B, N, K] int32, tokens with s > −inf
    pinned:  [B, N] int64, the settled token or −1; its class has score 0 and all others are impossible
    chunks:  a backend's own highest logits and partial sums, or None
    """

    log_sum: Tensor
    entropy: Tensor
    peak: Tensor
    count: Tensor
    pinned: Tensor
    chunks: tuple[Tensor, Tensor] | None = None


def finite(scores: ClassScores) -> ClassScores:
    """The same scores; ValueError where a denoiser's numbers have left the reals."""
    if not (scores.log_sum < float("inf")).all():
        raise ValueError("the logits of allowed tokens hold NaN or +inf: the denoiser has diverged")
    return scores


def pin_(scores: ClassScores, alphabet: Alphabet) -> ClassScores:
    """Make every settled position certain: its token with score 0, nothing else."""
    pin_table_(scores.log_sum, scores.pinned, alphabet)
    pin_table_(scores.peak, scores.pinned, alphabet)
    pin_table_(scores.entropy, scores.pinned, alphabet, empty=0.0, full=0.0)
    pin_table_(scores.count, scores.pinned, alphabet, empty=0, full=1)
    return scores


def pin_table_(
    table: Tensor, pinned: Tensor, alphabet: Alphabet, *, empty: float = IMPOSSIBLE, full: float = 0.0
) -> Tensor:
    """In table [B, N, K]: `full` for the class of each settled token (none if it is refused), `empty` beside it."""
    at = (pinned >= 0).nonzero(as_tuple=True)
    if not len(at[0]):
        return table
    label = _labels(pinned[at], alphabet)
    table[at] = empty
    table[(*at, label)] = torch.where(label != REFUSED, full, empty).to(table.dtype)
    return table


def place_(table: Tensor, classes: Tensor, pinned: Tensor, alphabet: Alphabet) -> Tensor:
    """In table [B, N, V]: what `classes` [B, N, K] holds for a settled token's class is the token's, the rest 0."""
    at = (pinned >= 0).nonzero(as_tuple=True)
    token = pinned[at]
    table[at] = 0
    own = classes[(*at, _labels(token, alphabet))]  # 0 for REFUSED, an unknown token's class
    table[(*at, token.clamp_max(table.shape[-1] - 1))] = own.to(table.dtype)
    return table


def _labels(tokens: Tensor, alphabet: Alphabet) -> Tensor:
    """The class of each token, int64; REFUSED for those that the alphabet does not know."""
    class_of = alphabet.class_of.to(tokens.device)
    known = tokens < len(class_of)
    return torch.where(known, class_of[torch.where(known, tokens, 0)].long(), REFUSED)
