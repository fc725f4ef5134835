"""What a user holds after `load`: a model with its verbs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from structgen.choose import Choice, choose
from structgen.constraint import compile
from structgen.extract import extract
from structgen.generate import Options, Runtime, check_text, generate
from structgen.sources import Whitespace
from structgen_engine.decode import StepEvent

OnStep = Callable[[StepEvent], None]


@dataclass(frozen=True, eq=False)
class Generator(Runtime):
    """A loaded model. Every verb returns a typed value, or with `details=True` the whole Generation.

    Options of every verb: steps, refinement steps a block at most; seed, the only source of randomness;
    max_tokens, the budget (default: four blocks); on_step, called with each StepEvent.
    """

    about: str = ""

    def extract(
        self,
        text: str,
        spec: Any,
        *,
        details: bool = False,
        max_tokens: int | None = None,
        steps: int = 16,
        seed: int = 0,
        whitespace: Whitespace = "flexible",
        on_step: OnStep | None = None,
    ) -> Any:
        """The value of type `spec` (pydantic class, any type, JSON Schema) that the document states."""
        check_text(text)
        options = Options(max_tokens, steps, seed, on_step)
        generation = extract(self, text, spec, options, whitespace=whitespace)
        return generation if details else generation.value

    def generate(
        self,
        prompt: str,
        source: Any,
        *,
        details: bool = False,
        max_tokens: int | None = None,
        steps: int = 16,
        seed: int = 0,
        on_step: OnStep | None = None,
    ) -> Any:
        """An answer to the prompt that satisfies `source`."""
        constraint = compile(source, self.vocabulary)
        options = Options(max_tokens, steps, seed, on_step)
        generation = generate(self, self.prompts.plain(prompt), constraint, options)
        return generation if details else generation.value

    def choose(self, text: str, options: Sequence[str], *, seed: int = 0) -> Choice:
        """Which of the options the text calls for, with a probability for each."""
        return choose(self, text, options, seed=seed)

    def __repr__(self) -> str:
        return f"<structgen.Generator {self.name}: {self.about}>"
