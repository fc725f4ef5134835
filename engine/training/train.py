"""Train the embedded denoiser on one CPU thread; start it again with the same --out to go on.

PYTHONPATH=.:engine OMP_NUM_THREADS=1 python -m training.train --minutes 110 --out runs/mini
"""

from __future__ import annotations

import argparse
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from structgen_engine.models.mini import Mini, MiniConfig
from training.canvases import BUCKETS, Bucket, Example, cached, collate, make_example
from training.documents import make_sample
from training.pools import make_pools
from training.tokenizer import load_tokenizer


@dataclass(frozen=True)
class TrainConfig:
    """Everything a run depends on besides the code."""

    minutes: float = 110.0  # wall clock, of all starts together: the learning rate's cosine ends here
    max_steps: int = 10**9
    seed: int = 0
    learning_rate: float = 1.5e-3
    last_rate: float = 0.02  # share of learning_rate left at the end
    warmup: int = 200  # steps
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.999
    save_every: float = 180.0  # seconds
    long_share: float = (
        1.0  # of the samples beyond the smallest bucket, the share to keep: short ones teach copying
    )
    compile: bool = True
    steps_as_clock: bool = False  # the cosine reads step / max_steps: runs are then equal to the last bit
    pool_size: int = 6000
    model: MiniConfig = field(default_factory=MiniConfig)


@dataclass
class State:
    """What a checkpoint holds."""

    model: Mini
    optimizers: tuple[torch.optim.Optimizer, ...]
    ema: dict[str, Tensor]
    rng: random.Random
    queues: dict[Bucket, list[Example]]
    step: int = 0
    prompts: int = 0
    elapsed: float = 0.0  # seconds

    def save(self, path: Path, config: TrainConfig) -> None:
        """Written beside and renamed, so that a reader never meets half a file."""
        torch.save(
            {
                "config": asdict(config),
                "model": self.model.state_dict(),
                "optimizers": [one.state_dict() for one in self.optimizers],
                "ema": self.ema,
                "rng": self.rng.getstate(),
                "step": self.step,
                "prompts": self.prompts,
                "elapsed": self.elapsed,
                "queues": {tuple(asdict(bucket).values()): queue for bucket, queue in self.queues.items()},
            },
            path.with_suffix(".part"),
        )
        os.replace(path.with_suffix(".part"), path)

    def load(self, path: Path) -> None:
        saved = torch.load(path, weights_only=False)
        self.model.load_state_dict(saved["model"])
        for one, held in zip(self.optimizers, saved["optimizers"], strict=True):
            one.load_state_dict(held)
        self.ema = saved["ema"]
        self.rng.setstate(saved["rng"])
        self.queues = {Bucket(*key): queue for key, queue in saved["queues"].items()}
        self.step, self.prompts, self.elapsed = saved["step"], saved["prompts"], saved["elapsed"]


def start(config: TrainConfig) -> State:
    """A fresh state."""
    torch.manual_seed(config.seed)
    model = Mini(config.model)
    ema = {name: weight.clone() for name, weight in model.state_dict().items()}
    return State(
        model, _optimizers(config, model), ema, random.Random(config.seed), {bucket: [] for bucket in BUCKETS}
    )


def _optimizers(config: TrainConfig, model: Mini) -> tuple[torch.optim.Optimizer, ...]:
    """Muon (Jordan et al. 2024) for the matrices inside the layers, AdamW for everything else."""
    inside = [weight for name, weight in model.named_parameters() if weight.ndim == 2 and "coder." in name]
    chosen = set(map(id, inside))
    rest = [weight for weight in model.parameters() if id(weight) not in chosen]
    return (
        torch.optim.Muon(
            inside, lr=config.learning_rate, weight_decay=config.weight_decay, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(
            rest, lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True
        ),
    )


def train(
    config: TrainConfig, out: Path, log: Callable[[str], None] = print, *, stop_after: int | None = None
) -> list[float]:
    """Run or go on with a run in a folder, for at most `stop_after` steps now; returns their losses."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    state = start(config)
    if checkpoint.exists():
        state.load(checkpoint)
    objective = torch.compile(loss_of, dynamic=False) if config.compile else loss_of
    began, saved_at, losses = time.time() - state.elapsed, state.elapsed, []
    examples = _batches(config, state)
    last = config.max_steps if stop_after is None else min(config.max_steps, state.step + stop_after)
    while state.elapsed < config.minutes * 60 and state.step < last:
        bucket, batch = next(examples)
        arrays = (torch.from_numpy(array) for array in collate(batch, bucket))
        losses.append(_step(config, state, objective, tuple(arrays)))
        state.step, state.prompts, state.elapsed = (
            state.step + 1,
            state.prompts + len(batch),
            time.time() - began,
        )
        if state.step % 100 == 0:
            recent = sum(losses[-100:]) / len(losses[-100:])
            log(f"step {state.step} elapsed {state.elapsed:.0f}s prompts {state.prompts} loss {recent:.4f}")
        if state.elapsed - saved_at > config.save_every:
            saved_at = state.elapsed
            state.save(checkpoint, config)
    state.save(checkpoint, config)
    return losses


def loss_of(model: Mini, prompt: Tensor, noisy: Tensor, clean: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean cross-entropy of the clean canvas, nats a token."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        log_probs = model.target_log_probs(model.encode(prompt), noisy, clean)
    return -(log_probs * weight).sum() / weight.sum()


def rate(config: TrainConfig, state: State) -> float:
    """Learning rate: linear warm-up, then a cosine over wall clock."""
    done = state.step / config.max_steps if config.steps_as_clock else state.elapsed / (config.minutes * 60)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    warm = min(1.0, (state.step + 1) / config.warmup)
    return config.learning_rate * warm * (config.last_rate + (1 - config.last_rate) * cosine)


def _step(
    config: TrainConfig, state: State, objective: Callable[..., Tensor], arrays: tuple[Tensor, ...]
) -> float:
    for optimizer in state.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate(config, state)
    loss = objective(state.model, *arrays)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), config.clip)
    for optimizer in state.optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    keep = min(config.ema, (1 + state.step) / (10 + state.step))
    weights = state.model.state_dict()
    torch._foreach_lerp_([state.ema[name] for name in weights], list(weights.values()), 1 - keep)
    return loss.item()


def _batches(config: TrainConfig, state: State) -> Iterator[tuple[Bucket, list[Example]]]:
    """Batches of one bucket each, as soon as one is full."""
    pools = make_pools(config.seed, config.pool_size)
    encode = cached(load_tokenizer(pools))
    while True:
        made = make_example(make_sample(state.rng, pools), encode, state.rng, config.model.vocabulary)
        if made is None:
            continue
        example, bucket = made
        if bucket != BUCKETS[0] and state.rng.random() > config.long_share:
            continue
        queue = state.queues[bucket]
        queue.append(example)
        if len(queue) == bucket.batch:
            state.queues[bucket] = []
            yield bucket, queue


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=110.0)
    parser.add_argument("--max-steps", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--long-share", type=float, default=1.0)
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    config = replace(
        TrainConfig(),
        minutes=options.minutes,
        max_steps=options.max_steps,
        seed=options.seed,
        long_share=options.long_share,
        compile=options.compile,
    )
    train(config, options.out, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
