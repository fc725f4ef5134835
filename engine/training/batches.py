"""Batches of one bucket each, as soon as one is full; made in this process or in several."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from structgen_mini import Lexicon, mini_folder
from structgen_mini.constants import Constants
from training.canvases import BUCKETS, SHORT, Bucket, Example, cached, collate, make_example
from training.config import TrainConfig
from training.documents import make_sample
from training.pools import make_pools
from training.tokenizer import load_tokenizer

Batch = dict[str, Tensor]


@dataclass
class Source:
    """The source of examples; a run that starts from its checkpoint goes on with the very next example."""

    rng: random.Random
    queues: dict[Bucket, list[Example]] = field(default_factory=lambda: {bucket: [] for bucket in BUCKETS})


def batches(config: TrainConfig, source: Source, step: int) -> Iterator[Batch]:
    """Endless batches: prompt [B, P], the other fields of Example [B, N].

    Each worker has a stream of its own, seeded by the run's seed and the step at which the run goes on.
    """
    if not config.workers:
        return _stream(config, source)
    streams = _Streams(config, step)
    return iter(DataLoader(streams, batch_size=None, num_workers=config.workers, prefetch_factor=8))


class _Streams(IterableDataset[Batch]):
    def __init__(self, config: TrainConfig, step: int) -> None:
        self.config, self.step = config, step

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        info = get_worker_info()
        worker = 0 if info is None else info.id
        return _stream(self.config, Source(random.Random(f"{self.config.seed} {worker} {self.step}")))


def _stream(config: TrainConfig, source: Source) -> Iterator[Batch]:
    pools = make_pools(config.seed, config.pool_size)
    tokenizer = load_tokenizer(pools)
    encode, slots = cached(tokenizer), Constants.read(mini_folder()).slots.usual
    lexicon = Lexicon.read(mini_folder()) if config.model.words else None
    while True:
        made = make_example(make_sample(source.rng, pools), tokenizer, encode, source.rng, slots)
        if made is None:
            continue
        example, bucket = made
        if bucket.canvas > SHORT.canvas and source.rng.random() > config.long_share:
            continue
        queue = source.queues[bucket]
        queue.append(example)
        if len(queue) == bucket.batch * config.batch:
            source.queues[bucket] = []
            yield {name: torch.from_numpy(array) for name, array in collate(queue, bucket, lexicon).items()}
