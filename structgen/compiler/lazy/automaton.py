"""The token automaton of a pushdown, computed edge by edge on demand; the engine calls it a LazyDfa."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown.automaton import Pushdown, pushdown
from structgen.compiler.framing import answer_tokens, framed
from structgen.compiler.lazy.configurations import NOWHERE, Configurations
from structgen.compiler.lazy.distances import Distances
from structgen.compiler.lazy.effects import Effect, Effects
from structgen.compiler.lazy.endings import closing_symbols, stays
from structgen.compiler.lazy.outlook import Outlooks
from structgen.errors import Unsatisfiable
from structgen.grammar import Grammar
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.arrays import NEVER
from structgen_engine.automata.lazy import Closing, OutArcs
from structgen_engine.decoding.automaton import BySearch

if TYPE_CHECKING:
    from structgen_engine.automata.dfa import Alphabet

ARC = 1000  # approximate bytes that the arcs of one configuration take


class LazyAutomaton(BySearch):
    """A token automaton whose states are the configurations of a pushdown, computed as they are needed.

    It only ever grows (`Renewal` decides when to begin another) and threads may share it: each call takes the `lock`.
    """

    def __init__(self, automaton: Pushdown, vocabulary: Vocabulary) -> None:
        self.lock = RLock()
        self.pushdown, self.vocabulary = automaton, vocabulary
        self.configurations = Configurations(automaton)
        self._effects = Effects(automaton, vocabulary, self.configurations)
        self.classes = self._effects.classes
        self._distances = Distances(
            automaton, vocabulary, self._effects.vocabulary_tails, self.configurations
        )
        self.outlook = Outlooks(automaton, vocabulary, self.configurations, self._effects)
        self._arcs: dict[tuple[int, int], OutArcs] = {}  # of tails (0: the vocabulary) and a configuration
        self._special = {
            vocabulary.special[name]: automaton.byte_classes + k
            for k, name in enumerate(automaton.tokens)
            if name in vocabulary.special
        }
        self.start = self.configurations.begin()

    @property
    def alphabet(self) -> Alphabet:
        """The classes of tokens met so far."""
        with self.lock:
            return self.classes.alphabet

    @property
    def sets(self) -> list[NDArray[np.int32]]:
        """The classes of every token set met so far."""
        return self.classes.members

    @property
    def distance_upper(self) -> NDArray[np.int64]:
        """[configurations] an upper bound on the tokens needed to finish."""
        with self.lock:
            return self._distances.upper()

    @property
    def distance_lower(self) -> NDArray[np.int64]:
        """[configurations] a lower bound on the tokens needed to finish."""
        with self.lock:
            return self._distances.lower()

    @property
    def nbytes(self) -> int:
        """The approximate memory of everything met so far."""
        return self.configurations.nbytes + self._effects.nbytes + ARC * len(self._arcs)

    @property
    def padded(self) -> bool:
        """Whether a token leads from every accepting configuration to an accepting one."""
        return stays(self.pushdown, self._distances.spelled)

    @property
    def closing(self) -> Closing | None:
        """The special tokens that complete an output and pad it; None if other tokens do so too."""
        with self.lock:
            return self._closing

    @cached_property
    def _closing(self) -> Closing | None:
        symbols = closing_symbols(self.pushdown)
        numbers = [] if symbols is None else [self._set_of_symbols(part) for part in symbols]
        return Closing(*numbers) if numbers and None not in numbers else None  # type: ignore[arg-type]

    def _set_of_symbols(self, symbols: NDArray[np.int64]) -> int | None:
        return self.token_set(
            np.array([token for token, symbol in self._special.items() if symbol in symbols], np.int64)
        )

    def token_set(self, tokens: NDArray[np.int64]) -> int | None:
        """The number of the set of the given tokens that may occur; None if none of them may."""
        with self.lock:
            tokens = tokens[self.classes.allowed(tokens)]
            if not len(tokens):
                return None
            return self.classes.sets(tokens.astype(np.int32), np.array([0, len(tokens)]))[0]

    def token_of(self, label: int) -> int:
        """The first token of a class."""
        return self.classes.token_of(label)

    def union(self, labels: NDArray[np.int32]) -> int:
        """The number of the set of tokens of these classes."""
        return self.classes.union(labels)

    def is_accepting(self, configuration: int) -> bool:
        """Whether the answer may end here."""
        return self.configurations.accepting(configuration)

    def arcs(self, configuration: int) -> OutArcs:
        """Disjoint sets of tokens and where each leads."""
        with self.lock:
            return self._arcs.get((0, configuration)) or self._after(0, configuration)

    def run(self, tokens: Iterable[int], configuration: int | None = None) -> int:
        """The configuration after the tokens, with one step for each symbol; NOWHERE if they are refused."""
        at = self.start if configuration is None else configuration
        spelled = [self._spelling(int(token)) for token in tokens]
        if not all(spelled):
            return NOWHERE
        with self.lock:
            for symbol in (symbol for part in spelled for symbol in part):
                at = self.configurations.read(at, symbol)
        return at

    def accepts_ids(self, tokens: Iterable[int]) -> bool:
        """Whether the tokens are a whole answer, with or without the end token and padding."""
        configuration, end = self.run(tokens), self.vocabulary.end
        if self.is_accepting(configuration):
            return True
        return end is not None and self.is_accepting(self.run([self.vocabulary.special[end]], configuration))

    def _spelling(self, token: int) -> list[int]:
        """The symbols of a token; empty for a token that cannot occur."""
        if token in self._special:
            return [self._special[token]]
        spelled = self.vocabulary.spelling(token) if 0 <= token < self.vocabulary.size else b""
        return self.pushdown.byte_class[list(spelled)].tolist()

    @classmethod
    def of(cls, grammar: Grammar, vocabulary: Vocabulary) -> LazyAutomaton:
        """The automaton of answers: a text of the grammar, then end token and padding if the vocabulary has them.

        Raises what `pushdown` raises, and Unsatisfiable if the vocabulary cannot spell any text.
        """
        names = answer_tokens(grammar, vocabulary)
        lazy = cls(pushdown(framed(grammar, vocabulary), names, vocabulary.null), vocabulary)
        if int(lazy.distance_upper[lazy.start]) == NEVER:
            raise Unsatisfiable("the vocabulary cannot spell any text that satisfies this source")
        return lazy

    def _after(self, tails: int, configuration: int) -> OutArcs:
        """The arcs of the tails: through the states on top and, for tails that leave one, the states below it."""
        key = tails, configuration
        waiting = [key]  # no recursion: a stack may be deeper than Python's recursion limit
        while waiting:
            tails, at = here = waiting[-1]
            tops = [
                (below, self._effects.effect(tails, state))
                for state, below in self.configurations.pairs[at]
                if state
            ]
            unread = [
                (left, below)
                for below, effect in tops
                for left in effect.exits
                if (left, below) not in self._arcs
            ]
            if not unread:
                self._arcs[here] = self._disjoint(tops)
                waiting.pop()
            waiting += unread
        return self._arcs[key]

    def _disjoint(self, tops: list[tuple[int, Effect]]) -> OutArcs:
        """Disjoint arcs of the effects on top of what lies below; a token with several targets leads to their union."""
        graft, parts = self.configurations.graft, list[tuple[int, int]]()
        for below, effect in tops:
            parts += [(tokens, graft(target, below)) for tokens, target in effect.arcs]
            for left in effect.exits:
                parts += zip(*(column.tolist() for column in self._arcs[left, below]), strict=True)
        if not parts:
            return OutArcs(np.empty(0, np.int64), np.empty(0, np.int64))
        sets, targets = np.array(parts, np.int64).T
        if len(tops) == 1 and not tops[0][1].exits:
            return OutArcs(sets, targets)
        return self._grouped(sets, targets)

    def _grouped(self, sets: NDArray[np.int64], targets: NDArray[np.int64]) -> OutArcs:
        """Disjoint arcs: a class that several of the sets hold leads to the union of their targets."""
        parts = [self.sets[number] for number in sets.tolist()]
        labels = np.concatenate(parts)
        held = np.bincount(labels)
        if held.max() == 1:
            return OutArcs(sets, targets)
        after, union = np.repeat(targets, [len(part) for part in parts]), self.configurations.union
        shared = held[labels] > 1
        reached: dict[int, int] = {}
        for label, target in zip(labels[shared].tolist(), after[shared].tolist(), strict=True):
            reached[label] = union(reached[label], target) if label in reached else target
        labels = np.append(labels[~shared], np.array(list(reached), np.int32))
        after = np.append(after[~shared], np.array(list(reached.values()), np.int64))
        order = np.argsort(after, kind="stable")
        after, labels = after[order], labels[order]
        starts = np.flatnonzero(np.diff(after, prepend=-1))
        numbers = [self.classes.union(part) for part in np.split(labels, starts[1:])]
        return OutArcs(np.array(numbers, np.int64), after[starts])
