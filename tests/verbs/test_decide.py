"""`decide` weighs fixed answers; neither their order nor other questions change a probability."""

from __future__ import annotations

from enum import Enum
from itertools import product
from typing import Any, Literal

import pytest

import structgen as sg
from minis import toy
from structgen.generation.chooser import Answers
from structgen.generation.prompts import Form, questions_schema
from structgen.generation.writer import prompt_ids

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


def test_joint_probabilities_are_those_of_all_combinations_summed():
    model = toy()
    asked: dict[str, list[Any]] = {"urgent": [False, True], "team": ["billing", "tech"], "anger": [0, 1, 2]}
    found = model.decide(TEXT, {**asked, "urgent": bool, "anger": sg.Score(0, 2)}, joint=True, seed=3)
    rows = [dict(zip(asked, row, strict=True)) for row in product(*asked.values())]
    form = Form.of(sg.JsonSchema(questions_schema(asked)))
    constraints = [
        sg.compile(
            sg.JsonSchema(questions_schema({name: [one] for name, one in row.items()})), model.vocabulary
        )
        for row in rows
    ]
    prompt = prompt_ids(model, model.prompts.extraction(form, TEXT))
    assert model.chooser is not None
    shares = model.chooser.probabilities(prompt, Answers(form.outlined.plain(), constraints, ()), 3).tolist()
    for name, answers in asked.items():
        for answer in answers:
            wanted = sum(share for share, row in zip(shares, rows, strict=True) if row[name] == answer)
            assert found.probabilities[name][answer] == pytest.approx(wanted, abs=1e-9)


def test_joint_questions_may_come_in_any_order_of_answers_and_must_fit_one_canvas(model: sg.Model):
    one = model.decide(TEXT, urgent=bool, team=["billing", "tech", "sales"], joint=True)
    other = model.decide(TEXT, urgent=bool, team=["sales", "tech", "billing"], joint=True)
    for name in ("urgent", "team"):
        for answer, share in one.probabilities[name].items():
            assert other.probabilities[name][answer] == pytest.approx(share, abs=1e-6)
    with pytest.raises(sg.InvalidSource, match="leave joint out"):
        model.decide(TEXT, {f"question {number}": ["long " * 9, "short"] for number in range(40)}, joint=True)


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
