"""The lattice on a GPU: Triton kernels, and nothing on the host that waits for them.

`tables` and `trees` lay an automaton out for kernels, `layout` a batch of different ones, so that every kernel is one
launch for the whole batch. `classes` reads the logits, once. `scans`, `posterior` and `paths` walk the automata with
weights as `pairs`; `tokens` goes back to tokens. `Step` (in `step`) is one whole step with everything allocated
beforehand, which a CUDA graph can hold; `BlockLattice`, and so `decode`, runs whole batches as such a step. The other
functions here offer the same kernels one automaton at a time.

With TRITON_INTERPRET=1 set before triton is imported all of it runs on a CPU, slowly: the tests do so.

Axes, here and in the modules: B batch, N block, V vocabulary, K classes, S states, E edges, C chunks.
"""

from structgen_engine.kernels.gpu.backend import (
    backward,
    best,
    best_tokens,
    class_scores,
    draw_tokens,
    forward,
    forward_backward,
    log_partition,
    nats,
    possible,
    posterior,
    prepared,
    sample,
    spread,
)
from structgen_engine.kernels.gpu.step import Step

__all__ = [
    "Step",
    "backward",
    "best",
    "best_tokens",
    "class_scores",
    "draw_tokens",
    "forward",
    "forward_backward",
    "log_partition",
    "nats",
    "possible",
    "posterior",
    "prepared",
    "sample",
    "spread",
]
