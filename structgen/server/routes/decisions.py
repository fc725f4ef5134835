"""/v1/decisions and /v1/systemone"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter, Request

from structgen.generation.options import MOST_SEED
from structgen.server.answering.deciding import OneCanvas, Question, Weighing
from structgen.server.asking.turns import content_text, decision_text
from structgen.server.problems import Problem
from structgen.server.routes.common import EVERY_PROBLEM, Serving
from structgen.server.service import Service, result_of
from structgen.server.settings import ServerSettings
from structgen.server.wire.decisions import (
    ChoiceQuestion,
    DecisionChoice,
    DecisionRequest,
    LevelQuestion,
    NoulQuestion,
    OptionQuestion,
    PredicateQuestion,
    ScoreQuestion,
    SystemOneRequest,
)
from structgen.sources.json_schema.pointers import escape

T = TypeVar("T")

router = APIRouter()
Asking = PredicateQuestion | ChoiceQuestion | ScoreQuestion
StateAsking = NoulQuestion | OptionQuestion | LevelQuestion


@router.post("/v1/decisions", responses=EVERY_PROBLEM, response_model=None)
async def create_decision(body: DecisionRequest, request: Request, service: Serving) -> dict[str, Any]:
    """The answers to questions about an input, each with the probability of every answer."""
    name = service.named(body.model)
    body.check()
    asked = [_question(one, f"/questions/{at}") for at, one in enumerate(body.questions)]
    _check_size(asked, service.settings)
    text = decision_text(body.input)
    found = await _weighed(request, service, text, asked, body.seed, "/input")
    read = sum(one.prompt_tokens for one in found)
    return {
        "object": "decision",
        "model": name,
        "answers": [_decided(one, weighing) for one, weighing in zip(body.questions, found, strict=True)],
        "usage": {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": len(found),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + len(found),
        },
    }


@router.post("/v1/systemone", responses=EVERY_PROBLEM, response_model=None)
async def create_systemone(body: SystemOneRequest, request: Request, service: Serving) -> dict[str, Any]:
    """The answers to named questions about a state, each with the probability of every answer."""
    name = service.named(body.model)
    body.check()
    asked = [_state_question(one, f"/questions/{escape(key)}") for key, one in body.questions.items()]
    _check_size(asked, service.settings)
    state = body.state if isinstance(body.state, str) else json.dumps(body.state, ensure_ascii=False)
    together: OneCanvas | None = None
    if body.joint:
        job = service.decide_together(_short(state, service, "/state"), asked, _seed(body.seed))
        together = await _placed(result_of(request, job), "/state")
        found = together.weighings
    else:
        found = await _weighed(request, service, state, asked, body.seed, "/state")
    named = dict(zip(body.questions, found, strict=True))
    answers = {key: _answered(body.questions[key], one) for key, one in named.items()}
    reply: dict[str, Any] = {"model": name, "answers": answers}
    if together is not None:
        reply["joint"] = {"probability": together.probability, "questions": list(named)}
    if body.diagnostics:
        reply["diagnostics"] = {key: _diagnosed(one) for key, one in named.items()}
    return reply


async def _weighed(
    request: Request, service: Service, text: str, asked: Sequence[Question], seed: int | None, at: str
) -> list[Weighing]:
    job = service.decide(_short(text, service, at), asked, _seed(seed))
    return await _placed(result_of(request, job), at)


def _seed(given: int | None) -> int:
    return (given or 0) % (MOST_SEED + 1)


def _short(text: str, service: Service, at: str) -> str:
    """The text. Raises Problem if it is longer than the server reads."""
    if len(text) > service.settings.prompt_characters:
        raise Problem(
            f"the text has {len(text):,} characters, and this server reads at most "
            f"{service.settings.prompt_characters:,}",
            param=at,
            status=413,
            code="prompt_too_long",
        )
    return text


async def _placed(result: Awaitable[T], at: str) -> T:
    """A result, whose problem is that of a place in the body unless it names another."""
    try:
        return await result
    except Problem as problem:
        problem.param = problem.param or (at if problem.status == 400 else None)
        raise


def _check_size(asked: Sequence[Question], settings: ServerSettings) -> None:
    if len(asked) > settings.questions:
        raise Problem(
            f"a request has at most {settings.questions} questions, not {len(asked)}", param="/questions"
        )
    answers = sum(len(one.answers) for one in asked)
    if answers > settings.options:
        raise Problem(
            f"the questions have {answers:,} answers in all, and this server weighs at most {settings.options:,} "
            "at once: ask in several requests",
            param="/questions",
        )


def _most(count: int, at: str, what: str) -> None:
    if count > 255:
        raise Problem(f"a question has at most 255 {what}, not {count}", param=at)


def _said(instructions: str | list[dict[str, Any]], at: str) -> str:
    text = content_text(instructions, f"{at}/instructions")
    if not text.strip():
        raise Problem(
            "the instructions must say what is asked, and they are empty", param=f"{at}/instructions"
        )
    return text


def _question(one: Asking, at: str) -> Question:
    said = _said(one.instructions, at)
    if isinstance(one, PredicateQuestion):
        return Question(said, (True, False))
    if isinstance(one, ChoiceQuestion):
        _most(len(one.choices), f"{at}/choices", "choices")
        values = [(type(choice.value), choice.value) for choice in one.choices]
        twice = next((i for i, value in enumerate(values) if value in values[:i]), None)
        if twice is not None:
            raise Problem("two choices have the same value", param=f"{at}/choices/{twice}/value")
        return Question(said, _texts(one.choices, at))
    _most(len(one.levels), f"{at}/levels", "levels")
    labels = [level.label for level in one.levels]
    if "" in labels or len(set(labels)) < len(labels):
        raise Problem("the labels of levels must be different and not empty", param=f"{at}/levels")
    described = [level.description for level in one.levels]
    shown = [text or label for text, label in zip(described, labels, strict=True)]
    return Question(said, tuple(shown if len(set(shown)) == len(shown) else labels))


def _texts(choices: Sequence[DecisionChoice], at: str) -> tuple[str | bool, ...]:
    """What stands for each choice: its description if there is one and no other choice has it, or its value."""
    described = [choice.description for choice in choices]
    found: list[str | bool] = []
    for index, choice in enumerate(choices):
        text = choice.description
        if choice.value == "" and not text:
            raise Problem("a choice needs a value or a description", param=f"{at}/choices/{index}/value")
        if text and described.count(text) > 1:
            text = f"{json.dumps(choice.value)}: {text}"
        found.append(text or choice.value)
    return tuple(found)


def _state_question(one: StateAsking, at: str) -> Question:
    said = _said(one.instructions, at)
    if isinstance(one, NoulQuestion):
        if one.criteria:
            raise Problem("a noul is answered by yes or no: leave its criteria out", param=f"{at}/criteria")
        return Question(said, (True, False))
    _most(len(one.criteria), f"{at}/criteria", "criteria")
    if isinstance(one, OptionQuestion):
        texts = [text.strip() or key for key, text in one.criteria.items()]
    else:
        texts = [text.strip() for text in one.criteria]
    if not all(texts):
        raise Problem("a criterion must not be empty", param=f"{at}/criteria")
    return Question(said, tuple(texts))


def _decided(one: Asking, found: Weighing) -> dict[str, Any]:
    name = {"name": one.name}
    if found.refused is not None:
        return {"type": "refusal", **name}
    shares = found.shares
    if isinstance(one, PredicateQuestion):
        return {"type": "predicate", **name, "probability": shares[0]}
    best = max(range(len(shares)), key=shares.__getitem__)
    if isinstance(one, ChoiceQuestion):
        listed = [
            {"value": choice.value, "probability": share}
            for choice, share in zip(one.choices, shares, strict=True)
        ]
        choice = one.choices[best].value
        return {
            "type": "choice",
            **name,
            "choice": choice,
            "confidence": shares[best],
            "probabilities": listed,
        }
    levels = [
        {"label": level.label, "value": at, "probability": share}
        for at, (level, share) in enumerate(zip(one.levels, shares, strict=True))
    ]
    score = sum(at * share for at, share in enumerate(shares))
    return {"type": "score", **name, "score": score, "confidence": shares[best], "probabilities": levels}


def _answered(one: StateAsking, found: Weighing) -> dict[str, Any]:
    if found.refused is not None:
        return {"type": "refusal", "reason": found.refused}
    shares = found.shares
    best = max(range(len(shares)), key=shares.__getitem__)
    if isinstance(one, NoulQuestion):
        return {"type": "noul", "noul": shares[0], "confidence": shares[best]}
    if isinstance(one, OptionQuestion):
        named = dict(zip(one.criteria, shares, strict=True))
        choice = list(named)[best]
        return {"type": "choice", "choice": choice, "probabilities": named, "confidence": shares[best]}
    levels = {str(at): share for at, share in enumerate(shares)}
    score = sum(at * share for at, share in enumerate(shares))
    return {"type": "score", "score": score, "probabilities": levels, "confidence": shares[best]}


def _diagnosed(found: Weighing) -> dict[str, Any]:
    """How far the probabilities are from certainty, in nats, and what was read for them."""
    entropy = -sum(share * math.log(share) for share in found.shares if share > 0)
    return {"entropy": entropy, "prompt_tokens": found.prompt_tokens, "refused": found.refused}
