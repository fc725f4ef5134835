"""The compiled constraints of one model, kept in memory; what was refused is not compiled again."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

from structgen.compiler.constraint import Constraint, compile
from structgen.errors import StructgenError, Unsatisfiable
from structgen.server.settings import ServerSettings
from structgen.sources import Source
from structgen.tokens.vocabulary import Vocabulary


class CompiledSources:
    """Constraints by a text that is equal for equal sources; the ones that were used last are kept."""

    def __init__(self, vocabulary: Vocabulary, settings: ServerSettings) -> None:
        self._vocabulary, self._settings = vocabulary, settings
        self._known: OrderedDict[str, Constraint[Any] | StructgenError] = OrderedDict()
        self._lock = Lock()
        self.hits = self.misses = 0

    def get(self, key: str, source: Source[Any]) -> Constraint[Any]:
        """The constraint of a source. Raises what `compile` raises, within the limits of the server."""
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self.hits += 1
                self._known.move_to_end(key)
        if found is None:
            found = self._compiled(source)
            with self._lock:
                self.misses += 1
                self._known[key] = found
                while len(self._known) > self._settings.kept:
                    self._known.popitem(last=False)
        if isinstance(found, StructgenError):
            raise found.with_traceback(None)
        return found

    def _compiled(self, source: Source[Any]) -> Constraint[Any] | StructgenError:
        limits = self._settings
        try:
            found = compile(
                source, self._vocabulary, seconds=limits.compile_seconds, gigabytes=limits.compile_gigabytes
            )
            least = 0 if found.copies else found.min_tokens
        except StructgenError as error:
            return error
        if least > limits.max_tokens:
            return Unsatisfiable(
                f"the shortest answer takes {least:,} tokens, and this server writes at most {limits.max_tokens:,}: "
                "let the source allow shorter texts"
            )
        return found
