"""The constraints of one model, compiled on a thread of their own and kept.

The server compiles the constraint of a request before the engine sees it; the engine, another process, then reads the
same tables from the cache folder. If there is no such folder, the engine compiles again, on its own thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any

from structgen.compiler.constraint import Constraint, compile
from structgen.errors import StructgenError
from structgen.integrations.answers import prompt_of, spelled_by
from structgen.integrations.rows import refuse_checks
from structgen.integrations.vllm.asked import Asked, ThoughtMode
from structgen.surface import REQUEST, standing_at
from structgen.tokens.vocabulary import Vocabulary

KEPT = 256  # constraints


class Constraints:
    """A compiler for the vocabulary of one model that compiles one constraint at a time and keeps the results."""

    def __init__(self, tokenizer: Callable[[], Any], size: int) -> None:
        """tokenizer: returns a fast tokenizer of transformers or a path of a tokenizer.json; size: ids of the model"""
        self._tokenizer_of, self._size = tokenizer, size
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="structgen")
        self._lock, self._known = threading.Lock(), OrderedDict[str, Future[Constraint[Any]]]()

    def warm(self) -> None:
        """Read the vocabulary now, on a thread."""
        self._pool.submit(self.vocabulary, ThoughtMode.NONE)

    def submit(self, asked: Asked) -> Future[Constraint[Any]]:
        """The constraint, compiled once; its errors are those of `compile` and are kept too."""
        key = asked.written()
        with self._lock:
            if key not in self._known or _failed(self._known[key]):
                self._known[key] = self._pool.submit(self._compile, asked)
                if len(self._known) > KEPT:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            return self._known[key]

    def vocabulary(self, preface: ThoughtMode) -> Vocabulary:
        """The model's vocabulary, with what precedes an answer."""
        if preface is ThoughtMode.NONE:
            return self._spelled
        thinking = preface is ThoughtMode.THINKING
        return self._spelled.prefaced(prompt_of(self._tokenizer, thinking), thinking=thinking)

    def _compile(self, asked: Asked) -> Constraint[Any]:
        with standing_at(REQUEST):
            vocabulary = self.vocabulary(asked.preface)
            constraint = compile(asked.source(vocabulary.special), vocabulary)
        refuse_checks(constraint)
        _ = constraint.automaton  # compute it on this thread
        return constraint

    @cached_property
    def _tokenizer(self) -> Any:
        return self._tokenizer_of()

    @cached_property
    def _spelled(self) -> Vocabulary:
        return spelled_by(self._tokenizer, self._size)


def _failed(future: Future[Any]) -> bool:
    """Whether it failed for a reason other than the constraint."""
    if not future.done():
        return False
    return future.cancelled() or not isinstance(future.exception(), StructgenError | None)
