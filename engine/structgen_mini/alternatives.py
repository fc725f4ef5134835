"""Which of several kinds of answer a text asks for, by the words that describe them.

A model too small to have learnt what requests mean fills the skeleton of an answer well, but chooses between skeletons
at chance. The share of a kind's description that the text has (overlap.py) is a better guide. A tool is described by
its name and description, an alternative of a union by all the words of its schema.
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
    """Probability [kinds] of each kind, by how much of its description the text has.

    keenness: nats between all the words of a description and none of them
    """
    return (keenness * torch.tensor(overlap(text, described), dtype=torch.float64)).softmax(0)


def description(outline: Outline) -> str:
    """All words that describe a value: titles, descriptions, constants, and the names of its members."""
    return " ".join(_CAMEL.sub(" ", said) for said in outline.said)
