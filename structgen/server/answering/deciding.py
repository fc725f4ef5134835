"""Questions with fixed answers about a text, and the probability of each answer.

Each question has a canvas of its own, and its answers are weighed as whole strings in one order, whatever order and
names the request gives them. So what is said to a question depends neither on the other questions nor on how its
answers are listed. Answers that are the same string share its probability evenly.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from structgen.errors import StructgenError
from structgen.generation.prompts import Form, question_schema, questions_schema
from structgen.generation.writer import prompt_ids
from structgen.model import Model
from structgen.server.problems import Problem, of_error
from structgen.sources.json_schema import JsonSchema
from structgen.surface import SERVER, standing_at
from structgen.verbs.choose import weighed, weighed_together

EMPTY_TEXT = "the text is empty: there is nothing to decide"
KEPT_QUESTIONS = 1 << 14


@dataclass(frozen=True)
class Question:
    """A question about a text: what is asked, and the strings or truth values that may answer it."""

    asked: str
    answers: tuple[str | bool, ...]


@dataclass(frozen=True)
class Weighing:
    """What the model says to a question; shares: the probability of each answer, in the order given.

    prompt_tokens: that were read; refused: why there is no answer, else None
    """

    shares: tuple[float, ...]
    prompt_tokens: int
    refused: str | None = None


@dataclass(frozen=True)
class OneCanvas:
    """What the model says to questions on one canvas, and the probability that all their likeliest answers hold."""

    weighings: Sequence[Weighing]
    probability: float


class Deciding:
    """The weighings of one model; the last ones are kept, because clients often ask again in another company."""

    def __init__(self, model: Model) -> None:
        self._model, self._lock = model, Lock()
        self._known: OrderedDict[bytes, Weighing] = OrderedDict()

    def weigh(
        self, model: Model, text: str, questions: Sequence[Question], seed: int, check: Callable[[], None]
    ) -> list[Weighing]:
        """What the model says to each question. Raises Problem if it can answer none.

        model: that of this service, or one that shares its passes; check: raises if nobody waits any more
        """
        if not text.strip():
            raise Problem(EMPTY_TEXT, code="invalid_document")
        found = []
        with standing_at(SERVER):
            for question in questions:
                check()
                found.append(self._weighing(model, text, question, seed))
        if all(one.refused for one in found):
            raise Problem(str(found[0].refused), code="unsupported")
        return found

    def weigh_together(
        self, model: Model, text: str, questions: Sequence[Question], seed: int, check: Callable[[], None]
    ) -> OneCanvas:
        """What the model says to all questions on one canvas. Raises Problem if they do not fit on one."""
        if not text.strip():
            raise Problem(EMPTY_TEXT, code="invalid_document")
        names = _names(questions)
        named = {name: [value for _, value in _ordered(one)] for name, one in sorted(names.items())}
        form = Form.of(JsonSchema(questions_schema(named)))
        try:
            with standing_at(SERVER):
                read = len(prompt_ids(model, model.prompts.extraction(form, text)))
                found = weighed_together(model, text, named, seed)
                likely = {name: shares.index(max(shares)) for name, shares in found.items()}
                probability, open_ = 1.0, dict(named)
                for name, answers in named.items():  # the chain rule: each answer given those before it
                    check()
                    shares = weighed_together(model, text, open_, seed)[name]
                    probability *= shares[likely[name]]
                    open_[name] = [answers[likely[name]]]
        except StructgenError as error:
            raise of_error(error, "/joint") from error
        weighings = [Weighing(_spread(one, found[name]), read) for name, one in names.items()]
        return OneCanvas(weighings, probability)

    def _weighing(self, model: Model, text: str, question: Question, seed: int) -> Weighing:
        asked = json.dumps([text, question.asked, question.answers, seed])
        key = hashlib.blake2b(asked.encode(), digest_size=16).digest()
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = _weighed(model, text, question, seed)
            with self._lock:
                self._known[key] = known
                while len(self._known) > KEPT_QUESTIONS:
                    self._known.popitem(last=False)
        return known


def _weighed(model: Model, text: str, question: Question, seed: int) -> Weighing:
    values = [one for _, one in _ordered(question)]
    try:
        form = Form.of(JsonSchema(question_schema(question.asked, values)))
        read = len(prompt_ids(model, model.prompts.extraction(form, text)))
        shares = [1.0] if len(values) == 1 else weighed(model, text, question.asked, values, seed)
    except StructgenError as error:
        return Weighing((), 0, str(error))
    return Weighing(_spread(question, shares), read)


def _ordered(question: Question) -> list[tuple[str, str | bool]]:
    """The different answers in an order of their own, each behind its type."""
    typed = {(type(one).__name__, one) for one in question.answers}
    return sorted(typed, key=lambda one: (one[0], str(one[1])))


def _spread(question: Question, shares: Sequence[float]) -> tuple[float, ...]:
    """The probability of each answer as it was given; equal ones share theirs evenly."""
    share = dict(zip(_ordered(question), shares, strict=True))
    named = [(type(one).__name__, one) for one in question.answers]
    return tuple(share[one] / named.count(one) for one in named)


def _names(questions: Sequence[Question]) -> dict[str, Question]:
    """The questions by what they ask, numbered where several ask the same."""
    found: dict[str, Question] = {}
    for one in questions:
        name, number = one.asked, 1
        while name in found:
            number += 1
            name = f"{one.asked} ({number})"
        found[name] = one
    return found
