"""An answer of a model to a prompt, for tests that need no verb."""

from __future__ import annotations

from typing import TypeVar

from structgen.compiler.constraint import Constraint
from structgen.generation.options import Options
from structgen.generation.prompts import Prompt
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import read, request, write

T = TypeVar("T")


def generate(
    runtime: Runtime, prompt: Prompt, constraint: Constraint[T], options: Options | None = None
) -> Generation[T]:
    """What the model writes under the constraint."""
    return read(runtime, constraint, write(runtime, request(runtime, prompt, constraint, options)))
