"""The certificate of the lazy regime on random recursive grammars, judged by enumerating every accepted block.

The strings of a grammar come from its expressions alone, by `expressions.strings`; blocks are all ways to spell them in
tokens. What a search leaves out must weigh no more than it says, a best block that is certified must be the best, and
with nothing to leave out all of it must be there.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from expressions import random_grammar, strings
from structgen.compiler.lazy import LazyAutomaton
from structgen.errors import StructgenError
from structgen.grammar import Grammar
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.lattice.beam import Beam
from structgen_engine.lattice.lattice import BlockLattice
from structgen_engine.lattice.pruning import Pruning

SPELLINGS: list[bytes | str] = ["<pad>", "<eos>", b"a", b"b", b"ab", b"ba"]
LETTERS = Vocabulary.from_tokens(SPELLINGS)
NEAR = 1e-6
STEPS = 2  # of each block: the second search knows what the first met


@dataclass(frozen=True)
class Outcome:
    """How a search of one block went; wrong: what is not as it should be, empty if nothing."""

    share: float
    missing: float
    certified: bool
    wrong: str = ""


def outcomes(seed: int) -> Iterator[Outcome]:
    """A random grammar with random limits, searched step by step; nothing if it has no strings that short."""
    rng = random.Random(seed)
    grammar = random_grammar(rng)
    N, remaining = rng.randint(1, 4), rng.randint(0, 2)
    blocks = list(accepted(grammar, N, remaining))
    try:
        lazy = LazyAutomaton.of(grammar, LETTERS)
    except StructgenError:
        return
    if not blocks:
        return
    pruning = Pruning(
        epsilon=rng.choice((0.0, 1e-7, 1e-3, 0.3)),
        width=rng.choice((1, 2, 100)),
        total=rng.choice((None, 1, 4)),
        effort=rng.choice((None, 0, 2)),
    )
    beam, table = Beam(lazy, lazy.start, remaining, pruning), torch.tensor(blocks)
    for _ in range(STEPS):
        logits = torch.randn(N, LETTERS.size, generator=torch.Generator().manual_seed(rng.randrange(2**31)))
        logits = logits * rng.choice((1.0, 4.0, 40.0, 500.0))
        yield _judged(beam, logits, logits.double()[torch.arange(N), table].sum(1), pruning)


def _judged(beam: Beam, logits: Tensor, weights: Tensor, pruning: Pruning) -> Outcome:
    whole, heaviest = float(torch.logsumexp(weights, 0)), float(weights.max())
    lattice = BlockLattice([beam.explore(logits)], logits[None])
    found, share = float(lattice.log_partition()[0]), float(lattice.dropped()[0])
    missing = 1 - math.exp(min(0.0, found - whole))
    if found == -math.inf:
        return Outcome(share, missing, False, "" if share >= 1 - NEAR else f"all is missing, {share} is said")
    best = lattice.argmax()
    assert best.certified is not None
    certified, weight = bool(best.certified[0]), float(best.log_prob[0]) + found
    near = NEAR * max(1.0, abs(whole))
    wrong = ""
    if found > whole + near:
        wrong = f"{found} nats are found, there are {whole}"
    elif missing > share + near:
        wrong = f"{missing} is missing, {share} is said"
    elif certified and weight < heaviest - near:
        wrong = f"a block of {weight} nats is certified, the best has {heaviest}"
    elif pruning == Pruning(0.0, pruning.width, None, None) and pruning.width > 99 and missing > near:
        wrong = f"{missing} is missing though nothing may be left out"
    return Outcome(share, missing, certified, wrong)


def accepted(grammar: Grammar, N: int, remaining: int) -> Iterator[tuple[int, ...]]:
    """Every block of N tokens with which an answer of up to N + remaining tokens begins; the end token is one."""
    end, pad = LETTERS.special["<eos>"], LETTERS.special["<pad>"]
    most = N + remaining - 1
    found = set[tuple[int, ...]]()
    for text in strings(grammar, "ab", 2 * most):
        for ids in _spelled(text):
            if len(ids) <= most:
                found.add((*ids, end, *[pad] * N)[:N])
    yield from sorted(found)


@cache
def _spelled(text: bytes) -> list[tuple[int, ...]]:
    """All ways to spell a text in tokens."""
    if not text:
        return [()]
    tokens = [(k, piece) for k, piece in enumerate(SPELLINGS) if isinstance(piece, bytes)]
    return [
        (k, *rest) for k, piece in tokens if text.startswith(piece) for rest in _spelled(text[len(piece) :])
    ]
