"""A rehearsal: one short answer, so that what the first answer of a process loads is loaded with the weights."""

from __future__ import annotations

import torch

from structgen_engine.automata.dfa import Alphabet, Dfa
from structgen_engine.decoding.blocks import admits, first_block
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.options import DecodingOptions
from structgen_engine.lattice.lattice import OPEN
from structgen_mini.canvas import Canvas

LENGTH = 16  # tokens of the answer


def rehearse(canvas: Canvas, options: DecodingOptions) -> None:
    """Write an answer of any tokens, of which the first is given, as the answers to come are written."""
    prompt, anything = canvas.spelling.encode("a"), anything_of(canvas.denoiser.vocabulary_size)
    layout = torch.tensor([prompt[0], *[OPEN] * (LENGTH - 1)])
    admits(first_block(anything), layout)
    decode(
        canvas.reading(prompt).cut(LENGTH).denoiser,
        [prompt],
        [anything],
        max_tokens=LENGTH,
        generators=[torch.Generator().manual_seed(0)],
        options=options,
        scaffold=[layout],
    )


def anything_of(size: int) -> Dfa:
    """The automaton of all texts over a vocabulary."""
    alphabet = Alphabet(torch.ones(size, dtype=torch.int32), 2)
    return Dfa(alphabet, torch.tensor([[0, 0], [0, 1]], dtype=torch.int32), torch.tensor([False, True]), 1)
