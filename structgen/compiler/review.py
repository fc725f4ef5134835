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

from structgen.compiler.padding import padding
from structgen.compiler.witness import Checker, Narrowing
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.row import Verdict

PATIENCE = 3  # redraws after the same bytes before the witness is taken


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
