"""The film of an answer: what the canvas held after each refinement step."""

from __future__ import annotations

from collections.abc import Callable

from structgen.report.proof import Still
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.loop import StepEvent


class Film:
    """A recorder of steps; an answer that is begun anew is recorded anew."""

    def __init__(self, vocabulary: Vocabulary, on_step: Callable[[StepEvent], None] | None = None) -> None:
        """on_step: is called with every event too"""
        self.frames: list[Still] = []
        self._vocabulary, self._on_step = vocabulary, on_step

    def __call__(self, event: StepEvent) -> None:
        """Record a step of the first row."""
        if event.block == 0 and event.step == 0:
            self.frames.clear()
        pieces = [
            self._vocabulary.spelling(token).decode(errors="replace") for token in event.canvas[0].tolist()
        ]
        self.frames.append(Still(event.block, event.step, pieces, event.accepted[0].tolist()))
        if self._on_step is not None:
            self._on_step(event)
