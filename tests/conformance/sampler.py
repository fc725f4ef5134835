"""Random texts of a grammar: another way to ask whether everything it accepts is valid.

Alternatives are drawn evenly, repetitions are short, and below a depth the alternative that closes soonest is taken.
Intersections and complements are drawn from their automata.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

from structgen.automata import Table, compile_bytes
from structgen.grammar import Alt, And, Bytes, Chars, Expr, Grammar, Not, Ref, Repeat, Seq, StateGraph

NEVER = 1 << 30
DEPTH = 5  # of rules within rules, after which texts are brought to an end
GOING_ON = 0.5  # that a repetition goes on
DETOURS = 12  # steps of an automaton before it heads for the nearest end


@dataclass
class Sampler:
    """Draws texts of one grammar."""

    grammar: Grammar
    rng: random.Random
    heights: dict[str, int] = field(default_factory=dict)
    tables: dict[Expr, tuple[Table, list[list[tuple[int, int]]], list[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.heights = dict.fromkeys(self.grammar.rules, NEVER)
        changed = True
        while changed:
            self._height: dict[Expr, int] = {}
            new = {name: self.height(rule) + 1 for name, rule in self.grammar.rules.items()}
            changed, self.heights = new != self.heights, {k: min(v, NEVER) for k, v in new.items()}
            changed = changed and any(v < NEVER for v in new.values())
        self._height = {}

    def text(self) -> str:
        """One text of the grammar."""
        return self._draw(self.grammar.start, 0).decode()

    def height(self, expr: Expr) -> int:
        """How many rules within rules `expr` needs at least."""
        if expr not in self._height:
            match expr:
                case Ref(name):
                    found = self.heights[name]
                case Seq(parts):
                    found = max(map(self.height, parts))
                case Alt(parts):
                    found = min(map(self.height, parts), default=NEVER)
                case Repeat(body, low, _):
                    found = self.height(body) if low else 0
                case And() | Not() | StateGraph():
                    _, _, distance = self._table(expr)
                    found = 0 if len(distance) > 1 and distance[1] < NEVER else NEVER
                case _:
                    found = 0
            self._height[expr] = found
        return self._height[expr]

    def _draw(self, expr: Expr, depth: int) -> bytes:
        match expr:
            case Bytes(value):
                return value
            case Chars(ranges):
                low, high = self.rng.choice(ranges)
                return chr(self.rng.randint(low, high)).encode()
            case Ref(name):
                return self._draw(self.grammar.rules[name], depth + 1)
            case Seq(parts):
                return b"".join(self._draw(part, depth) for part in parts)
            case Alt(parts):
                least = min(map(self.height, parts))
                open_ = [
                    p for p in parts if self.height(p) < NEVER and (depth < DEPTH or self.height(p) == least)
                ]
                return self._draw(self.rng.choice(open_), depth)
            case Repeat(body, low, high):
                count = low
                while (high is None or count < high) and self._goes_on(body, depth):
                    count += 1
                return b"".join(self._draw(body, depth) for _ in range(count))
            case And() | Not() | StateGraph():
                return self._walk(expr)
        return b""

    def _goes_on(self, body: Expr, depth: int) -> bool:
        height = self.height(body)
        return height < NEVER and (depth < DEPTH or not height) and self.rng.random() < GOING_ON

    def _walk(self, expr: Expr) -> bytes:
        """A random way through the automaton of `expr`, by the nearest end after some steps."""
        table, ways, distance = self._table(expr)
        state, found = 1, bytearray()
        while not (table.accepting[state] and (not ways[state] or self.rng.random() < 0.3)):
            options = ways[state]
            if len(found) > DETOURS:
                if table.accepting[state]:
                    break
                nearest = min(distance[target] for _, target in options)
                options = [way for way in options if distance[way[1]] == nearest]
            label, state = self.rng.choice(options)
            found.append(int(self.rng.choice(np.flatnonzero(table.class_of == label).tolist())))
        return bytes(found)

    def _table(self, expr: Expr) -> tuple[Table, list[list[tuple[int, int]]], list[int]]:
        """The automaton of `expr`, the ways out of each of its states and their steps to the nearest end."""
        if expr not in self.tables:
            table = compile_bytes(Grammar(expr))
            ways: list[list[tuple[int, int]]] = [[] for _ in table.accepting]
            for source, label, target in zip(table.source, table.label, table.target, strict=True):
                ways[source].append((int(label), int(target)))
            self.tables[expr] = table, ways, _distances(table, ways)
        return self.tables[expr]


def _distances(table: Table, ways: list[list[tuple[int, int]]]) -> list[int]:
    """Steps from each state to the nearest accepting one."""
    distance = [0 if accepting else NEVER for accepting in table.accepting]
    changed = True
    while changed:
        changed = False
        for state in reversed(range(1, len(ways))):
            near = min((distance[target] + 1 for _, target in ways[state]), default=NEVER)
            if near < distance[state]:
                distance[state], changed = near, True
    return distance
