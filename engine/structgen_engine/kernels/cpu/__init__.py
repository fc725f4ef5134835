"""The lattice on a CPU: numba kernels that read the logits once and never copy them.

Class scores (`classes`, `lanes`, `tokens`). Sixteen positions are read together: a token is then a vector of sixteen
scores, so each costs one load and one vector exponential, however its class lies in the vocabulary. A chunk, the tokens
of one class in one block of the vocabulary, is reduced to its maximum, Σ 2^d and Σ 2^d·d. The chunks' sums are kept,
because drawing a token inside a class then scans one chunk instead of a hundred thousand tokens.

Scans (`scaled`, `scans`, `posterior`, `paths`). A weight is a pair, mantissa · 2^(RADIX·level) with a float64 mantissa
in [2^-128, 2^128): products of 256 positions at 200 nats each reach exp(±50,000), and logarithms in the inner loop
would cost tens of times more than this multiplication. Most sums are over plain numbers all the same: `scaled` explains
its windows. Given β, the marginals need no α: probabilities of states and moves are plain numbers.

Work is split over torch.get_num_threads() threads (`threads`); the kernels release the GIL. Numba's cache notices
changes only in the file of the kernel itself: after editing functions of `logits` and `scaled` that kernels in other
files call, delete __pycache__/*.nbi (the tests do).

Axes, here and in the modules: B batch, N block, V vocabulary, K classes, S states, A arcs, G bundles, C chunks.
"""

from structgen_engine.kernels.cpu.classes import class_scores
from structgen_engine.kernels.cpu.paths import best, sample
from structgen_engine.kernels.cpu.posterior import possible, posterior
from structgen_engine.kernels.cpu.scans import backward, forward, log_partition, nats
from structgen_engine.kernels.cpu.tokens import best_tokens, draw_tokens, shift, spread

prepared = None  # rows are scanned one automaton at a time

__all__ = [
    "backward",
    "best",
    "best_tokens",
    "class_scores",
    "draw_tokens",
    "forward",
    "log_partition",
    "nats",
    "possible",
    "posterior",
    "prepared",
    "sample",
    "shift",
    "spread",
]
