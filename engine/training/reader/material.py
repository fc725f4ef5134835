"""What the reader learns from: generated samples, refilled written ones, and the written ones with further questions.

They come as batches of lessons of about one length.

One kind of written documents in HELD_SHARE is never learnt, so that the run can be examined on kinds that are new.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from structgen_mini.reader.pieces import PieceVocabulary
from training.asked import FURTHER, Asked, asked_documents
from training.documents import make_sample
from training.pools import Pools, held_out, make_pools
from training.reader.lessons import Lesson, Teacher
from training.refilling import refilled_sample
from training.samples import Sample
from training.train import TrainConfig
from training.written import written_documents

QUEUE = 8  # batches that are sorted by length together
WRITTEN_SHARE = 0.5  # of the other samples, at most
WRITTEN_ENOUGH = 300  # written documents for a share of 1
ASKED_SHARE = 0.5  # of the samples, at most
ASKED_ENOUGH = 300  # documents with further questions for a share of 1
REFILLED = 0.8  # of the written samples
HELD_SHARE = 8  # one kind of written documents in so many is kept for development


@dataclass(frozen=True)
class Material:
    """What a run learns from: the pieces, the folders of documents, and the tokens of a batch with padding.

    written: documents with their schemas; further: more questions about them
    """

    pieces: PieceVocabulary
    written: Path
    tokens: int = 2048
    further: Path = FURTHER

    def batches(self, seed: str, workers: int = 0) -> Iterator[list[Lesson]]:
        """Endless batches, made in this process or in several, each with a stream of its own."""
        streams = _Streams(self, seed)
        if not workers:
            return iter(streams)
        return iter(DataLoader(streams, batch_size=None, num_workers=workers, prefetch_factor=8))

    def exams(self) -> Iterator[tuple[str, list[Lesson]]]:
        """Lessons that are never learnt: generated ones with other names, written ones of other kinds."""
        rng = random.Random(4242)
        teacher = Teacher(self.pieces.split, rng, absent=0, foreign=0, said=0, opaque=0)
        generated = [make_sample(rng, _pools(), "names") for _ in range(60)]
        kinds = written_samples(self.written)[1]
        asked = [one.sample() for one in questioned(self.further, self.written)[1]]
        for name, samples in (("names", generated), ("kinds", kinds), ("asked", asked)):
            yield name, [one for one in map(teacher.lesson, samples) if one is not None]


class _Streams(IterableDataset[list[Lesson]]):
    def __init__(self, material: Material, seed: str) -> None:
        self.material, self.seed = material, seed

    def __iter__(self) -> Iterator[list[Lesson]]:
        torch.set_num_threads(1)
        info = get_worker_info()
        rng = random.Random(f"{self.seed} {0 if info is None else info.id}")
        written, further = self.material.written, self.material.further
        asked = questioned(further, written)[0]
        draw = drawing(rng, _pools(), written_samples(written)[0], asked)
        return queued(Teacher(self.material.pieces.split, rng), draw, self.material.tokens)


def _pools() -> Pools:
    return make_pools(TrainConfig().seed, TrainConfig().pool_size)


def written_samples(folder: Path) -> tuple[list[Sample], list[Sample]]:
    """The written documents of a folder to learn from, and those of other kinds, which are never learnt."""
    documents = [one for path in sorted(folder.glob("*.toml")) for one in written_documents(path)]
    learnt = [one.sample for one in documents if not held_out(one.kind, HELD_SHARE)]
    return learnt, [one.sample for one in documents if held_out(one.kind, HELD_SHARE)]


def questioned(further: Path, written: Path) -> tuple[list[Asked], list[Asked]]:
    """The documents with further questions to learn from, and those of kinds that are never learnt."""
    documents = list(asked_documents(further, written))
    learnt = [one for one in documents if not held_out(one.kind, HELD_SHARE)]
    return learnt, [one for one in documents if held_out(one.kind, HELD_SHARE)]


def drawing(
    rng: random.Random, pools: Pools, written: Sequence[Sample], asked: Sequence[Asked]
) -> Callable[[], Sample]:
    """Draws samples: some with further questions, else generated ones and refilled written ones."""
    share, pool = min(WRITTEN_SHARE, len(written) / WRITTEN_ENOUGH), pools.side(held=False)
    further = min(ASKED_SHARE, len(asked) / ASKED_ENOUGH)

    def draw() -> Sample:
        if rng.random() < further:
            return rng.choice(asked).sample(rng)
        if rng.random() >= share:
            return make_sample(rng, pools)
        one = rng.choice(written)
        return refilled_sample(one, rng, pool) if rng.random() < REFILLED else one

    return draw


def queued(teacher: Teacher, draw: Callable[[], Sample], tokens: int) -> Iterator[list[Lesson]]:
    """Lessons of about one length, so many tokens of them at once."""
    queue: list[Lesson] = []
    while True:
        while sum(len(one.page.ids) for one in queue) < QUEUE * tokens:
            lesson = teacher.lesson(draw())
            if lesson is not None and any(lesson.targets):
                queue.append(lesson)
        queue.sort(key=lambda one: len(one.page.ids))
        first = last = teacher.rng.randrange(len(queue))
        while last < len(queue) and (last + 1 - first) * len(queue[last].page.ids) <= tokens:
            last += 1
        last = max(last, first + 1)
        yield queue[first:last]
        del queue[first:last]
