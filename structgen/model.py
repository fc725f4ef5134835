"""What a user holds after `load`: a model with its verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from structgen.compiler.constraint import compile
from structgen.generation.options import Options, check_text
from structgen.generation.runtime import Runtime
from structgen.generation.writer import generate
from structgen.sources import Additional, Order, Terms, Unknown, Whitespace, as_source
from structgen.verbs.call import call
from structgen.verbs.choose import Choice, choose
from structgen.verbs.extract import extract
from structgen_engine.decoding.loop import StepEvent

OnStep = Callable[[StepEvent], None]


@dataclass(frozen=True, eq=False)
class Model(Runtime):
    """A loaded model. Every verb returns a typed value, or with `details=True` the whole Generation.

    Options of every verb: steps, refinement steps a block at most (default: the model's own number); seed, the only
    source of randomness; max_tokens, the budget (default: four blocks); on_step, called with each StepEvent. Those of
    JSON (whitespace, additional, unknown, resources, order) are `compile`'s.
    """

    about: str = ""

    def extract(
        self,
        text: str,
        spec: Any,
        *,
        details: bool = False,
        max_tokens: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        whitespace: Whitespace = "flexible",
        additional: Additional = "declared",
        unknown: Unknown = "ignore",
        resources: Mapping[str, Any] | None = None,
        order: Order = "declared",
        on_step: OnStep | None = None,
    ) -> Any:
        """The value of type `spec` (pydantic class, any type, JSON Schema) that the document states."""
        check_text(text)
        options = Options(max_tokens, steps, seed, on_step)
        terms = Terms(whitespace, additional, unknown, {} if resources is None else resources, order)
        generation = extract(self, text, spec, options, terms=terms)
        return generation if details else generation.value

    def generate(
        self,
        prompt: str,
        source: Any,
        *,
        details: bool = False,
        max_tokens: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        whitespace: Whitespace = "flexible",
        additional: Additional = "declared",
        unknown: Unknown = "ignore",
        resources: Mapping[str, Any] | None = None,
        order: Order = "declared",
        on_step: OnStep | None = None,
    ) -> Any:
        """An answer to the prompt that satisfies `source`."""
        terms = Terms(whitespace, additional, unknown, {} if resources is None else resources, order)
        constraint = compile(as_source(source, terms), self.vocabulary)
        options = Options(max_tokens, steps, seed, on_step)
        generation = generate(self, self.prompts.plain(prompt), constraint, options)
        return generation if details else generation.value

    def choose(self, text: str, options: Sequence[str], *, seed: int = 0) -> Choice:
        """Which of the options the text calls for, with a probability for each."""
        return choose(self, text, options, seed=seed)

    def call(
        self,
        messages: str | Sequence[Mapping[str, Any]],
        tools: Sequence[Any],
        *,
        tool_choice: str = "auto",
        parallel: bool = False,
        details: bool = False,
        max_tokens: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        whitespace: Whitespace = "flexible",
        additional: Additional = "declared",
        unknown: Unknown = "ignore",
        resources: Mapping[str, Any] | None = None,
        order: Order = "declared",
        on_step: OnStep | None = None,
    ) -> Any:
        """The calls that a request asks for, a Reply: `for call in model.call(…): call.run()`.

        tools: functions, classes, or dicts as OpenAI's API has them; tool_choice: "auto" (the Reply may be an answer
        in words), "required", "none" or the name of a tool; parallel: up to eight calls
        """
        options = Options(max_tokens, steps, seed, on_step)
        terms = Terms(whitespace, additional, unknown, {} if resources is None else resources, order)
        generation = call(
            self, messages, tools, options, tool_choice=tool_choice, parallel=parallel, terms=terms
        )
        return generation if details else generation.value

    def __repr__(self) -> str:
        return f"<structgen.Model {self.name}: {self.about}>"
