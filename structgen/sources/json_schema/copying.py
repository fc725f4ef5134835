"""The keyword `x-verbatim`: strings that are pieces of the document that a constraint is bound to."""

from __future__ import annotations

from typing import Any

from structgen.grammar import NOTHING, TEXT, Expr, copied
from structgen.reading.boundaries import ALIGNS

from .node import Node

TERMS = ("align", "min_length", "max_length", "whitespace")
FOLDS = ("exact", "folded")


def read_copying(node: Node) -> Expr:
    """The strings that the keyword's value allows: true for any piece, or an object with the options of Verbatim."""
    if isinstance(node.value, bool):
        return copied("char", 1, None, folded=False) if node.value else TEXT
    if not isinstance(node.value, dict):
        node.malformed(f"true, false or an object with {', '.join(TERMS)}")
    for name in node.value:
        if name not in TERMS:
            node.child(name).malformed(f"one of the options {', '.join(TERMS)}")
    low = node.child("min_length").count() if "min_length" in node.value else 1
    given = node.value.get("max_length") is not None
    high = node.child("max_length").count() if given else None
    align, fold = _choice(node, "align", ALIGNS), _choice(node, "whitespace", FOLDS)
    if high is not None and high < low:
        return NOTHING
    return copied(align, low, high, folded=fold == "folded")


def _choice(node: Node, name: str, choices: tuple[str, ...]) -> Any:
    if name not in node.value:
        return choices[0]
    place = node.child(name)
    if place.value not in choices:
        place.malformed(f"one of {', '.join(choices)}")
    return place.value
