"""Random recursive grammars, random denoisers, both noises: is every output accepted, closed and within budget?

Every trial decodes a batch of rows, each with a grammar of its own, under settings drawn from the trial's number alone:
block length, budget, peakedness, steps, and how much the lazy regime leaves out, up to all but one way on. What comes
out is judged by Earley's algorithm on the grammar as it was written. The count can be kept in a file, to go on from.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch
from rich.console import Console

import structgen as sg
from earley import Earley
from structgen.compiler.lazy import LazyAutomaton
from structgen.errors import StructgenError
from structgen.grammar import EMPTY, Expr, Grammar, alt, literal, ref, seq, star
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Absorbing, Uniform
from structgen_engine.decoding.options import DecodingOptions, Finish
from structgen_engine.decoding.row import Decoded
from structgen_engine.lattice.pruning import Pruning

VOCABULARY = sg.Vocabulary.from_tokens(
    [
        "<pad>",
        "<eos>",
        b"a",
        b"b",
        b"[",
        b"]",
        b",",
        b"[a",
        b"]]",
        b"],[",
        b"a,b",
        b"ab",
        b"(",
        b")",
        b"()",
        b"a)",
    ]
)
PAIRS = (("[", "]"), ("(", ")"), ("a", "b"))
MOST = 40  # tokens that the shortest output of a grammar may have
ROWS = 16  # grammars in one batch
LENGTHS = (4, 4, 8, 8, 8, 16, 16, 32)
PRUNINGS = [Pruning(epsilon, width) for epsilon in (1e-7, 1e-3, 0.3) for width in (1, 2, 4, 8, 16)]
UNPRUNED = 0.05  # share of the trials with blocks of 4 tokens that prune by default
FULL = 50_000  # configurations after which an automaton is made anew
EVERY = 20.0  # seconds between two lines


def grammars(seed: int) -> Iterator[Grammar]:
    """Recursive grammars without end: two rules, nested, left, right and centre recursive, ambiguous, nullable."""
    draw = random.Random(seed)
    while True:
        names = ["v", "w"][: draw.randint(1, 2)]
        rules = {name: alt(literal(draw.choice("ab")), *_bodies(draw, names)) for name in names}
        yield Grammar(ref("v"), rules)


def _bodies(draw: random.Random, names: list[str]) -> list[Expr]:
    found: list[Expr] = [] if draw.random() < 0.8 else [EMPTY]
    for _ in range(draw.randint(1, 3)):
        name = ref(draw.choice(names))
        left, right = draw.choice(PAIRS)
        nested = seq(literal(left), name, literal(right))
        found.append(
            draw.choice(
                [
                    nested,
                    seq(name, literal(draw.choice("ab,"))),
                    seq(literal(draw.choice("ab,")), name),
                    seq(literal(left), star(seq(name, literal(","))), literal(right)),
                    seq(nested, name),
                ]
            )
        )
    return found


@dataclass(eq=False)
class Subject:
    """A grammar, compiled, and its judge; least: the tokens of its shortest output."""

    grammar: Grammar
    lazy: LazyAutomaton
    judge: Earley
    least: int

    def renew(self) -> None:
        """Ambiguous grammars meet ever more configurations."""
        if len(self.lazy.configurations) > FULL:
            self.lazy = LazyAutomaton.of(self.grammar, VOCABULARY)


def subjects(seed: int) -> Iterator[Subject]:
    """Those of the grammars that the vocabulary can spell in few tokens, no two the same."""
    seen = set[str]()
    for grammar in grammars(seed):
        if grammar.fingerprint in seen:
            continue
        seen.add(grammar.fingerprint)
        try:
            lazy = LazyAutomaton.of(grammar, VOCABULARY)
        except StructgenError:
            continue
        least = int(lazy.distance_upper[lazy.start])
        if least <= MOST:
            yield Subject(grammar, lazy, Earley(grammar), least)


@dataclass
class Tally:
    """What has been decoded so far; trial: the number of the next one."""

    trial: int = 0
    blocks: int = 0
    outputs: int = 0
    tokens: int = 0
    uniform: int = 0  # blocks of these; the others had absorbing noise
    longest: int = 0  # blocks of one output
    seconds: float = 0.0


def run(
    console: Console, *, blocks: int, count: int, seed: int = 0, state: Path | None = None
) -> dict[str, float]:
    """Decode `blocks` blocks of `count` grammars; AssertionError where one is wrong. state: to go on from."""
    every, tally = list(islice(subjects(seed), count)), Tally()
    if state is not None and state.exists():
        tally = Tally(**json.loads(state.read_text()))
    said = time.monotonic()
    while tally.blocks < blocks:
        begun = time.process_time()
        _count(tally, _trial(every, tally.trial), tally.trial % 2 == 0)
        tally.trial += 1
        tally.seconds += time.process_time() - begun
        if time.monotonic() - said > EVERY or tally.blocks >= blocks:
            said = time.monotonic()
            console.print(_line(tally), highlight=False)
            if state is not None:
                state.write_text(json.dumps(asdict(tally)))
    return {"grammars": count, **asdict(tally)}


def _count(tally: Tally, rows: list[Decoded], uniform: bool) -> None:
    made = sum(row.blocks for row in rows)
    tally.blocks, tally.outputs = tally.blocks + made, tally.outputs + len(rows)
    tally.tokens += sum(len(row.ids) for row in rows)
    tally.uniform += made * uniform
    tally.longest = max(tally.longest, *[row.blocks for row in rows])


def _line(tally: Tally) -> str:
    pace = tally.blocks / max(tally.seconds, 1e-9)
    return (
        f"{tally.blocks:,} blocks ({tally.uniform:,} of uniform noise), {tally.outputs:,} outputs, "
        f"{tally.tokens:,} tokens, all right; {pace:.0f} blocks a CPU second"
    )


def _trial(every: list[Subject], number: int) -> list[Decoded]:
    """One batch of outputs of one to four blocks, each judged."""
    draw, V = random.Random(number), VOCABULARY.size
    length = draw.choice(LENGTHS)
    chosen = draw.choices([subject for subject in every if subject.least <= 4 * length], k=ROWS)
    budget = draw.randint(max(subject.least for subject in chosen), 4 * length)
    noise = Absorbing(V) if number % 2 else Uniform(0, V)
    rows = decode(
        RandomDenoiser(noise, length, V + 1, number, draw.choice([1.0, 3.0, 30.0])),
        [[row] for row in range(ROWS)],
        [subject.lazy for subject in chosen],
        max_tokens=budget,
        generators=[torch.Generator().manual_seed(number)] * ROWS,
        options=DecodingOptions(
            steps=draw.choice((1, 1, 2, 3)),
            finish=draw.choice(list(Finish)),
            pruning=Pruning() if length == 4 and draw.random() < UNPRUNED else draw.choice(PRUNINGS),
        ),
    )
    for subject, row in zip(chosen, rows, strict=True):
        subject.renew()
        ids = row.ids.tolist()
        if len(ids) > budget or not 1 <= row.blocks <= 4 or not judged(subject.judge, ids):
            raise AssertionError(f"trial {number}: {ids} of {subject.grammar}")
    return rows


def judged(judge: Earley, ids: list[int]) -> bool:
    """Whether the ids are a text of the grammar, one end token, then padding and nothing else."""
    end, pad = VOCABULARY.special["<eos>"], VOCABULARY.special["<pad>"]
    if end not in ids:
        return False
    at = ids.index(end)
    text, after = ids[:at], ids[at + 1 :]
    if set(after) - {pad} or not all(v not in (end, pad) and v < VOCABULARY.size for v in text):
        return False
    return judge.accepts(b"".join(VOCABULARY.spelling(v) for v in text))
