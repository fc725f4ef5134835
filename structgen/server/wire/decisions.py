"""The bodies of /v1/decisions, as OpenAI has it, and of /v1/systemone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictStr, WithJsonSchema

from structgen.server.wire.body import Body, RequestBody
from structgen.server.wire.described import SOME_WORDS, Input, Instructions, ShortInstructions


class DecisionChoice(Body):
    """One of the values of a choice."""

    value: StrictStr | StrictBool
    description: str | None = None


class DecisionLevel(Body):
    """One of the levels of a score, from the lowest on."""

    label: str
    description: str | None = None


class PredicateQuestion(Body):
    """How likely is it that a statement about the input is true?"""

    type: Literal["predicate"]
    instructions: Instructions
    name: str | None = None


class ChoiceQuestion(Body):
    """Which of these values is it?"""

    type: Literal["choice"]
    instructions: Instructions
    choices: list[DecisionChoice] = Field(min_length=2)
    name: str | None = None


class ScoreQuestion(Body):
    """Which of these levels is it?"""

    type: Literal["score"]
    instructions: Instructions
    levels: list[DecisionLevel] = Field(min_length=2)
    name: str | None = None


DecisionQuestion = Annotated[PredicateQuestion | ChoiceQuestion | ScoreQuestion, Field(discriminator="type")]


class DecisionRequest(RequestBody):
    """An input, and questions about it."""

    input: Input
    questions: list[DecisionQuestion] = Field(min_length=1)
    seed: int | None = None
    prompt_cache_key: Any = None
    prompt_cache_options: Any = None
    safety_identifier: Any = None


class NoulQuestion(Body):
    """Yes or no?"""

    type: Literal["noul"]
    instructions: ShortInstructions
    criteria: Annotated[Any, WithJsonSchema({"type": "null"})] = None


class OptionQuestion(Body):
    """Which of these options, each with a description, is it?"""

    type: Literal["choice"]
    instructions: ShortInstructions
    criteria: dict[str, Annotated[str, WithJsonSchema(SOME_WORDS)]] = Field(min_length=2)


class LevelQuestion(Body):
    """Which of these levels, the lowest first, is it?"""

    type: Literal["score"]
    instructions: ShortInstructions
    criteria: list[Annotated[str, WithJsonSchema(SOME_WORDS)]] = Field(min_length=2)


StateQuestion = Annotated[NoulQuestion | OptionQuestion | LevelQuestion, Field(discriminator="type")]


class SystemOneRequest(RequestBody):
    """A state, and questions about it by name.

    joint: whether all questions stand on one canvas, which is read once
    diagnostics: what each answer was computed from
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    state: Any
    questions: dict[str, StateQuestion] = Field(min_length=1)
    seed: int | None = None
    joint: bool = False
    diagnostics: bool = False
