"""One output in the making: where its automaton stands, what is committed, and what its next block may be.

Axes: n positions in play, T tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from structgen_engine.automata.dfa import NEVER
from structgen_engine.automata.finishing import Finishing
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.blocks import Block
from structgen_engine.lattice.beam import Pruning
from structgen_engine.lattice.lattice import EmptyLattice


class BudgetTooSmall(ValueError):
    """The constraint cannot be met within max_tokens; `min_tokens` says what it takes.

    need: the same in words. Where a lazy automaton is too large to be searched through (`exact` is false), that is a
    number that suffices, and shorter outputs may exist.
    """

    def __init__(self, row: int, min_tokens: int, max_tokens: int, *, exact: bool = True) -> None:
        self.row, self.min_tokens, self.max_tokens, self.exact = row, min_tokens, max_tokens, exact
        self.need = (
            f"the shortest output that satisfies the constraint takes {min_tokens} tokens"
            if exact
            else f"a search found no output of up to {max_tokens} tokens, and {min_tokens} suffice"
        )
        super().__init__(
            f"row {row}: {self.need}, max_tokens is {max_tokens}: raise max_tokens to at least {min_tokens}"
        )


@dataclass(frozen=True, eq=False)
class Decoded:
    """One finished output.

    ids: [T] int64, all blocks, end token and padding included
    log_prob: nats, summed over blocks. Uniform noise: of the committed block given its last logits. Absorbing: of
    the tokens each step settled, given that step's logits and what was settled before. JacobiNoise: of each
    token, among those that could stand there after the tokens before it
    steps: forward passes; blocks: how many; scaffold: whether the preferred ids were honoured, None without any
    dropped: at most this share of the accepted blocks' probability was left out, in the step that left out most
    """

    ids: Tensor
    log_prob: float
    steps: int
    blocks: int
    scaffold: bool | None
    dropped: float = 0.0


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a review makes of a block: the automaton and its state before the block, from now on.

    again: the ids [≤ n] that the block must begin with when it is refined again; None where it is committed as it is
    example: [≤ n] an accepted block that begins with them
    """

    automaton: TokenAutomaton
    state: int
    again: list[int] | None = None
    example: Sequence[int] = ()


class Review(Protocol):
    """Looks at blocks of one output before they are committed, for what its automaton does not tell."""

    @property
    def least(self) -> int:
        """Tokens that suffice for an output that passes."""
        ...

    def __call__(self, automaton: TokenAutomaton, state: int, ids: list[int], remaining: int) -> Verdict:
        """Of the next block `ids`, accepted by the automaton from the state, with `remaining` tokens of budget left
        after it. Blocks come in order; one that is refined again comes again."""
        ...


@dataclass(eq=False)
class Row:
    """One output: where its automaton stands, the budget that is left, and what is committed.

    state: a state of the Dfa or a configuration of the lazy automaton; left: tokens of budget before the next block
    """

    index: int
    automaton: TokenAutomaton
    state: int
    left: int
    pruning: Pruning | None = None
    finishing: Finishing | None = None
    scaffold: bool | None = None
    review: Review | None = None
    log_prob: float = 0.0
    dropped: float = 0.0
    steps: int = 0
    committed: list[Tensor] = field(default_factory=list)
    _part: Block | None = None

    def in_play(self, length: int) -> int:
        """n, the positions of the next block that the budget covers, of `length` that the model has."""
        return min(length, self.left)

    def block(self, length: int) -> Block:
        """What the next block of n positions may be; the same object until the block is committed or reviewed."""
        if self._part is None:
            remaining = self.left - self.in_play(length)
            self._part = self.automaton.block(self.state, remaining, self.pruning, self.finishing)
        return self._part

    def reviewed(self, ids: Tensor) -> Verdict | None:
        """What has to be refined again, the row being ready for it; None where the block [n] may be committed."""
        if self.review is None:
            return None
        verdict = self.review(self.automaton, self.state, ids.tolist(), self.left - len(ids))
        if verdict.automaton is not self.automaton:
            self.finishing = verdict.automaton.finishing()
        self.automaton, self.state, self._part = verdict.automaton, verdict.state, None
        return None if verdict.again is None else verdict

    def commit(self, ids: Tensor) -> bool:
        """Take a block [n]; whether the output is finished."""
        self.committed.append(ids)
        self.left, self._part = self.left - len(ids), None
        self.state = self.automaton.run(ids.tolist(), self.state)
        return self.automaton.is_accepting(self.state)

    def decoded(self) -> Decoded:
        """What came out."""
        ids = torch.cat(self.committed)
        blocks = len(self.committed)
        return Decoded(ids, self.log_prob, self.steps, blocks, self.scaffold, self.dropped)


def needed(automaton: TokenAutomaton, ids: Sequence[int] = ()) -> int:
    """Tokens that suffice to complete an output that begins with the ids, themselves not counted; NEVER where none do.

    In tables the least number; of what grows an upper bound that some tokens attain. See `finishing`.
    """
    return automaton.enough(automaton.run(list(ids)))


def affordable(
    automaton: TokenAutomaton, row: int, max_tokens: int, review: Review | None = None
) -> Finishing | None:
    """Raise BudgetTooSmall, or EmptyLattice, where no accepted output has so few tokens; what a search found."""
    least, exact, finishing = needed(automaton), True, automaton.finishing()
    if least == NEVER:
        raise EmptyLattice(f"row {row}: the automaton accepts nothing")
    if review is not None and review.least > max_tokens:
        fewer, exact = automaton.fewest()
        exact = exact and fewer == review.least
        raise BudgetTooSmall(row, review.least, max_tokens, exact=exact)
    if least > max_tokens:
        if finishing is not None and finishing.narrow([automaton.start], max_tokens)[0] <= max_tokens:
            return finishing
        least, exact = automaton.fewest()
    if max(least, 1) > max_tokens:
        raise BudgetTooSmall(row, max(least, 1), max_tokens, exact=exact)
    return finishing


def begin(
    automaton: TokenAutomaton,
    row: int,
    max_tokens: int,
    pruning: Pruning | None = None,
    review: Review | None = None,
) -> Row:
    """Row number `row`, before its first block; refused where it cannot be decoded within max_tokens."""
    finishing = affordable(automaton, row, max_tokens, review)
    if not automaton.padded:
        raise ValueError(
            f"row {row}: some accepting state cannot be followed by padding, so its blocks cannot be filled: "
            "give every accepting state an edge to an accepting state"
        )
    return Row(row, automaton, automaton.start, max_tokens, pruning, finishing, review=review)
