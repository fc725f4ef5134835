"""Witnesses: completions of an output that pass the grammar's check, found by narrowing the shortest one.

A completion that fails the check shows how it has to continue instead (its detour). The automaton is narrowed to the
outputs that take the detour, and the shortest of these is tried next.

    [a, a]     fails: the second element repeats the first, so after "[a, " no text may begin with "a]" or "a,"
    [a, b]     the shortest output of the narrowed automaton passes: it is the witness
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from structgen.compiler.compiled import Compiled
from structgen.compiler.filters import Filter, filtered
from structgen.grammar import Check, Detour
from structgen_engine.automata.arrays import NEVER
from structgen_engine.decoding.automaton import TokenAutomaton

MOST_TRIES = 300  # times that one completion is narrowed


@dataclass(frozen=True, eq=False)
class Checker:
    """A checker applies a grammar's check to tokens of the vocabulary that the grammar was compiled for."""

    check: Check
    compiled: Compiled

    def fault(self, ids: Sequence[int]) -> Detour | None:
        """The detour that a complete output must take instead; None if the output passes."""
        return self.check(b"".join(self.spelled(ids)).decode())

    def spelled(self, ids: Sequence[int]) -> list[bytes]:
        """The bytes of the text that each token spells; empty within a thought and from the end token on."""
        vocabulary = self.compiled.vocabulary
        pieces = [vocabulary.written(token) for token in ids]
        preface, end = vocabulary.preface, vocabulary.end
        begun = 0 if preface is None else _after(ids, vocabulary.special[preface.close])
        ended = len(ids) if end is None else _after(ids, vocabulary.special[end], len(ids))
        return [piece if begun <= at < ended else b"" for at, piece in enumerate(pieces)]

    def filter(self, ids: Sequence[int], detour: Detour) -> tuple[int, Filter]:
        """The number of tokens that lie within the detour's kept bytes, and the filter of what may follow them."""
        pieces = self.spelled(ids)
        kept, length = 0, 0
        while kept < len(ids) and length + len(pieces[kept]) <= detour.at:
            length += len(pieces[kept])
            kept += 1
        more = b"".join(pieces[kept:])[: detour.at - length]
        return kept, filtered(more, detour.never, self.compiled.vocabulary.spelled_out)


@dataclass(frozen=True, eq=False)
class Active:
    """A filter in use, for the part of the output at `place`, from the token `start` on."""

    place: tuple[str | int, ...]
    start: int
    filter: Filter


@dataclass(frozen=True, eq=False)
class Narrowing:
    """A constraint's automaton, together with the filters that the written output requires."""

    checker: Checker
    automaton: TokenAutomaton
    active: tuple[Active, ...] = ()

    def with_detour(self, ids: Sequence[int], detour: Detour) -> Narrowing:
        """The narrowing with one more detour's filter, which replaces the filters beside and inside its place."""
        start, made = self.checker.filter(ids, detour)
        place = detour.place
        around = (a for a in self.active if len(a.place) < len(place) and a.place == place[: len(a.place)])
        return Narrowing(self.checker, self.automaton, (*around, Active(place, start, made)))

    def after(self, ids: Sequence[int], kept: Sequence[int] = ()) -> tuple[TokenAutomaton, int]:
        """The automaton, and its state after the ids, of the outputs that continue with the tokens `kept`."""
        automaton, state = self.automaton, self.automaton.run(list(ids))
        written = [*ids, *kept]
        for one in self.active:
            begun = one.filter.run(written[one.start :])
            automaton = self.checker.compiled.narrowed(automaton, state, kept, one.filter, begun)
            state = automaton.start
        return automaton, state

    def witness(self, ids: Sequence[int], most: int) -> list[int] | None:
        """A short completion of `ids`, at most `most` tokens long, that passes the check; None if none is found."""
        narrowing, written = self, list(ids)
        for _ in range(MOST_TRIES):
            left = most if most >= NEVER else len(ids) + most - len(written)
            automaton, state = narrowing.after(written)
            more = automaton.completion(state, left)
            if more is None:
                return None
            whole = [*written, *more]
            detour = self.checker.fault(whole)
            if detour is None:
                return whole[len(ids) :]
            narrowing = narrowing.with_detour(whole, detour)
            start = narrowing.active[-1].start
            if start < len(ids):
                return None
            written = whole[:start]
        return None


def _after(ids: Sequence[int], token: int, default: int = 0) -> int:
    """The number of tokens up to and including the first `token`; `default` if it does not occur."""
    return ids.index(token) + 1 if token in ids else default
