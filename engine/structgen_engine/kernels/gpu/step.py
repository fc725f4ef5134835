"""One refinement step of a whole batch: kernel launches alone, because all memory is allocated beforehand.

    step = Step.of(automata, positions=256, device="cuda")
    step.settled.copy_(...); step.temperature.fill_(0.8); step.uniforms.uniform_()
    step.run(logits)            # seven launches, no wait; results in step.ids, step.entropy, …
    graph = step.capture(logits)
    graph.replay()              # the same with new contents of `logits`, `settled`, `temperature`, `uniforms`

Results stay on the GPU, and reading one waits for it. A row whose constraint accepts nothing under these logits has
log_partition −inf, and entropy is NaN where logits of allowed tokens hold NaN or +inf; the ids of such a row are
meaningless.

Axes: B batch, N block, V vocabulary, K classes, S states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from structgen_engine.automata.dfa import DEAD, IMPOSSIBLE, BlockAutomaton
from structgen_engine.kernels.gpu import classes, paths, scans, tokens
from structgen_engine.kernels.gpu.classes import Scores
from structgen_engine.kernels.gpu.layout import AlphabetLayout, AutomatonLayout
from structgen_engine.kernels.gpu.posterior import Marginals, marginals


@dataclass(frozen=True, eq=False)
class Step:
    """The inputs, results and scratch memory of one refinement step.

    Inputs, to be filled in place: settled [B, N] int64, −1 open; temperature [B] float64; uniforms [B, 2N + 1]
    float64 in [0, 1). Results: ids [B, N] int64, a joint draw; best [B, N] int64 and best_weight [B] float64 nats, the
    heaviest block; log_partition [B] float64 nats; and the beliefs below.
    """

    alphabets: AlphabetLayout
    automata: AutomatonLayout
    settled: Tensor
    temperature: Tensor
    uniforms: Tensor
    start: Tensor
    end: Tensor
    ids: Tensor
    labels: Tensor
    best: Tensor
    best_weight: Tensor
    log_partition: Tensor
    scores: Scores
    marginals: Marginals
    bundles: Tensor
    alpha: Tensor
    beta: Tensor
    spare_bundles: Tensor
    spare_beta: Tensor

    @classmethod
    def of(cls, rows: Sequence[BlockAutomaton], *, positions: int, device: torch.device | str) -> Step:
        """The step for one automaton per row; other entry and exit weights can be copied to `start` and `end` later."""
        device, N, B = torch.device(device), positions, len(rows)
        alphabets = AlphabetLayout.of([row.dfa.alphabet for row in rows], N, device)
        automata = AutomatonLayout.of([row.dfa for row in rows], N, device)
        new, sizes = torch.empty, automata.sizes
        return cls(
            alphabets,
            automata,
            settled=torch.full((B, N), -1, dtype=torch.int64, device=device),
            temperature=torch.ones(B, dtype=torch.float64, device=device),
            uniforms=torch.rand(B, 2 * N + 1, dtype=torch.float64, device=device),
            start=_living([row.entry for row in rows]).to(device),
            end=_living([row.exit for row in rows]).to(device),
            ids=new(B, N, dtype=torch.int64, device=device),
            labels=new(B, N, dtype=torch.int64, device=device),
            best=new(B, N, dtype=torch.int64, device=device),
            best_weight=new(B, dtype=torch.float64, device=device),
            log_partition=new(B, dtype=torch.float64, device=device),
            scores=Scores.empty(alphabets),
            marginals=Marginals.empty(automata),
            bundles=new(sizes["sets"], dtype=torch.int64, device=device),
            alpha=new(sizes["entering"], dtype=torch.int64, device=device),
            beta=new(sizes["leaving"], dtype=torch.int64, device=device),
            spare_bundles=new(sizes["sets"], dtype=torch.int64, device=device),
            spare_beta=new(sizes["leaving"], dtype=torch.int64, device=device),
        )

    def enter(self, rows: Sequence[BlockAutomaton]) -> None:
        """Take over the entry and exit weights of these blocks, which must have the same automata."""
        self.start.copy_(_living([row.entry for row in rows]))
        self.end.copy_(_living([row.exit for row in rows]))

    @property
    def entropy(self) -> Tensor:
        """[B, N] float32 nats."""
        return self.marginals.entropy

    @property
    def top(self) -> Tensor:
        """[B, N] float32: probability of the likeliest token."""
        return self.marginals.top

    @property
    def free(self) -> Tensor:
        """[B, N] bool: whether more than one token is possible."""
        return self.marginals.free

    @property
    def nbytes(self) -> int:
        """Bytes of tables, inputs, results and scratch: all memory that a step needs besides the logits."""
        mine = [part for part in vars(self).values() if isinstance(part, Tensor)]
        for group in (self.alphabets, self.automata, self.scores, self.marginals):
            mine += [part for part in vars(group).values() if isinstance(part, Tensor)]
        return sum(part.nbytes for part in mine)

    def run(self, logits: Tensor) -> None:
        """Compute log Z, beliefs and a joint draw for logits [B, N, ≥ V] of any float type and strides."""
        for stage in self.stages(logits).values():
            stage()

    def measure(self, logits: Tensor) -> None:
        """`run` without the draw of tokens, for callers who draw when asked to; log Z needs that of classes."""
        for name, stage in self.stages(logits).items():
            if name != "draw of tokens":
                stage()

    def stages(self, logits: Tensor) -> dict[str, Callable[[], None]]:
        """The stages of `run` by name, in order."""
        N, automata, scores = self.settled.shape[1], self.automata, self.scores
        messages, ends = (self.alpha, self.beta), (self.start, self.end)
        drawn = self.start, self.beta, self.uniforms, self.labels, self.log_partition
        inside = self.settled, self.labels, self.uniforms[:, N + 1 :], self.temperature, self.ids
        return {
            "class scores": lambda: self._score(logits),
            "bundles": lambda: scans.bundle(automata, scores.log_sum, self.bundles),
            "scans": lambda: scans.scan(automata, self.bundles, *ends, *messages, scans.BOTH),
            "marginals": lambda: marginals(automata, scores, *messages, self.marginals),
            "draw of classes": lambda: paths.draw(automata, scores.log_sum, *drawn),
            "draw of tokens": lambda: tokens.draw(self.alphabets, logits, scores, *inside),
        }

    def run_best(self, logits: Tensor) -> None:
        """Compute only the heaviest block; the results of the last `run` stay."""
        self._score(logits)
        self.follow(logits)

    def follow(self, logits: Tensor) -> None:
        """Compute the heaviest block under the class scores of the last `run`."""
        bundles, beta = self.spare_bundles.view(torch.float64), self.spare_beta.view(torch.float64)
        scans.bundle_max(self.automata, self.scores.peak, bundles)
        scans.scan_max(self.automata, bundles, self.end, beta)
        paths.follow(self.automata, self.scores.peak, self.start, beta, self.labels, self.best_weight)
        tokens.top(self.alphabets, logits, self.scores, self.settled, self.labels, self.best)

    def draw(self, logits: Tensor) -> None:
        """After `run` or `measure`: make a joint draw from new contents of `uniforms`."""
        stages = self.stages(logits)
        stages["draw of classes"]()
        stages["draw of tokens"]()

    def weight(self, log_sum: Tensor, out: Tensor) -> None:
        """After `run`: fill `out` with log Z [B] float64 nats under other class scores, log_sum [ΣN·K] float64."""
        scans.bundle(self.automata, log_sum, self.spare_bundles)
        ends = self.start, self.end, self.alpha, self.spare_beta
        scans.scan(self.automata, self.spare_bundles, *ends, scans.BACKWARD)
        paths.draw(self.automata, log_sum, self.start, self.spare_beta, self.uniforms, self.labels, out)

    def spread(self, logits: Tensor, out: Tensor) -> None:
        """After `run`: write the marginals of every token to out [B, N, V of the logits]."""
        given = self.scores.peak, self.marginals.shares, self.settled, self.temperature
        tokens.weigh(self.alphabets, logits, *given, out)

    def shift(self, logits: Tensor, out: Tensor, *, least: float) -> None:
        """After `run`: write the log-marginals, nats, to `out`, which may be the logits; at least `least`."""
        given = self.scores.peak, self.marginals.shares, self.settled, self.temperature
        nats = torch.ones_like(self.temperature)
        tokens.weigh(self.alphabets, logits, *given, out, unit=nats, least=least)

    def process_(self, logits: Tensor) -> None:
        """After `run`: change logits [B, N, V] in place so that softmax(logits / temperature) gives the marginals."""
        given = self.scores.peak, self.marginals.shares, self.settled, self.temperature
        tokens.weigh(self.alphabets, logits, *given, logits, unit=self.temperature)

    def capture(self, logits: Tensor) -> torch.cuda.CUDAGraph:
        """`run` on this very tensor as a CUDA graph, after one run that compiles the kernels."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self.run(logits)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.run(logits)
        return graph

    def _score(self, logits: Tensor) -> None:
        known = self.alphabets.most_known
        if logits.shape[:2] != self.settled.shape or logits.shape[2] < known:
            shape = [*self.settled.shape, f"≥ {known}"]
            raise ValueError(f"the step was made for logits {shape}, not {list(logits.shape)}: make another")
        classes.score(self.alphabets, logits, self.settled, self.temperature, self.scores)


def _living(weights: Sequence[Tensor]) -> Tensor:
    """[ΣS] float64: entry or exit weights of all rows; −inf at DEAD."""
    parts = [weight.double().clone() for weight in weights]
    for part in parts:
        part[DEAD] = IMPOSSIBLE
    return torch.cat(parts)
