"""Models that write elsewhere: they give whole texts, but neither logits nor probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from structgen.errors import Unsupported
from structgen.generation.request import Request
from structgen.generation.result import AnswerWarning


@dataclass(frozen=True)
class Replied:
    """A valid text, and what was changed to make it valid."""

    text: str
    warnings: Sequence[AnswerWarning] = ()


class Remote(Protocol):
    """A model that writes elsewhere."""

    def reply(self, request: Request, /) -> Replied:
        """A text that the constraint of the request accepts."""
        ...


class RemoteDenoiser:
    """In the place of a denoiser that there is not: every verb that needs one is refused in one sentence."""

    self_conditioning = unconditioned_start = False
    block_length = 256  # bytes, of which budgets are made
    vocabulary_size = 256

    @property
    def noise(self) -> Any:
        """Refused."""
        raise refusal()

    def start(self, prompts: Sequence[Sequence[int]]) -> Any:
        """Refused."""
        raise refusal()

    def extend(self, context: Any, block: Any) -> Any:
        """Refused."""
        raise refusal()

    def __call__(self, context: Any, canvas: Any, beliefs: Any = None) -> Any:
        """Refused."""
        raise refusal()


class RemoteChooser:
    """A chooser that refuses: the endpoint tells no probabilities of answers."""

    def over(self, denoiser: Any) -> RemoteChooser:
        """Itself: it has no denoiser."""
        return self

    def probabilities(self, prompt: Sequence[int], answers: Any, seed: int) -> Any:
        """Refused."""
        raise refusal()


def refusal() -> Unsupported:
    """The error of a verb that needs probabilities or steps."""
    return Unsupported(
        "a hosted model gives whole texts without probabilities: it cannot weigh answers, rank several or show steps",
        remedy="use extract or generate with a Literal, or load the weights here",
    )
