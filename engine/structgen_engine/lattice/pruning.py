"""The limits of a beam search over the blocks of a lazy automaton."""

from __future__ import annotations

from dataclasses import dataclass, replace

ALL = 1 << 62
TOTAL = 2048  # configurations of a block; the largest real schemas keep 738, and one that is new takes up to 0.5 ms
EFFORT = 1024  # configurations looked at where a block ends


@dataclass(frozen=True)
class Pruning:
    """The limits of a beam search: what it leaves out of a block. With ε = 0 nothing is left out unless a limit is set.

    epsilon: share of the block's weight below which a configuration is dropped
    width: the most configurations kept at one position
    total: the most different ones in the whole block, half of them at any positions and the rest spread evenly; None
    for TOTAL, or all if ε is 0
    effort: the most looked at to decide what can be finished within the budget; None for EFFORT, or all if ε is 0
    seconds: CPU time that one block may take before it is refused
    """

    epsilon: float = 1e-7
    width: int = 1024
    total: int | None = None
    effort: int | None = None
    seconds: float = 20.0

    @property
    def most_kept(self) -> int:
        """`total` as a number."""
        return self.total if self.total is not None else TOTAL if self.epsilon else ALL

    @property
    def most_searched(self) -> int:
        """`effort` as a number."""
        return self.effort if self.effort is not None else EFFORT if self.epsilon else ALL

    def wider(self) -> Pruning:
        """The same limits with ε = 0 and eight times as many configurations."""
        kept = min(ALL, 8 * self.most_kept)
        return replace(self, epsilon=0.0, width=ALL, total=kept, effort=self.most_searched)


class Overlong(RuntimeError):
    """A block takes longer to explore than `Pruning.seconds`."""

    def __init__(self, seconds: float, position: int, met: int) -> None:
        super().__init__(
            f"one refinement step takes more than {seconds:g} seconds of CPU: position {position} of the block is "
            f"reached, and {met:,} configurations of the constraint are met"
        )
