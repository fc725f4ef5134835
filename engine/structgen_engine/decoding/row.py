"""One output being decoded: the state of its automaton, the committed blocks, and the possible next blocks.

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
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.ranking import LastLook
from structgen_engine.lattice.lattice import EmptyLattice
from structgen_engine.lattice.pruning import Pruning


class BudgetTooSmall(ValueError):
    """The constraint cannot be met within max_tokens; `min_tokens` says how many tokens are needed.

    need: the same in words; divisible: whether a shorter answer would be a part of the one that is needed. If a lazy
    automaton is too large to be searched completely (`exact` is false), min_tokens suffices, but shorter outputs may
    exist.
    """

    def __init__(
        self, row: int, min_tokens: int, max_tokens: int, *, exact: bool = True, need: str | None = None
    ) -> None:
        self.row, self.min_tokens, self.max_tokens, self.exact = row, min_tokens, max_tokens, exact
        self.divisible = need is not None
        self.need = need or (
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

    ids: [T] int64, all blocks, including the end token and padding
    log_prob: nats, summed over blocks. Uniform noise: of the committed block given its last logits. Absorbing: of
    the tokens that each step settled, given that step's logits and what was settled before. JacobiNoise: of each
    token, among those that were possible after the preceding tokens
    steps: forward passes; blocks: how many
    scaffold: whether the preferred ids were honoured in every block that has some, None if none has
    dropped: a bound on the share of the accepted blocks' probability left out by the step that left out most
    certified: whether every block is the most probable of all accepted ones, including those left out
    denoiser: the one that filled the blocks; None if it is not known
    look: what the last step of the last block saw; None unless the options keep it
    """

    ids: Tensor
    log_prob: float
    steps: int
    blocks: int
    scaffold: bool | None
    dropped: float = 0.0
    certified: bool = False
    denoiser: Denoiser | None = None
    look: LastLook | None = None


@dataclass(frozen=True, eq=False)
class Verdict:
    """The result of reviewing a block: the automaton to use from now on and its state before the block.

    again: the ids [≤ n] that the block must begin with when it is refined again; None if it is committed as it is
    example: [≤ n] an accepted block that begins with them
    """

    automaton: TokenAutomaton
    state: int
    again: list[int] | None = None
    example: Sequence[int] = ()


class Review(Protocol):
    """A check of one output's blocks before they are committed, for rules that its automaton does not express."""

    @property
    def least(self) -> int:
        """A number of tokens that suffices for an output that passes."""
        ...

    def __call__(self, automaton: TokenAutomaton, state: int, ids: list[int], remaining: int) -> Verdict:
        """The verdict on the next block `ids`, which the automaton accepts from the state; `remaining` tokens of budget
        are left after it. Blocks arrive in order; one that is refined again arrives again."""
        ...


@dataclass(eq=False)
class Row:
    """One output being decoded: its automaton and state, the remaining budget, and the committed blocks.

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
    certified: bool = True
    steps: int = 0
    committed: list[Tensor] = field(default_factory=list)
    look: LastLook | None = None
    _part: Block | None = None

    def in_play(self, length: int) -> int:
        """n, the positions of the next block that the budget covers; the model's block has `length`."""
        return min(length, self.left)

    def block(self, length: int) -> Block:
        """The possible next blocks of n positions; the same object until a block is committed or reviewed."""
        if self._part is None:
            remaining = self.left - self.in_play(length)
            self._part = self.automaton.block(self.state, remaining, self.pruning, self.finishing)
        return self._part

    def reviewed(self, ids: Tensor) -> Verdict | None:
        """The verdict if block [n] must be refined again, with the row prepared for it; None if it may be committed."""
        if self.review is None:
            return None
        verdict = self.review(self.automaton, self.state, ids.tolist(), self.left - len(ids))
        if verdict.automaton is not self.automaton:
            self.finishing = verdict.automaton.finishing()
        self.automaton, self.state, self._part = verdict.automaton, verdict.state, None
        return None if verdict.again is None else verdict

    def commit(self, ids: Tensor, *, certified: bool = False) -> bool:
        """Commit a block [n], certified as the best or not; returns whether the output is finished."""
        self.committed.append(ids)
        self.certified &= certified
        self.left, self._part = self.left - len(ids), None
        self.state = self.automaton.run(ids.tolist(), self.state)
        return self.automaton.is_accepting(self.state)

    def decoded(self) -> Decoded:
        """The finished output."""
        ids = torch.cat(self.committed)
        blocks = len(self.committed)
        drawn = self.log_prob, self.steps, blocks, self.scaffold, self.dropped, self.certified
        return Decoded(ids, *drawn, look=self.look)


def needed(automaton: TokenAutomaton, ids: Sequence[int] = ()) -> int:
    """The tokens that suffice to complete an output that begins with the ids, not counting these; NEVER if none do.

    For tables it is the least number, for lazy automata an upper bound that some tokens attain. See `finishing`.
    """
    return automaton.enough(automaton.run(list(ids)))


def affordable(
    automaton: TokenAutomaton, row: int, max_tokens: int, review: Review | None = None
) -> Finishing | None:
    """Raise BudgetTooSmall or EmptyLattice if no accepted output fits max_tokens; returns what a search found."""
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
    """Row number `row`, before its first block; raises an error if it cannot be decoded within max_tokens."""
    finishing = affordable(automaton, row, max_tokens, review)
    if not automaton.padded:
        raise ValueError(
            f"row {row}: some accepting state cannot be followed by padding, so its blocks cannot be filled: "
            "give every accepting state an edge to an accepting state"
        )
    return Row(row, automaton, automaton.start, max_tokens, pruning, finishing, review=review)
