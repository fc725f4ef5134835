"""How a grammar derives a text that it accepts: which piece of the text each rule stands for.

A chart holds, for each part of the grammar and each place at which it may begin, the places at which it may end; it is
filled until nothing changes (Earley, 1970, as a fixpoint). One derivation is then read from it: in a sequence every
part is as long as the rest allows, and of alternatives the first counts. A part that stands for the same piece as the
whole must have been found before it, so that rules that name themselves come to an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from structgen.grammar import Alt, Budget, Expr, Grammar, Ref, Repeat, Seq, Slack, Token, TokenSet
from structgen.limits.budget import check

Key = tuple[
    Expr, int, int
]  # a part; parts of it that are done (of a Seq) or copies (of a Repeat); where it begins
Step = tuple[Key, int]  # what was found to end at a place


@dataclass(eq=False)
class Chart:
    """The pieces of one text that parts of a grammar stand for. found: when each end of each key was found"""

    rules: Mapping[str, Expr]
    text: bytes
    found: dict[Key, dict[int, int]] = field(default_factory=dict)
    _users: dict[Key, dict[Key, None]] = field(default_factory=dict)
    _clock: int = 0

    def fill(self, start: Expr) -> None:
        """Find all ends of the start, and of what it needs."""
        waiting = [self._key(start)]
        while waiting:
            check()
            key = waiting.pop()
            ends = self.found.setdefault(key, {})
            new = {end for end, _ in self.ways(key, self._asking(key, waiting))} - ends.keys()
            for end in sorted(new):
                self._clock += 1
                ends.setdefault(end, self._clock)
            if new:
                waiting += self._users.get(key, ())

    def _key(self, expr: Expr, begin: int = 0) -> Key:
        return expr, 0, begin

    def _asking(self, by: Key, waiting: list[Key]) -> Callable[[Key], Mapping[int, int]]:
        """The ends of a key as they are known, for one that has to be looked at again when there are more."""

        def ask(key: Key) -> Mapping[int, int]:
            self._users.setdefault(key, {})[by] = None
            if key not in self.found:
                self.found[key] = {}
                waiting.append(key)
            return self.found[key]

        return ask

    def known(self, key: Key) -> Mapping[int, int]:
        """The ends that were found."""
        return self.found.get(key, {})

    def ways(
        self, key: Key, ask: Callable[[Key], Mapping[int, int]]
    ) -> Iterator[tuple[int, tuple[Step, ...]]]:
        """Each end of a key with the steps that lead to it, those to be preferred first."""
        expr, done, begin = key
        if expr.facts.textual:
            yield from ((end, ()) for end in ends_of(expr, self.text, begin))
            return
        match expr:
            case Ref(name):
                inner = self._key(self.rules[name], begin)
                yield from ((end, ((inner, end),)) for end in ask(inner))
            case Budget(body, _):
                inner = self._key(body, begin)
                yield from ((end, ((inner, end),)) for end in ask(inner))
            case Token() | TokenSet() | Slack():
                yield begin, ()
            case Alt(parts):
                for part in parts:
                    inner = self._key(part, begin)
                    yield from ((end, ((inner, end),)) for end in ask(inner))
            case Seq(parts):
                if done == len(parts):
                    yield begin, ()
                    return
                yield from self._in_order(
                    self._key(parts[done], begin), lambda end: (expr, done + 1, end), ask
                )
            case Repeat(body, low, high):
                if high is None or done < high:
                    more = min(done + 1, low) if high is None else done + 1
                    inner = self._key(body, begin)
                    yield from self._in_order(inner, lambda end: (expr, more, end), ask, low > done, begin)
                if done >= low:
                    yield begin, ()
            case _:
                raise TypeError(f"{type(expr).__name__} with rules in it cannot be read")

    def _in_order(
        self,
        first: Key,
        rest_of: Callable[[int], Key],
        ask: Callable[[Key], Mapping[int, int]],
        may_be_empty: bool = True,
        begin: int = -1,
    ) -> Iterator[tuple[int, tuple[Step, ...]]]:
        for middle in sorted(ask(first), reverse=True):
            if may_be_empty or middle != begin:
                rest = rest_of(middle)
                yield from ((end, ((first, middle), (rest, end))) for end in list(ask(rest)))

    def steps(self, key: Key, end: int) -> tuple[Step, ...]:
        """The parts of which a piece consists, in one derivation."""
        size, when = end - key[2], self.found[key][end]
        for found, parts in self.ways(key, self.known):
            if found == end and all(
                after - part[2] < size or self.found[part][after] < when for part, after in parts
            ):
                return parts
        raise AssertionError("what was found has a derivation")


def ends_of(expr: Expr, text: bytes, begin: int) -> list[int]:
    """Where a regular expression that begins at a place of a text may end, the last place first."""
    from structgen.automata import compile_bytes  # numba takes a moment to import

    table = _TABLES.get(expr)
    if table is None:
        if len(_TABLES) > MOST_TABLES:
            _TABLES.clear()
        compiled = compile_bytes(Grammar(expr))
        table = _TABLES[expr] = (
            compiled.delta()[:, compiled.class_of[:256]].tolist(),
            compiled.accepting.tolist(),
        )
    delta, accepting = table
    state, ends = 1, [begin] if accepting[1] else []
    for at in range(begin, len(text)):
        state = delta[state][text[at]]
        if not state:
            break
        if accepting[state]:
            ends.append(at + 1)
    return ends[::-1]


MOST_TABLES = 1000
_TABLES: dict[Expr, tuple[list[list[int]], list[bool]]] = {}
