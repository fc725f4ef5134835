"""Where the automaton of each request stands that the engine works on, by the number of its slot in the batch.

A request comes with a number of tokens that it may write. Its canvases are as long as the model's, but what it writes
is cut behind that number, so of the last canvas only the positions before the cut are in play; behind them is padding.
A request whose constraint cannot be had, which the server refuses before the engine sees it, writes nothing at all:
an error here would end the engine, and with it everybody's requests.

Axes: N canvas, n positions in play, V vocabulary.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from structgen.compiler.constraint import Constraint
from structgen.errors import StructgenError
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.blocks import Block
from structgen_engine.decoding.row import BudgetTooSmall, Row, begin
from structgen_engine.lattice.beam import Pruning
from structgen_engine.lattice.lattice import EmptyLattice

UNTIMED = Pruning(seconds=float("inf"))  # a refusal inside a step would end the engine
log = logging.getLogger("vllm.structgen")


@dataclass(frozen=True, eq=False)
class Begun:
    """A row before its first canvas, and the id that fills what is behind the cut."""

    row: Row
    pad: int


class RequestState:
    """One request under a constraint.

    left: tokens it may write from the current canvas on; committing: whether the canvas is decided, and the engine is
    about to write it out
    """

    def __init__(self, pending: Future[Constraint[Any]], left: int, written: list[int]) -> None:
        """written: what was generated before, where the engine takes up a request again."""
        self.left, self.committing = left, False
        self._pending, self._written = pending, written
        self._begun: Begun | None = None
        self._nothing: list[int] | None = None  # end and pad: what is written where nothing can be
        self._decided: Tensor | None = None  # [n]

    def open(self, vocabulary: Vocabulary) -> bool:
        """Whether the request has an automaton; waits for it to be compiled where it is not yet.

        vocabulary: says how an answer ends that has no automaton
        """
        if self._begun is None and self._nothing is None:
            try:
                self._begun = self._begin(self._pending.result())
            except (StructgenError, BudgetTooSmall, EmptyLattice, ValueError) as error:
                log.error("a request is ended with no output: %s", error)
                self._nothing = _ending(vocabulary)
        return self._begun is not None

    def in_play(self, positions: int) -> int:
        """n of a canvas of so many positions."""
        return min(positions, self.left)

    def block(self, positions: int) -> Block:
        """What the canvas may be."""
        assert self._begun is not None
        return self._begun.row.block(positions)

    def decide(self, ids: Tensor | None, positions: int) -> Tensor:
        """The whole canvas [N] that is written out, with these accepted ids [n] (None: nothing) at its front."""
        self.committing, self._decided = True, None if ids is None else ids.cpu()
        return self.padded(ids, positions)

    def padded(self, ids: Tensor | None, positions: int) -> Tensor:
        """A canvas [N] with ids [n] at its front; without an automaton, one that ends at once."""
        if ids is None or self._begun is None:
            end, pad = self._nothing or [0, 0]
            return torch.tensor([end] + [pad] * (positions - 1))
        tail = ids.new_full((positions - len(ids),), self._begun.pad)
        return torch.cat([ids, tail])

    def commit(self, positions: int) -> None:
        """The engine has written the canvas out."""
        if self._decided is not None and self._begun is not None:
            self._begun.row.commit(self._decided)
        self.left -= positions
        self.committing, self._decided = False, None

    def _begin(self, constraint: Constraint[Any]) -> Begun:
        row = begin(constraint.automaton, 0, self.left + len(self._written), UNTIMED)
        if self._written:
            row.commit(torch.tensor(self._written))
        return Begun(row, _ending(constraint.vocabulary)[1])


def _ending(vocabulary: Vocabulary) -> list[int]:
    """The ids of the end token and of padding; 0 where the vocabulary has none."""
    return [0 if name is None else vocabulary.special[name] for name in (vocabulary.end, vocabulary.pad)]
