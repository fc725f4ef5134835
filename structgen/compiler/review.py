"""Reviewing each block against the grammar's check before it is committed.

A check decides what no automaton can: whether an element repeats an earlier one. If a block fails, everything before
the repetition is kept, the automaton is narrowed so that the repeated element cannot follow, and the rest is drawn
again from the exact distribution over the remaining outputs. This ends, since each round adds at least one valid
element.

Decoding never gets stuck, because every committed block has a *witness*: tokens that complete the output, pass the
check and fit the budget. If no continuation of a drawn block is found, the witness's block is written instead. The
search for a witness starts from the shortest completion and narrows it in the same way each time it fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from structgen.compiler.compiled import Compiled
from structgen.compiler.filters import Filter, filtered
from structgen.compiler.padding import padding
from structgen.grammar import Check, Detour
from structgen_engine.automata.arrays import NEVER
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.row import Verdict

PATIENCE = 3  # redraws after the same bytes before the witness is taken
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
        pieces = [vocabulary.spelling(token) for token in ids]
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
        return kept, filtered(more, detour.never, self.compiled.vocabulary)


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


class Reviewer:
    """A reviewer checks one output, block by block (see `structgen_engine.decoding.row.Review`)."""

    def __init__(self, checker: Checker, automaton: TokenAutomaton, witness: Sequence[int]) -> None:
        self._checker, self._narrowing = checker, Narrowing(checker, automaton)
        self._written: list[int] = []
        self._witness = list(witness)
        self._tries = Counter[int]()
        self._retreats = False

    @property
    def least(self) -> int:
        """A number of tokens that suffices for an output that passes the check."""
        return len(self._witness)

    def __call__(self, automaton: TokenAutomaton, state: int, ids: list[int], remaining: int) -> Verdict:
        """The verdict on whether a block may be committed; see the protocol."""
        if self._retreats:
            return self._commit(automaton, state, ids, self._witness[len(ids) :])
        while True:
            at = automaton.run(ids, state)
            more = automaton.completion(at, remaining) or []
            whole = [*self._written, *ids, *more]
            detour = self._checker.fault(whole)
            if detour is None:
                return self._commit(automaton, state, ids, more)
            if detour.at >= sum(map(len, self._checker.spelled([*self._written, *ids]))):
                found = self._narrowing.witness([*self._written, *ids], remaining)
                return self._retreat(ids) if found is None else self._commit(automaton, state, ids, found)
            self._tries[detour.at] += 1
            if self._tries[detour.at] > PATIENCE:
                return self._retreat(ids)
            self._narrowing = self._narrowing.with_detour(whole, detour)
            kept = ids[: max(self._narrowing.active[-1].start - len(self._written), 0)]
            automaton, state = self._narrowing.after(self._written, kept)
            if automaton.suffices(automaton.run(ids, state), remaining):
                continue
            example = automaton.completion(state, len(ids) + remaining)
            if example is None:
                return self._retreat(ids)
            return Verdict(automaton, state, kept, self._filled(automaton, state, example, len(ids)))

    def _commit(self, automaton: TokenAutomaton, state: int, ids: list[int], witness: list[int]) -> Verdict:
        self._written += ids
        self._witness, self._retreats = witness, False
        self._tries.clear()
        return Verdict(automaton, state)

    def _retreat(self, ids: list[int]) -> Verdict:
        """Replace the drawn block by the witness's."""
        self._retreats = True
        self._narrowing = Narrowing(self._checker, self._narrowing.automaton)
        automaton, state = self._narrowing.after(self._written)
        block = self._filled(automaton, state, self._witness, len(ids))
        return Verdict(automaton, state, block, block)

    def _filled(self, automaton: TokenAutomaton, state: int, ids: list[int], length: int) -> list[int]:
        """The first `length` tokens of a complete output followed by padding."""
        return [*ids, *padding(automaton, automaton.run(ids, state), length - len(ids))][:length]


def _after(ids: Sequence[int], token: int, default: int = 0) -> int:
    """The number of tokens up to and including the first `token`; `default` if it does not occur."""
    return ids.index(token) + 1 if token in ids else default
