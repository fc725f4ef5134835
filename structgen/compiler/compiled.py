"""The two forms of a compiled grammar, and both as arrays on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.table import Table

if TYPE_CHECKING:
    from structgen.automata.pushdown.automaton import Pushdown

Regime = Literal["auto", "expanded", "lazy"]
Arrays = Mapping[str, NDArray[Any]]


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


@dataclass(frozen=True, eq=False)
class Components:
    """A grammar compiled into automata that call each other.

    answer: the automaton of whole answers, over bytes and special tokens
    """

    answer: Pushdown


def to_arrays(compiled: Expanded | Components) -> Arrays:
    """The arrays from which `from_arrays` restores an equal object."""
    if isinstance(compiled, Components):
        return _pushdown_arrays("answer", compiled.answer)
    depth = -1 if compiled.depth is None else compiled.depth
    return {
        "expanded": np.array([depth, compiled.components]),
        **_table_arrays("answer", compiled.answer),
        **_table_arrays("text", compiled.text),
    }


def from_arrays(arrays: Arrays) -> Expanded | Components:
    """The object that `to_arrays` turned into these arrays."""
    if "expanded" not in arrays:
        return Components(_pushdown(arrays, "answer"))
    depth, components = arrays["expanded"].tolist()
    return Expanded(
        _table(arrays, "answer"), _table(arrays, "text"), None if depth < 0 else depth, int(components)
    )


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
