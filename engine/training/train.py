"""Train the embedded denoiser, on one CPU thread or a GPU; start it again with the same --out to go on.

    OMP_NUM_THREADS=1 python -m training.train engine/training/mini.toml --out runs/mini

A run may start from exported weights (`grow` in its file). A model with more layers than those grows: the old layers
are spread over the new ones, and what is between starts out as doing nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from structgen_mini import Memory, Mini, load_mini
from training.batches import Batch, Source, batches
from training.canvases import BUCKETS, Bucket
from training.config import TrainConfig, read_config
from training.export import export
from training.vectors import read_vectors

LOG = "log.jsonl"  # step, seconds, prompts, and the loss in nats a token since the line before


@dataclass
class State:
    """What a checkpoint holds."""

    model: Mini
    optimizers: tuple[torch.optim.Optimizer, ...]
    ema: dict[str, Tensor]
    source: Source
    device: torch.device
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
                "rng": self.source.rng.getstate(),
                "step": self.step,
                "prompts": self.prompts,
                "elapsed": self.elapsed,
                "queues": {
                    tuple(asdict(bucket).values()): queue for bucket, queue in self.source.queues.items()
                },
            },
            path.with_suffix(".part"),
        )
        os.replace(path.with_suffix(".part"), path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        saved = torch.load(path, weights_only=False, map_location=self.device)
        self.model.load_state_dict(saved["model"])
        for one, held in zip(self.optimizers, saved["optimizers"], strict=True):
            one.load_state_dict(held)
        self.ema = saved["ema"]
        self.source.rng.setstate(saved["rng"])
        self.source.queues = {Bucket(*key): queue for key, queue in saved["queues"].items()}
        self.step, self.prompts, self.elapsed = saved["step"], saved["prompts"], saved["elapsed"]


def start(config: TrainConfig) -> State:
    """A fresh state."""
    torch.manual_seed(config.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = Mini(config.model)
    if config.vectors is not None:
        model.words.copy_(read_vectors(Path(config.vectors)))
    if config.grow is not None:
        grow_(model, load_mini(config.grow))
    model = model.to(device)
    ema = {name: weight.clone() for name, weight in model.state_dict().items()}
    return State(model, _optimizers(config, model), ema, Source(random.Random(config.seed)), device)


@torch.no_grad()
def grow_(model: Mini, parent: Mini) -> None:
    """Give a model the weights of one of the same width with fewer layers; it then computes the same logits."""
    mine, theirs = model.state_dict(), parent.state_dict()
    for name, weight in theirs.items():
        if not name.startswith(("encoder.", "decoder.")):
            mine[name].copy_(weight)
    for half in ("encoder", "decoder"):
        new, old = getattr(model, half), getattr(parent, half)
        places = {round((i + 1) * len(new) / len(old)) - 1: i for i in range(len(old))}
        for place, layer in enumerate(new):
            if place in places:
                layer.load_state_dict(old[places[place]].state_dict())
                continue
            ends = [layer.attention.out, layer.feed[2]] + ([layer.cross.out] if half == "decoder" else [])
            for end in ends:
                end.weight.zero_()


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
    config: TrainConfig,
    out: Path,
    log: Callable[[dict[str, Any]], None] = lambda line: None,
    *,
    stop_after: int | None = None,
    exported: Path | None = None,
) -> list[float]:
    """Run or go on with a run in a folder, for at most `stop_after` steps now; returns their losses.

    exported: a folder to write the averaged weights to with every checkpoint
    """
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    state = start(config)
    if checkpoint.exists():
        state.load(checkpoint)

    def save() -> None:
        state.save(checkpoint, config)
        if exported is not None:
            export(checkpoint, exported)

    torch._dynamo.config.recompile_limit = max(8, len(BUCKETS) + 1)  # one program for each bucket
    objective = torch.compile(loss_of, dynamic=False) if config.compile else loss_of
    began, saved_at, losses = time.time() - state.elapsed, state.elapsed, []
    stream = batches(config, state.source, state.step)
    last = config.max_steps if stop_after is None else min(config.max_steps, state.step + stop_after)
    while state.elapsed < config.minutes * 60 and state.step < last:
        batch = {name: part.to(state.device) for name, part in next(stream).items()}
        losses.append(_step(config, state, objective, batch))
        state.step, state.prompts = state.step + 1, state.prompts + len(batch["prompt"])
        state.elapsed = time.time() - began
        if state.step % config.log_every == 0:
            recent = losses[-config.log_every :]
            loss = round(sum(recent) / len(recent), 4)
            log({"step": state.step, "seconds": round(state.elapsed), "prompts": state.prompts, "loss": loss})
        if state.elapsed - saved_at > config.save_every:
            saved_at = state.elapsed
            save()
    save()
    return losses


def loss_of(model: Mini, batch: Batch, aim: float) -> Tensor:
    """Weighted mean cross-entropy of the clean canvas, nats a token, plus `aim` times that of the known sources."""
    device = batch["prompt"].device.type
    with torch.autocast(device, dtype=torch.bfloat16):
        memory = model.encode(batch["prompt"], batch.get("words"))
        hint = _hints(model, memory, batch)
        log_probs, found = model.target_log_probs(
            memory, batch["noisy"], batch["clean"], hint, batch["source"]
        )
    weight, known = batch["weight"], batch["source"] >= 0
    return -(log_probs * weight).sum() / weight.sum() - aim * found.sum() / known.sum().clamp_min(1)


@torch.no_grad()
def _hints(model: Mini, memory: Memory, batch: Batch) -> Tensor:
    """What is pinned, for all rows; for the first half also what the model believes of the rest."""
    half = len(batch["clean"]) // 2
    pinned = batch["pinned"][..., None]
    known = torch.where(pinned, model.embedding(batch["clean"]), 0.0)
    first = Memory(
        prompt=memory.prompt[:half],
        bias=memory.bias[:half],
        keys=tuple(one[:half] for one in memory.keys),
        values=tuple(one[:half] for one in memory.values),
        pointer_keys=memory.pointer_keys[:half],
    )
    believed = model.hint(model.probabilities(first, batch["noisy"][:half], known[:half]))
    return torch.cat([torch.where(pinned[:half], known[:half], believed.to(known.dtype)), known[half:]])


def rate(config: TrainConfig, state: State) -> float:
    """Learning rate: linear warm-up, then a cosine over wall clock."""
    done = state.step / config.max_steps if config.steps_as_clock else state.elapsed / (config.minutes * 60)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    warm = min(1.0, (state.step + 1) / config.warmup)
    return config.learning_rate * warm * (config.last_rate + (1 - config.last_rate) * cosine)


def _step(config: TrainConfig, state: State, objective: Callable[..., Tensor], batch: Batch) -> float:
    for optimizer in state.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate(config, state)
    loss = objective(state.model, batch, config.aim)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), config.clip)
    for optimizer in state.optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    keep = min(config.ema, (1 + state.step) / (10 + state.step))
    weights = state.model.state_dict()
    torch._foreach_lerp_([state.ema[name] for name in weights], list(weights.values()), 1 - keep)
    return loss.item()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="a TOML file of TrainConfig's fields")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint and the log")
    parser.add_argument("--minutes", type=float, help="of all starts together, instead of the file's")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="write the averaged weights there too")
    options = parser.parse_args()
    config = read_config(options.config)
    config = config if options.minutes is None else replace(config, minutes=options.minutes)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / LOG).open("a", buffering=1) as file:

        def log(line: dict[str, Any]) -> None:
            print(*(f"{name} {value}" for name, value in line.items()), flush=True)
            file.write(json.dumps(line) + "\n")

        train(config, options.out, log, exported=options.export)


if __name__ == "__main__":
    main()
