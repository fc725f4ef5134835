"""The options that all verbs share, and the check of a number among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from structgen.errors import InvalidOption

if TYPE_CHECKING:
    from structgen_engine.decoding.loop import StepEvent

MOST_SEED = 2**63 - 1  # the largest seed that torch's generators take


@dataclass(frozen=True)
class Options:
    """The options of decoding.

    max_tokens: budget; None for the runtime's blocks, or more if the shortest answer is longer
    steps: most refinement steps per block, None for the runtime's number; seed: of the only source of randomness
    partial: whether an answer may have a part of a list, with a warning, where the budget does not hold all of it
    redraws: how often an answer that a Python validator rejects is drawn anew
    """

    max_tokens: int | None = None
    steps: int | None = None
    seed: int = 0
    on_step: Callable[[StepEvent], None] | None = None
    partial: bool = False
    redraws: int = 0

    def __post_init__(self) -> None:
        check_whole("seed", self.seed, 0, MOST_SEED)
        check_whole("redraws", self.redraws, 0)
        if self.steps is not None:
            check_whole("steps", self.steps, 1)
        if self.max_tokens is not None:
            check_whole("max_tokens", self.max_tokens, 1)


def check_whole(option: str, value: Any, least: int, most: int | None = None) -> None:
    """Raise InvalidOption if the value of an option is not a whole number in its range."""
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or value < least
        or (most is not None and value > most)
    ):
        upto = "on" if most is None else f"to {most}"
        raise InvalidOption(f"{option} must be a whole number from {least} {upto}, not {value!r}")
