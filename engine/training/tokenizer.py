"""The embedded denoiser's tokenizer: byte-level BPE whose pieces never cross a class of characters.

Letters, digits (one each), spaces, JSON punctuation and other punctuation (one each) are kept apart, so that
a word has the same ids after a space, after a quote and inside a JSON string: what the pointer head copies.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from structgen_mini import mini_folder
from structgen_mini.prompt import prompt_text
from structgen_mini.scaffold import compact
from training.documents import make_sample
from training.pools import Pools
from training.schemas import outline_of

SPECIAL = ["<pad>", "<eos>", "<null>"]
PAD, EOS, NULL = range(3)
PATH = mini_folder() / "tokenizer.json"
PIECES = r"\d|[^\W\d_]+|_| +|\s|[\"{}\[\],:]+|\.{3,}|-{3,}|={3,}|[^\w\s\"{}\[\],:]"


def train_tokenizer(pools: Pools, *, size: int = 4096, samples: int = 20_000, seed: int = 7) -> Tokenizer:
    """Learn the merges from prompts and answers of the training split."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()

    def texts() -> Iterator[str]:
        rng = random.Random(seed)
        for _ in range(samples):
            sample = make_sample(rng, pools)
            yield prompt_text(outline_of(sample.schema), sample.document)
            yield compact(sample.value)

    tokenizer.train_from_iterator(
        texts(),
        trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=SPECIAL,
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    return tokenizer


def load_tokenizer(pools: Pools | None = None, path: Path = PATH) -> Tokenizer:
    """The shipped tokenizer; learned and written first where it does not exist."""
    if not path.exists():
        if pools is None:
            raise FileNotFoundError(f"{path} does not exist and there are no pools to learn it from")
        train_tokenizer(pools).save(str(path))
    return Tokenizer.from_file(str(path))
