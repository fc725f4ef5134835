"""The verb `decide`: several questions about a text, each with fixed answers, and a probability for each answer.

Each question has a canvas of its own, and its answers are weighed in one order, whatever order they are given in. So a
probability depends neither on the order of the answers nor on what else is asked. With `joint=True` one canvas holds
all questions: the text is read once, and an answer is summed over the answers to the questions beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, get_args, get_origin

from structgen.documents import Document
from structgen.errors import InvalidDocument, InvalidSource
from structgen.generation.options import MOST_SEED, check_whole
from structgen.generation.runtime import Runtime
from structgen.generation.writer import refusing_overlong_steps, text_of
from structgen.verbs.choose import weighed, weighed_together

MOST_CHOICES = 255  # answers to one question

Answer = bool | int | str | Enum


@dataclass(frozen=True)
class Score:
    """A question for a whole number from `least` to `most`."""

    least: int
    most: int

    def __post_init__(self) -> None:
        check_whole("least", self.least, -(10**9))
        check_whole("most", self.most, self.least + 1)


@dataclass(frozen=True)
class Decisions:
    """The likeliest answer to each question, and the probabilities of all its answers in the order given.

    value, probabilities: by the question's name
    """

    value: Mapping[str, Answer]
    probabilities: Mapping[str, Mapping[Answer, float]]

    def __getitem__(self, question: str) -> Answer:
        """The likeliest answer."""
        return self.value[question]

    def mean(self, question: str) -> float:
        """The expected value of a Score. Raises InvalidSource if the answers are no numbers."""
        shares = self.probabilities[question]
        numbers = [(answer, share) for answer, share in shares.items() if isinstance(answer, int)]
        if len(numbers) < len(shares):
            raise InvalidSource(f"the answers to {question!r} are not numbers, so they have no mean")
        return sum(answer * share for answer, share in numbers)


@refusing_overlong_steps()
def decide(
    runtime: Runtime,
    given: str | Document,
    questions: Mapping[str, object],
    *,
    seed: int = 0,
    joint: bool = False,
) -> Decisions:
    """The answers to the questions about a text.

    questions: by name, each bool, a Literal, an Enum, a Score, or a list of strings; joint: all on one canvas
    Raises InvalidDocument if the text is empty, and InvalidSource if a question has no such answers.
    """
    text = text_of(given, "text")
    if not text.strip():
        raise InvalidDocument("the text is empty: there is nothing to decide")
    if not questions:
        raise InvalidSource("decide needs at least one question, as in decide(text, urgent=bool)")
    check_whole("seed", seed, 0, MOST_SEED)
    asked = {name: _answers(name, question) for name, question in questions.items()}
    ordered = {
        name: sorted(answers, key=lambda answer: (str(type(answer)), str(_plain(answer))))
        for name, answers in asked.items()
    }
    plain = {name: [*map(_plain, answers)] for name, answers in ordered.items()}
    if joint:
        weights = weighed_together(runtime, text, plain, seed)
    else:
        weights = {name: weighed(runtime, text, name, answers, seed) for name, answers in plain.items()}
    value, shares = {}, {}
    for name, answers in asked.items():
        found = dict(zip(ordered[name], weights[name], strict=True))
        shares[name] = {answer: found[answer] for answer in answers}
        value[name] = max(ordered[name], key=found.__getitem__)
    return Decisions(value, shares)


def _answers(name: str, question: object) -> list[Answer]:
    """The answers to one question."""
    if question is bool:
        return [True, False]
    if isinstance(question, Score):
        answers: list[Answer] = list(range(question.least, question.most + 1))
    elif get_origin(question) is Literal:
        answers = list(get_args(question))
    elif (isinstance(question, type) and issubclass(question, Enum)) or isinstance(question, list | tuple):
        answers = list(question)
    else:
        raise InvalidSource(
            f"the question {name!r} needs bool, a Literal, an Enum, a Score or a list of strings, not {question!r:.80}"
        )
    plain = [_plain(answer) for answer in answers]
    if not all(isinstance(one, str | int) and one != "" for one in plain):
        raise InvalidSource(f"the answers to {name!r} must be strings that are not empty, or whole numbers")
    if not 2 <= len({(type(one), one) for one in plain}) == len(plain) <= MOST_CHOICES:
        raise InvalidSource(
            f"the question {name!r} needs 2 to {MOST_CHOICES} answers that are all different, not {len(plain)}"
        )
    return answers


def _plain(answer: Answer) -> object:
    return answer.value if isinstance(answer, Enum) else answer
