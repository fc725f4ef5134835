"""Which token of the prompt a token of the canvas comes from."""

from __future__ import annotations

import random

import numpy as np
import pytest

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from minis import SLOTS
from structgen_mini.scaffold import Slot
from training.alignment import NOWHERE, sources
from training.canvases import BUCKETS, cached, make_example
from training.documents import Span, make_sample
from training.pools import make_pools
from training.tokenizer import load_tokenizer


def test_a_copy_is_followed_token_by_token() -> None:
    slot, span = Slot("/name", "string", 1, 4), Span("/name", 10, 19, "Ann Ex Wu")
    prompt, starts = (50, 51, 7, 8, 9, 52), (0, 5, 10, 13, 16, 19)
    found = sources((1, 7, 8, 9, 0, 2), [slot], [span], prompt, starts)
    assert found.tolist() == [NOWHERE, 2, 3, 4, NOWHERE, NOWHERE]


def test_a_rewritten_number_is_followed_where_its_digits_run_on() -> None:
    slot, span = Slot("/total", "number", 0, 8), Span("/total", 0, 8, "1.249,90")
    found = sources((1, 2, 4, 9, 11, 9, 0, 99), [slot], [span], (1, 11, 2, 4, 9, 12, 9, 0), tuple(range(8)))
    assert found.tolist() == [NOWHERE, 2, 3, 4, NOWHERE, 6, 7, NOWHERE]


def test_items_are_followed_in_their_order() -> None:
    slot = Slot("/tags", "array", 0, 7)
    spans = [Span("/tags/1", 0, 1, "b"), Span("/tags/0", 2, 3, "a")]
    found = sources((90, 5, 91, 6, 92, 0, 0), [slot], spans, (6, 80, 5), (0, 1, 2))
    assert found.tolist() == [NOWHERE, 2, NOWHERE, 0, NOWHERE, NOWHERE, NOWHERE]


def test_every_source_holds_the_token_it_is_the_source_of() -> None:
    rng, pools, tokenizer = random.Random(5), make_pools(size=300), load_tokenizer()
    encode, followed, noised = cached(tokenizer), 0, 0
    for _ in range(200):
        made = make_example(make_sample(rng, pools), tokenizer, encode, rng, SLOTS)
        if made is None:
            continue
        example, bucket = made
        assert bucket in BUCKETS
        at = np.flatnonzero(example.source != NOWHERE)
        assert (example.prompt[example.source[at]] == example.clean[at]).all()
        followed, noised = followed + len(at), noised + int((example.noisy != example.clean).sum())
    assert followed > noised / 4  # of the rest most are null tokens, keys and punctuation
