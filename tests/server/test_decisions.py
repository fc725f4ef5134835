"""Decisions, asked for by OpenAI's own client, and /v1/systemone."""

from __future__ import annotations

import math
from typing import Any

import pytest

TEXT = "The export has failed three nights in a row."
PREDICATE = {"type": "predicate", "instructions": "Is an export failing?", "name": "failing"}
CHOICE = {
    "type": "choice",
    "instructions": "Which team?",
    "choices": [{"value": "engineering", "description": "Repairs"}, {"value": "billing"}],
}
SCORE = {
    "type": "score",
    "instructions": "How angry?",
    "levels": [{"label": "calm"}, {"label": "cross"}, {"label": "angry"}],
}
MIXED = {
    "type": "choice",
    "instructions": "Is it?",
    "choices": [{"value": True}, {"value": "true"}, {"value": False}],
}


def decide(client: Any, *questions: Any) -> Any:
    return client(lambda one: one.decisions.create(model="toy", input=TEXT, questions=questions))


def systemone(client: Any, questions: Any, **more: Any) -> Any:
    found = client.post("/v1/systemone", {"model": "toy", "state": TEXT, "questions": questions, **more})
    assert found.status_code == 200, found.text
    return found.json()


def test_every_question_has_its_answer_in_order(client):
    failing, team, anger = decide(client, PREDICATE, CHOICE, SCORE).answers
    assert (failing.type, failing.name) == ("predicate", "failing")
    assert 0 < failing.probability < 1
    assert team.choice in ("engineering", "billing")
    assert math.isclose(sum(one.probability for one in team.probabilities), 1)
    assert [one.label for one in anger.probabilities] == ["calm", "cross", "angry"]
    assert math.isclose(anger.score, sum(one.value * one.probability for one in anger.probabilities))


def test_a_truth_value_and_a_string_of_equal_text_are_two_choices(client):
    (found,) = decide(client, MIXED).answers
    assert [one.value for one in found.probabilities] == [True, "true", False]
    assert [type(one.value) for one in found.probabilities] == [bool, str, bool]
    assert math.isclose(sum(one.probability for one in found.probabilities), 1)


def test_the_company_and_the_order_of_questions_change_nothing(client):
    alone = decide(client, CHOICE).answers[0]
    assert decide(client, SCORE, PREDICATE, CHOICE).answers[2] == alone


def test_the_order_and_the_names_of_options_change_nothing(client):
    options = {"a": "Repairs things", "b": "Sends invoices", "c": "Answers the phone"}
    ask = {"type": "choice", "instructions": "Which team?"}
    first = systemone(client, {"q": {**ask, "criteria": options}})["answers"]["q"]["probabilities"]
    turned = {"other": {**ask, "criteria": {f"x{name}": options[name] for name in "cab"}}}
    second = systemone(client, turned)["answers"]["other"]["probabilities"]
    assert {f"x{name}": share for name, share in first.items()} == second


def test_equal_options_share_their_probability(client):
    ask = {"type": "choice", "instructions": "Which team?"}
    once = systemone(client, {"q": {**ask, "criteria": {"a": "Repairs", "b": "Invoices"}}})
    twice = systemone(client, {"q": {**ask, "criteria": {"a": "Repairs", "b": "Invoices", "c": "Invoices"}}})
    first, second = (one["answers"]["q"]["probabilities"] for one in (once, twice))
    assert math.isclose(first["b"], second["b"] + second["c"])


def test_a_state_may_be_any_json(client):
    questions = {
        "failing": {"type": "noul", "instructions": "Is an export failing?"},
        "anger": {"type": "score", "instructions": "How angry?", "criteria": ["calm", "cross"]},
    }
    found = systemone(client, questions, joint=True, diagnostics=True)
    assert found["answers"]["anger"]["probabilities"].keys() == {"0", "1"}
    assert found["joint"]["questions"] == ["failing", "anger"]
    assert found["diagnostics"]["failing"]["entropy"] > 0
    body = {"state": {"rows": [1, 2]}, "questions": questions}
    assert client.post("/v1/systemone", body).status_code == 200


def test_joint_questions_are_those_of_decide_and_their_joint_probability_keeps_the_bounds(client, model):
    asked = {"Is it late?": ["calm", "cross"], "How angry?": ["mild", "furious"]}
    questions = {
        text[:2]: {"type": "score", "instructions": text, "criteria": levels}
        for text, levels in asked.items()
    }
    found = systemone(client, questions, joint=True)
    ours = model.decide(TEXT, dict(sorted(asked.items())), joint=True)
    for text, levels in asked.items():
        shares = found["answers"][text[:2]]["probabilities"]
        assert [shares["0"], shares["1"]] == pytest.approx([ours.probabilities[text][one] for one in levels])
    best = [one["confidence"] for one in found["answers"].values()]
    assert sum(best) - 1 - 1e-9 <= found["joint"]["probability"] <= min(best) + 1e-9


def test_one_question_alone_is_as_probable_jointly_as_it_is(client):
    ask = {"q": {"type": "noul", "instructions": "Is it late?"}}
    found = systemone(client, ask, joint=True)
    assert found["joint"]["probability"] == pytest.approx(found["answers"]["q"]["confidence"])


def test_questions_that_ask_the_same_are_kept_apart(client):
    ask = {"type": "noul", "instructions": "Is it late?"}
    found = systemone(client, {"a": ask, "b": ask}, joint=True)
    assert found["answers"].keys() == {"a", "b"}


def test_questions_that_do_not_fit_one_canvas_are_refused(client):
    ask = {"type": "noul", "instructions": "Is it late, and if so, by how many days and for what reason?"}
    body = {"state": TEXT, "questions": {str(k): ask for k in range(100)}, "joint": True}
    found = client.post("/v1/systemone", body)
    assert found.status_code == 400
    assert found.json()["error"]["param"] == "/joint"


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("decisions", {"input": "x", "questions": []}, "/questions"),
        ("decisions", {"input": "x", "questions": [PREDICATE] * 401}, "/questions"),
        ("decisions", {"input": "", "questions": [PREDICATE]}, "/input"),
        ("decisions", {"input": "x", "questions": [{"type": "guess"}]}, "/questions/0/type"),
        ("decisions", {"input": "x", "questions": [{"type": "predicate"}]}, "/questions/0/instructions"),
        (
            "decisions",
            {"input": "x", "questions": [{**CHOICE, "choices": [{"value": "a"}, {"value": "a"}]}]},
            "/questions/0/choices/1/value",
        ),
        (
            "decisions",
            {"input": "x", "questions": [{**CHOICE, "choices": [{"value": 1}, {"value": "a"}]}]},
            "/questions/0/choices/0/value",
        ),
        ("systemone", {"state": "x", "questions": {}}, "/questions"),
        ("systemone", {"state": " ", "questions": {"q": {"type": "noul", "instructions": "x"}}}, "/state"),
        (
            "systemone",
            {
                "state": "x",
                "questions": {"q": {"type": "choice", "instructions": "x", "criteria": {"a": "b"}}},
            },
            "/questions/q/criteria",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence_that_says_where(client, path, body, param):
    found = client.post(f"/v1/{path}", body)
    assert found.status_code == 400, found.text
    assert found.json()["error"]["param"] == param
