"""How many fields a model gets right on held-out values, held-out names and hand-written documents.

    PYTHONPATH=.:engine python -m training.evaluate --samples 100 --steps 1 4 8

Decoding here is deliberately simple: tokens are filtered slot by slot and positions accepted by confidence.
It shows the training's progress; the product decodes with the lattice. A sample that does not fit the
scaffold, or whose answer cannot be read, counts as wrong in every field.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from structgen_mini import Mini, load_mini, mini_folder
from structgen_mini.constants import Constants, SlotSizes
from structgen_mini.outline import FORMATS, Outline
from structgen_mini.prompt import prompt_text
from structgen_mini.scaffold import OPEN, Scaffold, compact, scaffold
from training.canvases import BUCKETS, cached
from training.documents import make_sample
from training.pools import make_pools
from training.schemas import outline_of
from training.tokenizer import EOS, NULL, PAD, PATH, load_tokenizer

HANDWRITTEN = Path(__file__).with_name("handwritten.jsonl")
CONFIDENT = 0.9  # a position this sure is accepted before its turn


@dataclass(frozen=True)
class Problem:
    """A schema, a document and the right answer."""

    schema: dict[str, Any]
    document: str
    value: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Laid:
    """A problem ready to decode."""

    problem: Problem
    prompt: tuple[int, ...]
    plan: Scaffold
    allowed: Tensor  # [N, V] bool


def handwritten() -> list[Problem]:
    """The hand-written documents, frozen before the first training run."""
    return [Problem(**json.loads(line)) for line in HANDWRITTEN.read_text().splitlines()]


def drawn(split: str, count: int, seed: int = 4242) -> list[Problem]:
    """Generated problems of a split."""
    rng, pools = random.Random(f"{seed} {split}"), make_pools()
    samples = [make_sample(rng, pools, split) for _ in range(count)]
    return [Problem(one.schema, one.document, one.value) for one in samples]


class TokenSets:
    """The tokens that may stand in a slot of each kind, [V] bool each."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        texts = [tokenizer.decode([token]) for token in range(tokenizer.get_vocab_size())]
        self.tokenizer = tokenizer
        self.plain = torch.tensor([text != "" and not set(text) & set('"\\\n\t\r') for text in texts])
        self.digits = torch.tensor([text.isdigit() or text == "-" for text in texts])
        self.number = torch.tensor([text.isdigit() or text in (".", "-") for text in texts])
        self.date = torch.tensor([text.isdigit() or text in tuple("-:TZ") for text in texts])
        self.any = torch.tensor([token > EOS for token in range(len(texts))])
        for one in (self.plain, self.digits, self.number, self.date):
            one[NULL] = True

    def of(self, kind: str, options: tuple[Any, ...]) -> Tensor:
        if kind == "boolean":
            options = (True, False)
        if options:
            mask = torch.zeros_like(self.any)
            mask[NULL] = True
            for option in options:
                text = option if isinstance(option, str) else compact(option)
                mask[self.tokenizer.encode(text).ids] = True
            return mask
        by_kind = {"string": self.plain, "email": self.plain, "integer": self.digits, "number": self.number}
        return self.date if kind in FORMATS[:3] else by_kind.get(kind, self.any)


def lay(problem: Problem, tokenizer: Tokenizer, sets: TokenSets, slots: SlotSizes) -> Laid | None:
    """A problem ready to decode; None if the prompt or the scaffold does not fit."""
    encode = cached(tokenizer)
    outline = outline_of(problem.schema)
    prompt = encode(prompt_text(outline, problem.document))
    plan = scaffold(outline, encode, NULL, slots=slots)
    if plan is None or len(prompt) > BUCKETS[-1].prompt:
        return None
    outlines = dict(_outlines(outline, ""))
    allowed = torch.zeros(len(plan.ids) + 1, len(sets.any), dtype=torch.bool)
    for position, token in enumerate((*plan.ids, EOS)):
        allowed[position, token if token != OPEN else NULL] = True
    for slot in plan.slots:
        value = outlines.get(slot.pointer)
        certain = value is not None and not value.nullable and slot.kind == value.kind
        allowed[slot.start : slot.start + slot.length] = (
            sets.of(slot.kind, value.options if value.kind == "enum" else ())
            if certain and value
            else sets.any
        )
    return Laid(problem, prompt, plan, allowed)


def _outlines(outline: Outline, pointer: str) -> Iterator[tuple[str, Outline]]:
    yield pointer, outline
    for field in outline.fields:
        yield from _outlines(field.value, f"{pointer}/{field.name}")


@torch.inference_mode()
def decode(model: Mini, laid: list[Laid], steps: int, generator: torch.Generator) -> list[list[int]]:
    """Refine uniform noise: accept the surest allowed tokens, renoise the rest, `steps` times."""
    longest = max(len(one.allowed) for one in laid)
    vocabulary = laid[0].allowed.shape[1]
    prompt = torch.full((len(laid), max(len(one.prompt) for one in laid)), PAD)
    allowed = torch.zeros(len(laid), longest, vocabulary, dtype=torch.bool)
    allowed[:, :, PAD] = True
    for row, one in enumerate(laid):
        prompt[row, : len(one.prompt)] = torch.tensor(one.prompt)
        allowed[row, : len(one.allowed)] = one.allowed
    pinned, only = allowed.sum(-1) == 1, allowed.int().argmax(-1)
    memory = model.encode(prompt)
    best = only
    canvas = torch.where(pinned, only, torch.randint(NULL, vocabulary, only.shape, generator=generator))
    beliefs = torch.where(pinned[..., None], allowed.float(), 1.0 / vocabulary)
    for step in range(steps):
        scores = model.logits(memory, canvas, model.hint(beliefs)).masked_fill(~allowed, -torch.inf)
        beliefs = scores.softmax(-1)
        sure, best = scores.max(-1)
        sure = sure.exp().masked_fill(pinned, -1.0)
        due = ((~pinned).sum(1) * (step + 1) / steps).long().clamp(min=1)
        threshold = sure.sort(1, descending=True).values.gather(1, (due - 1)[:, None])
        keep = pinned | (sure >= threshold) | (sure > CONFIDENT)
        canvas = torch.where(keep, best, torch.randint(NULL, vocabulary, best.shape, generator=generator))
    return [row[: len(one.plan.ids)] for row, one in zip(best.tolist(), laid, strict=True)]


def read(ids: list[int], one: Laid, tokenizer: Tokenizer) -> Any:
    """The object that a filled canvas spells; a slot that is not JSON becomes null, an optional member is left out."""
    pieces, at = [], 0
    for slot in one.plan.slots:
        pieces.append(tokenizer.decode(ids[at : slot.start]))
        inside = ids[slot.start : slot.start + slot.length]
        cut = inside if slot.kind == "array" or NULL not in inside else inside[: inside.index(NULL)]
        text = tokenizer.decode([token for token in cut if token != NULL])
        pieces.append(_sound(text, slot.kind, quoted=pieces[-1].endswith('"')))
        at = slot.start + slot.length
    pieces.append(tokenizer.decode(ids[at:]))
    try:
        return json.loads("".join(pieces))
    except json.JSONDecodeError:
        return None


def _sound(text: str, kind: str, *, quoted: bool) -> str:
    if quoted:
        return text
    try:
        json.loads("{" + text.removeprefix(",") + "}" if kind == "member" else text)
    except json.JSONDecodeError:
        return "" if kind == "member" else "null"
    return text


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Scalars by pointer; an empty array counts as one."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, f"{pointer}/{name}")
    elif isinstance(value, list) and value:
        for index, part in enumerate(value):
            yield from leaves(part, f"{pointer}/{index}")
    else:
        yield (
            pointer,
            float(value)
            if isinstance(value, int | float | Decimal) and value not in (True, False)
            else value,
        )


def evaluate(
    model: Mini, tokenizer: Tokenizer, problems: list[Problem], steps: int, batch: int = 16
) -> dict[str, Any]:
    """Share of exactly right fields and objects, and of fields by kind of leaf."""
    sets, generator = TokenSets(tokenizer), torch.Generator().manual_seed(0)
    slots = Constants.read(mini_folder()).slots.usual
    laid = [lay(problem, tokenizer, sets, slots) for problem in problems]
    fitting = [one for one in laid if one is not None]
    answers: dict[int, Any] = {}
    for first in range(0, len(fitting), batch):
        group = fitting[first : first + batch]
        for ids, one in zip(decode(model, group, steps, generator), group, strict=True):
            answers[id(one.problem)] = read(ids, one, tokenizer)
    total, right, whole = Counter(), Counter(), 0
    for problem in problems:
        gold, found = dict(leaves(problem.value)), dict(leaves(answers.get(id(problem))))
        whole += gold == found
        for pointer, value in gold.items():
            kind = "list" if any(part.isdigit() for part in pointer.split("/")) else type(value).__name__
            total[kind] += 1
            right[kind] += pointer in found and found[pointer] == value
    shares = {kind: f"{right[kind]}/{total[kind]}" for kind in sorted(total)}
    return {
        "fields": round(right.total() / total.total(), 3),
        "of": total.total(),
        "objects": round(whole / len(problems), 3),
        "unfit": len(problems) - len(fitting),
        "kinds": shares,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=PATH.parent)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--steps", type=int, nargs="+", default=[8])
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load_mini(options.model), load_tokenizer()
    sets = {
        "values": drawn("values", options.samples),
        "names": drawn("names", options.samples),
        "handwritten": handwritten(),
    }
    for steps in options.steps:
        for name, problems in sets.items():
            print(steps, name, json.dumps(evaluate(model, tokenizer, problems, steps)), flush=True)


if __name__ == "__main__":
    main()
