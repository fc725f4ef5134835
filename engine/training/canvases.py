"""Samples as arrays: prompt ids, gold canvas, noise, loss weights; sorted into buckets of fixed shapes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from tokenizers import Encoding, Tokenizer

from structgen_mini import Lexicon
from structgen_mini.constants import SlotSizes
from structgen_mini.prompt import prompt_text
from structgen_mini.scaffold import (
    OPEN,
    Scaffold,
    Slot,
    compact,
    fill,
    item_patterns,
    scaffold,
)
from training.alignment import NOWHERE, sources
from training.documents import Sample
from training.schemas import outline_of
from training.tokenizer import EOS, NULL, PAD

Encode = Callable[[str], tuple[int, ...]]
ROOMY = 80  # tokens: longer than any value, to see how long it is

CHOSEN = 0.55  # share of the requests to one of several tools in which the right tool's skeleton is known
SLOTS, WHOLE = 0.80, 0.10  # shares of samples with noise in slots and on the whole scaffold; the rest is free
PINNED_ARRAYS = 0.40  # share of the first in which the number of items is known
CUT = 0.8  # share of the others in which an array is known up to one of its items, and all noise after it
CUT_WEIGHT = 8.0  # of the token that says whether another item follows


@dataclass(frozen=True)
class Bucket:
    """Samples with at most `prompt` and `canvas` tokens are trained `batch` at a time."""

    prompt: int
    canvas: int
    batch: int


# Chosen to pad little; the batches cost about the same.
BUCKETS = (
    Bucket(64, 48, 64),
    Bucket(96, 64, 48),
    Bucket(112, 80, 40),
    Bucket(128, 96, 32),
    Bucket(160, 128, 24),
    Bucket(192, 160, 20),
    Bucket(224, 192, 16),
    Bucket(256, 256, 12),
    Bucket(512, 256, 10),
)
SHORT = BUCKETS[3]  # short documents teach copying, longer ones cost more


@dataclass(frozen=True, eq=False)
class Example:
    """One training example before padding."""

    prompt: np.ndarray  # [P] int64
    clean: np.ndarray  # [N] int64
    noisy: np.ndarray  # [N] int64
    weight: np.ndarray  # [N] float32, of each position's loss
    pinned: np.ndarray  # [N] bool, positions that no noise ever reaches
    source: np.ndarray  # [N] int64, where in the prompt a noised token is copied from, or NOWHERE


def cached(tokenizer: Tokenizer, limit: int = 200_000) -> Encode:
    """`tokenizer.encode` that remembers: skeleton pieces and values come again and again."""
    known: dict[str, tuple[int, ...]] = {}

    def encode(text: str) -> tuple[int, ...]:
        ids = known.get(text)
        if ids is None:
            ids = tuple(tokenizer.encode(text).ids)
            if len(text) < 80 and len(known) < limit:
                known[text] = ids
        return ids

    return encode


def array_counts(value: Any, pointer: str = "") -> Iterator[tuple[str, int]]:
    """How many items each array has that is no part of another array, by JSON pointer."""
    if isinstance(value, list):
        yield pointer, len(value)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from array_counts(part, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")


def slot_sizes(
    sample: Sample,
    encode: Encode,
    rng: random.Random,
    vary: bool,
    counts: Mapping[str, int],
    slots: SlotSizes,
) -> dict[str, int]:
    """Lengths of the slots: the default or, where `vary`, the value's own and 0 … 12 more."""
    outline, large = outline_of(sample.schema), _roomy(slots)
    roomy = scaffold(outline, encode, NULL, slots=large, counts=counts, block=10**6)
    gold = fill(outline, sample.value, encode, NULL, slots=large, counts=counts, block=10**6)
    usual = scaffold(outline, encode, NULL, slots=slots, counts=counts, block=10**6)
    if roomy is None or gold is None or usual is None:
        return {}
    sizes = {}
    for slot, default in zip(roomy.slots, usual.slots, strict=True):
        if slot.kind == "array":
            continue
        needed = slot.length - gold[slot.start : slot.start + slot.length].count(NULL)
        if vary and rng.random() < 0.5:
            sizes[slot.pointer] = max(1, needed + rng.randint(0, 12))
        else:
            sizes[slot.pointer] = max(default.length, needed)
    return sizes


def _roomy(slots: SlotSizes) -> SlotSizes:
    kept = ("items", "nested_items", "nullable")
    return replace(slots, **{one.name: ROOMY for one in fields(SlotSizes) if one.name not in kept})


def lay_out(
    sample: Sample, encode: Encode, rng: random.Random, slots: SlotSizes, *, vary: bool
) -> tuple[tuple[int, ...], Scaffold] | None:
    """The gold canvas [N] and its scaffold; None if it does not fit the largest bucket."""
    counts = dict(array_counts(sample.value)) if vary and rng.random() < PINNED_ARRAYS else {}
    sizes = slot_sizes(sample, encode, rng, vary, counts, slots)
    longest = max([1, *(len(part) for part in sample.value.values() if isinstance(part, list))])
    items = rng.randint(longest, 5) if vary and rng.random() < 0.5 and longest <= 5 else 5
    slots, block = replace(slots, items=items), BUCKETS[-1].canvas
    outline = outline_of(sample.schema)
    plan = scaffold(outline, encode, NULL, slots=slots, sizes=sizes, counts=counts, block=block)
    gold = fill(outline, sample.value, encode, NULL, slots=slots, sizes=sizes, counts=counts, block=block)
    if plan is None or gold is None:
        return None
    return gold, plan


def make_example(
    sample: Sample, tokenizer: Tokenizer, encode: Encode, rng: random.Random, slots: SlotSizes
) -> tuple[Example, Bucket] | None:
    """Lay a sample out and noise it: in its slots, on the whole canvas, or in a free layout.

    encode: the tokenizer's, with a memory
    """
    text = prompt_text(outline_of(sample.schema), sample.document)
    read = tokenizer.encode(text)
    form = rng.random()
    if "anyOf" in sample.schema:
        chosen = rng.random() < CHOSEN
        sample, form = (replace(sample, schema=_answered(sample)), 0.0) if chosen else (sample, 1.0)
    scaffolded = form < SLOTS + WHOLE
    laid = lay_out(sample, encode, rng, slots, vary=form < SLOTS) if scaffolded else _free(sample, encode)
    if laid is None:
        return None
    gold, plan = laid
    bucket = next((one for one in BUCKETS if len(read.ids) <= one.prompt and len(gold) < one.canvas), None)
    if bucket is None:
        return None
    clean = np.full(bucket.canvas, PAD)
    clean[: len(gold)], clean[len(gold)] = gold, EOS
    noisable = np.full(bucket.canvas, form >= SLOTS)
    if form < SLOTS:
        noisable[: len(gold)] = np.array(plan.ids) == OPEN
    source = np.full(bucket.canvas, NOWHERE)
    source[: len(gold)] = _sources(sample, len(text) - len(sample.document), gold, plan, read)
    cut = _cut(sample, plan, encode, rng, slots) if form < SLOTS else None
    noisy, hit, weight = _noise(clean, noisable, cut, rng, tokenizer.get_vocab_size())
    example = Example(np.array(read.ids), clean, noisy, weight, ~noisable, np.where(hit, source, NOWHERE))
    return example, bucket


def _answered(sample: Sample) -> dict[str, Any]:
    """The alternative that a tool call answers."""
    options = sample.schema["anyOf"]
    return next(one for one in options if one["properties"]["name"]["const"] == sample.value["name"])


def _free(sample: Sample, encode: Encode) -> tuple[tuple[int, ...], Scaffold]:
    """A canvas without scaffold is one slot."""
    gold = tuple(encode(compact(sample.value)))
    return gold, Scaffold((OPEN,) * len(gold), (Slot("", "object", 0, len(gold)),))


def _sources(
    sample: Sample, offset: int, gold: tuple[int, ...], plan: Scaffold, read: Encoding
) -> np.ndarray:
    """The `sources` of a sample whose document starts `offset` characters into the prompt."""
    spans = [replace(one, start=one.start + offset, end=one.end + offset) for one in sample.spans]
    starts = [start for start, _ in read.offsets]
    return sources(gold, plan.slots, spans, tuple(read.ids), starts)


def _cut(
    sample: Sample, plan: Scaffold, encode: Encode, rng: random.Random, slots: SlotSizes
) -> tuple[int, int, int] | None:
    """An open array's first position, the one behind some number of its items, and the one behind its slot."""
    arrays = [slot for slot in plan.slots if slot.kind == "array" and slot.pointer.count("/") == 1]
    if not arrays or rng.random() >= CUT:
        return None
    slot = rng.choice(arrays)
    value = sample.value.get(slot.pointer[1:])
    patterns = item_patterns(outline_of(sample.schema), slot, encode, NULL, slots=slots)
    if not isinstance(value, list) or len(value) >= len(patterns):
        return None
    closes = _end_of_items(patterns[rng.randint(0, len(value))], NULL)
    return slot.start, slot.start + closes, slot.start + slot.length


def _end_of_items(pattern: Sequence[int], null_id: int) -> int:
    """Where one of `item_patterns` closes the array: the token there decides whether another item follows."""
    return max(at for at, index in enumerate(pattern) if index != null_id)


def _noise(
    clean: np.ndarray,
    noisable: np.ndarray,
    cut: tuple[int, int, int] | None,
    rng: random.Random,
    vocabulary: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Uniform noise at level t ~ U(0, 1], t = 1 in a fifth of the samples; where it fell, and the loss weights."""
    level = 1.0 if rng.random() < 0.2 else 1.0 - rng.random()
    draw = np.random.default_rng(rng.getrandbits(64))
    hit = (draw.random(len(clean)) < level) & noisable
    weight = np.where(clean == NULL, 0.4, np.where(clean == PAD, 0.1, 1.0))
    if cut is not None:
        start, behind, end = cut
        hit[start:behind], hit[behind:end] = False, True
        weight[behind] = CUT_WEIGHT
    noisy = np.where(hit, draw.integers(NULL, vocabulary, len(clean)), clean)
    weight *= noisable * np.where(hit, 1.0, 0.2)
    return noisy, hit, weight.astype(np.float32)


def collate(examples: list[Example], bucket: Bucket, lexicon: Lexicon | None = None) -> dict[str, np.ndarray]:
    """The fields of examples, stacked: prompt [B, P], the others [B, N]; with a lexicon the prompt's words [B, P]."""
    prompt = np.full((len(examples), bucket.prompt), PAD)
    for row, one in enumerate(examples):
        prompt[row, : len(one.prompt)] = one.prompt
    names = [one.name for one in fields(Example) if one.name != "prompt"]
    read = {"prompt": prompt}
    if lexicon is not None:
        read["words"] = np.array([lexicon.of(row.tolist()) for row in prompt])
    return read | {name: np.stack([getattr(one, name) for one in examples]) for name in names}
