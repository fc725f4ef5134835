"""A source compiled for a vocabulary: the public `compile` and what it returns.

    constraint = sg.compile(Invoice, sg.Vocabulary.from_file("tokenizer.json"))

With no vocabulary the tokens are single bytes. With one that has an end token the automaton describes a whole answer:
the text, the end token, then padding; so `min_tokens` counts the end token too.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from structgen.cache import cached_arrays
from structgen.errors import InvalidVocabulary, Unsatisfiable, Unsupported
from structgen.framing import answer_tokens, framed, text_tokens
from structgen.grammar import Grammar
from structgen.sources import Source, Whitespace, as_source
from structgen.vocabulary import BYTES, Vocabulary
from structgen_engine.automaton import Alphabet, Dfa, Edges

T = TypeVar("T")


@dataclass(frozen=True)
class Info:
    """The size of a constraint and what compiling it took."""

    states: int
    classes: int
    edges: int
    min_tokens: int
    byte_states: int
    milliseconds: float
    cached: bool


@dataclass(frozen=True, eq=False)
class Constraint(Generic[T]):
    """A source compiled for a vocabulary.

    dfa: over token ids, whole answers; byte_dfa: over bytes, the text alone
    """

    source: Source[T]
    vocabulary: Vocabulary
    dfa: Dfa
    byte_dfa: Dfa
    milliseconds: float
    cached: bool = field(default=False)

    @property
    def min_tokens(self) -> int:
        """The least number of tokens that a complete answer takes, the end token included."""
        return int(self.dfa.distance[self.dfa.start])

    def accepts(self, text: str | bytes) -> bool:
        """Whether the text satisfies the source."""
        spelled = (
            text.encode(errors="surrogatepass") if isinstance(text, str) else text
        )  # half a pair is never accepted
        return self.byte_dfa.accepts(list(spelled))

    def accepts_ids(self, ids: Iterable[int]) -> bool:
        """Whether the ids are a whole answer, with or without the end token and padding."""
        ids = list(ids)
        if any(not 0 <= token_id < self.vocabulary.size for token_id in ids):
            return False
        state = self.dfa.run(ids)
        return bool(self.dfa.accepting[state]) or self._may_end(state)

    def _may_end(self, state: int) -> bool:
        end = self.vocabulary.end
        return end is not None and bool(
            self.dfa.accepting[self.dfa.run([self.vocabulary.special[end]], state)]
        )

    def parse(self, text: str) -> T:
        """The value that an accepted text stands for."""
        return self.source.parse(text)

    def info(self) -> Info:
        """States, classes, edges, the least number of tokens, and the time it took to compile."""
        return Info(
            states=self.dfa.states,
            classes=self.dfa.alphabet.size,
            edges=len(self.dfa.edges),
            min_tokens=self.min_tokens,
            byte_states=self.byte_dfa.states,
            milliseconds=self.milliseconds,
            cached=self.cached,
        )


def compile(
    source: Any, vocabulary: Vocabulary = BYTES, *, whitespace: Whitespace = "flexible"
) -> Constraint[Any]:
    """Compile what `source` describes into an automaton over the tokens of `vocabulary`.

    source: a Source, a pydantic class, any other type, a JSON Schema as a dict, or a list of strings to choose from
    whitespace: "flexible" admits white space between JSON tokens, "compact" none; a Source keeps its own

    Raises InvalidSource, Unsupported (naming keyword, pointer and remedy), Unsatisfiable or InvalidVocabulary.
    """
    begun = time.perf_counter()
    if not isinstance(vocabulary, Vocabulary):
        raise InvalidVocabulary(
            f"a vocabulary is needed, not {vocabulary!r:.80}; read one with Vocabulary.from_file(path)"
        )
    source = as_source(source, whitespace=whitespace)
    grammar = _lowered(source)
    made: list[tuple[Dfa, Dfa]] = []

    def make() -> Mapping[str, NDArray[Any]]:
        made.append(_compile(grammar, vocabulary))
        return _to_arrays(*made[0])

    arrays = cached_arrays("constraint", f"{grammar.fingerprint}-{vocabulary.fingerprint}", make)
    dfa, byte_dfa = made[0] if made else (_from_arrays(arrays, "token"), _from_arrays(arrays, "byte"))
    milliseconds = (time.perf_counter() - begun) * 1000
    return Constraint(source, vocabulary, dfa, byte_dfa, milliseconds, cached=not made)


def _lowered(source: Source[Any]) -> Grammar:
    try:
        return source.lower()
    except RecursionError:
        raise Unsupported("the source is nested too deeply to be compiled", remedy="flatten it") from None


def _compile(grammar: Grammar, vocabulary: Vocabulary) -> tuple[Dfa, Dfa]:
    """The token automaton of whole answers and the byte automaton of their text."""
    from structgen.automata import compile_bytes
    from structgen.lift import lift

    text = compile_bytes(grammar, text_tokens(grammar, vocabulary))
    if text.empty:
        raise Unsatisfiable("nothing satisfies this source: its parts contradict each other")
    names = answer_tokens(grammar, vocabulary)
    answer = compile_bytes(framed(grammar, vocabulary), names, vocabulary.null) if names else text
    dfa = lift(answer, vocabulary, names)
    if not dfa.accepting.any():
        raise Unsatisfiable("the vocabulary cannot spell any text that satisfies this source")
    return dfa, text.dfa()


def _to_arrays(dfa: Dfa, byte_dfa: Dfa) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for name, automaton in (("token", dfa), ("byte", byte_dfa)):
        edges = automaton.edges
        arrays[f"{name}_class_of"] = automaton.alphabet.class_of.numpy()
        arrays[f"{name}_accepting"] = automaton.accepting.numpy()
        arrays[f"{name}_edges"] = np.stack(
            [part.numpy() for part in (edges.source, edges.label, edges.target)]
        )
        arrays[f"{name}_size"] = np.array([automaton.alphabet.size, automaton.start])
    return arrays


def _from_arrays(arrays: Mapping[str, NDArray[Any]], name: str) -> Dfa:
    classes, start = arrays[f"{name}_size"].tolist()
    accepting = torch.from_numpy(arrays[f"{name}_accepting"])
    edges = Edges.of(*arrays[f"{name}_edges"], states=len(accepting))
    return Dfa.from_edges(
        Alphabet(torch.from_numpy(arrays[f"{name}_class_of"]), classes), edges, accepting, start
    )
