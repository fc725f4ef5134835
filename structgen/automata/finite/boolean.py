"""Boolean operations: a product of automata, whose acceptance is a rule over the acceptance of its parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.crawl import crawl
from structgen.automata.finite.nfa import Fragment, Ints, Nfa
from structgen.automata.finite.table import Table, tabulate

Rule = Callable[[NDArray[np.bool_]], NDArray[np.bool_]]  # [S, parts] -> [S], both acceptance


def intersection(parts: Sequence[Fragment], symbols: int, most: int) -> tuple[Table, int]:
    """The table of the strings that all parts accept, and its peak number of states; TooLarge if that exceeds `most`.

    The peak is the largest number of states that the product or one of its parts had before it was minimal.
    """
    return _together(parts, symbols, lambda accepts: np.logical_and.reduce(accepts, 1), len(parts), most)


def difference(left: Fragment, right: Fragment, symbols: int, most: int) -> tuple[Table, int]:
    """The table of the strings that `left` accepts and `right` does not; otherwise like `intersection`."""
    return _together((left, right), symbols, lambda accepts: accepts[:, 0] & ~accepts[:, 1], 1, most)


def _together(
    parts: Sequence[Fragment], symbols: int, rule: Rule, together: int, most: int
) -> tuple[Table, int]:
    """The product of deterministic parts: a set of the crawl holds at most one state of each."""
    nfa = _side_by_side(parts, symbols)
    crawled = crawl(nfa, together=together, most=most)
    owner = np.repeat(np.arange(crawled.sets, dtype=np.int32), np.diff(crawled.offsets))
    part = nfa.finals[crawled.members]
    accepts = np.zeros((crawled.sets, len(parts) + 1), bool)
    accepts[owner, part] = True
    accepted = rule(accepts[:, 1:])
    accepted[0] = False
    return tabulate(crawled, accepted), max(crawled.size, *(part.peak for part in parts))


def _side_by_side(parts: Sequence[Fragment], symbols: int) -> Nfa:
    offsets = np.cumsum([0, *(part.states for part in parts)])
    moves: list[Ints] = []
    finals = np.zeros(int(offsets[-1]), np.int32)
    for index, (part, offset) in enumerate(zip(parts, offsets, strict=False)):
        moves.append(part.moves + np.array([offset, 0, 0, offset], np.int32))
        finals[part.accepting + offset] = index + 1
    starts = tuple(int(part.start + offset) for part, offset in zip(parts, offsets, strict=False))
    empty = np.empty((0, 2), np.int32)
    return Nfa(
        int(offsets[-1]), np.concatenate(moves).astype(np.int32, copy=False), empty, starts, finals, symbols
    )
