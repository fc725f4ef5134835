"""Constraints, compiled in SGLang's queue of grammars.

SGLang compiles what constrains a request on a thread and keeps the request out of the batch until that is done; what
cannot be compiled is answered 400 with the reason. Results are kept, refusals as well.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any

from structgen.compiler.constraint import compile
from structgen.errors import InvalidSource, StructgenError
from structgen.integrations.answers import spelled_by
from structgen.integrations.rows import refuse_checks
from structgen.integrations.sglang.held import Held
from structgen.sources import Source, Terms
from structgen.sources.requested import requested
from structgen.surface import REQUEST, standing_at
from structgen.tokens.vocabulary import Vocabulary

KEPT = 256  # constraints
GRAMMAR_SECONDS = 2.0  # of CPU time for one constraint
TAIL = 32  # ids of a prompt's end that tell whether it ends with a thought
ANY_JSON = "$$ANY$$"  # SGLang's name for any JSON value
ASSISTANT = "full_assistant_ebnf"  # a grammar that describes the thought as well
TURN = (
    "<|turn>model"  # a chat of DiffusionGemma ends with it, unless the template has put a thought behind it
)

Key = tuple[str, ...]  # kind, text, and the preface: "" or the end of the prompt


class Grammars:
    """A mixin for SGLang's BaseGrammarBackend that makes constraints."""

    executor: ThreadPoolExecutor

    def __init__(self, tokenizer: Any, size: int, *, compact: bool, thoughts: bool) -> None:
        """tokenizer: a fast tokenizer or a path; size: ids of the model; compact: no white space in JSON

        thoughts: whether SGLang parts a thought from the answer
        """
        super().__init__()
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="structgen")  # one at a time
        self._tokenizer, self._size, self._compact, self._thoughts = tokenizer, size, compact, thoughts
        self._known: OrderedDict[tuple[Key, bool], Future[Held]] = OrderedDict()

    def get_request_grammar_key(self, key: Key, *, input_ids: Any, thinking_budget: Any) -> Key:
        """The kind and text of a constraint, and of a chat that may begin with a thought the end of the prompt."""
        if not self._thoughts or key[0] == ASSISTANT:
            return (*key, "")
        end = self._tokenizer.decode(list(input_ids)[-TAIL:])
        return (*key, end[end.rindex(TURN) :] if TURN in end else "")

    def get_cached_or_future_value(self, key: Key, require_reasoning: bool) -> tuple[Any, bool]:
        """The constraint if it is known, or a future of it; whether it is known."""
        which = key, require_reasoning
        if which not in self._known:
            self._known[which] = self.executor.submit(self._compiled, key, require_reasoning)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(which)
        future = self._known[which]
        if not future.done() or future.exception() is not None:
            if future.done() and not isinstance(future.exception(), StructgenError):
                del self._known[which]  # not the constraint's fault: the next request tries again
            return _copied(future), False
        return future.result().copy(), True

    def set_cache(self, key: Key, value: Any) -> None:
        """Results are known already."""

    def reset(self) -> None:
        self._known.clear()

    def _compiled(self, key: Key, thinking: bool) -> Held:
        kind, text, end = key
        with standing_at(REQUEST):
            vocabulary = self._spelled.prefaced(end, thinking=thinking) if end else self._spelled
            constraint = compile(self._source(kind, text, vocabulary), vocabulary, seconds=GRAMMAR_SECONDS)
        refuse_checks(constraint)
        _ = constraint.automaton  # compute it on this thread
        return Held(constraint)

    def _source(self, kind: str, text: str, vocabulary: Vocabulary) -> Source[Any]:
        terms = Terms("compact" if self._compact else "flexible")
        if kind == "json":
            value: Any = {} if text == ANY_JSON else text
        else:
            value = _read(text) if kind == "structural_tag" else text
        kind = "grammar" if kind in ("ebnf", ASSISTANT) else kind
        return requested(kind, value, terms, vocabulary.special)

    @cached_property
    def _spelled(self) -> Vocabulary:
        return spelled_by(self._tokenizer, self._size)


def backend_class(base: type) -> type:
    """SGLang's class of backends with our compiler."""
    return type("StructgenGrammars", (Grammars, base), {})


def _copied(future: Future[Held]) -> Future[Held]:
    """A future of a copy of the result, for one request."""
    own: Future[Held] = Future()

    def pass_on(done: Future[Held]) -> None:
        if not own.set_running_or_notify_cancel():
            return
        if (error := done.exception()) is not None:
            own.set_exception(error)
        else:
            own.set_result(done.result().copy())

    future.add_done_callback(pass_on)
    return own


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSource(f"the structural tag is no JSON text: {error}") from None
