"""`structgen decide` prints an answer to each question."""

from __future__ import annotations

import json

import pytest


def test_questions_are_answered(run):
    result = run(
        "decide", "-q", "urgent?: yes|no", "-q", "anger: 0..2", "-", "--compact", stdin=b"Help, now!"
    )
    assert (result.code, result.err) == (0, "")
    answered = json.loads(result.out)
    assert answered["urgent?"]["value"] in ("yes", "no")
    assert list(answered["anger"]["probabilities"]) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        (["yes|no"], "has no name"),
        (["a: 0..x"], "two whole numbers"),
        (["a: x|y", "a: x|z"], "the same name"),
        (["a: x"], "2 to 255 answers"),
    ],
)
def test_bad_questions_are_refused_in_a_sentence(run, questions, said):
    result = run("decide", *[part for one in questions for part in ("-q", one)], "-", stdin=b"text")
    assert result.code in (1, 2)
    assert said in result.err
    assert result.out == ""
