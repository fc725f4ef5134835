"""One refinement step of a whole batch: kernel launches alone, because all memory is allocated beforehand.

    step = Step.of(automata, positions=256, device="cuda")
    step.temperature.fill_(0.8)
    step.run(logits)                    # nine launches, no wait; results in step.ids, step.best, step.entropy, …
    step.spread(logits, marginals)      # the table of marginals, a tenth
    graph = step.capture(logits)
    graph.replay()              # the same with new contents of `logits`, `settled` and `temperature`, and a new draw

Results stay on the GPU, and reading one waits for it. `status` says of each row whether its constraint accepts nothing
under these logits, or logits of allowed tokens hold NaN or +inf. Such a row gets the ids of `instead`.

The rows may be some rows of a host's tables: see `Host`. The step reads their logits and temperatures there, and writes
their entropies, draws, best blocks and marginals there.

Axes: B batch, H rows of the host's tables, N block, V vocabulary, K classes, S states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from structgen_engine.automata.dfa import DEAD, IMPOSSIBLE, BlockAutomaton
from structgen_engine.kernels.gpu import classes, lean, paths, scans, tokens, uniforms
from structgen_engine.kernels.gpu.classes import Scores
from structgen_engine.kernels.gpu.layout import AlphabetLayout, AutomatonLayout, Where
from structgen_engine.kernels.gpu.paths import Walks
from structgen_engine.kernels.gpu.pool import Pool, pool_of, sent, sent_together
from structgen_engine.kernels.gpu.posterior import Marginals, marginals
from structgen_engine.kernels.gpu.tokens import Chosen, Handing
from structgen_engine.kernels.gpu.uniforms import Cooling


@dataclass(frozen=True, eq=False)
class Host:
    """Where a batch's rows lie in the tables of the host, whose rows H may be more.

    raised: whether a logit of −inf counts as the lowest one, so that no constraint is left without a block;
    temperature: [H] of any float type on the device, or None if the host's are `Told`; ids, best: [H, N] int64, and
    entropy: [H, N] float32, the tables to write to, or None for new ones
    lengths, sources, targets, slots: see `Where`; schedule: of temperatures, in place of `temperature`
    """

    height: int
    places: Sequence[int]
    raised: bool = False
    temperature: Tensor | None = None
    ids: Tensor | None = None
    best: Tensor | None = None
    entropy: Tensor | None = None
    lengths: Sequence[int] | None = None
    sources: Sequence[int] | None = None
    targets: Sequence[int] | None = None
    slots: Sequence[int] | None = None
    schedule: Cooling | None = None

    @classmethod
    def of(cls, rows: int) -> Host:
        """Tables that hold this batch and no other rows."""
        return cls(rows, range(rows))


@dataclass(frozen=True, eq=False)
class Told:
    """What a step is told by the host, on the CPU; None for what is as usual.

    settled: [B, N] int64, −1 open, as usual everywhere; seeds, turns: [B] int64; instead: [B, N] int64
    temperature: [H] float64, usually 1
    """

    settled: Tensor | None = None
    seeds: Tensor | None = None
    turns: Tensor | None = None
    instead: Tensor | None = None
    temperature: Tensor | None = None

    def parts(self, rows: int, positions: int, host: Host) -> list[Tensor]:
        """The five tensors, int64 and float64."""
        shape = rows, positions
        return [
            torch.full(shape, -1) if self.settled is None else self.settled,
            torch.arange(rows) if self.seeds is None else self.seeds,
            torch.zeros(rows, dtype=torch.int64) if self.turns is None else self.turns,
            torch.zeros(shape, dtype=torch.int64) if self.instead is None else self.instead,
            torch.ones(host.height, dtype=torch.float64) if self.temperature is None else self.temperature,
        ]


class Readout(NamedTuple):
    """What the host reads of a step, on the CPU: see `Step`."""

    log_partition: Tensor
    best_weight: Tensor
    best: Tensor
    entropy: Tensor
    top: Tensor
    status: Tensor
    free: Tensor


@dataclass(frozen=True, eq=False)
class Step:
    """The inputs, results and scratch memory of one refinement step.

    Inputs, to be filled in place: settled [B, N] int64, −1 open; temperature [H] of any float type; seeds, turns [B]
    int64, of the draw; outcome.instead. uniforms [B, 2N + 1] float64 in [0, 1) are made from the seeds, or filled
    before `draw`. Results: see `Chosen`, `Walks` and the beliefs below.
    """

    DIVERGED: ClassVar[int] = tokens.DIVERGED  # the status of a row whose logits hold NaN or +inf

    alphabets: AlphabetLayout
    automata: AutomatonLayout
    settled: Tensor
    temperature: Tensor
    seeds: Tensor
    turns: Tensor
    uniforms: Tensor
    start: Tensor
    end: Tensor
    outcome: Chosen
    walks: Walks
    scores: Scores
    marginals: Marginals
    bundles: Tensor
    highest: Tensor
    alpha: Tensor
    beta: Tensor
    heaviest: Tensor
    schedule: Cooling | None = None
    sources: bool = False  # whether rows begin anywhere in the table of logits

    @classmethod
    def of(
        cls,
        rows: Sequence[BlockAutomaton],
        *,
        positions: int,
        device: torch.device | str,
        pool: Pool | None = None,
        spared: bool = False,
        host: Host | None = None,
        told: Told | None = None,
    ) -> Step:
        """The step for one automaton per row; other entry and exit weights can be given to `enter` later.

        pool: the device's own if none; spared: whether large rows may be lean, which `draw` and `weight` do not serve
        Everything that is sent to the device is sent as one, and nothing is waited for.
        """
        device, N, B = torch.device(device), positions, len(rows)
        pool = pool_of(device) if pool is None else pool
        host, told = host or Host.of(B), told or Told()
        dfas = [row.dfa for row in rows]
        where = Where(host.places, host.lengths, host.sources, host.targets, host.slots)
        alphabets = AlphabetLayout.of(
            [dfa.alphabet for dfa in dfas], N, pool, raised=host.raised, where=where
        )
        automata = AutomatonLayout.of(dfas, N, pool, lean=spared, where=where)
        parts = [alphabets.lines, automata.lines, _ends(rows), *told.parts(B, N, host)]
        known, moves, ends, settled, seeds, turns, instead, degrees = sent_together(parts, device)
        alphabets, automata = replace(alphabets, lines=known), replace(automata, lines=moves)
        new, sizes = torch.empty, automata.sizes
        whole = {"dtype": torch.int64, "device": device}
        exact = {"dtype": torch.float64, "device": device}
        status = new(B, dtype=torch.int32, device=device)
        return cls(
            alphabets,
            automata,
            settled=settled,
            temperature=_degrees(host, degrees),
            schedule=host.schedule,
            sources=host.sources is not None,
            seeds=seeds,
            turns=turns,
            uniforms=new(B, 2 * N + 1, **exact),
            start=ends[0],
            end=ends[1],
            outcome=Chosen(
                new(host.height, N, **whole) if host.ids is None else host.ids,
                new(host.height, N, **whole) if host.best is None else host.best,
                status,
                instead,
            ),
            walks=Walks.empty(B, N, device),
            scores=Scores.empty(alphabets),
            marginals=Marginals.empty(
                automata,
                new(host.height, N, device=device) if host.entropy is None else host.entropy,
                classes=False,
            ),
            bundles=new(sizes["sets"], **whole),
            highest=new(sizes["sets"], **exact),
            alpha=new(sizes["entering"], **whole),
            beta=new(sizes["leaving"], **whole),
            heaviest=new(sizes["leaving"], **exact),
        )

    def enter(self, rows: Sequence[BlockAutomaton]) -> None:
        """Take over the entry and exit weights of these blocks, which must have the same automata."""
        ends = sent(_ends(rows), self.start.device)
        self.start.copy_(ends[0])
        self.end.copy_(ends[1])

    @property
    def ids(self) -> Tensor:
        """[H, N] int64: a joint draw."""
        return self.outcome.ids

    @property
    def best(self) -> Tensor:
        """[H, N] int64: the heaviest block."""
        return self.outcome.best

    @property
    def status(self) -> Tensor:
        """[B] int32: see `tokens`."""
        return self.outcome.status

    @property
    def log_partition(self) -> Tensor:
        """[B] float64 nats."""
        return self.walks.log_partition

    @property
    def best_weight(self) -> Tensor:
        """[B] float64 nats, of the heaviest block."""
        return self.walks.weight

    @property
    def entropy(self) -> Tensor:
        """[H, N] float32 nats."""
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
        for group in (self.outcome, self.walks, self.scores, self.marginals):
            mine += [part for part in vars(group).values() if isinstance(part, Tensor)]
        return sum(part.nbytes for part in mine) + self.alphabets.nbytes + self.automata.nbytes

    def run(self, logits: Tensor) -> None:
        """Compute log Z, beliefs, the heaviest block and a new joint draw for logits [H, N, ≥ V] of any float type."""
        for stage in self.stages(logits).values():
            stage()

    def measure(self, logits: Tensor) -> None:
        """`run` without the draw of tokens, for callers who give their own uniform numbers to `draw`."""
        stages = self.stages(logits)
        for name in ("class scores", "bundles", "scans", "marginals", "paths"):
            stages[name]()
        self._choose(logits, tokens.HIGHEST)

    def stages(self, logits: Tensor) -> dict[str, Callable[[], None]]:
        """The stages of `run` by name, in order."""
        automata, scores = self.automata, self.scores
        sets, ends = (self.bundles, self.highest), (self.start, self.end)
        messages = self.alpha, self.beta, self.heaviest
        suffixes = self.start, self.beta, self.heaviest, self.uniforms, self.walks
        lines, degrees = self.alphabets.lines, self.temperature
        given = {"lines": lines, "temperature": degrees, "schedule": self.schedule}
        numbers = {"uniforms": lambda: uniforms.draw(self.seeds, self.turns, self.uniforms, **given)}
        return {
            **(numbers if self.schedule else {}),  # they come with the temperatures of the class scores
            "class scores": lambda: self._score(logits),
            **numbers,
            "bundles": lambda: scans.bundle(automata, scores.log_sum, scores.peak, *sets),
            "scans": lambda: scans.scan(automata, *sets, *ends, *messages, scans.ALL),
            **({"lean rows": self.lean_rows} if automata.lean else {}),
            "marginals": lambda: marginals(automata, scores, self.alpha, self.beta, self.marginals),
            "paths": lambda: paths.walk(automata, scores.log_sum, scores.peak, *suffixes),
            "tokens": lambda: self._choose(logits, tokens.DRAWN_AND_HIGHEST),
        }

    def read(self) -> Readout:
        """What the host reads of a step, after `run` or `measure`, in one copy that it waits for."""
        parts = (
            *(self.log_partition, self.best_weight, self.best),
            *(
                self.entropy,
                self.top,
                self.status,
                self.free,
            ),  # the widest come first, so that all are aligned
        )
        flat = torch.cat([part.reshape(-1).view(torch.uint8) for part in parts]).cpu()
        pieces = flat.split([part.nbytes for part in parts])
        return Readout(
            *(piece.view(part.dtype).view(part.shape) for piece, part in zip(pieces, parts, strict=True))
        )

    def draw(self, logits: Tensor, uniforms: Tensor | None = None) -> None:
        """After `run` or `measure`: make a joint draw from these numbers [B, 2N + 1], or from those in `uniforms`."""
        if uniforms is not None:
            self.uniforms.copy_(sent(uniforms, self.uniforms.device))
        given = self.start, self.beta, self.heaviest, self.uniforms, self.walks
        paths.walk(self.automata, self.scores.log_sum, self.scores.peak, *given, paths.DRAWN)
        self._choose(logits, tokens.DRAWN)

    def weight(self, log_sum: Tensor, out: Tensor) -> None:
        """After `run`: fill `out` with log Z [B] float64 nats under other class scores, log_sum [ΣN·K] float64.

        The messages of the heaviest block are overwritten: `best` is already known.
        """
        bundles, beta = self.highest.view(torch.int64), self.heaviest.view(torch.int64)
        scans.bundle(self.automata, log_sum, log_sum, bundles, self.highest, scans.SUMS)
        ends = self.start, self.end
        scans.scan(
            self.automata, bundles, self.highest, *ends, self.alpha, beta, self.heaviest, scans.BACKWARD
        )
        walks = Walks(self.walks.labels, self.walks.labels, out, out)
        given = self.start, beta, self.heaviest, self.uniforms, walks
        paths.walk(self.automata, log_sum, log_sum, *given, paths.DRAWN)

    def spread(self, logits: Tensor, out: Tensor) -> None:
        """After `run`: write the marginals of every token to the rows of out [H, N, V of the logits], of any type."""
        given = self.scores.peak, self.marginals.shares, self.settled, self.temperature
        tokens.weigh(self.alphabets, logits, *given, out)

    def hand_over(self, logits: Tensor, rows: slice, tile: Handing, out: Tensor | None) -> None:
        """After `run`: write the results of some rows to a tile of the host's, marginals to out [height, width, V]."""
        part = replace(self.alphabets, lines=self.alphabets.lines[rows])
        given = self.scores.peak, self.marginals.shares, self.settled[rows], self.temperature
        tokens.weigh(part, logits, *given, logits if out is None else out, handing=tile)

    def shift(self, logits: Tensor, out: Tensor, *, least: float) -> None:
        """After `run`: write the log-marginals, nats, to `out`, which may be the logits; at least `least`."""
        given = self.scores.peak, self.marginals.shares, self.settled, self.temperature
        nats = torch.ones_like(self.temperature)
        tokens.weigh(self.alphabets, logits, *given, out, unit=nats, least=least)

    def process_(self, logits: Tensor) -> None:
        """After `run`: change logits [H, N, V] in place so that softmax(logits / temperature) gives the marginals."""
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

    def lean_rows(self) -> None:
        """Compute for lean rows what the scans, the joint part of the marginals and the paths are for others."""
        sets, ends = (self.bundles, self.highest), (self.start, self.end)
        messages, scores = (self.alpha, self.beta, self.heaviest), (self.scores.log_sum, self.scores.peak)
        lean.run(self.automata, sets, scores, ends, messages, self.marginals.joint, self.uniforms, self.walks)

    def _score(self, logits: Tensor) -> None:
        known, (H, N) = self.alphabets.most("known"), self.ids.shape
        fits = self.sources or logits.shape[:2] == (H, N)
        if not fits or logits.shape[2] < known:
            shape = [H, N, f"≥ {known}"]
            raise ValueError(f"the step was made for logits {shape}, not {list(logits.shape)}: make another")
        classes.score(self.alphabets, logits, self.settled, self.temperature, self.scores)

    def _choose(self, logits: Tensor, which: tuple[int, int]) -> None:
        inside = self.uniforms[:, self.settled.shape[1] + 1 :]
        given = self.scores, self.settled, self.walks, inside, self.temperature, self.entropy, self.outcome
        tokens.choose(self.alphabets, logits, *given, which)


def _degrees(host: Host, told: Tensor) -> Tensor:
    """[H] temperatures: the host's, those that it told, or room for those of its schedule."""
    if host.schedule is not None:
        return torch.empty(host.height, device=told.device)
    return told if host.temperature is None else host.temperature


def _ends(rows: Sequence[BlockAutomaton]) -> Tensor:
    """[2, ΣS] float64: entry and exit weights of all rows; −inf at DEAD."""
    ends = torch.stack(
        [torch.cat([row.entry for row in rows]), torch.cat([row.exit for row in rows])]
    ).double()
    at = 0
    for row in rows:
        ends[:, at + DEAD] = IMPOSSIBLE
        at += row.dfa.states
    return ends
