"""The tokens that hold a value are those that spell some byte of it, and the zero-width ones beside them."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from structgen.evidence.tokens import Spelled, ways
from structgen.tokens.vocabulary import Vocabulary

PIECES = [b"a", b"ab", b"abc", b"b", b"c"]
VOCABULARY = Vocabulary.from_tokens([*PIECES, "<null>", "<eos>", "<pad>"], end="<eos>", pad="<pad>")
NULL, END = VOCABULARY.special["<null>"], VOCABULARY.special["<eos>"]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.data())
def test_exactly_the_tokens_that_overlap_are_held(ids, data):
    spelled = Spelled([*ids, END], VOCABULARY)
    text = VOCABULARY.decode(ids)
    assume(text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    first, last = spelled.tokens(start, end)
    owners = [at for at, one in enumerate(ids) for _ in VOCABULARY.spelling(one)]
    held = set(owners[start:end])
    inside = set(range(first, last))
    assert held <= inside
    assert {ids[at] for at in inside - held} <= {NULL}
    beside = [at for at in (first - 1, last) if 0 <= at < len(ids)]
    assert all(ids[at] != NULL for at in beside)
    assert spelled.inside(first, last) == b"".join(VOCABULARY.spelling(ids[at]) for at in sorted(held))


@given(st.text("abc", min_size=1, max_size=7))
def test_ways_are_every_division_into_tokens(text):
    found = ways(VOCABULARY, text.encode())
    for at, onward in enumerate(found):
        wanted = {
            number: at + len(piece)
            for number, piece in enumerate(PIECES)
            if text.encode()[at:].startswith(piece)
        }
        assert onward == wanted | {NULL: at}
