"""A request in the server's own words, whichever endpoint it came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from structgen.generation.options import Options
from structgen.server.asking.formats import WantedFormat
from structgen.sources import Terms
from structgen.sources.tools import Tools

Turn = Mapping[str, object]  # role and content


@dataclass(frozen=True)
class BodyPlaces:
    """Where the parts of a request stand in its body, for the `param` of problems."""

    messages: str = "/messages"
    tools: str = "/tools"
    budget: str = "/max_completion_tokens"
    stop: str = "/stop"


@dataclass(frozen=True)
class Ask:
    """What a request asks for.

    turns: the conversation; document: that verbatim values are copied from and that should state the others
    form: of an answer in words, None for any text; tools: that may be called, None if there are none
    must_call: whether a call is certain; named: whether it is one that the request names
    temperature: 1 is the model's own schedule, which other numbers scale
    streamed: whether the answer is told while it is written
    stop: where a text ends; top: how many alternatives of each token are wanted, None for no log-probabilities
    """

    turns: Sequence[Turn]
    document: str
    form: WantedFormat | None = None
    tools: Tools | None = None
    n: int = 1
    options: Options = field(default_factory=Options)
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    top: int | None = None
    details: bool = False
    canvas: bool = False
    streamed: bool = False
    terms: Terms = field(default_factory=Terms)
    places: BodyPlaces = field(default_factory=BodyPlaces)

    @property
    def must_call(self) -> bool:
        return self.tools is not None and self.tools.choice.mode == "required"

    @property
    def streams(self) -> bool:
        """Whether what settles is told at once: a text that `stop` may cut is told at its end."""
        return self.streamed and not self.stop

    @property
    def named(self) -> bool:
        return self.tools is not None and self.tools.choice.named
