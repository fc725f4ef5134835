"""The token automaton of a pushdown, edge by edge as it is asked for: what the engine calls a growing automaton."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown import Pushdown, pushdown
from structgen.errors import InvalidSource, Unsatisfiable
from structgen.framing import answer_tokens, framed
from structgen.grammar import Grammar
from structgen.lazy.configurations import BOTTOM, NOWHERE, Configurations, symbols_of
from structgen.lazy.distances import Distances
from structgen.lazy.effects import Effects
from structgen.vocabulary import Vocabulary
from structgen_engine.automaton import NEVER, Alphabet
from structgen_engine.growing import Arcs, Closing

Arc = tuple[int, int]  # the number of a token set, a configuration


class LazyAutomaton:
    """Configurations of a pushdown and what the tokens of a vocabulary do to them. Only ever grows."""

    def __init__(self, automaton: Pushdown, vocabulary: Vocabulary) -> None:
        self.pushdown, self.vocabulary = automaton, vocabulary
        self.configurations = Configurations(automaton)
        self._effects = Effects(automaton, vocabulary, self.configurations)
        self.classes = self._effects.classes
        self._distances = Distances(
            automaton, vocabulary, self._effects.vocabulary_tails, self.configurations
        )
        self._read: dict[tuple[int, int], list[Arc]] = {}
        self._arcs: dict[int, Arcs] = {}
        self._special = {
            vocabulary.special[name]: automaton.byte_classes + k
            for k, name in enumerate(automaton.tokens)
            if name in vocabulary.special
        }
        self.start = self.configurations.begin()

    @property
    def alphabet(self) -> Alphabet:
        """The classes of tokens met so far."""
        return self.classes.alphabet

    @property
    def sets(self) -> list[NDArray[np.int32]]:
        """The classes of every token set met so far."""
        return self.classes.members

    @property
    def most(self) -> NDArray[np.int64]:
        """[configurations] tokens that suffice to finish."""
        return self._distances.most()

    @property
    def least(self) -> NDArray[np.int64]:
        """[configurations] tokens without which nothing finishes."""
        return self._distances.least()

    @property
    def padded(self) -> bool:
        """Whether every accepting configuration can be followed by a token to an accepting one."""
        after = self.pushdown.delta[self._ends][:, self._distances.spelled]
        return bool(self.pushdown.accepting[after].any(1).all())

    @property
    def closing(self) -> Closing | None:
        """The special tokens that complete an output and pad it; None unless only those do."""
        return self._closing

    @cached_property
    def _closing(self) -> Closing | None:
        automaton, ends = self.pushdown, np.zeros(self.pushdown.states, np.bool_)
        ends[self._ends] = True
        into = ends[automaton.delta]  # [S, symbols]
        complete = into[~ends].any(0)
        onward = (automaton.delta[ends] != 0).any(0)
        called = ends[automaton.back].any() or np.diff(automaton.call_at)[ends].any()
        textual = (complete | onward)[: automaton.byte_classes].any()
        if called or textual or ends[automaton.start[0]] or not into[ends][automaton.delta[ends] != 0].all():
            return None
        numbers = [self._set_of_symbols(np.flatnonzero(symbols)) for symbols in (complete, onward)]
        return None if None in numbers else Closing(*numbers)  # type: ignore[arg-type]

    def _set_of_symbols(self, symbols: NDArray[np.int64]) -> int | None:
        tokens = [token for token, symbol in self._special.items() if symbol in symbols]
        if not tokens:
            return None
        return self.classes.sets(np.array(tokens, np.int32), np.array([0, len(tokens)]))[0]

    @cached_property
    def _ends(self) -> list[int]:
        """The states that accept with nothing below them: the root's."""
        automaton, found = self.pushdown, {int(self.pushdown.start[0])}
        waiting = list(found)
        while waiting:
            state = waiting.pop()
            backs = (back for _, back in automaton.calls(state))
            onward = {*automaton.delta[state].tolist(), *backs} - {0} - found
            found |= onward
            waiting += onward
        return [state for state in found if automaton.accepting[state]]

    def accepting(self, configuration: int) -> bool:
        """Whether the answer may end here."""
        return self.configurations.accepting(configuration)

    def arcs(self, configuration: int) -> Arcs:
        """Disjoint sets of tokens and where each leads."""
        if configuration not in self._arcs:
            self._arcs[configuration] = self._find(configuration)
        return self._arcs[configuration]

    def run(self, tokens: Iterable[int], configuration: int | None = None) -> int:
        """The configuration after the tokens, one step for each symbol; NOWHERE if they are refused."""
        at = self.start if configuration is None else configuration
        for token in tokens:
            symbols = self._spelling(int(token))
            if not symbols:
                return NOWHERE
            for symbol in symbols:
                at = self.configurations.read(at, symbol)
        return at

    def accepts(self, text: bytes) -> bool:
        """Whether the text is a whole one, nothing more and nothing less."""
        at = self.start
        for symbol in symbols_of(self.pushdown, text).tolist():
            at = self.configurations.read(at, symbol)
        return self._may_end(at)

    def accepts_ids(self, tokens: Iterable[int]) -> bool:
        """Whether the tokens are a whole answer, with or without the end token and padding."""
        return self._may_end(self.run(tokens))

    def _may_end(self, configuration: int) -> bool:
        end = self.vocabulary.end
        if self.accepting(configuration):
            return True
        return end is not None and self.accepting(self.run([self.vocabulary.special[end]], configuration))

    def dump(self, configuration: int) -> list[list[int]]:
        """The configuration as lists of states, each from the top: JSON that another process can `restore`."""
        return [self.configurations.states(stack) for stack in self.configurations.members[configuration]]

    def restore(self, stacks: Iterable[Iterable[int]]) -> int:
        """The configuration that `dump` wrote for an equal pushdown."""
        configurations, members = self.configurations, []
        for states in stacks:
            below = BOTTOM
            for state in reversed(list(states)):
                if not 0 < state < self.pushdown.states:
                    raise InvalidSource(
                        f"a stack names the state {state}, of {self.pushdown.states}: it is of another automaton"
                    )
                below = configurations.push(state, below)
            members.append(below)
        return configurations.configuration(members)

    def _spelling(self, token: int) -> list[int]:
        """The symbols of a token; none for a token that cannot occur."""
        if token in self._special:
            return [self._special[token]]
        spelled = self.vocabulary.spelling(token) if 0 <= token < self.vocabulary.size else b""
        return self.pushdown.byte_class[list(spelled)].tolist()

    @classmethod
    def of(cls, grammar: Grammar, vocabulary: Vocabulary) -> LazyAutomaton:
        """The answers whose text is of the grammar: text, end token, padding; as far as the vocabulary has those.

        Raises what `pushdown` raises, and Unsatisfiable where the vocabulary cannot spell any text.
        """
        names = answer_tokens(grammar, vocabulary)
        lazy = cls(pushdown(framed(grammar, vocabulary), names, vocabulary.null), vocabulary)
        if int(lazy.most[lazy.start]) == NEVER:
            raise Unsatisfiable("the vocabulary cannot spell any text that satisfies this source")
        return lazy

    def _find(self, configuration: int) -> Arcs:
        arcs: list[Arc] = []
        for stack in self.configurations.members[configuration]:
            if stack != BOTTOM:
                arcs += self._after(0, stack)
        return self._disjoint(arcs)

    def _after(self, tails: int, stack: int) -> list[Arc]:
        """Where the tails lead from a stack: by its top state, and by the rest for those that leave that state."""
        key = tails, stack
        if key not in self._read:
            configurations = self.configurations
            below = configurations.below[stack]
            effect = self._effects.effect(tails, configurations.top[stack])
            arcs = [(tokens, self._graft(target, below)) for tokens, target in effect.arcs]
            if below != BOTTOM:
                for left in effect.exits:
                    arcs += self._after(left, below)
            self._read[key] = arcs
        return self._read[key]

    def _graft(self, configuration: int, below: int) -> int:
        """A configuration on an unknown rest, with the rest known."""
        configurations = self.configurations
        members = configurations.members[configuration]
        return configurations.configuration(configurations.graft(stack, below) for stack in members)

    def _disjoint(self, arcs: list[Arc]) -> Arcs:
        """Arcs in which no token occurs twice: where several ways are open at once, the target is all of them."""
        if not arcs:
            return Arcs(np.empty(0, np.int64), np.empty(0, np.int64))
        sets, targets = (np.array(column, np.int64) for column in zip(*arcs, strict=True))
        parts = [self.sets[number] for number in sets.tolist()]
        labels = np.concatenate(parts)
        unique = np.unique(labels)
        if len(unique) == len(labels):
            return Arcs(sets, targets)
        reached: dict[int, set[int]] = {label: set() for label in unique.tolist()}
        for part, target in zip(parts, targets.tolist(), strict=True):
            for label in part.tolist():
                reached[label].update(self.configurations.members[target])
        groups: dict[int, list[int]] = {}
        for label, stacks in reached.items():
            groups.setdefault(self.configurations.configuration(stacks), []).append(label)
        numbers = [self.classes.union(np.array(labels, np.int32)) for labels in groups.values()]
        return Arcs(np.array(numbers, np.int64), np.array(list(groups), np.int64))
