"""A few of BFCL's questions, and what a judge of calls must notice."""

from __future__ import annotations

import pytest

import material
from conformance.calls import WRITERS, Outcome, questions


def test_accepted_answers_come_back_equal_in_every_form() -> None:
    try:
        file = material.find(material.QUESTIONS)
    except material.MissingData as missing:
        pytest.skip(str(missing))
    found = Outcome()
    for question in questions(file, every=260):
        found.judge(question, None, random=2)
    assert found.faults == []
    assert all(found.counts[f"{form}: compiled"] == found.questions >= 2 for form in WRITERS)
    assert all(found.counts[f"{form}: random outputs"] == 2 * found.questions for form in WRITERS)
