"""Reviewing what is written against a grammar's check, block by block, before it is committed.

A check says what no automaton can: that an element repeats an earlier one. A block that fails keeps everything before
the repetition; the automaton is narrowed so that what was repeated cannot follow, and the rest is drawn again, from the
exact distribution over what is left. Each time at least one more element is well, so this ends.

It never gets stuck either, for behind each committed block there is a *witness*: tokens that complete the output, pass
the check and fit the budget. Where no way on is found from what has been drawn, the block is the witness's. A witness
is found from the shortest completion, which is narrowed in the same way as often as it fails.
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
from structgen_engine.decoding.automaton import Automaton
from structgen_engine.decoding.row import Verdict

PATIENCE = 3  # times that the same bytes are gone on from, beyond which the witness is taken
MOST_TRIES = 300  # narrowings of one completion


@dataclass(frozen=True, eq=False)
class Checker:
    """A grammar's check, over the tokens of the vocabulary that the grammar was compiled for."""

    check: Check
    compiled: Compiled

    def fault(self, ids: Sequence[int]) -> Detour | None:
        """How a complete output has to go on instead; None where it passes."""
        return self.check(b"".join(self.spelled(ids)).decode())

    def spelled(self, ids: Sequence[int]) -> list[bytes]:
        """The bytes of the text that each token spells: none in a thought, nor from the end token on."""
        vocabulary = self.compiled.vocabulary
        pieces = [vocabulary.spelling(token) for token in ids]
        preface, end = vocabulary.preface, vocabulary.end
        begun = 0 if preface is None else _after(ids, vocabulary.special[preface.close])
        ended = len(ids) if end is None else _after(ids, vocabulary.special[end], len(ids))
        return [piece if begun <= at < ended else b"" for at, piece in enumerate(pieces)]

    def filter(self, ids: Sequence[int], detour: Detour) -> tuple[int, Filter]:
        """How many tokens are within the detour's bytes, and what may follow them."""
        pieces = self.spelled(ids)
        kept, length = 0, 0
        while kept < len(ids) and length + len(pieces[kept]) <= detour.at:
            length += len(pieces[kept])
            kept += 1
        more = b"".join(pieces[kept:])[: detour.at - length]
        return kept, filtered(more, detour.never, self.compiled.vocabulary)


@dataclass(frozen=True, eq=False)
class Active:
    """A filter at work: for the part of the output at `place`, from the token `start` on."""

    place: tuple[str | int, ...]
    start: int
    filter: Filter


@dataclass(frozen=True, eq=False)
class Narrowing:
    """A constraint's automaton with the filters that what has been written asks for."""

    checker: Checker
    automaton: Automaton
    active: tuple[Active, ...] = ()

    def with_detour(self, ids: Sequence[int], detour: Detour) -> Narrowing:
        """With the filter of one more detour, which takes the place of those that stand beside or inside it."""
        start, made = self.checker.filter(ids, detour)
        place = detour.place
        around = (a for a in self.active if len(a.place) < len(place) and a.place == place[: len(a.place)])
        return Narrowing(self.checker, self.automaton, (*around, Active(place, start, made)))

    def after(self, ids: Sequence[int], kept: Sequence[int] = ()) -> tuple[Automaton, int]:
        """The automaton, and its state, behind the ids, of what begins with the tokens `kept`."""
        automaton, state = self.automaton, self.automaton.run(list(ids))
        written = [*ids, *kept]
        for one in self.active:
            begun = one.filter.run(written[one.start :])
            automaton = self.checker.compiled.narrowed(automaton, state, kept, one.filter, begun)
            state = automaton.start
        return automaton, state

    def witness(self, ids: Sequence[int], most: int) -> list[int] | None:
        """A short completion of what has been written, at most so many tokens, that passes; None if none is found."""
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
    """The review of one output (see `structgen_engine.decoding.row.Review`)."""

    def __init__(self, checker: Checker, automaton: Automaton, witness: Sequence[int]) -> None:
        self._checker, self._narrowing = checker, Narrowing(checker, automaton)
        self._written: list[int] = []
        self._witness = list(witness)
        self._tries = Counter[int]()
        self._retreats = False

    @property
    def least(self) -> int:
        """Tokens that suffice for an output that passes."""
        return len(self._witness)

    def __call__(self, automaton: Automaton, state: int, ids: list[int], remaining: int) -> Verdict:
        """Whether a block may be committed; see the protocol."""
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

    def _commit(self, automaton: Automaton, state: int, ids: list[int], witness: list[int]) -> Verdict:
        self._written += ids
        self._witness, self._retreats = witness, False
        self._tries.clear()
        return Verdict(automaton, state)

    def _retreat(self, ids: list[int]) -> Verdict:
        """Take the witness's block instead."""
        self._retreats = True
        self._narrowing = Narrowing(self._checker, self._narrowing.automaton)
        automaton, state = self._narrowing.after(self._written)
        block = self._filled(automaton, state, self._witness, len(ids))
        return Verdict(automaton, state, block, block)

    def _filled(self, automaton: Automaton, state: int, ids: list[int], length: int) -> list[int]:
        """The first tokens of a complete output, with padding behind it."""
        return [*ids, *padding(automaton, automaton.run(ids, state), length - len(ids))][:length]


def _after(ids: Sequence[int], token: int, default: int = 0) -> int:
    """The number of tokens up to the first such one."""
    return ids.index(token) + 1 if token in ids else default
