"""Words begin and end where UAX 29 says, as the package regex reads it, and never inside a grapheme cluster."""

from __future__ import annotations

from itertools import pairwise

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from structgen.reading.boundaries import boundaries

# One or two characters of every class that the rules of the annex name.
CLASSES = (
    "aZ1_ .,'\":;-\r\n\t\u00a0\u200d\u0301\u0308\u05d0\u05d1\u0627\u0644\u0640\u0e01\u0e33\u0e19\u3042\u30ab\u30bf"
    "\u4f60\uac00\u1100\u1161\u11a8\U0001f468\U0001f469\U0001f1e9\U0001f1ea\U0001f3fd\ufe0f\u00ad\u2060\u0600\u2019\u00b7"
)


def judged(text: str) -> list[int]:
    words = {0, len(text)} | {match.start() for match in regex.finditer(r"(?w)\b", text, flags=regex.V1)}
    return sorted(words & {0, *(match.end() for match in regex.finditer(r"\X", text))})


@settings(max_examples=500)
@given(st.text(st.sampled_from(CLASSES), max_size=9))
def test_words_end_where_the_annex_says(text: str):
    assert list(boundaries(text, "word").begins) == judged(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("can't stop 3.14", ["can't", " ", "stop", " ", "3.14"]),
        ("你好 カタカナ", ["你", "好", " ", "カタカナ"]),
        ("👨‍👩‍👧 e\u0301\r\n🇩🇪🇫🇷", ["👨‍👩‍👧", " ", "e\u0301", "\r\n", "🇩🇪", "🇫🇷"]),
        ("مرحبا بكم", ["مرحبا", " ", "بكم"]),
        ("กำ", ["กำ"]),
    ],
)
def test_examples(text: str, words: list[str]):
    places = boundaries(text, "word").begins
    assert [text[a:b] for a, b in pairwise(places)] == words


def test_a_line_ends_in_front_of_its_break():
    assert boundaries("a\r\nb\n\nc", "line") == ([0, 3, 5, 6], [1, 4, 5, 7])
