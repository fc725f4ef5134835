"""The request to a writer: prompt ids, a constraint, a budget, and the known forms of the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from structgen.compiler.constraint import Constraint
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.loop import Decoded, StepEvent
from structgen_engine.decoding.options import DecodingOptions, Finish
from structgen_engine.decoding.row import Review


@dataclass(frozen=True)
class Kind:
    """One form that an answer may have.

    outline: its content in plain values; opening: the beginning of its texts that distinguishes it from other kinds
    description: the words by which a text asks for it, None if there are none
    """

    outline: Mapping[str, Any]
    opening: str = ""
    description: str | None = None


@dataclass(frozen=True, eq=False)
class Request:
    """A request for one output.

    prompt: token ids; constraint: of complete answers, with its automaton over token ids, read once
    reviewer: makes a review of one output, or None if the automaton decides everything
    max_tokens: the budget; options: of decoding
    document: the text that the prompt asks about, None if it is not known
    partial: whether a part of a list is enough where the budget does not hold all of it
    kinds: the forms that the answer may have, empty if nothing is known about its form
    on_step: called with each StepEvent
    redraws: how often an answer that a Python validator rejects is drawn anew; drawn: how often it was
    asked_tokens: the budget that the caller named, None for the default
    """

    prompt: Sequence[int]
    constraint: Constraint[Any]
    automaton: TokenAutomaton
    reviewer: Callable[[], Review | None]
    max_tokens: int
    options: DecodingOptions
    seed: int = 0
    document: str | None = None
    kinds: tuple[Kind, ...] = ()
    on_step: Callable[[StepEvent], None] | None = None
    partial: bool = False
    redraws: int = 0
    asked_tokens: int | None = None
    drawn: int = 0

    def drawn_anew(self, time: int) -> Request:
        """The request for draw number `time`, from 1 on: a joint draw instead of the best, by a seed of its own."""
        digest = hashlib.blake2b(f"{self.seed} {time}".encode(), digest_size=8).digest()
        options = replace(self.options, finish=Finish.SAMPLE)
        return replace(self, options=options, seed=int.from_bytes(digest) >> 1, drawn=time)


class Writer(Protocol):
    """A way to fill blocks until the automaton of a request accepts them."""

    def over(self, denoiser: Denoiser, /) -> Writer:
        """The same way with another denoiser of this model: that of a row which shares its passes with others."""
        ...

    def writing(self, request: Request, /) -> Generator[StepEvent, None, Decoded]:
        """Yields each step and returns the written ids. Raises BudgetTooSmall, before any step, if the shortest answer
        exceeds the budget."""
        ...
