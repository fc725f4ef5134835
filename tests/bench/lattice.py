"""The picture of the worked example in ARCHITECTURE.md: the lattice of `ab|b` over three positions, as SVG.

The marginals are computed, not written down: the picture shows what the engine says about the scores of the page.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

import structgen as sg
from structgen_engine.automata.dfa import block
from structgen_engine.lattice.lattice import BlockLattice

TOKENS = ("<pad>", "<eos>", b"a", b"b", b"ab", b"ba")
SCORES = (  # of a, b, ab, ba, <eos>, <pad> at each position
    (0.40, 0.30, 0.15, 0.05, 0.05, 0.05),
    (0.05, 0.10, 0.05, 0.40, 0.35, 0.05),
    (0.05, 0.05, 0.05, 0.05, 0.50, 0.30),
)
COLUMNS = (5, 4, 0, 1, 2, 3)  # of the scores, in the order of the ids
PATHS = ((2, 3, 1), (4, 1, 0), (3, 1, 0))  # the three blocks, as ids
PLACES = {1: 190, 2: 50, 3: 190, 4: 290}  # height of a state in the picture
STEP, LEFT = 200, 70
STYLE = (
    "text{font:15px system-ui,sans-serif;fill:#222}.s{font-size:12px;fill:#555}"
    "circle{fill:#fff;stroke:#0072B2;stroke-width:2}path{fill:none;stroke:#56B4E9;stroke-linecap:round}"
)


def marginals() -> torch.Tensor:
    """The probability of each token at each position, under the grammar.

    returns: [N, V]
    """
    vocabulary = sg.Vocabulary.from_tokens(list(TOKENS))
    scores = torch.tensor(SCORES)[:, list(COLUMNS)].log()
    return BlockLattice([block(sg.compile(sg.Regex("ab|b"), vocabulary).dfa)], scores[None]).marginals()[0]


def arcs() -> Iterator[tuple[int, int, int, int]]:
    """Position, state before, token and state after of each step that a block can take."""
    moves = {(1, 2): 2, (1, 3): 3, (1, 4): 3, (2, 3): 3, (3, 1): 4, (4, 0): 4}
    seen = set[tuple[int, int, int, int]]()
    for path in PATHS:
        state = 1
        for position, token in enumerate(path):
            arc = (position, state, token, moves[state, token])
            if arc not in seen:
                yield arc
            seen.add(arc)
            state = arc[3]


def picture() -> str:
    """The lattice as SVG; an arc is as wide as its token is probable."""
    shares = marginals()
    width, height = LEFT * 2 + STEP * len(SCORES), 350
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        "<title>The lattice of ab|b over three positions</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#fff"/>',
    ]
    states = {(0, 1)}
    for position, before, token, after in arcs():
        share = float(shares[position, token])
        states.add((position + 1, after))
        parts += _arc(position, before, token, after, share)
    for position, state in sorted(states):
        x, y = LEFT + STEP * position, PLACES[state]
        parts += [f'<circle cx="{x}" cy="{y}" r="17"/>', _text(x, y + 5, str(state))]
    for position in range(len(SCORES)):
        parts.append(_text(LEFT + STEP * position + STEP // 2, 336, f"position {position + 1}", "s"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _arc(position: int, before: int, token: int, after: int, share: float) -> list[str]:
    bend, label = {(1, 4): (44, 64), (1, 3): (-44, 0)}.get((before, token), (0, -18))
    x, y, end = LEFT + STEP * position, PLACES[before], PLACES[after]
    middle = (y + end) // 2
    label = 28 if y == end and not bend else label  # below the lines
    curve = f"M{x + 17} {y}Q{x + STEP // 2} {middle + 2 * bend} {x + STEP - 17} {end}"
    aside = 0 if bend or y == end else 26 if y < end else -26
    named = TOKENS[token]
    name = (named if isinstance(named, str) else named.decode()).replace("<", "&lt;").replace(">", "&gt;")
    return [
        f'<path d="{curve}" stroke-width="{1.5 + 14 * share:.1f}"/>',
        _text(x + STEP // 2 + aside, middle + label, f"{name} {share:.3f}"),
    ]


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    chosen = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}" text-anchor="middle"{chosen}>{text}</text>'
