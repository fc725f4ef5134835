"""The characters of a pattern in groups that the pattern treats alike; an automaton reads groups, not characters."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from structgen.grammar import Bytes, Chars, Expr, char_ranges

from .nodes import Node, inside

Atoms = frozenset[int]  # a set of characters, as numbers of the smallest sets that the pattern distinguishes


class Partition:
    """The smallest sets of characters that a pattern distinguishes."""

    def __init__(self, node: Node):
        sets = {part for part in inside(node) if isinstance(part, Chars)}
        texts = "".join(part.value.decode() for part in inside(node) if isinstance(part, Bytes))
        sets |= {char_ranges([(ord(char), ord(char))]) for char in texts + "\n"}
        self._ranges = _refined([part.ranges for part in sets if isinstance(part, Chars)])
        self._known: dict[Expr, Atoms] = {}

    def __len__(self) -> int:
        return len(self._ranges)

    def of(self, expr: Chars) -> Atoms:
        """The atoms that make up a set of the pattern."""
        if expr not in self._known:
            inside = (
                any(low <= ranges[0][0] <= high for low, high in expr.ranges) for ranges in self._ranges
            )
            self._known[expr] = frozenset(atom for atom, found in enumerate(inside) if found)
        return self._known[expr]

    def of_char(self, char: str) -> Atoms:
        """The atom of a single character of the pattern."""
        expr = char_ranges([(ord(char), ord(char))])
        assert isinstance(expr, Chars)
        return self.of(expr)

    def chars(self, atoms: Iterable[int]) -> Expr:
        """The characters of some atoms."""
        return char_ranges(span for atom in atoms for span in self._ranges[atom])


def _refined(sets: list[tuple[tuple[int, int], ...]]) -> list[list[tuple[int, int]]]:
    """The ranges of each atom; characters are in the same atom if the same sets contain them."""
    changes: dict[int, int] = {0: 0, 0x110000: 0}
    for index, ranges in enumerate(sets):
        for low, high in ranges:
            changes[low] = changes.get(low, 0) ^ (1 << index)
            changes[high + 1] = changes.get(high + 1, 0) ^ (1 << index)
    atoms: dict[int, list[tuple[int, int]]] = {}
    held, cuts = 0, sorted(changes)
    for low, after in pairwise(cuts):
        held ^= changes[low]
        atoms.setdefault(held, []).append((low, after - 1))
    return list(atoms.values())
