"""The part of an answer that a stream can show: its settled beginning, which nothing can change any more."""

from __future__ import annotations

from collections.abc import Sequence

from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.loop import StepEvent


class SettledPrefix:
    """The settled beginning of one output, which only grows."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._blocks: list[Sequence[int]] = []
        self.text = ""

    def take(self, event: StepEvent) -> str:
        """What a step of the first row adds to the text; characters whose bytes are not all settled wait."""
        del self._blocks[event.block :]
        before = sum(map(len, self._blocks))
        self._blocks.append(event.ids[0].tolist())
        if event.settled is None:
            return ""
        certain = before + [*event.settled[0].tolist(), False].index(False)
        ids = [token for block in self._blocks for token in block]
        text = self._vocabulary.decode(ids[:certain]).decode(errors="ignore")
        if len(text) <= len(self.text) or not text.startswith(self.text):
            return ""
        added, self.text = text[len(self.text) :], text
        return added
