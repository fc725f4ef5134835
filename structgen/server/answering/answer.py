"""The answers to a request, one after the other, with what settles of them on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from structgen.errors import StructgenError
from structgen.evidence.film import Film
from structgen.evidence.gather import answered, proven
from structgen.generation.request import Request
from structgen.generation.result import Generation
from structgen.generation.writer import writing
from structgen.model import Model
from structgen.report.proof import Still
from structgen.server.answering.compiled import CompiledSources
from structgen.server.answering.logprobs import TokenLogprob, token_logprobs
from structgen.server.answering.prefix import SettledPrefix
from structgen.server.answering.prepared import Prepared, Saying, prepared
from structgen.server.answering.telling import Emit, Telling
from structgen.server.asking.ask import Ask
from structgen.server.problems import Problem, of_error
from structgen.sources.tools.reply import call_id
from structgen.surface import SERVER, standing_at
from structgen_engine.decoding.loop import Decoded, StepEvent


@dataclass(frozen=True)
class Began:
    """An answer is about to be written; prompt_tokens: how long its prompt is."""

    index: int
    prompt_tokens: int


@dataclass(frozen=True)
class CanvasFrame:
    """The canvas of an answer after a step."""

    index: int
    still: Still


@dataclass(frozen=True)
class Ended:
    """A finished answer, with all calls told; shown: how much of its content was told as `Grew` before."""

    index: int
    outcome: Outcome
    shown: int


@dataclass(frozen=True)
class Outcome:
    """One answer to a request. prompt_tokens, tokens: what was read and written; generation: None if nothing was."""

    saying: Saying
    generation: Generation[Any] | None
    prompt_tokens: int
    tokens: int
    logprobs: Sequence[TokenLogprob] | None = None


def ready_for(model: Model, sources: CompiledSources, ask: Ask) -> Prepared:
    """What to write for a request, compiled. Raises Problem if it cannot be answered."""
    with _standing(ask):
        return prepared(model, sources, ask)


def answers(model: Model, ask: Ask, ready: Prepared, emit: Emit, check: Callable[[], None]) -> list[Outcome]:
    """The answers; emit: is told what happens; check: raises if nobody waits any more.

    model: that the request was prepared for, or one that shares its passes. Raises Problem if there is no answer.
    """
    found = []
    with _standing(ask):
        for index in range(ask.n):
            try:
                outcome, shown = _Answering(model, ask, ready, index, emit, check).outcome()
            except StructgenError as error:
                raise of_error(error, ask.places.messages, budget=ask.places.budget) from error
            emit(Ended(index, outcome, shown))
            found.append(outcome)
    return found


def _standing(ask: Ask) -> AbstractContextManager[None]:
    """Messages spell options as the body of this request does."""
    return standing_at(replace(SERVER, budget=f'"{ask.places.budget[1:]}": {{quoted}}'))


@dataclass(frozen=True, eq=False)
class _Answering:
    """One answer while it is written."""

    model: Model
    ask: Ask
    ready: Prepared
    index: int
    emit: Emit
    check: Callable[[], None]

    def outcome(self) -> tuple[Outcome, int]:
        """The answer, and how many characters of its content were told on the way."""
        if self.ready.asked is None:
            return self._unwritten(), 0
        asked = self.ready.asked.drawn_anew(self.index) if self.index else self.ready.asked
        self.emit(Began(self.index, len(asked.prompt)))
        turns = json.dumps(self.ask.turns, default=dict)
        telling = Telling(self.index, call_id(turns, self.ask.options.seed, self.index), self.emit)
        outcome = self._replied(asked) if self.model.remote is not None else self._decoded(asked, telling)
        saying = self._stopped(outcome.saying)
        saying = replace(saying, calls=telling.finish(saying.calls))
        return replace(outcome, saying=saying), telling.shown(saying.content)

    def _decoded(self, asked: Request, telling: Telling) -> Outcome:
        film, prefix = Film(self.model.vocabulary), SettledPrefix(self.model.vocabulary)
        written = self._written(asked, film, prefix, telling)
        generation = proven(self.model, asked, written, self.ready.wanted, film)
        saying = self.ready.said(generation)
        logprobs = None if self.ask.top is None else token_logprobs(self.model, asked, written, self.ask.top)
        return Outcome(saying, generation, len(asked.prompt), self._tokens(generation), logprobs)

    def _replied(self, asked: Request) -> Outcome:
        """The answer of a model that runs elsewhere, which comes whole and without probabilities."""
        if self.ask.top is not None:
            raise Problem(
                f"{self.model.name} runs elsewhere and tells no probabilities: leave it out",
                param="/logprobs",
                code="unsupported_parameter",
            )
        generation = answered(self.model, asked, self.ready.wanted)
        saying = self.ready.said(generation)
        return Outcome(saying, generation, len(asked.prompt), self._tokens(generation))

    def _written(self, asked: Request, film: Film, prefix: SettledPrefix, telling: Telling) -> Decoded:
        steps = writing(self.model, asked)
        while True:
            self.check()
            try:
                event = next(steps)
            except StopIteration as end:
                return end.value
            self._tell(event, film, prefix, telling)

    def _tell(self, event: StepEvent, film: Film, prefix: SettledPrefix, telling: Telling) -> None:
        if self.ask.details or self.ask.canvas:
            film(event)
        if self.ask.canvas:
            self.emit(CanvasFrame(self.index, film.frames[-1]))
        spoken = self.ready.spoken
        if self.ask.streams and spoken is not None and prefix.take(event):
            telling.take(spoken(prefix.text))

    def _unwritten(self) -> Outcome:
        if self.ready.whole is None:
            return Outcome(Saying(""), None, 0, 0, None if self.ask.top is None else ())
        generation = self.ready.whole(self.model)
        prompt = len(self.model.vocabulary.encode(self.ask.document))
        return Outcome(self.ready.said(generation), generation, prompt, self._tokens(generation))

    def _stopped(self, saying: Saying) -> Saying:
        """The saying up to the first text at which it has to stop."""
        if not self.ask.stop or saying.content is None:
            return saying
        ends = [at for stop in self.ask.stop if (at := saying.content.find(stop)) >= 0]
        return replace(saying, content=saying.content[: min(ends)]) if ends else saying

    def _tokens(self, generation: Generation[Any]) -> int:
        """The tokens of an answer, without the padding behind its end."""
        vocabulary, ids = self.model.vocabulary, list(generation.ids)
        pad = None if vocabulary.pad is None else vocabulary.special[vocabulary.pad]
        while ids and ids[-1] == pad:
            ids.pop()
        return len(ids)
