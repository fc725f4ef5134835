"""The options of the verbs, as type checkers see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypedDict

from structgen.errors import InvalidOption
from structgen.generation.options import Options, check_whole
from structgen.sources import Additional, Order, Terms, Unknown, Whitespace
from structgen.sources.json_schema import Resources
from structgen.verbs.call import CallOptions
from structgen_engine.decoding.loop import StepEvent

MOST_ANSWERS = 100  # distinct ones
DECODING = ("max_tokens", "steps", "seed", "on_step", "redraws")
JSON = ("whitespace", "additional", "unknown", "resources", "order")
OnStep = Callable[[StepEvent], None]


class StepOptions(TypedDict, total=False):
    """The options of decoding."""

    max_tokens: int | None
    steps: int | None
    seed: int
    on_step: OnStep | None


class FillOptions(StepOptions, total=False):
    """The options of `fill`."""

    types: Mapping[str, object] | None


class VerbOptions(StepOptions, total=False):
    """The options of a verb about JSON: those of decoding and those of JSON."""

    whitespace: Whitespace
    additional: Additional
    unknown: Unknown
    resources: Resources | None
    order: Order


class AnswerOptions(VerbOptions, total=False):
    """The options of a verb whose answer may be drawn anew."""

    redraws: int


class ExtractOptions(AnswerOptions, total=False):
    """The options of `extract`."""

    partial: bool


class ToolOptions(CallOptions, AnswerOptions, total=False):
    """The options of a call: those about tools too."""


def options_of(how: AnswerOptions | VerbOptions) -> tuple[Options, Terms]:
    """The options of decoding and those of JSON. Raises TypeError for any other, as a call does."""
    given: dict[str, object] = dict(how)
    decoding = {name: given.pop(name) for name in DECODING if name in given}
    if given.get("resources", ...) is None:
        del given["resources"]
    for name in given:
        if name not in JSON:
            raise TypeError(f"this verb takes no argument {name!r}")
    return replace(Options(), **decoding), replace(Terms(), **given)


def check_several(n: int, options: Options) -> None:
    """Raise InvalidOption for a number of answers that is none, or with redraws, for which alternatives stand in."""
    check_whole("n", n, 1, MOST_ANSWERS)
    if options.redraws:
        raise InvalidOption("n takes other answers for rejected ones already: leave redraws out")
