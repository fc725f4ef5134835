"""Random automata against enumeration: every result of the lattice beside the sum over all strings, one by one.

What is compared: log Z, marginals and log-marginals written over the logits, the summary of beliefs, the heaviest block
and the log-probability of blocks; of some automata also many joint draws, by Pearson's chi-square. The judge is
`oracle`, which knows neither classes nor scans. Both kernels of the class scores are asked in turn: the one that reads
sixteen positions at once, and the one for a few.

Axes: N block, V vocabulary, S states, K classes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from oracle import IMPOSSIBLE, Enumeration, enumerate_blocks
from strategies import Case
from structgen_engine.automata.dfa import DEAD, REFUSED, Alphabet, BlockAutomaton, Dfa, block
from structgen_engine.kernels.cpu import classes
from structgen_engine.lattice.lattice import BlockLattice

NEAR = 1e-5  # relative to what is above 1
SETS = {"plain": 2.0, "wide": 30.0, "extreme": 200.0}  # nats, scales of normal scores
RARE = 5.0  # expected draws, below which the cells of a chi-square are put together


@dataclass
class Tally:
    """What a run has found: automata, those that accept nothing, the largest errors by what was compared, and the
    p-values of the chi-squares."""

    automata: int = 0
    empty: int = 0
    errors: dict[str, float] = field(default_factory=dict)
    p: list[float] = field(default_factory=list)

    def note(self, what: str, found: Tensor, truth: Tensor) -> None:
        """The largest difference, relative to what is above 1; infinities must be equal."""
        found, truth = found.double(), truth.double()
        apart = torch.where(found == truth, 0.0, (found - truth).abs() / truth.abs().clamp_min(1))
        worst = float(apart.nan_to_num(nan=math.inf).max()) if apart.numel() else 0.0
        self.errors[what] = max(self.errors.get(what, 0.0), worst)


def random_case(seed: int) -> Case:
    """One row of a lattice that is small enough to enumerate; everything follows from the seed."""
    draw = random.Random(seed)
    size, tokens, states = draw.randint(2, 5), draw.randint(1, 5), draw.randint(2, 6)
    labels = [draw.choice([*range(size), *range(1, size)]) for _ in range(tokens)]
    alphabet = Alphabet(torch.tensor(labels, dtype=torch.int32), size)
    delta = torch.tensor(
        [[draw.randrange(draw.random() < 0.8, states) for _ in range(size)] for _ in range(states)]
    ).int()
    delta[DEAD], delta[:, REFUSED] = DEAD, DEAD
    accepting = torch.tensor([False, *(draw.random() < 0.75 for _ in range(states - 1))])
    dfa = Dfa(alphabet, delta, accepting, draw.randrange(1, states))
    automaton = block(dfa, entry=draw.randrange(1, states), remaining=draw.randint(0, 2))
    if draw.random() < 0.25:  # several entries and weighted exits
        entry = torch.tensor([IMPOSSIBLE, *(draw.choice([0.0, -1.5, IMPOSSIBLE]) for _ in range(states - 1))])
        automaton = BlockAutomaton(dfa, entry, automaton.exit + entry.roll(1).nan_to_num(neginf=-2.0))
    N, scale = draw.randint(1, 5 if tokens < 4 else 4), SETS[draw.choice(list(SETS))]
    logits = torch.tensor(
        [
            [IMPOSSIBLE if draw.random() < 0.06 else draw.gauss(0, 1) * scale for _ in range(tokens)]
            for _ in range(N)
        ]
    )
    settled = torch.tensor([draw.randrange(tokens) if draw.random() < 0.08 else -1 for _ in range(N)])
    return Case(automaton, logits, settled, draw.choice([0.4, 1.0, 2.0]))


def compared(case: Case, backend: ModuleType, tally: Tally) -> Enumeration:
    """Note how far the lattice of a case is from its enumeration."""
    truth = enumerate_blocks(case.automaton, case.logits, case.settled, case.temperature)
    lattice = lattice_of(case, backend)
    tally.automata += 1
    tally.note("log Z", lattice.log_partition(), torch.tensor([truth.log_partition]))
    marginals = truth.marginals()
    tally.note("marginals", lattice.marginals()[0], marginals)
    beliefs = lattice.beliefs()
    tally.note("entropy", beliefs.entropy[0], torch.special.entr(marginals).sum(-1))
    tally.note("top probability", beliefs.top_probability[0], marginals.amax(-1))
    tally.note("free positions", beliefs.free[0], truth.mask().sum(-1) > 1)
    tally.note("mask", lattice.mask()[0], truth.mask())
    if not len(truth.strings):
        tally.empty += 1
        return truth
    tally.note("log-probability", lattice.log_prob(truth.strings[:1]), truth.log_probs[:1])
    if int((case.automaton.entry > IMPOSSIBLE).sum()) == 1:
        tally.note("heaviest block", lattice.argmax().log_prob, truth.log_probs.max()[None])
    written = lattice.log_marginals_()[0]
    tally.note("log-marginals in place", written.exp(), marginals)
    return truth


def drawn(case: Case, truth: Enumeration, backend: ModuleType, draws: int, seed: int) -> float:
    """The p-value of a chi-square of joint draws against the enumerated probabilities; 1 where one cell has it all."""
    found = lattice_of(case, backend, draws).sample(torch.Generator().manual_seed(seed)).tolist()
    cells = {tuple(string): number for number, string in enumerate(truth.strings.tolist())}
    counts = torch.zeros(len(cells), dtype=torch.float64)
    for string in found:
        counts[cells[tuple(string)]] += 1  # KeyError: a draw that is not accepted
    expected, order = draws * truth.log_probs.exp(), truth.log_probs.argsort()
    expected, counts = expected[order], counts[order]
    rare = int((expected.cumsum(0) < RARE).sum()) + 1
    expected = torch.cat([expected[:rare].sum(0, keepdim=True), expected[rare:]])
    counts = torch.cat([counts[:rare].sum(0, keepdim=True), counts[rare:]])
    freedom = len(expected) - 1
    if not freedom:
        return 1.0
    statistic = ((counts - expected) ** 2 / expected).sum()
    half = torch.tensor(freedom / 2, dtype=torch.float64)
    return float(torch.special.gammaincc(half, statistic / 2))


def lattice_of(case: Case, backend: ModuleType, copies: int = 1) -> BlockLattice:
    """The lattice of a case, or of that many copies of it."""
    return BlockLattice(
        case.automaton,
        case.logits.repeat(copies, 1, 1),
        settled=case.settled.repeat(copies, 1),
        temperature=case.temperature,
        backend=backend,  # type: ignore[arg-type]
    )


@contextmanager
def grouped(together: bool) -> Iterator[None]:
    """While this holds, the class scores of however few positions are read together if asked for."""
    before: Any = classes.ALONE
    classes.ALONE = 0 if together else before
    try:
        yield
    finally:
        classes.ALONE = before


def run(count: int, backend: ModuleType, *, first: int = 0, every: int = 20, draws: int = 1000) -> Tally:
    """Compare `count` random automata from a seed on, and the draws of each so-manieth."""
    tally = Tally()
    for seed in range(first, first + count):
        case = random_case(seed)
        with grouped(seed % 2 == 0):
            truth = compared(case, backend, tally)
            if seed % every == 0 and len(truth.strings):
                tally.p.append(drawn(case, truth, backend, draws, seed))
    return tally
