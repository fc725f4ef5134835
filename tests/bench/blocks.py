"""Random recursive grammars, random denoisers, both noises: is every output accepted, closed and within budget?"""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch
from rich.console import Console

import structgen as sg
from structgen.automata.pushdown import accepts
from structgen.errors import StructgenError
from structgen.grammar import EMPTY, Expr, Grammar, alt, literal, ref, seq, star
from structgen.lazy import LazyAutomaton
from structgen_engine.decode import Decoded, Finish, decode
from structgen_engine.denoiser import RandomDenoiser
from structgen_engine.noise import Absorbing, Uniform

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
FULL = 50_000  # configurations after which an automaton is made anew: ambiguous grammars meet ever more


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


def run(console: Console, *, blocks: int, count: int, seed: int = 0) -> dict[str, int]:
    """Decode `blocks` blocks, as many with each of `count` grammars; AssertionError where one is wrong."""
    done, made, outputs = 0, 0, 0
    for grammar in grammars(seed):
        try:
            lazy = LazyAutomaton.of(grammar, VOCABULARY)
        except StructgenError:
            continue
        if int(lazy.most[lazy.start]) > MOST:
            continue
        made += 1
        trial = 0
        while done < blocks * made // count:
            rows = outputs_of(lazy, seed=trial)
            done, outputs, trial = done + sum(row.blocks for row in rows), outputs + len(rows), trial + 1
            if len(lazy.configurations) > FULL:
                lazy = LazyAutomaton.of(grammar, VOCABULARY)
        console.print(f"grammar {made}: {done:,} blocks, {outputs:,} outputs, all right", highlight=False)
        if made == count:
            break
    return {"grammars": made, "blocks": done, "outputs": outputs}


def outputs_of(lazy: LazyAutomaton, *, seed: int) -> list[Decoded]:
    """Two outputs of one to four blocks, checked against the definition of acceptance."""
    draw, least = random.Random(seed), int(lazy.most[lazy.start])
    length = max(draw.randint(2, 12), -(-least // 4))
    budget = draw.randint(least, max(least, 4 * length))
    V = VOCABULARY.size
    rows = decode(
        RandomDenoiser(
            Absorbing(V) if seed % 2 else Uniform(0, V), length, V + 1, seed, draw.choice([1.0, 3.0, 30.0])
        ),
        [[1], [2]],
        [lazy, lazy],
        max_tokens=budget,
        steps=draw.randint(1, 4),
        generator=torch.Generator().manual_seed(seed),
        finish=draw.choice(list(Finish)),
    )
    for row in rows:
        if (
            len(row.ids) > budget
            or row.blocks > 4
            or not accepts(lazy.pushdown, symbols(lazy, row.ids.tolist()))
        ):
            raise AssertionError(f"seed {seed} of {lazy.pushdown}: {row.ids.tolist()}")
    return rows


def symbols(lazy: LazyAutomaton, ids: list[int]) -> list[int]:
    """The bytes of the ids, special tokens as 256 + their number."""
    names = {index: 256 + lazy.pushdown.tokens.index(name) for name, index in VOCABULARY.special.items()}
    return [symbol for v in ids for symbol in ([names[v]] if v in names else VOCABULARY.spelling(v))]
