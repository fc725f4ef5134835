"""The two forms of a compiled grammar, and both as arrays on disk.

A grammar becomes one table (`Expanded`) or automata that call each other (`Components`). A constraint asks either the
same questions, which `Compiled` lists, and never has to know which of the two it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.table import Table
from structgen.errors import Unsupported
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.arrays import NEVER, REFUSED

if TYPE_CHECKING:
    from structgen.automata.pushdown.automaton import Pushdown
    from structgen.compiler.filters import Filter
    from structgen.compiler.lazy import LazyAutomaton, Renewal
    from structgen.compiler.narrowing import Narrowed
    from structgen_engine.automata.dfa import Dfa
    from structgen_engine.automata.lazy import LazyDfa
    from structgen_engine.decoding.automaton import TokenAutomaton

Regime = Literal["auto", "expanded", "lazy"]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Size:
    """The size of a compiled grammar, in the words of `Info`."""

    regime: Literal["expanded", "lazy"]
    depth: int | None
    components: int
    states: int
    classes: int
    edges: int
    byte_states: int


class Compiled(Protocol):
    """A grammar compiled for a vocabulary, as a constraint sees it."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens that it was compiled for."""
        ...

    @property
    def regime(self) -> Literal["expanded", "lazy"]:
        """The name of the form."""
        ...

    @property
    def states(self) -> int:
        """The number of states of the automaton of answers."""
        ...

    @property
    def depth(self) -> int | None:
        """How often a recursive rule may be open in itself; None if the language is whole."""
        ...

    @property
    def automaton(self) -> TokenAutomaton:
        """The automaton of whole answers over token ids, for one request."""
        ...

    @property
    def dfa(self) -> Dfa:
        """The same as one table; Unsupported if there is none."""
        ...

    @property
    def has_answer(self) -> bool:
        """Whether some tokens spell an answer, as far as that is known without a search."""
        ...

    @property
    def min_tokens(self) -> int:
        """The least number of tokens of an answer, as far as a search shows it."""
        ...

    @property
    def max_tokens(self) -> int | None:
        """The greatest number of tokens of an answer, padding aside; None if there is none or it is not known."""
        ...

    def shortest(self) -> list[int] | None:
        """The tokens of an answer, the shortest that a search finds; None if there is none."""
        ...

    @property
    def size(self) -> Size:
        """States, classes and edges."""
        ...

    def accepts(self, text: bytes) -> bool:
        """Whether the text itself is in the language that was compiled."""
        ...

    def accepts_ids(self, ids: Sequence[int]) -> bool:
        """Whether the ids, all of the vocabulary, are a whole answer; the end token and padding may be left out."""
        ...

    def uses(self, token: int) -> bool:
        """Whether the token may stand in an answer."""
        ...

    def narrowed(
        self, automaton: Any, state: int, kept: Sequence[int], filter_: Filter, begun: int
    ) -> TokenAutomaton:
        """The automaton (its own, or one narrowed before) without what a filter refuses; see `narrowing`."""
        ...

    def arrays(self) -> Arrays:
        """The arrays from which `from_arrays` makes an equal object."""
        ...


@dataclass(frozen=True, eq=False)
class Expanded:
    """A grammar compiled into tables.

    answer: the automaton of whole answers, over token ids; text: the automaton of the text alone, over bytes
    depth: how many times a recursive rule may nest in itself; None if the tables hold the whole language
    components: number of component automata before the grammar was expanded
    """

    answer: Table
    text: Table
    depth: int | None
    components: int
    vocabulary: Vocabulary

    @property
    def regime(self) -> Literal["expanded", "lazy"]:
        """A table holds states expanded from all components."""
        return "expanded"

    @property
    def states(self) -> int:
        """The states of the table of answers."""
        return self.answer.states

    @cached_property
    def _dfa(self) -> Dfa:
        return self.answer.dfa()

    @property
    def automaton(self) -> Dfa:
        """The table of whole answers."""
        return self._dfa

    @property
    def dfa(self) -> Dfa:
        """The table of whole answers."""
        return self._dfa

    @property
    def has_answer(self) -> bool:
        """True: a table keeps only states that lead to an answer, and an empty one is refused while it is compiled."""
        return True

    @property
    def min_tokens(self) -> int:
        """The length of the shortest answer."""
        return self.answer.shortest

    @property
    def max_tokens(self) -> int | None:
        """The length of the longest answer; None if answers have any length."""
        pad = self.vocabulary.pad
        return self.answer.longest(None if pad is None else self.vocabulary.special[pad])

    def shortest(self) -> list[int] | None:
        """The first of the shortest answers."""
        return self.answer.shortest_string()

    @property
    def size(self) -> Size:
        """States and edges of the table of answers; byte_states: of the table of texts."""
        answer = self.answer
        return Size(
            "expanded",
            self.depth,
            self.components,
            answer.states,
            answer.classes,
            len(answer.source),
            self.text.states,
        )

    def accepts(self, text: bytes) -> bool:
        """Whether the table of texts accepts the bytes."""
        return self.text.accepts(text)

    def accepts_ids(self, ids: Sequence[int]) -> bool:
        """Whether the table of answers accepts the ids, with or without one end token more."""
        end = self.vocabulary.end
        ended = [] if end is None else [[*ids, self.vocabulary.special[end]]]
        return any(self.answer.accepts(answer) for answer in [ids, *ended])

    def uses(self, token: int) -> bool:
        """Whether some edge carries the token."""
        return bool(self.answer.class_of[token] != REFUSED)

    def narrowed(self, automaton: Dfa, state: int, kept: Sequence[int], filter_: Filter, begun: int) -> Dfa:
        """A table again."""
        from structgen.compiler.narrowing import narrowed_table

        return narrowed_table(automaton, state, kept, filter_, begun)

    def arrays(self) -> Arrays:
        """Both tables, and a pair of numbers."""
        depth = -1 if self.depth is None else self.depth
        return {
            "expanded": np.array([depth, self.components]),
            **_table_arrays("answer", self.answer),
            **_table_arrays("text", self.text),
        }


@dataclass(frozen=True, eq=False)
class Components:
    """A grammar compiled into automata that call each other.

    answer: the automaton of whole answers, over bytes and special tokens
    """

    answer: Pushdown
    vocabulary: Vocabulary

    @property
    def regime(self) -> Literal["expanded", "lazy"]:
        """Configurations of the components are met as they are needed."""
        return "lazy"

    @property
    def states(self) -> int:
        """The states of all components."""
        return self.answer.states

    @property
    def depth(self) -> None:
        """None: recursion has no limit."""
        return None

    @cached_property
    def _renewal(self) -> Renewal:
        from structgen.compiler.lazy import Renewal

        return Renewal(self.answer, self.vocabulary)

    @property
    def automaton(self) -> LazyAutomaton:
        """The automaton that grows as it is used, or a new one when it has become too large."""
        return self._renewal.current()

    @property
    def dfa(self) -> Dfa:
        """Raises Unsupported: there is no table."""
        raise Unsupported(
            "the source is recursive or too large for the one table that this needs",
            remedy='compile it with regime="expanded", which limits the depth of recursion',
        )

    @property
    def has_answer(self) -> bool:
        """Whether the distances of the components add up to an answer."""
        automaton = self.automaton
        return automaton.enough(automaton.start) < NEVER

    @property
    def min_tokens(self) -> int:
        """The length of the shortest answer that a bounded search finds."""
        return self.automaton.fewest()[0]

    @property
    def max_tokens(self) -> None:
        """None: it is not known without meeting all configurations."""
        return None

    def shortest(self) -> list[int] | None:
        """The shortest answer that a bounded search finds."""
        automaton = self.automaton
        return automaton.completion(automaton.start)

    @property
    def size(self) -> Size:
        """States and edges of the components; the classes met so far."""
        answer, classes = self.answer, self.automaton.classes.count
        return Size("lazy", None, answer.components, answer.states, classes, answer.edges, answer.states)

    def accepts(self, text: bytes) -> bool:
        """Whether the components accept an answer with this text."""
        from structgen.automata.pushdown.automaton import accepts
        from structgen.compiler.framing import enclosed

        return accepts(self.answer, enclosed(text, self.vocabulary, self.answer.tokens))

    def accepts_ids(self, ids: Sequence[int]) -> bool:
        """Whether the tokens lead to an accepting configuration."""
        return self.automaton.accepts_ids(ids)

    def uses(self, token: int) -> bool:
        """Whether the token spells text, or is one of the special tokens of an answer."""
        named = {self.vocabulary.special[name] for name in self.answer.tokens}
        return token in named or bool(self.vocabulary.spelling(token))

    def narrowed(
        self, automaton: LazyDfa, state: int, kept: Sequence[int], filter_: Filter, begun: int
    ) -> Narrowed:
        """An automaton that grows again."""
        from structgen.compiler.narrowing import Narrowed

        return Narrowed(automaton, state, kept, filter_, begun)

    def arrays(self) -> Arrays:
        """The arrays of the pushdown."""
        return _pushdown_arrays("answer", self.answer)


def from_arrays(arrays: Arrays, vocabulary: Vocabulary) -> Compiled:
    """The compiled form whose `arrays` these are."""
    if "expanded" not in arrays:
        return Components(_pushdown(arrays, "answer"), vocabulary)
    depth, components = arrays["expanded"].tolist()
    answer, text = _table(arrays, "answer"), _table(arrays, "text")
    return Expanded(answer, text, None if depth < 0 else depth, int(components), vocabulary)


def complete(arrays: Arrays) -> bool:
    """Whether `from_arrays` finds all arrays that it reads."""
    from structgen.automata.finite.table import Table
    from structgen.automata.pushdown.automaton import Pushdown

    parts = {"answer": Table, "text": Table} if "expanded" in arrays else {"answer": Pushdown}
    return all(f"{name}_{item.name}" in arrays for name, kind in parts.items() for item in fields(kind))


def _pushdown_arrays(name: str, automaton: Pushdown) -> Arrays:
    return {f"{name}_{item.name}": np.asarray(getattr(automaton, item.name)) for item in fields(automaton)}


def _pushdown(arrays: Arrays, name: str) -> Pushdown:
    from structgen.automata.pushdown.automaton import Pushdown

    values: dict[str, Any] = {item.name: arrays[f"{name}_{item.name}"] for item in fields(Pushdown)}
    return Pushdown(**{**values, "tokens": tuple(values["tokens"].tolist())})


def _table_arrays(name: str, table: Table) -> Arrays:
    return {f"{name}_{item.name}": np.asarray(getattr(table, item.name)) for item in fields(table)}


def _table(arrays: Arrays, name: str) -> Table:
    values: dict[str, Any] = {item.name: arrays[f"{name}_{item.name}"] for item in fields(Table)}
    return Table(**{**values, "classes": int(values["classes"])})
