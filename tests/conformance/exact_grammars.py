"""Generated grammars against enumeration: log Z, marginals, draws and the best block of what Lark's parser accepts.

A block has three positions; its answers are texts of tokens, then end tokens. Lark (Earley, `dynamic_complete`) judges
each text, so nothing of structgen decides which blocks there are.
"""

from __future__ import annotations

import itertools
from collections import Counter

import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from torch import Tensor

import structgen as sg
from conformance.grammars import Judged, Peers, grammars, parses
from structgen.errors import Unsatisfiable, Unsupported
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.lattice.lattice import BlockLattice

LENGTH, END, NEAR = 3, 5, 1e-5
PIECES = (b"a", b"b", b"ab", b"ba", b"aa")
VOCABULARY = Vocabulary.from_tokens([*PIECES, "<end>"], end="<end>", pad="<end>")


def compared(peers: Peers, grammar: Judged) -> str:
    """What the lattice says differently, or a word on why there is nothing to compare."""
    earley = None if grammar.extended else peers.earley(grammar.source)
    if earley is None:
        return "no judge"
    blocks = [
        (*ids, *[END] * (LENGTH - length))
        for length in range(LENGTH)
        for ids in itertools.product(range(END), repeat=length)
        if parses(earley, b"".join(PIECES[token] for token in ids).decode())
    ]
    try:
        constraint = sg.compile(sg.Lark(grammar.source), VOCABULARY, regime="expanded")
    except Unsatisfiable:
        return "no block" if not blocks else "FAULT refused"
    except Unsupported:
        return "recursion too wide for a table"
    scores = torch.randn(
        (LENGTH, len(VOCABULARY.offsets) - 1), generator=torch.Generator().manual_seed(len(blocks))
    )
    lattice = BlockLattice(
        constraint.dfa.block(constraint.dfa.start, 0), scores.double().log_softmax(-1)[None]
    )
    if not blocks:
        return "no block" if lattice.log_partition()[0].isinf() else "FAULT log Z"
    return _difference(lattice, scores.double().log_softmax(-1), blocks)


def _difference(lattice: BlockLattice, scores: Tensor, blocks: list[tuple[int, ...]]) -> str:
    weights = torch.stack([sum((scores[n, v] for n, v in enumerate(ids)), torch.zeros(())) for ids in blocks])
    truth = torch.zeros_like(scores)
    for ids, share in zip(blocks, weights.softmax(0), strict=True):
        truth[range(LENGTH), list(ids)] += share
    if abs(float(lattice.log_partition()[0] - weights.logsumexp(0))) > NEAR:
        return "FAULT log Z"
    if not torch.allclose(lattice.marginals()[0].double(), truth, atol=NEAR):
        return "FAULT marginals"
    if tuple(lattice.argmax().ids[0].tolist()) != blocks[int(weights.argmax())]:
        return "FAULT best block"
    drawn = {tuple(lattice.sample(torch.Generator().manual_seed(n))[0].tolist()) for n in range(10)}
    return "equal" if drawn <= {*blocks} else "FAULT draws"


def run(count: int, first: int) -> tuple[Counter[str], list[str]]:
    """The counts over so many generated grammars, and the grammars on which something differs."""
    counts, faults, peers = Counter[str](), list[str](), Peers()

    @seed(first)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(grammars(extensions=False))
    def check(grammar: Judged) -> None:
        if peers.refusal(grammar.source):
            return
        word = compared(peers, grammar)
        counts[word] += 1
        if word.startswith("FAULT"):
            faults.append(f"{word}:\n{grammar.source}\n")

    check()
    return counts, faults
