"""Which of several kinds of answer a text asks for, by the words that describe them.

A model too small to have learnt what requests mean fills the skeleton of an answer well, but chooses between skeletons
at chance. How much of what describes a kind is in the text (overlap.py) tells more: of tools by their names and
descriptions, of the alternatives of a union by all that their schemas say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from structgen_mini.outline import Outline

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def nearness(
    overlap: Callable[[str, Sequence[str]], Sequence[float]],
    text: str,
    described: Sequence[str],
    keenness: float,
) -> Tensor:
    """Probability [kinds] of each kind, by how much of its description the text takes up.

    keenness: nats between all the words of a description and none of them
    """
    return (keenness * torch.tensor(overlap(text, described), dtype=torch.float64)).softmax(0)


def description(outline: Outline) -> str:
    """All that a value says of itself: titles, descriptions, constants, and the names of its members."""
    return " ".join(_CAMEL.sub(" ", said) for said in outline.said)
