"""Whether a few tokens can finish a configuration, when the bounds of a lazy automaton do not decide it.

The bounds are sums over the states of a stack. A token that spans several returns may need fewer tokens than they say,
which only the whole configuration shows. A breadth-first search along the arcs decides: it skips configurations that
need more tokens than are left (`distance_lower`) and ends at one that surely does not (`distance_upper`). The result is
remembered for all configurations on the path. Each output has its own memory, so that it does not depend on what other
outputs have asked.

    upper = 3, lower = 1, are 2 tokens enough?    c ─ab→ d ─b→ e     e accepts: yes, upper(c) = 2, upper(d) = 1

Axes: F configurations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.arrays import NEVER
from structgen_engine.automata.lazy import LazyDfa

EFFORT = 8192  # configurations looked at in one search; about 0.2 s if all of them are new
ROUNDS = 4  # times EFFORT that looking for the fewest tokens may take in all its searches
ONE = 512  # configurations that a search counts for at least, since it takes time to begin one
LONG = 1 << 15  # tokens; the bounds of longer answers are near enough, and a search of them takes a minute

Longs = NDArray[Any]


class Finishing:
    """The distance bounds of a lazy automaton, tightened by searches and remembered for one output."""

    def __init__(self, lazy: LazyDfa) -> None:
        self._lazy = lazy
        self._most: dict[int, int] = {}
        self._least: dict[int, int] = {}
        self.looked = 0  # configurations, in all searches, of which each counts for ONE or more

    @property
    def learnt(self) -> bool:
        """Whether any search has tightened a bound."""
        return bool(self._most or self._least)

    def tightened(self, most: Longs, least: Longs) -> tuple[Longs, Longs]:
        """The bounds of all configurations met so far, with what searches have learnt; both may be what was given."""
        if self.learnt:
            most, least = most.copy(), least.copy()
            for number, enough in self._most.items():
                most[number] = min(most[number], enough)
            for number, needed in self._least.items():
                least[number] = max(least[number], needed)
        return most, least

    def bounds(self, configurations: Sequence[int]) -> tuple[Longs, Longs]:
        """For each configuration [F], how many tokens suffice and how many are necessary, as far as is known."""
        most, least = self._lazy.distance_upper[configurations], self._lazy.distance_lower[configurations]
        if self.learnt:
            for k, number in enumerate(configurations):
                most[k] = min(most[k], self._most.get(number, NEVER))
                least[k] = max(least[k], self._least.get(number, 0))
        return most, least

    @property
    def tired(self) -> bool:
        """Whether the searches have looked at as many configurations as one question may take."""
        return self.looked >= ROUNDS * EFFORT

    def narrow(self, configurations: Sequence[int], tokens: int, effort: int = EFFORT) -> tuple[Longs, Longs]:
        """The bounds after searching, in the given order and within `effort`, whether `tokens` suffice for each."""
        with self._lazy.lock:
            most, least = self.bounds(configurations)
            for number in np.array(configurations)[(least <= tokens) & (tokens < most)].tolist():
                if self._least.get(number, 0) <= tokens < self._most.get(number, NEVER):
                    looked = self._search(number, tokens, effort)
                    effort, self.looked = effort - looked, self.looked + max(looked, ONE)
            return self.bounds(configurations)

    def _search(self, start: int, tokens: int, effort: int) -> int:
        """Search from one configuration and return how many were looked at; nothing is learnt if `effort` runs out."""
        before, layers, looked = {start: start}, [[start]], 0
        for left in range(tokens - 1, -1, -1):
            onward: list[int] = []
            for here in layers[-1]:
                if looked >= effort:
                    return looked
                looked += 1
                targets = [t for t in set(self._lazy.arcs(here).targets.tolist()) if t not in before]
                for target, enough, needed in zip(
                    sorted(targets), *self._known(sorted(targets)), strict=True
                ):
                    if needed > left:
                        continue
                    before[target] = here
                    if enough <= left:
                        self._found(target, enough, before)
                        return looked
                    onward.append(target)
            if not onward:
                break
            layers.append(onward)
        for depth, layer in enumerate(layers):
            for number in layer:
                self._least[number] = max(self._least.get(number, 0), tokens - depth + 1)
        return looked

    def _known(self, configurations: list[int]) -> tuple[list[int], list[int]]:
        most, least = self.bounds(configurations)
        return most.tolist(), least.tolist()

    def _found(self, last: int, enough: int, before: dict[int, int]) -> None:
        """Record the path to `last`: each configuration on it needs one token more than its successor."""
        self._most[last] = enough
        while before[last] != last:
            last, enough = before[last], enough + 1
            self._most[last] = min(enough, self._most.get(last, NEVER))


def fewest(lazy: LazyDfa) -> tuple[int, bool]:
    """The number of tokens of the shortest output (NEVER if there is none), and whether it is certain.

    Each search is limited to EFFORT, and all of them to ROUNDS times as much, because an answer of a million tokens may
    become shorter by one token a search; beyond that, and for answers of more than LONG tokens, the result is a number
    that suffices.
    """
    finishing, found, start = Finishing(lazy), NEVER, [lazy.start]
    most, least = finishing.bounds(start)
    while least[0] < most[0] < found and least[0] <= LONG and not finishing.tired:
        found = int(most[0])
        most, least = finishing.narrow(start, found - 1)
    return int(most[0]), bool(least[0] == most[0])


def shortest_found(lazy: LazyDfa, configuration: int, most: int = NEVER) -> list[int] | None:
    """At most `most` tokens that finish a configuration; None if none were found.

    Without a limit they are the fewest, provided that the search can decide it.
    """
    finishing = Finishing(lazy)
    needs, least = (int(bound[0]) for bound in finishing.bounds([configuration]))
    while (most < needs) or (most == NEVER and least < needs < NEVER and least <= LONG):
        before = needs
        needs, least = (int(bound[0]) for bound in finishing.narrow([configuration], min(most, needs - 1)))
        if needs == before or finishing.tired:
            break
    return _along(lazy, finishing, configuration, needs) if needs <= most and needs < NEVER else None


def nearer(lazy: LazyDfa, configuration: int) -> tuple[int, int] | None:
    """A token that leads to a configuration one token closer to the end, and that configuration; None if none does."""
    arcs, needs = lazy.arcs(configuration), int(lazy.distance_upper[configuration])
    enough = lazy.distance_upper
    for number, target in zip(arcs.sets.tolist(), arcs.targets.tolist(), strict=True):
        if enough[target] == needs - 1:
            return _token(lazy, number), target
    return None


def _along(lazy: LazyDfa, finishing: Finishing, configuration: int, needs: int) -> list[int]:
    """The tokens of a path of length `needs` to the end."""
    tokens: list[int] = []
    while not lazy.is_accepting(configuration):
        arcs = lazy.arcs(configuration)
        bounds, _ = finishing.bounds(arcs.targets.tolist())
        at = int(bounds.argmin())
        tokens.append(_token(lazy, int(arcs.sets[at])))
        configuration = int(arcs.targets[at])
        if len(tokens) > needs:
            raise AssertionError("a way to complete the output is longer than it said: please report it")
    return tokens


def _token(lazy: LazyDfa, number: int) -> int:
    """Any token of a set."""
    return lazy.token_of(int(lazy.sets[number][0]))
