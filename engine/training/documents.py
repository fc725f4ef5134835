"""Seeded synthetic extraction problems: a JSON Schema, a document, the value to extract, and where it stands.

Field names are known ones, paraphrased in the document, or random words; the document's order is not the
schema's; there are distractors of the same kind, missing values, nested objects, lists and tables, and requests to be
answered by a tool call. Values, names and phrases are each split by hash, so that three kinds of generalisation can be
measured:

    train    training values, names and phrases
    values   held-out values
    names    held-out values, names and phrases
"""

from __future__ import annotations

import random
from collections.abc import Callable

from training.compositions import make_document, make_records
from training.dialogues import make_call, make_choice
from training.forms import make_form
from training.page import Page
from training.phrases import LANGUAGES
from training.pools import Pools
from training.samples import Sample, Span
from training.tellings import make_story

__all__ = ["SPLITS", "Sample", "Span", "make_sample"]
SPLITS = ("train", "values", "names")
MAKERS: dict[Callable[[Page], Sample], int] = {
    make_story: 32,
    make_document: 26,
    make_records: 9,
    make_form: 19,
    make_call: 11,
    make_choice: 5,
}


def make_sample(rng: random.Random, pools: Pools, split: str = "train") -> Sample:
    """One problem of a split, whose document says something; equal generators give equal problems."""
    while True:
        maker = rng.choices(list(MAKERS), list(MAKERS.values()))[0]
        language = rng.choices(LANGUAGES, [56, 20, 12, 12])[0] if maker is make_form else "en"
        sample = maker(Page(rng, pools.side(held=split != "train"), split, language, ""))
        if sample.document.strip():
            return sample
