"""The rows of a batch whose refinement loop another library runs.

Such a host passes logits in and makes the next canvas from the scores that it gets back. At each step it gets the
marginals under the constraint, and when it commits a block, that block is replaced by the joint best one (or a joint
draw).

Axes: B batch, b constrained rows, N block, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from structgen.compiler.constraint import Constraint
from structgen.errors import InvalidOption, Unsatisfiable, Unsupported
from structgen.generation.options import MOST_SEED, check_whole
from structgen.generation.writer import refusing_overlong_steps
from structgen_engine.decoding.blocks import nonempty
from structgen_engine.decoding.options import Finish
from structgen_engine.decoding.row import BudgetTooSmall, begin
from structgen_engine.lattice.lattice import Beliefs, BlockLattice

LEAST_LOG = (
    -1e4
)  # nats, for impossible tokens: hosts multiply it by a probability of 0, and −inf would give NaN


def log_marginals(lattice: BlockLattice) -> Tensor:
    """The log-marginals that replace a host's scores: [b, N, V] nats, LEAST_LOG for impossible tokens."""
    return lattice.log_marginals(least=LEAST_LOG)


def refuse_checks(constraint: Constraint[Any]) -> None:
    """Raise Unsupported if outputs must be checked and drawn again, which only structgen's own loop can do."""
    if constraint.rule is not None:
        raise Unsupported(
            "uniqueItems over more than a few values is checked while generating, which only structgen's own loop does",
            keyword="uniqueItems",
            pointer=constraint.rule.places[0],
            remedy="drop it, list at most 10 values in an enum, or load the model with structgen.load",
        )


class HostBatch:
    """The automaton states of the constrained rows during one call of the host.

    index: [b] int64, the constrained rows of the batch; left: tokens of budget before the current block
    dropped_share: [b] float64, upper bound on the share of the accepted blocks' probability dropped in any step
    """

    def __init__(
        self,
        constraints: Sequence[Constraint[Any] | None],
        *,
        block_length: int,
        max_tokens: int,
        finish: Finish = Finish.BEST,
        seed: int = 0,
    ) -> None:
        """constraints: one per row, None for an unconstrained row; max_tokens: rounded up to whole blocks.

        Raises Unsatisfiable if a constraint needs more tokens than those blocks have, Unsupported if one has to be
        checked while generating, and InvalidOption if the seed is out of range.
        """
        check_whole("seed", seed, 0, MOST_SEED)
        for constraint in constraints:
            if constraint is not None:
                refuse_checks(constraint)
        self.size, self.block_length = len(constraints), block_length
        self.left = -(-max_tokens // block_length) * block_length
        chosen = [(row, c.automaton) for row, c in enumerate(constraints) if c is not None]
        self.index = torch.tensor([row for row, _ in chosen], dtype=torch.int64)
        try:
            self._rows = [begin(automaton, row, self.left) for row, automaton in chosen]
        except BudgetTooSmall as error:
            raise Unsatisfiable(
                f"row {error.row}: the budget of {self.left} tokens is too small: {error.need}; raise max_new_tokens",
                min_tokens=error.min_tokens,
            ) from None
        self.dropped_share = torch.zeros(len(chosen), dtype=torch.float64)
        self._finish, self._generator = finish, torch.Generator().manual_seed(seed)
        self._lattice: BlockLattice | None = None

    @refusing_overlong_steps()
    def constrained(self, scores: Tensor) -> Tensor:
        """The scores [B, N, V] of a step, temperature included, with the constrained rows replaced by log-marginals."""
        if len(scores) != self.size:
            raise InvalidOption(
                f"{self.size} constraints for a batch of {len(scores)} rows: give one per row, None for a row that "
                "may hold anything"
            )
        if not self._rows:
            return scores
        everything = len(self.index) == len(scores)
        index = self.index.to(scores.device)
        self._lattice = self._seen(scores if everything else scores[index])
        table = log_marginals(self._lattice)
        return table if everything else scores.index_copy(0, index, table.to(scores.dtype))

    def beliefs(self) -> Beliefs:
        """The beliefs of the last step about each position [b, N]."""
        return self._last.beliefs()

    def drawn(self, generator: torch.Generator | None = None) -> Tensor:
        """A joint draw [b, N] from the last step."""
        return self._last.sample(self._generator if generator is None else generator)

    def best(self) -> Tensor:
        """The joint best blocks [b, N] of the last step."""
        return self._last.argmax().ids

    def finals(self) -> Tensor:
        """The blocks [b, N] that the last step commits: joint best ones, or joint draws."""
        return self.drawn() if self._finish is Finish.SAMPLE else self.best()

    def commit(self, blocks: Tensor) -> Tensor:
        """Continue after these accepted blocks [b, N]; returns [b] bool, whether each row is complete."""
        self.left -= self.block_length
        self._lattice = None
        finished = [row.commit(ids) for row, ids in zip(self._rows, blocks.cpu(), strict=True)]
        return torch.tensor(finished, dtype=torch.bool)

    def _seen(self, scores: Tensor) -> BlockLattice:
        """The lattice of the constrained rows' scores [b, N, V]."""
        if self.left < self.block_length:
            raise InvalidOption(
                "more blocks are generated than the constraints were told: give both the same number of new tokens"
            )
        lattice = nonempty([row.block(self.block_length) for row in self._rows], scores)
        self.dropped_share = torch.maximum(self.dropped_share, lattice.dropped())
        return lattice

    @property
    def _last(self) -> BlockLattice:
        if self._lattice is None:
            raise RuntimeError("no step of this block was shown, so there is nothing to commit")
        return self._lattice
