"""The verb `stream`: an extraction as it happens, with each value as soon as nothing can change it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import TypeAdapter
from pydantic_core import from_json

from structgen.compiler.constraint import Constraint
from structgen.documents import Document
from structgen.errors import Rejected
from structgen.evidence.film import Film
from structgen.evidence.gather import Wanted, proven
from structgen.evidence.warnings import declared
from structgen.generation.leaves import MISSING, Answer, Leaf
from structgen.generation.options import Options
from structgen.generation.request import Request
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import writing
from structgen.sources import Terms
from structgen.sources.types import TypeSource
from structgen.tokens.vocabulary import Vocabulary
from structgen.verbs.extract import extraction
from structgen_engine.decoding.loop import StepEvent

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Settled:
    """A value that nothing can change any more.

    pointer: where in the answer; value: as JSON has it
    confidence: the probability of the value given the rest of the answer; None before the rest is known
    """

    pointer: str
    value: object
    confidence: float | None


@dataclass(frozen=True)
class Partial(Generic[T_co]):
    """What the canvas says after a step; later steps may change it.

    object: as pydantic's partial validation has it if the answer is not complete
    """

    object: T_co


@dataclass(frozen=True)
class Done(Generic[T_co]):
    """The end of a stream: the result that `extract(…, details=True)` returns."""

    result: Generation[T_co]


Event = Settled | Partial[T_co] | Done[T_co]


def stream(
    runtime: Runtime,
    document: str | Document,
    spec: object,
    options: Options | None = None,
    *,
    terms: Terms | None = None,
) -> Iterator[Event[object]]:
    """The events of an extraction; closing the iterator ends the work. Arguments and errors are those of `extract`."""
    asked = extraction(runtime, document, spec, options, terms=terms)
    return _events(runtime, asked, document if isinstance(document, Document) else Document(document))


def _events(runtime: Runtime, asked: Request, document: Document) -> Iterator[Event[object]]:
    film = Film(asked.constraint.vocabulary, asked.on_step)
    progress, said = Progress(asked.constraint.vocabulary), set[str]()
    steps, shown = writing(runtime, asked), MISSING
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            written = end.value
            break
        film(event)
        progress.take(event)
        for leaf in progress.settled(asked):
            if leaf.pointer not in said:
                said.add(leaf.pointer)
                yield Settled(leaf.pointer, leaf.value, None)
        now = snapshot(asked.constraint, progress.text)
        if now is not MISSING and now != shown:
            shown = now
            yield Partial(now)
    result = proven(runtime, asked, written, Wanted(details=True, document=document), film)
    for pointer, leaf in progress.ordered(Answer(result.text).leaves):
        if pointer not in said:
            yield Settled(pointer, leaf.value, result.confidence.get(pointer))
    yield Done(result)


@dataclass(eq=False)
class Progress:
    """The progress of one answer: what its blocks say, and which of their positions nothing can change.

    since: for each value that was seen, the number of the step since which it has been what it is
    """

    vocabulary: Vocabulary
    text: str = ""
    since: dict[str, tuple[object, int]] = field(default_factory=dict)
    _blocks: list[Sequence[int]] = field(default_factory=list)
    _certain: int = 0
    _steps: int = 0

    def take(self, event: StepEvent) -> None:
        """Read one more step of the first row; an answer that is begun anew is read anew."""
        del self._blocks[event.block :]
        before = sum(map(len, self._blocks))
        self._blocks.append(event.ids[0].tolist())
        marks = [] if event.settled is None else [*event.settled[0].tolist(), False]
        self._certain = before + marks.index(False) if marks else 0
        self.text = self._read(None)
        self._steps += 1
        for pointer, leaf in Answer.begun(self.text).items():
            if self.since.get(pointer, (MISSING, 0))[0] != leaf.value:
                self.since[pointer] = leaf.value, self._steps

    def settled(self, asked: Request) -> Iterator[Leaf]:
        """The values at the beginning of the text that nothing can change: a name that may come again can."""
        if self._certain:
            outline = asked.kinds[0].outline
            for leaf in Answer.begun(self._read(self._certain)).values():
                if declared(outline, leaf.pointer):
                    yield leaf

    def ordered(self, leaves: dict[str, Leaf]) -> list[tuple[str, Leaf]]:
        """The leaves of the answer, those first that were written first and not changed since."""
        return sorted(leaves.items(), key=lambda one: self.since.get(one[0], (None, self._steps))[1])

    def _read(self, end: int | None) -> str:
        ids = [token for block in self._blocks for token in block]
        return self.vocabulary.decode(ids[:end]).decode(errors="ignore")


def snapshot(constraint: Constraint[object], text: str) -> object:
    """The value of a text that may end anywhere; MISSING if required members are still missing."""
    try:
        return constraint.parse(text)
    except Rejected:
        pass
    source = constraint.source
    try:
        if isinstance(source, TypeSource):
            adapter: TypeAdapter[object] = source.adapter
            return adapter.validate_json(text, experimental_allow_partial=True)
        return from_json(text, allow_partial=True)
    except Exception:
        # members are missing, or a validator rejects what is not final, and may raise anything
        return MISSING
