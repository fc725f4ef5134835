"""The configuration of a training run: everything it depends on besides the code. One TOML file is one run."""

from __future__ import annotations

import tomllib
from dataclasses import field
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from structgen_mini import MiniConfig

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=STRICT)
class TrainConfig:
    """The settings of a run.

    minutes: wall clock of all starts together, at the end of which the learning rate's cosine ends
    """

    minutes: float = 110.0
    max_steps: int = 10**9
    seed: int = 0
    learning_rate: float = 1.5e-3
    last_rate: float = 0.02  # share of learning_rate left at the end
    warmup: int = 200  # steps
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.999
    aim: float = 0.5  # weight of the loss of the pointer against the known sources
    save_every: float = 180.0  # seconds
    log_every: int = 100  # steps
    long_share: float = 1.0  # of the samples beyond the bucket SHORT, the share to keep
    batch: int = 1  # multiplies the buckets' batches
    workers: int = (
        0  # processes that make examples; 0 makes them in the training process, resumable to the bit
    )
    compile: bool = True
    steps_as_clock: bool = False  # the cosine reads step / max_steps: runs are then equal to the last bit
    pool_size: int = 6000
    grow: str | None = None  # folder of exported weights to start from
    vectors: str | None = None  # folder of word vectors or of weights that have them
    model: MiniConfig = field(default_factory=MiniConfig)


def read_config(path: Path) -> TrainConfig:
    """Read a run's TOML file; raises pydantic's ValidationError, which names the key, if one is wrong or unknown."""
    return TypeAdapter(TrainConfig).validate_python(tomllib.loads(path.read_text()))
