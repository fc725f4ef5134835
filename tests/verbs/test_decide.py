"""`decide` weighs fixed answers; neither their order nor other questions change a probability."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

import pytest

import structgen as sg

TEXT = "The invoice is wrong again and I am furious. Please fix the billing today!"


class Team(Enum):
    BILLING = "billing"
    TECH = "tech"


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return sg.load()


def test_every_kind_of_question_has_an_answer(model: sg.Model):
    decision = model.decide(
        TEXT,
        {"is it late?": ["yes", "no"]},
        urgent=bool,
        team=Team,
        kind=Literal["a", 2],
        anger=sg.Score(0, 3),
    )
    answers: dict[str, list[Any]] = {
        "is it late?": ["yes", "no"], "urgent": [True, False], "team": [*Team], "kind": ["a", 2], "anger": [0, 1, 2, 3],
    }  # fmt: skip
    for name, wanted in answers.items():
        shares = decision.probabilities[name]
        assert list(shares) == wanted
        assert sum(shares.values()) == pytest.approx(1)
        assert decision[name] in wanted
        assert shares[decision[name]] == max(shares.values())
    assert decision["team"] is Team.BILLING
    assert 0 <= decision.mean("anger") <= 3


def test_neither_order_nor_other_questions_change_a_probability(model: sg.Model):
    alone = model.decide(TEXT, team=["billing", "tech", "sales"]).probabilities["team"]
    more = model.decide(TEXT, urgent=bool, team=["sales", "tech", "billing"]).probabilities["team"]
    for answer, share in alone.items():
        assert more[answer] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize(
    "question",
    [str, "yes", ["yes"], ["a", "a"], ["a", ""], [1.5, 2.5], None, [f"{n}" for n in range(256)]],
    ids=repr,
)
def test_a_question_without_fixed_answers_is_refused(model: sg.Model, question: Any):
    with pytest.raises(sg.InvalidSource, match="'team'"):
        model.decide(TEXT, team=question)


def test_nothing_to_decide_is_refused(model: sg.Model):
    with pytest.raises(sg.InvalidSource, match="at least one question"):
        model.decide(TEXT)
    with pytest.raises(sg.InvalidDocument):
        model.decide(" ", urgent=bool)
    with pytest.raises(sg.InvalidOption, match="most"):
        sg.Score(3, 3)
    with pytest.raises(sg.InvalidSource, match="no mean"):
        model.decide(TEXT, team=Team).mean("team")
