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
from structgen.generation.prompts import Form, question_schema
from structgen.generation.writer import prompt_ids
from structgen.model import Model
from structgen.server.problems import Problem
from structgen.sources.json_schema import JsonSchema
from structgen.surface import SERVER, standing_at
from structgen.verbs.choose import weighed

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
            raise Problem("the text is empty: there is nothing to decide", code="invalid_document")
        found = []
        with standing_at(SERVER):
            for question in questions:
                check()
                found.append(self._weighing(model, text, question, seed))
        if all(one.refused for one in found):
            raise Problem(str(found[0].refused), code="unsupported")
        return found

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
    ordered = sorted(
        {(type(one).__name__, one) for one in question.answers}, key=lambda one: (one[0], str(one[1]))
    )
    values = [one for _, one in ordered]
    try:
        form = Form.of(JsonSchema(question_schema(question.asked, values)))
        read = len(prompt_ids(model, model.prompts.extraction(form, text)))
        shares = [1.0] if len(values) == 1 else weighed(model, text, question.asked, values, seed)
    except StructgenError as error:
        return Weighing((), 0, str(error))
    share = dict(zip(ordered, shares, strict=True))
    named = [(type(one).__name__, one) for one in question.answers]
    return Weighing(tuple(share[one] / named.count(one) for one in named), read)
