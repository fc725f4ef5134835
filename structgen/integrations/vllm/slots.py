"""The automaton state of each request that the engine works on, by the number of its slot in the batch.

A request has a limit on the tokens that it may write. Its canvases are as long as the model's, but its output is cut at
the limit, so only the positions of the last canvas before the cut are in play; the rest is padding. A request whose
constraint cannot be enforced, which the server normally refuses before the engine sees it, or in whose steps anything
goes wrong, ends without output: an error here would end the engine, and with it all other requests.

Axes: N canvas, n positions in play, V vocabulary.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from structgen.compiler.constraint import Constraint
from structgen.errors import StructgenError
from structgen.integrations.vllm.asked import ThoughtMode
from structgen.integrations.vllm.constraints import Constraints
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.blocks import Block
from structgen_engine.decoding.row import BudgetTooSmall, Row, begin
from structgen_engine.lattice.lattice import EmptyLattice
from structgen_engine.lattice.pruning import Pruning

UNTIMED = Pruning(seconds=float("inf"))  # a refusal inside a step would end the engine
log = logging.getLogger("vllm.structgen")


@dataclass(frozen=True, eq=False)
class Begun:
    """A row before its first canvas, and the id that fills the positions after the cut."""

    row: Row
    pad: int


class RequestState:
    """The state of one request under a constraint.

    left: tokens that it may still write, from the current canvas on
    committing: whether the canvas is decided and the engine is about to write it out
    """

    def __init__(
        self, submit: Callable[[], Future[Constraint[Any]]], left: int, written: list[int], name: str = ""
    ) -> None:
        """submit: has the constraint compiled; name: for the log

        written: the tokens generated before the engine interrupted the request, if it did
        """
        self.left, self.committing, self.name = left, False, name
        self._submit, self._pending, self._written = submit, submit(), written
        self._begun: Begun | None = None
        self._nothing: list[int] | None = None  # end and pad, written if the request has no automaton
        self._decided: Tensor | None = None  # [n]

    def open(self, constraints: Constraints) -> bool:
        """Whether the request has an automaton; waits until it is compiled."""
        if self._begun is None and self._nothing is None:
            self._nothing = [0, 0]
            try:
                self._nothing = _ending(constraints.vocabulary(ThoughtMode.NONE))
                self._begun = self._begin(self._compiled())
            except Exception as error:
                self.fail(error)
        return self._begun is not None

    def fail(self, error: Exception) -> None:
        """End the request without output, because of an error that the log tells."""
        expected = isinstance(error, StructgenError | BudgetTooSmall | EmptyLattice)
        log.error(
            "request %s is ended with no output: %s", self.name, error, exc_info=None if expected else error
        )
        self._begun = None

    def in_play(self, positions: int) -> int:
        """n, the positions in play of a canvas with this many positions."""
        return min(positions, self.left)

    def block(self, positions: int) -> Block:
        """The block that constrains the canvas."""
        assert self._begun is not None
        return self._begun.row.block(positions)

    def decide(self, ids: Tensor | None, positions: int) -> Tensor:
        """Decide on the canvas [N] to write out, which begins with these accepted ids [n] (None: nothing)."""
        self.committing, self._decided = True, None if ids is None else ids.cpu()
        return self.padded(ids, positions)

    def padded(self, ids: Tensor | None, positions: int) -> Tensor:
        """A canvas [N] that begins with ids [n]; without an automaton, one that ends at once."""
        if ids is None or self._begun is None:
            end, pad = self._nothing or [0, 0]
            return torch.tensor([end] + [pad] * (positions - 1))
        tail = ids.new_full((positions - len(ids),), self._begun.pad)
        return torch.cat([ids, tail])

    def commit(self, positions: int) -> None:
        """Advance after the engine has written the canvas out."""
        try:
            if self._decided is not None and self._begun is not None:
                self._begun.row.commit(self._decided)
        except Exception as error:
            self.fail(error)
        self.left -= positions
        self.committing, self._decided = False, None

    def _compiled(self) -> Constraint[Any]:
        """The constraint; if compiling it failed for a reason that is not its own, it is tried once more."""
        try:
            return self._pending.result()
        except StructgenError:
            raise
        except Exception:
            return self._submit().result()

    def _begin(self, constraint: Constraint[Any]) -> Begun:
        row = begin(constraint.automaton, 0, self.left + len(self._written), UNTIMED)
        if self._written:
            row.commit(torch.tensor(self._written))
        return Begun(row, _ending(constraint.vocabulary)[1])


def _ending(vocabulary: Vocabulary) -> list[int]:
    """The ids of the end token and of padding; 0 if the vocabulary has none."""
    return [0 if name is None else vocabulary.special[name] for name in (vocabulary.end, vocabulary.pad)]
