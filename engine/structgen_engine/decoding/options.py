"""How a block is refined: one value that says how many steps it takes, how warm they are and what each of them keeps.

Every family of models has options of its own; `DecodingOptions()` suits a model that nothing is known of.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from structgen_engine.decoding.policy import EntropyBound, Policy
from structgen_engine.kernels.scores import COLDEST
from structgen_engine.lattice.beam import Pruning


class Finish(Enum):
    """What the last step of a block commits."""

    BEST = "best"  # the most probable accepted block
    SAMPLE = "sample"  # a joint draw


@dataclass(frozen=True)
class Schedule:
    """A number that moves from `start` towards `end`, linear in the steps."""

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
    """Stop refining a block when its free positions are nearly certain and its best block does not change.

    Only free positions count: a constraint forces most of the others, whose zero entropies would end it too early.

    entropy: nats, mean over free positions; repeats: steps in a row with the same best block
    """

    entropy: float = 0.005
    repeats: int = 2


@dataclass(frozen=True)
class DecodingOptions:
    """How every block of a row is refined.

    steps: refinement steps of a block at most
    temperature: of the scores, a schedule or one number for all steps; at 0, and below 0.001, a step takes the best
        block in place of a draw, and beliefs are those at temperature 1
    pace: with uniform noise, the least share of the free positions that a step keeps, the surest first; none by
        default, but a model whose beliefs never get sharp needs it to build on what it has
    policy: which positions a step keeps; finish: what the last step commits
    stop: when a block with uniform noise is done before its last step
    pruning: what is left out of automata too large for tables; next to nothing by default
    """

    steps: int = 16
    temperature: Schedule | float = Schedule()
    pace: Schedule = Schedule(0.0, 0.0)
    policy: Policy = EntropyBound()  # noqa: RUF009  (frozen)
    finish: Finish = Finish.BEST
    stop: StoppingRule = StoppingRule()
    pruning: Pruning = Pruning()  # noqa: RUF009  (frozen)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"a block takes at least 1 step, not {self.steps}")
        if not isinstance(self.temperature, Schedule):
            Schedule(self.temperature, self.temperature)  # raises where it is no temperature

    def temperature_at(self, step: int) -> float:
        """The temperature of step 0 … steps − 1; below COLDEST where the step takes the best block."""
        value = self.temperature
        return value.at(step, self.steps) if isinstance(value, Schedule) else value

    def cold(self, step: int) -> bool:
        """Whether the step takes the best block in place of a draw."""
        return self.temperature_at(step) < COLDEST
