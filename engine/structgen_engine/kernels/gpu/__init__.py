"""The lattice on a GPU: Triton kernels, launched by host code that never waits for them.

`tables` and `trees` lay out an automaton for the kernels, `pool` keeps that on the device, and `layout` describes a
batch of different automata, so that every kernel is one launch for the whole batch. `classes` reads the logits once.
`scans`, `posterior` and `paths` walk the automata with weights as `pairs`; `tokens` maps classes back to tokens. `Step`
(in `step`) is one whole step, which a CUDA graph can hold; vLLM's sampler and `BlockLattice`, and so `decode`, run
whole batches as such a step. The other functions here offer the same kernels for one automaton at a time.

If TRITON_INTERPRET=1 is set before triton is imported, everything runs slowly on a CPU, as in the tests.

Axes, here and in the modules: B batch, N block, V vocabulary, K classes, S states, E edges, C chunks.
"""

from structgen_engine.kernels.gpu.backend import (
    backward,
    best,
    best_tokens,
    class_scores,
    draw_tokens,
    forward,
    log_partition,
    nats,
    possible,
    posterior,
    prepared,
    sample,
    shift,
    spread,
)
from structgen_engine.kernels.gpu.step import Host, Step, Told
from structgen_engine.kernels.gpu.tokens import Handing
from structgen_engine.kernels.gpu.uniforms import Cooling

__all__ = [
    "Cooling",
    "Handing",
    "Host",
    "Step",
    "Told",
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
