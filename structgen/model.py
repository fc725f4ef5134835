"""The model that `load` returns, with its verbs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, Unpack, overload

from structgen.documents import Document
from structgen.errors import InvalidOption
from structgen.generation.options import Options
from structgen.generation.result import Generation
from structgen.many import Many
from structgen.sources import Source
from structgen.sources.template import Filled, Template
from structgen.sources.tools import Reply, Tools
from structgen.twins import Twins
from structgen.verbs.call import Message, call
from structgen.verbs.choose import Choice, choose
from structgen.verbs.decide import Decisions, decide
from structgen.verbs.extract import extract, extract_several
from structgen.verbs.fill import fill
from structgen.verbs.generate import generate, generate_several
from structgen.verbs.how import (
    AnswerOptions,
    ExtractOptions,
    FillOptions,
    OnStep,
    ToolOptions,
    VerbOptions,
    check_several,
    options_of,
)
from structgen.verbs.stream import Done, Partial, Settled, stream

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Model(Many, Twins):
    """A loaded model. Every verb returns a typed value, or with `details=True` the whole Generation.

    Every verb has an asynchronous twin, whose name begins with an a: `await model.aextract(text, Invoice)`, and takes
    many texts at once under a name that ends in _many: `for invoice in model.extract_many(texts, Invoice)`.

    Options of every verb: steps, the most refinement steps per block (default: the model's own number); seed, of the
    only source of randomness; max_tokens, the budget (default: the model's number of blocks); on_step, called with each
    StepEvent; redraws, how often an answer that a Python validator rejects is drawn anew, each time independently
    (default: 0). The options of JSON (whitespace, additional, unknown, resources, order) are those of `compile`.
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
    @overload
    def extract(
        self,
        text: str | Document,
        spec: type[T],
        *,
        n: int,
        details: Literal[False] = ...,
        **how: Unpack[VerbOptions],
    ) -> list[T]: ...
    @overload
    def extract(
        self,
        text: str | Document,
        spec: type[T],
        *,
        n: int,
        details: Literal[True],
        **how: Unpack[VerbOptions],
    ) -> list[Generation[T]]: ...
    @overload
    def extract(
        self, text: str | Document, spec: object, *, n: int, details: bool = ..., **how: Unpack[VerbOptions]
    ) -> list[Any]: ...
    def extract(
        self,
        text: str | Document,
        spec: object,
        *,
        n: int | None = None,
        partial: bool = False,
        details: bool = False,
        **how: Unpack[AnswerOptions],
    ) -> object:
        """The value of type `spec` (pydantic class, any type, JSON Schema) that the document states.

        n: a list of up to so many distinct values instead, the likeliest first
        A value that the document does not state, or that the constraint put in the place of another one, is reported
        as an AnswerWarning: in `warnings` of the Generation, or by Python's `warnings` without details. So is a list
        that is shorter than the document's. A list for which the budget is too small raises Unsatisfiable, unless
        `partial` allows as much of it as the budget holds.
        """
        options, terms = options_of(how)
        options = replace(options, partial=partial)
        if n is None:
            return _told(extract(self, text, spec, options, terms=terms, details=details), details)
        check_several(n, options)
        found = extract_several(self, text, spec, n, options, terms=terms, details=details)
        return found if details else [one.value for one in found]

    @overload
    def stream(
        self, text: str | Document, spec: type[T], **how: Unpack[VerbOptions]
    ) -> Iterator[Settled | Partial[T] | Done[T]]: ...
    @overload
    def stream(
        self, text: str | Document, spec: object, **how: Unpack[VerbOptions]
    ) -> Iterator[Settled | Partial[Any] | Done[Any]]: ...
    def stream(
        self, text: str | Document, spec: object, **how: Unpack[VerbOptions]
    ) -> Iterator[Settled | Partial[object] | Done[object]]:
        """The steps of `extract`: a Settled for each value that is final, a Partial after a step, at the end a Done."""
        if "redraws" in how:
            raise InvalidOption("a stream takes nothing back, so it cannot draw anew: leave redraws out")
        options, terms = options_of(how)
        return stream(self, text, spec, options, terms=terms)

    @overload
    def generate(
        self,
        prompt: str | Document,
        source: type[T] | Source[T],
        *,
        details: Literal[False] = ...,
        **how: Unpack[AnswerOptions],
    ) -> T: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: type[T] | Source[T],
        *,
        details: Literal[True],
        **how: Unpack[AnswerOptions],
    ) -> Generation[T]: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: Sequence[str],
        *,
        details: Literal[False] = ...,
        **how: Unpack[AnswerOptions],
    ) -> str: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: Sequence[str],
        *,
        details: Literal[True],
        **how: Unpack[AnswerOptions],
    ) -> Generation[str]: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: object,
        *,
        details: Literal[False] = ...,
        **how: Unpack[AnswerOptions],
    ) -> Any: ...
    @overload
    def generate(
        self, prompt: str | Document, source: object, *, details: Literal[True], **how: Unpack[AnswerOptions]
    ) -> Generation[Any]: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: type[T] | Source[T],
        *,
        n: int,
        details: Literal[False] = ...,
        **how: Unpack[VerbOptions],
    ) -> list[T]: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: type[T] | Source[T],
        *,
        n: int,
        details: Literal[True],
        **how: Unpack[VerbOptions],
    ) -> list[Generation[T]]: ...
    @overload
    def generate(
        self,
        prompt: str | Document,
        source: object,
        *,
        n: int,
        details: bool = ...,
        **how: Unpack[VerbOptions],
    ) -> list[Any]: ...
    def generate(
        self,
        prompt: str | Document,
        source: object,
        *,
        n: int | None = None,
        details: bool = False,
        **how: Unpack[AnswerOptions],
    ) -> object:
        """An answer to the prompt that satisfies `source`; n: up to so many distinct ones, the likeliest first."""
        options, terms = options_of(how)
        if n is None:
            return _told(generate(self, prompt, source, options, terms=terms, details=details), details)
        check_several(n, options)
        found = generate_several(self, prompt, source, n, options, terms=terms, details=details)
        return found if details else [one.value for one in found]

    @overload
    def fill(
        self,
        template: str | Template[object],
        context: str | Document | None = ...,
        into: None = ...,
        *,
        details: Literal[False] = ...,
        **how: Unpack[FillOptions],
    ) -> Filled: ...
    @overload
    def fill(
        self,
        template: str | Template[object],
        context: str | Document | None = ...,
        into: None = ...,
        *,
        details: Literal[True],
        **how: Unpack[FillOptions],
    ) -> Generation[Filled]: ...
    @overload
    def fill(
        self,
        template: str,
        context: str | Document | None,
        into: type[T],
        *,
        details: Literal[False] = ...,
        **how: Unpack[FillOptions],
    ) -> T: ...
    @overload
    def fill(
        self,
        template: str,
        context: str | Document | None,
        into: type[T],
        *,
        details: Literal[True],
        **how: Unpack[FillOptions],
    ) -> Generation[T]: ...
    def fill(
        self,
        template: str | Template[object],
        context: str | Document | None = None,
        into: type[object] | None = None,
        *,
        types: Mapping[str, object] | None = None,
        details: bool = False,
        max_tokens: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        on_step: OnStep | None = None,
    ) -> object:
        """The values of a template's holes, filled from the context, by name; their `text` is the filled template.

        A hole is {{name}} for text up to the next fixed piece, {{name:regular expression}}, or {{name:kind}} with a
        kind such as iso-date or semver; {{{{ is a brace. types: Python types of holes, as in {"total": Decimal}
        into: a class that the values make instead; its annotations are the types of holes that have no other
        """
        options = Options(max_tokens, steps, seed, on_step)
        found = fill(self, template, context, options, into=into, types=types, details=details)
        return _told(found, details)

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
        joint: bool = False,
        **named: object,
    ) -> Decisions:
        """The answers to questions about the text, with the probability of each: `decide(text, urgent=bool)`.

        A question is bool, a Literal, an Enum, a Score or a list of strings. A question with a name that is no Python
        name, `seed` or `joint` goes into the mapping `questions`. joint: whether one canvas holds all questions
        """
        return decide(self, text, {**(questions or {}), **named}, seed=seed, joint=joint)

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
        tool_choice: str | Mapping[str, object] | None = None,
        parallel: bool | None = None,
        min_calls: int | None = None,
        max_calls: int | None = None,
        distinct: bool | None = None,
        form: str | None = None,
        details: bool = False,
        **how: Unpack[AnswerOptions],
    ) -> object:
        """The calls that a request asks for, a Reply: `messages.extend(reply.messages(reply.run()))` closes the loop.

        tools: functions, classes, definitions of OpenAI's, Anthropic's or MCP's form, or a Tools, which has options too
        tool_choice: "auto" (the Reply may be an answer in words), "required", "none", the name of a tool, or as in
            OpenAI's API
        parallel: up to eight calls instead of one, or min_calls to max_calls; distinct: no two of them equal
        form: how calls are written, "json", "gemma", "harmony", "hermes" or "qwen_xml"; by default as its family does
        """
        options, terms = options_of(how)
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
        return _told(generation, details)

    def __repr__(self) -> str:
        return f"<structgen.Model {self.name}: {self.about}>"


def _told(generation: Generation[object], details: bool) -> object:
    """The generation if its details are wanted; otherwise its value, with a Python warning for each of its warnings."""
    if details:
        return generation
    for warning in generation.warnings:
        warnings.warn(warning, stacklevel=3)
    return generation.value
