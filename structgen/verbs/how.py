"""The options of the verbs, as type checkers see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from structgen.sources import Additional, Order, Unknown, Whitespace
from structgen.sources.json_schema import Resources
from structgen.verbs.call import CallOptions
from structgen_engine.decoding.loop import StepEvent

OnStep = Callable[[StepEvent], None]


class StepOptions(TypedDict, total=False):
    """The options of decoding."""

    max_tokens: int | None
    steps: int | None
    seed: int
    on_step: OnStep | None


class VerbOptions(StepOptions, total=False):
    """The options of a verb about JSON: those of decoding and those of JSON."""

    whitespace: Whitespace
    additional: Additional
    unknown: Unknown
    resources: Resources | None
    order: Order


class ToolOptions(CallOptions, VerbOptions, total=False):
    """The options of a call: those about tools too."""
