"""The result of a verb with `details=True`: the value, its text, and how it was generated."""

from __future__ import annotations

from dataclasses import dataclass
from reprlib import Repr
from typing import Generic, TypeVar

T = TypeVar("T")

SHORT = Repr()  # shortens values to fit a line of a notebook
SHORT.maxother = SHORT.maxstring = 200


@dataclass(frozen=True)
class Generation(Generic[T]):
    """One finished output.

    value: the parsed text; text: as generated; ids: committed tokens, including the end token and padding
    log_prob: log-probability (nats) of the committed blocks under the constrained distribution of their last step
    steps: refinement steps over all blocks; blocks: number of blocks filled
    dropped_share: upper bound on the share of the accepted blocks' probability that pruning dropped in any step; 0.0 if
        the constraint is one table
    """

    value: T
    text: str
    ids: tuple[int, ...]
    log_prob: float
    steps: int
    blocks: int
    dropped_share: float = 0.0

    def __repr__(self) -> str:
        """The shortened value and the cost of generating it."""
        counted = {"token": len(self.ids), "block": self.blocks, "step": self.steps}
        counts = ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counted.items())
        return f"Generation({SHORT.repr(self.value)}, {counts}, log_prob={self.log_prob:.2f})"
