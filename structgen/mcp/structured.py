"""What the tools take and give, as pydantic models: a tool's input and output schema are made from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from structgen.generation.result import AnswerWarning, Generation
from structgen.verbs.decide import MOST_CHOICES, Decisions, Score

Plain = bool | int | str  # an answer to a question
QUESTION_KINDS = ("answers", "range")  # of questions


class ScoreRange(BaseModel):
    """A question for a whole number from `least` to `most`."""

    model_config = ConfigDict(extra="forbid")
    least: int
    most: int

    def score(self) -> Score:
        """The question as `decide` takes it."""
        return Score(self.least, self.most)


def _kind(question: object) -> str | None:
    """Which kind of question something is meant to be; None if it is neither."""
    given = isinstance(question, list), isinstance(question, dict | ScoreRange)
    return next((kind for kind, is_it in zip(QUESTION_KINDS, given, strict=True) if is_it), None)


Question = Annotated[
    Annotated[list[Plain], Field(min_length=2, max_length=MOST_CHOICES), Tag("answers")]
    | Annotated[ScoreRange, Tag("range")],
    Discriminator(
        _kind,
        custom_error_type="question",
        custom_error_message='it must be a list of answers, or a range as in {"least": 0, "most": 5}',
    ),
]


class ReportedDoubt(BaseModel):
    """A reason to doubt a value: what was found, and the JSON pointer of the value."""

    kind: str
    pointer: str
    detail: str

    @classmethod
    def all_of(cls, warnings: Sequence[AnswerWarning]) -> list[ReportedDoubt]:
        """The warnings of an answer."""
        return [cls(**one.to_dict()) for one in warnings]


class RankedValue(BaseModel):
    """A value with its probability."""

    value: Any
    probability: float


class StatedPlace(BaseModel):
    """Characters start … end − 1 of the text."""

    start: int
    end: int


class Grounds(BaseModel):
    """What speaks for the values of an answer, by JSON pointer."""

    confidence: dict[str, float] = Field(description="The exact probability of each value given the others.")
    calibrated: dict[str, float] = Field(description="How often values of such confidence are right.")
    alternatives: dict[str, list[RankedValue]]
    spans: dict[str, list[StatedPlace]] = Field(description="Every place of the text that states the value.")

    @classmethod
    def of(cls, generation: Generation[Any], details: bool) -> Grounds | None:
        """The evidence of a generation; None if no details are wanted."""
        return cls.model_validate(generation.evidence.to_dict()) if details else None


class ExtractAnswer(BaseModel):
    """A value that satisfies the schema."""

    value: Any = Field(description="Satisfies the schema of the request.")
    warnings: list[ReportedDoubt] = Field(
        description="Reasons to doubt values; valid is not the same as right."
    )
    evidence: Grounds | None = Field(
        description="Confidence, alternatives and places, if details are wanted."
    )


class DecidedQuestion(BaseModel):
    """The likeliest answer to a question, and the probability of each."""

    value: Plain
    probabilities: list[RankedValue]


class DecideAnswer(BaseModel):
    """The answers by the names of the questions."""

    answers: dict[str, DecidedQuestion]

    @classmethod
    def of(cls, decisions: Decisions) -> DecideAnswer:
        """The answers, each with its probabilities in the order of the question."""
        return cls.model_validate(
            {
                "answers": {
                    name: {
                        "value": value,
                        "probabilities": [
                            {"value": answer, "probability": share}
                            for answer, share in decisions.probabilities[name].items()
                        ],
                    }
                    for name, value in decisions.value.items()
                }
            }
        )


class FillAnswer(BaseModel):
    """A template whose holes are filled."""

    text: str = Field(description="The template with its holes filled; every other character is unchanged.")
    values: dict[str, Any] = Field(description="The values of the holes, by name.")
    warnings: list[ReportedDoubt]
    evidence: Grounds | None
