"""The keyword `x-verbatim`: strings that are pieces of the document that a constraint is bound to."""

from __future__ import annotations

from typing import Any

from structgen.grammar import TEXT, Expr, copied
from structgen.reading.boundaries import ALIGNS
from structgen.reading.copying import Copying

from .node import Node

VERBATIM_TERMS = ("align", "min_length", "max_length", "whitespace")
FOLDS = ("exact", "folded")


VERBATIM = "x-verbatim"


def read_copying(node: Node) -> Expr:
    """The strings that the keyword's value allows: true for any piece, or an object with the options of Verbatim."""
    copying = copying_of(node)
    if copying is None:
        return TEXT
    return copied(copying.align, copying.low, copying.high, folded=copying.folded)


def copying_of(node: Node) -> Copying | None:
    """Which pieces the keyword's value allows; None for false, which allows any string."""
    if isinstance(node.value, bool):
        return Copying() if node.value else None
    if not isinstance(node.value, dict):
        node.malformed(f"true, false or an object with {', '.join(VERBATIM_TERMS)}")
    for name in node.value:
        if name not in VERBATIM_TERMS:
            node.child(name).malformed(f"one of the options {', '.join(VERBATIM_TERMS)}")
    low = node.child("min_length").count() if "min_length" in node.value else 1
    given = node.value.get("max_length") is not None
    high = node.child("max_length").count() if given else None
    align, fold = _choice(node, "align", ALIGNS), _choice(node, "whitespace", FOLDS)
    return Copying(align, low, high, fold == "folded")


def _choice(node: Node, name: str, choices: tuple[str, ...]) -> Any:
    if name not in node.value:
        return choices[0]
    place = node.child(name)
    if place.value not in choices:
        place.malformed(f"one of {', '.join(choices)}")
    return place.value
