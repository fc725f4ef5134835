"""Rows being decoded: the task of each, the progress of its block, and which rows can share a pass or a step.

Axes: b rows, N block (of the model), n positions in play, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.options import DecodingOptions
from structgen_engine.decoding.row import Review, Row
from structgen_engine.decoding.sampling import Decision, Stability
from structgen_engine.lattice.lattice import OPEN


@dataclass(frozen=True, eq=False)
class Task:
    """A request for one output.

    generator: the only source of the row's randomness; pad_id: fills the canvas beyond the budget
    scaffold: the ids that are preferred, −1 open, from the first block on; those of a block are all kept if some
    accepted block within budget has them, otherwise all are dropped
    review: examines each block before it is committed; it may keep the good part, narrow the automaton and have the
    block refined again
    """

    prompt: Sequence[int]
    automaton: TokenAutomaton
    generator: torch.Generator
    max_tokens: int
    options: DecodingOptions = field(default_factory=DecodingOptions)
    pad_id: int = 0
    scaffold: Tensor | None = None
    review: Review | None = None


@dataclass(eq=False)
class Live:
    """A row being decoded: its task, and the state of the block that is being refined.

    canvas, settled: [n]; ids: [n], the accepted block of the last step; scaffold: [n], of the block
    step: steps taken on the block; base: log-probability before it; certified: whether no block is better than `ids`
    known: a table of beliefs [·, n, V] nats and the row's index in it
    """

    task: Task
    row: Row
    canvas: Tensor = field(default_factory=lambda: free(0))
    settled: Tensor = field(default_factory=lambda: free(0))
    scaffold: Tensor = field(default_factory=lambda: free(0))
    ids: Tensor = field(default_factory=lambda: free(0))
    step: int = 0
    stability: Stability = field(default_factory=Stability)
    done: bool = False
    base: float = 0.0
    certified: bool = False
    known: tuple[Tensor, int] | None = None

    @property
    def cold(self) -> bool:
        return self.task.options.cold(self.step)

    def padded(self, ids: Tensor, N: int) -> Tensor:
        """Positions in play [n] on a full canvas [N]."""
        return torch.nn.functional.pad(ids, (0, N - len(ids)), value=self.task.pad_id)

    def take(self, choice: Decision, k: int, fresh: Tensor, dropped: float) -> None:
        """Take over row k of a step's decision; the canvas holds fresh [n] where nothing is kept."""
        self.ids, self.settled, self.done = choice.ids[k], choice.settled[k], bool(choice.done[k])
        self.certified = bool(choice.certified[k])
        self.canvas = torch.where(choice.keep[k], self.ids, fresh)
        self.step += 1
        self.row.steps += 1
        self.row.log_prob += float(choice.gain[k])
        self.row.dropped = max(self.row.dropped, dropped)


@dataclass(frozen=True, eq=False)
class Cohort:
    """Rows that share one context of the denoiser, in the order of that context."""

    context: Any
    rows: list[Live]

    def only(self, marks: Sequence[bool]) -> Cohort:
        """The rows that are marked."""
        places = [k for k, mark in enumerate(marks) if mark]
        if not places or len(places) == len(self.rows):
            return Cohort(self.context, self.rows if places else [])
        return Cohort(self.context.select(torch.tensor(places)), [self.rows[k] for k in places])


def joined(cohorts: Sequence[Cohort]) -> list[Cohort]:
    """The cohorts, merged where their contexts can be joined."""
    found: list[Cohort] = []
    for cohort in cohorts:
        for k, other in enumerate(found):
            context = other.context.join(cohort.context)
            if context is not None:
                found[k] = Cohort(context, other.rows + cohort.rows)
                break
        else:
            found.append(cohort)
    return found


def alike(rows: Sequence[Live]) -> list[list[int]]:
    """The indices of rows, grouped by number of positions, options, and whether the step is cold."""
    groups: dict[tuple[int, int, bool], list[int]] = {}
    for k, live in enumerate(rows):
        groups.setdefault((len(live.canvas), id(live.task.options), live.cold), []).append(k)
    return list(groups.values())


def tell(rows: Sequence[Live], table: Tensor) -> None:
    """Store beliefs [b, n, V] for the rows' next forward pass."""
    for k, live in enumerate(rows):
        live.known = table, k


def heard(rows: Sequence[Live], N: int) -> Tensor:
    """Beliefs [b, N, V] nats of rows that all have some; beyond the budget they are certain of padding.

    A table takes [b, n, V] floats, so it is copied only if the rows have changed or need padding.
    """
    known = [live.known for live in rows if live.known is not None]
    table = known[0][0]
    if any(other is not table for other, _ in known):
        return torch.cat(
            [_lengthened(one[k : k + 1], [live], N) for (one, k), live in zip(known, rows, strict=True)]
        )
    places = [k for _, k in known]
    if places != list(range(len(table))):
        table = table[places]
    return _lengthened(table, rows, N)


def _lengthened(table: Tensor, rows: Sequence[Live], N: int) -> Tensor:
    """Beliefs [b, N, V], extended from the positions in play [b, n, V]."""
    beyond = N - table.shape[1]
    if not beyond:
        return table
    pads = torch.tensor([live.task.pad_id for live in rows])
    padding = torch.nn.functional.one_hot(pads, table.shape[2]).to(table).log_()[:, None]
    return torch.cat([table, padding.expand(-1, beyond, -1)], 1)


def free(n: int) -> Tensor:
    return torch.full((n,), OPEN, dtype=torch.int64)
