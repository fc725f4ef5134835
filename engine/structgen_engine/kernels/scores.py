"""Class scores: the few numbers per position and class that one pass over the logits computes.

Axes: B batch, N block, V vocabulary, K classes, C chunks of classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, REFUSED, Alphabet

# nats: a score beyond ±LIMIT counts as ±LIMIT. The least power of two that the GPU kernels distinguish from 0 is
# 2^(−2^29), 1,488 times LIMIT; float64 sums of 256 such scores are right to 1e-8; logits of 200 at temperature 1e-3 fit
LIMIT = 250_000.0
COLDEST = 1e-3  # the lowest temperature: below it, LIMIT would make different logits of 200 equal
LARGEST = float(np.finfo(np.float32).max)


def largest(temperature: float) -> float:
    """The largest logit that is distinguished from larger ones, in float32 as in every kernel."""
    return float(np.float32(min(LIMIT * temperature, LARGEST)))


def bounded(logits: Tensor, temperature: float) -> Tensor:
    """The logits with finite ones clamped to ±`largest`; −inf means impossible; +inf and NaN are refused later."""
    bound = largest(temperature)
    return torch.where(logits.isinf(), logits, logits.clamp(-bound, bound))


@dataclass(frozen=True, eq=False)
class ClassScores:
    """The statistics of the tokens of each class under softmax(bounded(logits) / temperature).

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


def check_scores(logits: Tensor, settled: Tensor | None, temperature: float) -> None:
    """Raise ValueError unless these are logits [B, N, V], settled [B, N] and a temperature."""
    if logits.ndim != 3 or not logits.is_floating_point():
        raise ValueError(f"logits must be floats [B, N, V], not {logits.dtype} {list(logits.shape)}")
    if not logits.shape[1]:
        raise ValueError("the logits have no positions: a block has at least one token")
    if settled is not None:
        if settled.shape != logits.shape[:2]:
            raise ValueError(f"settled must be [B, N] = {list(logits.shape[:2])}, not {list(settled.shape)}")
        check_settled(settled)
    if not COLDEST <= temperature < float("inf"):
        raise ValueError(
            f"temperature must be at least {COLDEST:g}, not {temperature}; for the best block use argmax()"
        )


def check_settled(settled: Tensor) -> None:
    """Raise ValueError if `settled` holds anything other than ids and −1."""
    if settled.is_floating_point() or settled.dtype == torch.bool:
        raise ValueError(f"settled must hold whole numbers, not {settled.dtype}")
    if settled.numel() and int(settled.min()) < -1:
        raise ValueError(f"settled holds {int(settled.min())}: it takes ids, and −1 where a position is open")


def check_width(alphabet: Alphabet, logits: Tensor) -> None:
    """Raise ValueError if the logits [..., V] have fewer tokens than the alphabet."""
    known = len(alphabet.class_of)
    if known > logits.shape[-1]:
        raise ValueError(
            f"the automaton knows {known} tokens but the logits have only {logits.shape[-1]}: "
            "compile the constraint for this model's vocabulary"
        )


def finite(scores: ClassScores) -> ClassScores:
    """The same scores; raises ValueError if the denoiser's logits hold NaN or +inf."""
    if not (scores.log_sum < float("inf")).all():
        raise ValueError("the logits of allowed tokens hold NaN or +inf: the denoiser has diverged")
    return scores


def pin_(scores: ClassScores, alphabet: Alphabet) -> ClassScores:
    """Make every settled position certain: its token has score 0, and all others are impossible."""
    pin_table_(scores.log_sum, scores.pinned, alphabet)
    pin_table_(scores.peak, scores.pinned, alphabet)
    pin_table_(scores.entropy, scores.pinned, alphabet, empty=0.0, full=0.0)
    pin_table_(scores.count, scores.pinned, alphabet, empty=0, full=1)
    return scores


def pin_table_(
    table: Tensor, pinned: Tensor, alphabet: Alphabet, *, empty: float = IMPOSSIBLE, full: float = 0.0
) -> Tensor:
    """At settled positions of table [B, N, K], set the token's class to `full` unless refused, others to `empty`."""
    at = (pinned >= 0).nonzero(as_tuple=True)
    if not len(at[0]):
        return table
    label = _labels(pinned[at], alphabet)
    table[at] = empty
    table[(*at, label)] = torch.where(label != REFUSED, full, empty).to(table.dtype)
    return table


def place_(
    table: Tensor, classes: Tensor, pinned: Tensor, alphabet: Alphabet, *, empty: float = 0.0
) -> Tensor:
    """At settled positions of table [B, N, V], set the token to its class's value in `classes` [B, N, K]."""
    at = (pinned >= 0).nonzero(as_tuple=True)
    token = pinned[at]
    table[at] = empty
    own = classes[(*at, _labels(token, alphabet))]  # `empty` for REFUSED, an unknown token's class
    table[(*at, token.clamp_max(table.shape[-1] - 1))] = own.to(table.dtype)
    return table


def _labels(tokens: Tensor, alphabet: Alphabet) -> Tensor:
    """The class of each token, int64; REFUSED for tokens that the alphabet does not know."""
    class_of = alphabet.class_of.to(tokens.device)
    known = tokens < len(class_of)
    return torch.where(known, class_of[torch.where(known, tokens, 0)].long(), REFUSED)
