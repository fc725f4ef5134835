"""What a writer is asked to do: ids, an automaton, a budget, and what is known of the form of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from structgen.compiler.constraint import Constraint
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.loop import Decoded, StepEvent
from structgen_engine.decoding.options import DecodingOptions
from structgen_engine.decoding.row import Review


@dataclass(frozen=True)
class Kind:
    """One form that an answer may have.

    outline: what it holds, in plain values; opening: how its texts begin, as far as that tells it from the others;
    description: the words by which a text asks for it, None where there are none
    """

    outline: Mapping[str, Any]
    opening: str = ""
    description: str | None = None


@dataclass(frozen=True, eq=False)
class Request:
    """One output to be written.

    prompt: token ids; max_tokens: the budget; options: of decoding; document: what the prompt asks about, None where it
    is not known; kinds: the forms that the answer may have, none where nothing is known of its form
    on_step: called with every step
    """

    prompt: Sequence[int]
    constraint: Constraint[Any]
    max_tokens: int
    options: DecodingOptions
    seed: int = 0
    document: str | None = None
    kinds: tuple[Kind, ...] = ()
    on_step: Callable[[StepEvent], None] | None = None

    @property
    def automaton(self) -> TokenAutomaton:
        """Of whole answers, over token ids."""
        return self.constraint.automaton

    def reviewer(self) -> Review | None:
        """A review of one output; None where the automaton tells everything."""
        return self.constraint.reviewer()


class Writer(Protocol):
    """Fills blocks until the automaton of a request accepts them."""

    def write(self, request: Request, /) -> Decoded:
        """The ids. Raises BudgetTooSmall, before any step, where the budget is below the least number of tokens."""
        ...
