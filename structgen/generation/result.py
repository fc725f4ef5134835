"""What a verb returns with `details=True`: the value, the text it was parsed from, and how it was generated."""

from __future__ import annotations

from dataclasses import dataclass
from reprlib import Repr
from typing import Generic, TypeVar

T = TypeVar("T")

SHORT = Repr()  # of values in a notebook's line
SHORT.maxother = SHORT.maxstring = 200


@dataclass(frozen=True)
class Generation(Generic[T]):
    """One finished output.

    value: what the text parses into; text: as generated; ids: committed tokens, the end token and padding included
    log_prob: nats, of the committed blocks under the constrained distribution of their last step
    steps: refinement steps taken over all blocks; blocks: how many blocks they filled
    dropped_share: of the probability of all accepted blocks at most this share was left out, in the step that left out
    most; 0.0 where the constraint is one table
    """

    value: T
    text: str
    ids: tuple[int, ...]
    log_prob: float
    steps: int
    blocks: int
    dropped_share: float = 0.0

    def __repr__(self) -> str:
        """The value, shortened, and what it took."""
        counted = {"token": len(self.ids), "block": self.blocks, "step": self.steps}
        counts = ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counted.items())
        return f"Generation({SHORT.repr(self.value)}, {counts}, log_prob={self.log_prob:.2f})"
