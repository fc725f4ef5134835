"""What counts as a right field, and how honest confidences are."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.clock import Seconds
from bench.confidence import Witness, confidences, leaf_spans
from bench.scores import Answer, Tally, alike, calibration_error, leaves, same
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.loop import StepEvent
from structgen_engine.lattice.lattice import Beliefs

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("Acme Ltd.", "acme  LTD", True),
        ("Acme Ltd", "Acme", False),
        ("289.50", 289.5, True),
        (1, 1.0, True),
        (1, True, False),
        ("3 March 2026", "2026-03-03", True),
        ("2026-03-03T10:00:00", "2026-03-03", True),
        ("03.03.2026", "2026-03-04", False),
        (None, "", False),
        ("12:30", "12:30:00", False),
    ],
    ids=repr,
)
def test_alike_is_equal_but_for_the_form(left: Any, right: Any, equal: bool):
    assert alike(left, right) == alike(right, left) == equal


@given(VALUES)
def test_what_is_the_same_is_alike_in_every_leaf(value: Any):
    again = json.loads(json.dumps(value))
    assert same(value, again)
    assert all(alike(x, y) for (_, x), (_, y) in zip(leaves(value), leaves(again), strict=True))


@given(VALUES)
def test_the_spans_of_a_text_are_its_leaves_in_order(value: Any):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        read = [json.loads(text[start:end]) for start, end in leaf_spans(text)]
        assert [same(one, leaf) for one, (_, leaf) in zip(read, leaves(value), strict=True)] == [True] * len(
            read
        )


def test_a_field_is_as_sure_as_its_least_sure_position():
    vocabulary = Vocabulary.from_tokens([b'{"a":', b'"', b"x", b"y", b',"b":', b"7", b"}", "<null>", "<eos>"])
    pieces = [
        (0, 0.5),
        (1, 0.9),
        (2, 0.8),
        (3, 0.7),
        (7, 0.3),
        (1, 0.9),
        (4, 0.1),
        (5, 0.95),
        (7, 0.6),
        (6, 0.2),
        (8, 0.1),
    ]
    ids, probabilities = zip(*pieces, strict=True)
    text = vocabulary.decode(ids).decode()
    assert text == '{"a":"xy","b":7}'
    assert confidences(text, ids, probabilities, vocabulary) == {"/a": 0.3, "/b": 0.6}
    assert confidences("no JSON", ids, probabilities, vocabulary) == {}
    assert confidences('{"a":1,"a":2}', ids, probabilities, vocabulary) == {}


def test_the_witness_keeps_the_last_step_of_the_last_attempt():
    witness = Witness()
    for block, step, p in [(0, 0, 0.1), (1, 0, 0.2), (0, 0, 0.3), (0, 1, 0.4), (1, 0, 0.5)]:
        some = torch.zeros(1, 2)
        beliefs = Beliefs(some, torch.full((1, 2), p, dtype=torch.float64), some.bool())
        witness(StepEvent(block, step, torch.tensor([0]), some.long(), some.long(), some.bool(), beliefs))
    assert witness.probabilities == [0.4, 0.4, 0.5, 0.5]


def test_calibration_is_the_gap_between_confidence_and_share_right():
    assert calibration_error([(1.0, True), (0.0, False)]) == 0
    assert calibration_error([(0.75, True), (0.75, True), (0.75, True), (0.75, False)]) == pytest.approx(0)
    assert calibration_error([(0.9, False)] * 3 + [(0.2, False)]) == pytest.approx((3 * 0.9 + 0.2) / 4)


def test_a_tally_counts_what_is_missing_as_wrong():
    tally = Tally()
    tally.add(
        {"a": "Acme", "b": 2, "c": [1]},
        Answer({"a": "ACME", "b": 2.0}, True, 4, 10, Seconds(2.0, 1.0), {"/a": 0.9, "/b": 0.8}),
    )
    tally.add({"a": "x"}, Answer(None, False, 2, 5, Seconds(1.0, 1.0)))
    figures = tally.figures()
    assert (figures["fields"], figures["exact"], figures["alike"]) == (4, 1 / 4, 2 / 4)
    assert (figures["objects"], figures["valid"], figures["steps"]) == (0, 1 / 2, 3)
    assert (figures["seconds_per_document"], figures["tokens_per_second"]) == (1.5, 5)
    assert figures["ece"] == pytest.approx((0.9 + 0.2) / 2)
