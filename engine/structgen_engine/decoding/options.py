"""The options of refining a block: how many steps it takes, at which temperatures, and what each step keeps.

Every family of models has its own options; `DecodingOptions()` suits a model about which nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from structgen_engine.decoding.policy import EntropyBound, Policy
from structgen_engine.kernels.scores import COLDEST
from structgen_engine.lattice.pruning import Pruning


class Finish(Enum):
    """What the last step of a block commits."""

    BEST = "best"  # the most probable accepted block
    SAMPLE = "sample"  # a joint draw


@dataclass(frozen=True)
class Schedule:
    """A number that moves linearly over the steps from `start` towards `end`."""

    start: float = 0.8
    end: float = 0.4

    def __post_init__(self) -> None:
        for value in (self.start, self.end):
            if not 0 <= value < float("inf"):
                raise ValueError(f"a schedule takes numbers from 0 on, not {value}")

    def at(self, step: int, steps: int) -> float:
        """The value at step 0 … steps − 1."""
        return self.start + (self.end - self.start) * step / steps


@dataclass(frozen=True)
class StoppingRule:
    """A rule that stops refining a block once its free positions are nearly certain and its best block stays the same.

    Only free positions count: a constraint forces most of the others, and their zero entropies would end it too early.

    entropy: nats, mean over free positions; repeats: steps in a row with the same best block
    sure: nats of the same mean, below which one step is enough, because another would hardly change anything
    """

    entropy: float = 0.005
    repeats: int = 2
    sure: float = 0.0


@dataclass(frozen=True)
class DecodingOptions:
    """The options for refining every block of a row.

    steps: the most refinement steps of a block
    temperature: of the scores, a schedule or one number for all steps; at 0, and below 0.001, a step takes the best
        block instead of a draw, and beliefs are those at temperature 1
    pace: with uniform noise, the least share of the free positions that a step keeps, the surest first; 0 by
        default, but a model whose beliefs never become sharp needs a pace to make progress
    policy: which positions a step keeps; finish: what the last step commits
    stop: when a block with uniform noise is done before its last step
    pruning: what is left out of automata too large for tables; almost nothing by default
    keep: whether a finished output keeps what the last step of its last block saw, for alternatives
    """

    steps: int = 16
    temperature: Schedule | float = Schedule()
    pace: Schedule = Schedule(0.0, 0.0)
    policy: Policy = EntropyBound()  # noqa: RUF009  (frozen)
    finish: Finish = Finish.BEST
    stop: StoppingRule = StoppingRule()
    pruning: Pruning = Pruning()  # noqa: RUF009  (frozen)
    keep: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"a block takes at least 1 step, not {self.steps}")
        if not isinstance(self.temperature, Schedule):
            Schedule(self.temperature, self.temperature)  # raises if it is not a temperature

    def temperature_at(self, step: int) -> float:
        """The temperature of step 0 … steps − 1; below COLDEST if the step takes the best block."""
        value = self.temperature
        return value.at(step, self.steps) if isinstance(value, Schedule) else value

    def cold(self, step: int) -> bool:
        """Whether the step takes the best block instead of a draw."""
        return self.temperature_at(step) < COLDEST
