"""Reading a block from causal logits, which depend only on the tokens before each position.

The logits of a causal model at position i condition on the canvas's tokens before i. A joint best block would trade
a good token here for a better fit to logits that condition on something else. A step therefore reads from left to right
and takes the likeliest token after which the block can still be finished. The reading becomes the next canvas: its
first k + 1 tokens are right after k + 1 steps, whatever the canvas held, and the fixed point is the block that
constrained greedy decoding gives token by token (Jacobi iteration: Santilli et al. 2023, "Accelerating transformer
inference for translation via parallel decoding").

Where a draw is wanted instead of the likeliest text, Gumbel noise is added to the scores, the same in every step of a
block: its likeliest token is then a draw (Gumbel 1954), and the fixed point a text drawn token by token.

Axes: B batch, n positions in play, V vocabulary, K classes, S states.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, BlockAutomaton
from structgen_engine.decoding.noise import Uniform
from structgen_engine.decoding.options import Finish
from structgen_engine.decoding.sampling import Decision, View
from structgen_engine.lattice.lattice import Best, completable


class JacobiNoise(Uniform):
    """The noise of a causal denoiser: the canvas is random at first, then the whole reading of the last step."""

    def hidden(self, canvas: Tensor, where: Tensor, generator: torch.Generator) -> Tensor:
        """The canvas as it is: a causal model sees no token at the position whose logits it gives."""
        return canvas

    def choose(self, view: View) -> Decision:
        """Keep the whole reading; done at the last step, or if the canvas already held what the logits depend on."""
        noise = gumbel(view) if view.options.finish is Finish.SAMPLE else None
        reading = greedy(view.lattice.automata, view.logits, view.settled, noise)
        done = (reading.ids == view.canvas)[:, :-1].all(-1) | view.last
        gain = torch.where(done, reading.log_prob, 0.0)
        everything = torch.ones_like(view.canvas, dtype=torch.bool)
        return Decision(reading.ids, everything, view.settled, done, gain, torch.zeros_like(done))


def gumbel(view: View) -> list[Tensor]:
    """Gumbel noise [n, ≥ V] for each row, drawn once for a block."""
    found = []
    for generator, seen in zip(view.generators, view.stability, strict=True):
        if seen.seed is None:
            seen.seed = int(torch.randint(1 << 62, (), generator=generator))
        uniform = torch.rand(view.logits.shape[1:], generator=torch.Generator().manual_seed(seen.seed))
        found.append(-(-uniform.clamp_min(torch.finfo(uniform.dtype).tiny).log()).log())
    return found


def greedy(
    automata: Sequence[BlockAutomaton], logits: Tensor, settled: Tensor, noise: Sequence[Tensor] | None = None
) -> Best:
    """An accepted block per row, from left to right: always the likeliest token after which it can be completed.

    logits: [B, n, ≥ V]; settled: [B, n] int64, −1 where open; noise: [n, ≥ V] of each row, added to choose a token
    Every row must accept some block.
    The log-probability is a sum over tokens, each relative to those that were possible after the preceding tokens.
    """
    rows = zip(automata, logits.cpu().float(), settled, noise or [None] * len(settled), strict=True)
    ids, gains = zip(*[_read(*row) for row in rows], strict=True)
    return Best(torch.stack(ids), torch.stack(gains))


def _read(
    automaton: BlockAutomaton, logits: Tensor, settled: Tensor, noise: Tensor | None
) -> tuple[Tensor, Tensor]:
    """ids [n] of one row and their log-probability [] nats; logits and noise [n, ≥ V], settled [n]."""
    dfa, alive = automaton.dfa, completable(automaton, settled)
    class_of = dfa.alphabet.class_of.long()
    least = torch.finfo(logits.dtype).min  # −inf is the model's opinion, and yields to the automaton
    scores = logits[:, : len(class_of)].clamp_min(least)
    state = int(torch.where(alive[0], automaton.entry, IMPOSSIBLE).argmax())
    ids, gain = settled.clone(), torch.zeros((), dtype=torch.float64)
    for i in range(len(ids)):
        allowed = alive[i + 1][dfa.row(state).long()]  # [K]
        if ids[i] < 0:
            fitting = scores[i].masked_fill(~allowed[class_of], IMPOSSIBLE)
            ids[i] = (fitting if noise is None else fitting + noise[i, : len(fitting)]).argmax()
            gain += fitting.double().log_softmax(0)[ids[i]]
        state = int(dfa.row(state)[class_of[ids[i]]])
    return ids, gain
