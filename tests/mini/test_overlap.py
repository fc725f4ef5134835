"""Which of several texts another one is about, by words of like meaning."""

from __future__ import annotations

import math

import pytest
import torch

from structgen_mini import Lexicon
from structgen_mini.overlap import Overlap

VECTORS = torch.tensor(
    [[0.0, 0.0], [1.0, 0.0], [3.0, 4.0], [0.0, 1.0], [-1.0, 0.0]]
)  # unknown, then the four words
OVERLAP = Overlap(Lexicon([b"cash", b"money", b"train", b"debt"], []), VECTORS)


def test_a_word_counts_as_much_as_the_likest_word_of_the_text() -> None:
    assert OVERLAP("any cash?", ["money", "train", "cash"]) == pytest.approx([0.6, 0.0, 1.0])
    assert OVERLAP("money on the train", ["cash"]) == pytest.approx([0.6])


def test_the_contrary_counts_as_nothing_and_an_unknown_word_as_itself_alone() -> None:
    assert OVERLAP("cash", ["debt", "zorble"]) == [0.0, 0.0]
    assert OVERLAP("a Zorble", ["zorble"]) == [1.0]


def test_what_all_options_say_tells_less() -> None:
    shared, own = math.log(3 / 2), math.log(3 / 1)
    found = OVERLAP("get cash", ["getCash", "get_train"])
    assert found == pytest.approx([1.0, shared / (shared + own)])


def test_texts_without_words_share_nothing() -> None:
    assert OVERLAP("12", ["cash"]) == [0.0]
    assert OVERLAP("cash", ["", "7"]) == [0.0, 0.0]
