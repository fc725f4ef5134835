"""The verbs for many texts: an iterator in, an iterator out, with the calls of one model sharing their passes.

    for invoice in model.extract_many(texts, Invoice): ...
    for number, invoice in model.extract_many(texts, Invoice, ordered=False): ...    # as they are finished
    async for invoice in model.aextract_many(texts, Invoice): ...

Each value is what the verb gives for its text alone, with the same options and the same seed. Texts are taken when
there is room: `rows` are in work, and as many more are taken in advance or wait to be handed out, so that memory does
not grow with their number. Ending the iteration ends the work.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Literal, TypedDict, TypeVar, Unpack, overload

from structgen.documents import Document
from structgen.errors import InvalidOption
from structgen.generation.batcher import ROWS, Batcher
from structgen.generation.flow import afinished, finished
from structgen.generation.options import Options
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.sources import as_source
from structgen.sources.template import Template
from structgen.sources.tools import Tools
from structgen.verbs.call import Message, call
from structgen.verbs.choose import choose
from structgen.verbs.decide import decide
from structgen.verbs.extract import extract
from structgen.verbs.fill import fill
from structgen.verbs.generate import generate
from structgen.verbs.how import AnswerOptions, ExtractOptions, StepOptions, ToolOptions, options_of

T = TypeVar("T")
Text = str | Document
Work = Callable[[Runtime, Any], Any]


class ManyOptions(TypedDict, total=False):
    """The options of a verb for many texts.

    rows: calls in work at a time (default: 16); details: whether the whole Generation is wanted
    errors: "raise" ends the iteration with the first error, "keep" gives the error in place of the value
    """

    rows: int
    errors: Literal["raise", "keep"]
    details: bool


class ManyExtractOptions(ExtractOptions, ManyOptions, total=False):
    """The options of `extract_many`."""


class ManyAnswerOptions(AnswerOptions, ManyOptions, total=False):
    """The options of `generate_many`."""


class ManyToolOptions(ToolOptions, ManyOptions, total=False):
    """The options of `call_many`."""


class ManyFillOptions(StepOptions, ManyOptions, total=False):
    """The options of `fill_many`."""


class Many(Runtime):
    """The verbs for many texts, and their asynchronous twins."""

    @overload
    def extract_many(
        self,
        texts: Iterable[Text],
        spec: type[T],
        *,
        ordered: Literal[True] = ...,
        **how: Unpack[ManyExtractOptions],
    ) -> Iterator[T]: ...
    @overload
    def extract_many(
        self,
        texts: Iterable[Text],
        spec: type[T],
        *,
        ordered: Literal[False],
        **how: Unpack[ManyExtractOptions],
    ) -> Iterator[tuple[int, T]]: ...
    @overload
    def extract_many(
        self,
        texts: Iterable[Text],
        spec: object,
        *,
        ordered: bool = ...,
        **how: Unpack[ManyExtractOptions],
    ) -> Iterator[Any]: ...
    def extract_many(
        self, texts: Iterable[Text], spec: object, *, ordered: bool = True, **how: Any
    ) -> Iterator[Any]:
        """What `extract` gives for each text; unordered, pairs of its number from 0 on and the value, as they come."""
        many = _options(how)
        return _values(self, texts, _extracting(spec, how, many), ordered, many)

    def aextract_many(
        self,
        texts: Iterable[Text] | AsyncIterable[Text],
        spec: object,
        *,
        ordered: bool = True,
        **how: Unpack[ManyExtractOptions],
    ) -> AsyncIterator[Any]:
        """See `extract_many`."""
        many = _options(given := dict(how))
        return _avalues(self, texts, _extracting(spec, given, many), ordered, many)

    @overload
    def generate_many(
        self,
        prompts: Iterable[Text],
        source: type[T],
        *,
        ordered: Literal[True] = ...,
        **how: Unpack[ManyAnswerOptions],
    ) -> Iterator[T]: ...
    @overload
    def generate_many(
        self,
        prompts: Iterable[Text],
        source: object,
        *,
        ordered: bool = ...,
        **how: Unpack[ManyAnswerOptions],
    ) -> Iterator[Any]: ...
    def generate_many(
        self, prompts: Iterable[Text], source: object, *, ordered: bool = True, **how: Any
    ) -> Iterator[Any]:
        """What `generate` gives for each prompt; see `extract_many`."""
        many = _options(how)
        return _values(self, prompts, _generating(source, how, many), ordered, many)

    def agenerate_many(
        self,
        prompts: Iterable[Text] | AsyncIterable[Text],
        source: object,
        *,
        ordered: bool = True,
        **how: Unpack[ManyAnswerOptions],
    ) -> AsyncIterator[Any]:
        """See `generate_many`."""
        many = _options(given := dict(how))
        return _avalues(self, prompts, _generating(source, given, many), ordered, many)

    def call_many(
        self,
        requests: Iterable[str | Document | Sequence[Message]],
        tools: Tools | Sequence[object],
        *,
        ordered: bool = True,
        **how: Unpack[ManyToolOptions],
    ) -> Iterator[Any]:
        """What `call` gives for each request; see `extract_many`."""
        many = _options(given := dict(how))
        return _values(self, requests, _calling(tools, given, many), ordered, many)

    def acall_many(
        self,
        requests: Iterable[str | Document | Sequence[Message]],
        tools: Tools | Sequence[object],
        *,
        ordered: bool = True,
        **how: Unpack[ManyToolOptions],
    ) -> AsyncIterator[Any]:
        """See `call_many`."""
        many = _options(given := dict(how))
        return _avalues(self, requests, _calling(tools, given, many), ordered, many)

    def fill_many(
        self,
        template: str | Template[object],
        contexts: Iterable[Text],
        into: type[object] | None = None,
        *,
        types: Mapping[str, object] | None = None,
        ordered: bool = True,
        **how: Unpack[ManyFillOptions],
    ) -> Iterator[Any]:
        """What `fill` gives for each context; see `extract_many`."""
        many = _options(given := dict(how))
        return _values(self, contexts, _filling(template, into, types, given, many), ordered, many)

    def afill_many(
        self,
        template: str | Template[object],
        contexts: Iterable[Text] | AsyncIterable[Text],
        into: type[object] | None = None,
        *,
        types: Mapping[str, object] | None = None,
        ordered: bool = True,
        **how: Unpack[ManyFillOptions],
    ) -> AsyncIterator[Any]:
        """See `fill_many`."""
        many = _options(given := dict(how))
        return _avalues(self, contexts, _filling(template, into, types, given, many), ordered, many)

    def choose_many(
        self,
        texts: Iterable[Text],
        options: Sequence[str],
        *,
        seed: int = 0,
        ordered: bool = True,
        **how: Unpack[ManyOptions],
    ) -> Iterator[Any]:
        """What `choose` gives for each text; see `extract_many`."""
        many = _options(dict(how))
        return _values(self, texts, lambda own, text: choose(own, text, options, seed=seed), ordered, many)

    def decide_many(
        self,
        texts: Iterable[Text],
        questions: Mapping[str, object],
        *,
        seed: int = 0,
        ordered: bool = True,
        **how: Unpack[ManyOptions],
    ) -> Iterator[Any]:
        """What `decide` gives for each text; see `extract_many`."""
        many = _options(dict(how))
        return _values(self, texts, lambda own, text: decide(own, text, questions, seed=seed), ordered, many)

    def achoose_many(
        self,
        texts: Iterable[Text] | AsyncIterable[Text],
        options: Sequence[str],
        *,
        seed: int = 0,
        ordered: bool = True,
        **how: Unpack[ManyOptions],
    ) -> AsyncIterator[Any]:
        """See `choose_many`."""
        many = _options(dict(how))
        work: Work = lambda own, text: choose(own, text, options, seed=seed)  # noqa: E731
        return _avalues(self, texts, work, ordered, many)

    def adecide_many(
        self,
        texts: Iterable[Text] | AsyncIterable[Text],
        questions: Mapping[str, object],
        *,
        seed: int = 0,
        ordered: bool = True,
        **how: Unpack[ManyOptions],
    ) -> AsyncIterator[Any]:
        """See `decide_many`."""
        many = _options(dict(how))
        work: Work = lambda own, text: decide(own, text, questions, seed=seed)  # noqa: E731
        return _avalues(self, texts, work, ordered, many)


def _extracting(spec: object, how: dict[str, Any], many: ManyOptions) -> Work:
    partial_lists = how.pop("partial", False)
    options, terms = options_of(how)  # type: ignore[arg-type]
    options, source = replace(options, partial=partial_lists), as_source(spec, terms)
    return lambda own, text: extract(own, text, source, options, details=many.get("details", False))


def _generating(source: object, how: dict[str, Any], many: ManyOptions) -> Work:
    options, terms = options_of(how)  # type: ignore[arg-type]
    source = as_source(source, terms)
    return lambda own, text: generate(own, text, source, options, details=many.get("details", False))


def _calling(tools: Tools | Sequence[object], how: dict[str, Any], many: ManyOptions) -> Work:
    given = {name: how.pop(name) for name in ToolOptions.__annotations__ if name in how}
    asked = {name: given.pop(name) for name in AnswerOptions.__annotations__ if name in given}
    options, terms = options_of({**how, **asked})  # type: ignore[arg-type]
    details = many.get("details", False)
    return lambda own, text: call(own, text, tools, options, terms=terms, details=details, **given)


def _filling(
    template: str | Template[object],
    into: type[object] | None,
    types: Mapping[str, object] | None,
    how: dict[str, Any],
    many: ManyOptions,
) -> Work:
    options, details = Options(**how), many.get("details", False)
    return lambda own, text: fill(own, template, text, options, into=into, types=types, details=details)


def _options(how: Any) -> ManyOptions:
    """The options of many texts, taken out of all that were given."""
    many = {name: how.pop(name) for name in ManyOptions.__annotations__ if name in how}
    if many.get("errors", "raise") not in ("raise", "keep"):
        raise InvalidOption(f'errors must be "raise" or "keep", not {many["errors"]!r}')
    return ManyOptions(**many)


def _values(
    model: Runtime, items: Iterable[Any], work: Work, ordered: bool, many: ManyOptions
) -> Iterator[Any]:
    """The values of the items, in their order or as they are finished, with their numbers."""
    for number, future in finished(Batcher(model, many.get("rows", ROWS)), items, work, ordered=ordered):
        value = _told(future, many)
        yield value if ordered else (number, value)


async def _avalues(
    model: Runtime, items: Iterable[Any] | AsyncIterable[Any], work: Work, ordered: bool, many: ManyOptions
) -> AsyncIterator[Any]:
    """See `_values`."""
    batcher = Batcher(model, many.get("rows", ROWS))
    async for number, future in afinished(batcher, items, work, ordered=ordered):
        value = _told(future, many)
        yield value if ordered else (number, value)


def _told(future: Future[Any], many: ManyOptions) -> object:
    """The value of a call that has ended, with Python's warnings for those of its answer; or its error, if kept."""
    error = future.exception()
    if isinstance(error, Exception) and many.get("errors") == "keep":
        return error
    found = future.result()
    if not isinstance(found, Generation) or many.get("details"):
        return found
    for warning in found.warnings:
        warnings.warn(warning, stacklevel=3)
    return found.value
