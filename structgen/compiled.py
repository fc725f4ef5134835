"""What a grammar is compiled to, and the same as arrays on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from structgen_engine.automaton import Alphabet, Dfa, Edges

if TYPE_CHECKING:
    from structgen.automata.pushdown import Pushdown

Regime = Literal["auto", "expanded", "lazy"]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Expanded:
    """A grammar as tables.

    answer: over token ids, whole answers; text: over bytes, the text alone
    depth: how often a recursive rule may be open in itself, None where the language is whole
    components: of the grammar before it was expanded
    """

    answer: Dfa
    text: Dfa
    depth: int | None
    components: int


@dataclass(frozen=True, eq=False)
class Components:
    """A grammar as automata that call each other; answer: over bytes and special tokens, whole answers."""

    answer: Pushdown


def to_arrays(compiled: Expanded | Components) -> Arrays:
    """What `from_arrays` makes an equal object of."""
    if isinstance(compiled, Components):
        return _pushdown_arrays("answer", compiled.answer)
    depth = -1 if compiled.depth is None else compiled.depth
    return {
        "expanded": np.array([depth, compiled.components]),
        **_dfa_arrays("answer", compiled.answer),
        **_dfa_arrays("text", compiled.text),
    }


def from_arrays(arrays: Arrays) -> Expanded | Components:
    """The object that `to_arrays` was given."""
    if "expanded" not in arrays:
        return Components(_pushdown(arrays, "answer"))
    depth, components = arrays["expanded"].tolist()
    return Expanded(
        _dfa(arrays, "answer"), _dfa(arrays, "text"), None if depth < 0 else depth, int(components)
    )


def _pushdown_arrays(name: str, automaton: Pushdown) -> Arrays:
    return {f"{name}_{item.name}": np.asarray(getattr(automaton, item.name)) for item in fields(automaton)}


def _pushdown(arrays: Arrays, name: str) -> Pushdown:
    from structgen.automata.pushdown import Pushdown

    values: dict[str, Any] = {item.name: arrays[f"{name}_{item.name}"] for item in fields(Pushdown)}
    return Pushdown(**{**values, "tokens": tuple(values["tokens"].tolist())})


def _dfa_arrays(name: str, automaton: Dfa) -> Arrays:
    edges = automaton.edges
    return {
        f"{name}_class_of": automaton.alphabet.class_of.numpy(),
        f"{name}_accepting": automaton.accepting.numpy(),
        f"{name}_edges": np.stack([part.numpy() for part in (edges.source, edges.label, edges.target)]),
        f"{name}_size": np.array([automaton.alphabet.size, automaton.start]),
    }


def _dfa(arrays: Arrays, name: str) -> Dfa:
    classes, start = arrays[f"{name}_size"].tolist()
    accepting = torch.from_numpy(arrays[f"{name}_accepting"])
    edges = Edges.of(*arrays[f"{name}_edges"], states=len(accepting))
    return Dfa.from_edges(
        Alphabet(torch.from_numpy(arrays[f"{name}_class_of"]), classes), edges, accepting, start
    )
