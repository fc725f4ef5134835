"""Arrays: reading their keywords, and spelling their values."""

from __future__ import annotations

from collections.abc import Callable

from ...grammar import EMPTY, Expr, alt, literal, optional, repeat, seq
from .layout import Layout
from .node import Node
from .shape import NEVER, Arrays, Shape


def read_arrays(node: Node, read: Callable[[Node], Shape]) -> tuple[Arrays, ...]:
    """The arrays that items, prefixItems, minItems and maxItems allow; no alternative if there are none."""
    low = node.child("minItems").count() if "minItems" in node else 0
    high = node.child("maxItems").count() if "maxItems" in node else None
    prefix, items = _elements(node, read)
    if items is NEVER:
        high = len(prefix) if high is None else min(high, len(prefix))
    if "uniqueItems" in node and node.child("uniqueItems").boolean() and (high is None or high > 1):
        remedy = (
            "drop it, or use an object with a boolean member per choice, or check the result after parsing"
        )
        node.child("uniqueItems").unsupported(
            "uniqueItems cannot be told while generating", "uniqueItems", remedy
        )
    return () if high is not None and low > high else (Arrays(prefix, items, low, high, node.pointer),)


def _elements(node: Node, read: Callable[[Node], Shape]) -> tuple[tuple[Shape, ...], Shape | None]:
    """The shapes by position, and of the rest. Up to draft 2019-09 `items` was the list, additionalItems the rest."""
    listed, rest = "prefixItems", "items"
    if "prefixItems" not in node and "items" in node and isinstance(node.value["items"], list | tuple):
        listed, rest = "items", "additionalItems"
    prefix = tuple(map(read, node.child(listed).elements())) if listed in node else ()
    return prefix, read(node.child(rest)) if rest in node else None


def spell_arrays(
    arrays: Arrays, spell: Callable[[Shape], Expr], anything: Callable[[str], Expr], layout: Layout
) -> Expr:
    """The texts of these arrays; `spell` writes elements, `anything` those without any constraint."""
    rest = anything(arrays.origin) if arrays.items is None and arrays.high != len(arrays.prefix) else EMPTY
    if arrays.items is not None:
        rest = spell(arrays.items)
    tail = _tail(arrays, list(map(spell, arrays.prefix)), rest, layout)
    return seq(literal("["), layout.gap, alt(tail, literal("]") if arrays.low == 0 else alt()))


def _tail(arrays: Arrays, prefix: list[Expr], rest: Expr, layout: Layout) -> Expr:
    """From the first element on: built from the right, so that the ends are shared."""
    close = seq(layout.gap, literal("]"))
    low, high, count = arrays.low, arrays.high, len(prefix)
    if high is not None and high < count:
        prefix, count = prefix[:high], high
    if not prefix:
        if high == 0:
            return alt()
        more = repeat(seq(layout.comma, rest), max(low - 1, 0), None if high is None else high - 1)
        return seq(rest, more, close)
    more = repeat(seq(layout.comma, rest), max(low - count, 0), None if high is None else high - count)
    tail = more if low <= count or more is not EMPTY else alt()
    for index in range(count - 1, 0, -1):
        tail = seq(layout.comma, prefix[index], tail)
        tail = optional(tail) if index >= low else tail
    return seq(prefix[0], tail, close)
