"""The automaton state of each request, in the place where SGLang keeps a request's grammar.

A request's tokens are read from SGLang itself at the start of every block, so that whatever SGLang does with a request
in between (retraction, a block begun again) the state is that of the tokens that are there.

Axes: N block, n positions in play, T tokens.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import weakref
from typing import Any

import torch
from torch import Tensor

from structgen.compiler.constraint import Constraint
from structgen.errors import StructgenError
from structgen_engine.decoding.blocks import Block
from structgen_engine.decoding.row import BudgetTooSmall, Row, begin
from structgen_engine.lattice.lattice import EmptyLattice
from structgen_engine.lattice.pruning import Pruning

UNTIMED = Pruning(seconds=float("inf"))  # a refusal inside a step would end the engine
log = logging.getLogger("sglang.structgen")


class Held:
    """What a request's grammar is for SGLang, and the state of the request for us."""

    grammar_stats: Any = None
    finished = False

    def __init__(self, constraint: Constraint[Any]) -> None:
        self.constraint = constraint
        self.failed = False
        self._request: Any = None
        self._row: Row | None = None
        self._read: list[int] = []  # tokens that the row has read
        self._budget = 0
        self._generator: torch.Generator | None = None

    def copy(self) -> Held:
        """The same constraint for another request."""
        return Held(self.constraint)

    def maybe_init_reasoning(self, reasoning: bool) -> None:
        """SGLang calls this of a known grammar; a thought is part of the automaton."""

    def is_terminated(self) -> bool:
        """Whether the answer has to end, which its end token does here."""
        return False

    def attach(self, request: Any, budget: int) -> None:
        """Belong to a request that may write so many tokens; raises BudgetTooSmall or EmptyLattice."""
        self._request, self._budget = weakref.ref(request), budget
        seed = hashlib.blake2b(str(request.rid).encode(), digest_size=7).digest()
        self._generator = torch.Generator().manual_seed(int.from_bytes(seed, "little"))
        self._row = begin(self.constraint.automaton, 0, budget, UNTIMED)

    def place(self, block: int) -> int:
        """How many positions of the current block, of this many tokens, belong to the prompt or were written before."""
        request = self._request()
        return len(request.origin_input_ids) + len(request.output_ids) - request.dllm_block_offset

    def block(self, positions: int) -> tuple[Block, int]:
        """The automaton of the rest of a block, of this many positions, and how many of them are in play."""
        row = self._advanced()
        return row.block(positions), row.in_play(positions)

    def padded(self, ids: Tensor | None, positions: int) -> Tensor:
        """Ids [n] with padding behind them; for None an answer that ends at once. Returns [positions]."""
        vocabulary = self.constraint.vocabulary
        end, pad = (
            0 if name is None else vocabulary.special[name] for name in (vocabulary.end, vocabulary.pad)
        )
        given = torch.tensor([end]) if ids is None else ids
        return torch.cat([given, given.new_full((positions - len(given),), pad)])

    @property
    def generator(self) -> torch.Generator:
        """Of the request's joint draws."""
        assert self._generator is not None
        return self._generator

    def fail(self, error: Exception) -> None:
        """End the request with an error that the log tells; its neighbours go on."""
        expected = isinstance(error, StructgenError | BudgetTooSmall | EmptyLattice)
        log.error("a constrained request is ended: %s", error, exc_info=None if expected else error)
        self.failed = True
        request = None if self._request is None else self._request()
        if request is not None:
            batches: Any = importlib.import_module("sglang.srt.managers.schedule_batch")
            request.to_finish = batches.FINISH_ABORT(
                f"the constraint failed: {error}", 500, "InternalServerError"
            )

    def _advanced(self) -> Row:
        written = list(self._request().output_ids)
        assert self._row is not None
        if written[: len(self._read)] != self._read:  # SGLang has taken tokens back
            self._row, self._read = begin(self.constraint.automaton, 0, self._budget, UNTIMED), []
        if len(written) > len(self._read):
            self._row.commit(torch.tensor(written[len(self._read) :]))
            self._read = written
        return self._row


def processed(added: bool, manager: Any, request: Any) -> None:
    """After SGLang has looked a request's grammar up."""
    _attach(manager, request)


def ready(requests: list[Any], manager: Any) -> None:
    """After SGLang has compiled the grammars of these requests."""
    for request in requests:
        _attach(manager, request)


def room(manager: Any, request: Any) -> int:
    """The tokens that a request may write: SGLang ends it when no further block fits the model's context."""
    config, context = manager.scheduler.dllm_config, manager.scheduler.model_config.context_len
    length = prompt = len(request.origin_input_ids)
    while True:
        apart = config.requires_separate_context_encoding
        length += config.block_size - (0 if apart else length % config.block_size)
        if length + config.block_size > context:
            return min(length - prompt, request.sampling_params.max_new_tokens)


def _attach(manager: Any, request: Any) -> None:
    if not isinstance(request.grammar, Held):
        return
    try:
        request.grammar.attach(request, room(manager, request))
    except (BudgetTooSmall, EmptyLattice) as error:
        request.set_finish_with_abort(str(error).partition(": ")[2] or str(error))
    except Exception as error:
        log.exception("a constraint cannot begin")
        request.set_finish_with_abort(f"the constraint failed: {error}", 500, "InternalServerError")


def of(batch: Any) -> dict[int, Held]:
    """The constrained requests of a forward batch by their index."""
    grammars = getattr(batch.sampling_info, "grammars", None) or []
    return {k: held for k, held in enumerate(grammars) if isinstance(held, Held)}
