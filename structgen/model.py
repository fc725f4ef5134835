"""The model that `load` returns, with its verbs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Unpack, overload

from structgen.compiler.constraint import compile
from structgen.documents import Document
from structgen.evidence.gather import answered
from structgen.generation.options import Options
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import read, request, text_of, write
from structgen.sources import Additional, Order, Readable, Source, Terms, Unknown, Whitespace, as_source
from structgen.sources.json_schema import Resources
from structgen.sources.template import Filled
from structgen.sources.tools import Reply, Tools
from structgen.twins import Twins
from structgen.verbs.call import Message, call
from structgen.verbs.choose import Choice, choose
from structgen.verbs.decide import Decisions, decide
from structgen.verbs.extract import extract
from structgen.verbs.fill import fill
from structgen.verbs.how import OnStep, StepOptions, ToolOptions, VerbOptions
from structgen.verbs.stream import Done, Partial, Settled, stream

T = TypeVar("T")


class ExtractOptions(VerbOptions, total=False):
    """The options of `extract` for type checkers."""

    partial: bool


@dataclass(frozen=True, eq=False)
class Model(Runtime, Twins):
    """A loaded model. Every verb returns a typed value, or with `details=True` the whole Generation.

    Every verb has an asynchronous twin, whose name begins with an a: `await model.aextract(text, Invoice)`.

    Options of every verb: steps, the most refinement steps per block (default: the model's own number); seed, of the
    only source of randomness; max_tokens, the budget (default: the model's number of blocks); on_step, called with each
    StepEvent. The options of JSON (whitespace, additional, unknown, resources, order) are those of `compile`.
    """

    about: str = ""

    @overload
    def extract(
        self,
        text: str | Document,
        spec: type[T],
        *,
        details: Literal[False] = ...,
        **how: Unpack[ExtractOptions],
    ) -> T: ...
    @overload
    def extract(
        self, text: str | Document, spec: type[T], *, details: Literal[True], **how: Unpack[ExtractOptions]
    ) -> Generation[T]: ...
    @overload
    def extract(
        self,
        text: str | Document,
        spec: object,
        *,
        details: Literal[False] = ...,
        **how: Unpack[ExtractOptions],
    ) -> Any: ...
    @overload
    def extract(
        self, text: str | Document, spec: object, *, details: Literal[True], **how: Unpack[ExtractOptions]
    ) -> Generation[Any]: ...
    def extract(
        self,
        text: str | Document,
        spec: object,
        *,
        details: bool = False,
        max_tokens: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        whitespace: Whitespace = "flexible",
        additional: Additional = "declared",
        unknown: Unknown = "ignore",
        resources: Resources | None = None,
        order: Order = "declared",
        on_step: OnStep | None = None,
        partial: bool = False,
    ) -> object:
        """The value of type `spec` (pydantic class, any type, JSON Schema) that the document states.

        A value that the document does not state, or that the constraint put in the place of another one, is reported
        as an AnswerWarning: in `warnings` of the Generation, or by Python's `warnings` without details. So is a list
        that is shorter than the document's. A list for which the budget is too small raises Unsatisfiable, unless
        `partial` allows as much of it as the budget holds.
        """
        options = Options(max_tokens, steps, seed, on_step, partial)
        terms = Terms(whitespace, additional, unknown, {} if resources is None else resources, order)
        generation = extract(self, text, spec, options, terms=terms, details=details)
        if details:
            return generation
        for warning in generation.warnings:
            warnings.warn(warning, stacklevel=2)
        return generation.value

    @overload
    def stream(
        self, text: str | Document, spec: type[T], **how: Unpack[VerbOptions]
    ) -> Iterator[Settled | Partial[T] | Done[T]]: ...
    @overload
    def stream(
        self, text: str | Document, spec: object, **how: Unpack[VerbOptions]
    ) -> Iterator[Settled | Partial[Any] | Done[Any]]: ...
    def stream(
        self,
        text: str | Document,
        spec: object,
        *,
        max_tokens: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        whitespace: Whitespace = "flexible",
        additional: Additional = "declared",
        unknown: Unknown = "ignore",
        resources: Resources | None = None,
        order: Order = "declared",
        on_step: OnStep | None = None,
    ) -> Iterator[Settled | Partial[Any] | Done[Any]]:
        """The steps of `extract`: a Settled for each value that is final, a Partial after a step, at the end a Done."""
        options = Options(max_tokens, steps, seed, on_step)
        terms = Terms(whitespace, additional, unknown, {} if resources is None else resources, order)
        return stream(self, text, spec, options, terms=terms)

    @overload
    def generate(
        self,
        prompt: str | Document,
        source: type[T] | Source[T],
        *,
        details: Literal[False] = ...,
        **how: Unpack[VerbOptions],
    ) -> T: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: type[T] | Source[T],
        *,
        details: Literal[True],
        **how: Unpack[VerbOptions],
    ) -> Generation[T]: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: Sequence[str],
        *,
        details: Literal[False] = ...,
        **how: Unpack[VerbOptions],
    ) -> str: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: Sequence[str],
        *,
        details: Literal[True],
        **how: Unpack[VerbOptions],
    ) -> Generation[str]: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: object,
        *,
        details: Literal[False] = ...,
        **how: Unpack[VerbOptions],
    ) -> Any: ...
    @overload
    def generate(
        self, prompt: str | Document, source: object, *, details: Literal[True], **how: Unpack[VerbOptions]
    ) -> Generation[Any]: ...
    def generate(
        self,
        prompt: str | Document,
        source: object,
        *,
        details: bool = False,
        max_tokens: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        whitespace: Whitespace = "flexible",
        additional: Additional = "declared",
        unknown: Unknown = "ignore",
        resources: Resources | None = None,
        order: Order = "declared",
        on_step: OnStep | None = None,
    ) -> object:
        """An answer to the prompt that satisfies `source`."""
        terms = Terms(whitespace, additional, unknown, {} if resources is None else resources, order)
        constraint = compile(as_source(source, terms), self.vocabulary)
        options = Options(max_tokens, steps, seed, on_step)
        asked = request(self, self.prompts.plain(text_of(prompt, "prompt")), constraint, options)
        if details:
            return answered(self, asked, is_json=isinstance(constraint.source, Readable))
        return read(self, constraint, write(self, asked)).value

    @overload
    def fill(
        self,
        template: str,
        context: str | Document | None = ...,
        *,
        details: Literal[False] = ...,
        **how: Unpack[StepOptions],
    ) -> Filled: ...
    @overload
    def fill(
        self,
        template: str,
        context: str | Document | None = ...,
        *,
        details: Literal[True],
        **how: Unpack[StepOptions],
    ) -> Generation[Filled]: ...
    def fill(
        self,
        template: str,
        context: str | Document | None = None,
        *,
        details: bool = False,
        max_tokens: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        on_step: OnStep | None = None,
    ) -> object:
        """The template with its holes filled from the context; everything else stays as it stands.

        A hole is {{name}}, {{name:regular expression}}, or {{name:kind}} with a kind such as iso-date or semver.
        """
        generation = fill(self, template, context, Options(max_tokens, steps, seed, on_step), details=details)
        if details:
            return generation
        for warning in generation.warnings:
            warnings.warn(warning, stacklevel=2)
        return generation.value

    def choose(self, text: str | Document, options: Sequence[str], *, seed: int = 0) -> Choice:
        """The option that the text calls for, with a probability for each."""
        return choose(self, text, options, seed=seed)

    def decide(
        self,
        text: str | Document,
        questions: Mapping[str, object] | None = None,
        /,
        *,
        seed: int = 0,
        **named: object,
    ) -> Decisions:
        """The answers to questions about the text, with the probability of each: `decide(text, urgent=bool)`.

        A question is bool, a Literal, an Enum, a Score or a list of strings. A question with a name that is no Python
        name, or `seed`, goes into the mapping `questions`.
        """
        return decide(self, text, {**(questions or {}), **named}, seed=seed)

    @overload
    def call(
        self,
        messages: str | Document | Sequence[Message],
        tools: Tools | Sequence[object],
        *,
        details: Literal[False] = ...,
        **how: Unpack[ToolOptions],
    ) -> Reply: ...
    @overload
    def call(
        self,
        messages: str | Document | Sequence[Message],
        tools: Tools | Sequence[object],
        *,
        details: Literal[True],
        **how: Unpack[ToolOptions],
    ) -> Generation[Reply]: ...
    def call(
        self,
        messages: str | Document | Sequence[Message],
        tools: Tools | Sequence[object],
        *,
        tool_choice: str | Mapping[str, Any] | None = None,
        parallel: bool | None = None,
        min_calls: int | None = None,
        max_calls: int | None = None,
        distinct: bool | None = None,
        form: str | None = None,
        details: bool = False,
        max_tokens: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        whitespace: Whitespace = "flexible",
        additional: Additional = "declared",
        unknown: Unknown = "ignore",
        resources: Resources | None = None,
        order: Order = "declared",
        on_step: OnStep | None = None,
    ) -> object:
        """The calls that a request asks for, a Reply: `messages.extend(reply.messages(reply.run()))` closes the loop.

        tools: functions, classes, definitions of OpenAI's, Anthropic's or MCP's form, or a Tools, which has options too
        tool_choice: "auto" (the Reply may be an answer in words), "required", "none", the name of a tool, or as in
            OpenAI's API
        parallel: up to eight calls instead of one, or min_calls to max_calls; distinct: no two of them equal
        form: how calls are written, "json", "gemma", "harmony" or "hermes"; the model's family decides if it is None
        """
        options = Options(max_tokens, steps, seed, on_step)
        terms = Terms(whitespace, additional, unknown, {} if resources is None else resources, order)
        generation = call(
            self,
            messages,
            tools,
            options,
            terms=terms,
            details=details,
            tool_choice=tool_choice,
            parallel=parallel,
            min_calls=min_calls,
            max_calls=max_calls,
            distinct=distinct,
            form=form,
        )
        if details:
            return generation
        for warning in generation.warnings:
            warnings.warn(warning, stacklevel=2)
        return generation.value

    def __repr__(self) -> str:
        return f"<structgen.Model {self.name}: {self.about}>"
