"""The compiled constraints of one model, kept in memory; what was refused is not compiled again.

Constraints with a document bound are large and asked for once, so they live only as long as a request needs them.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from structgen.cache import cache_folder
from structgen.compiler.apart import CompilingProcess
from structgen.compiler.constraint import Constraint, compile
from structgen.errors import StructgenError, Unsatisfiable
from structgen.server.problems import Problem
from structgen.server.settings import ServerSettings
from structgen.server.threads import WorkThreads
from structgen.sources import Regex, Source
from structgen.tokens.vocabulary import Vocabulary

T = TypeVar("T")
Found = Constraint[Any] | StructgenError  # or why there is no constraint
SHORT = 8192  # characters of a document that is bound where it is: it takes about 0.2 CPU seconds
CLIENT: ContextVar[str] = ContextVar("client", default="")  # who sent the request that is answered


class Compiling(Exception):
    """The constraint is being compiled by another process; `done` ends when it is, or when it is refused.

    The result of `done` is to be kept until the constraint has been asked for once more: a bound one lives no longer.
    """

    def __init__(self, done: Future[Found]) -> None:
        super().__init__()
        self.done = done


class CompiledSources:
    """Constraints by a text that is equal for equal sources; the ones that were used last are kept."""

    def __init__(self, vocabulary: Vocabulary, settings: ServerSettings) -> None:
        self._vocabulary, self._settings = vocabulary, settings
        self._known: OrderedDict[str, Found] = OrderedDict()
        self._bound: WeakValueDictionary[str, Constraint[Any]] = WeakValueDictionary()
        self._begun: dict[str, Future[Found]] = {}  # by key, what is being compiled
        self._of_client: Counter[str] = Counter()  # how much of it is whose
        self._lock = Lock()
        self.hits = self.misses = 0

    def get(self, key: str, source: Source[Any]) -> Constraint[Any]:
        """The constraint of a source. Raises what `compile` raises, within the limits of the server.

        Raises Compiling if another process has to compile it first, and Problem with 429 if it compiles too much for
        the same client already.
        """
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self.hits += 1
                self._known.move_to_end(key)
            elif self._elsewhere:
                raise Compiling(self._begin(key, lambda pool: self._stored(pool, source)))
        if found is None:
            found = self._compiled(source)
            self._keep(key, found)
        return _constraint(found)

    def bound(self, key: str, constraint: Constraint[Any], document: str) -> Constraint[Any]:
        """The constraint of the source with this key, with a document bound. Raises what `get` raises."""
        if len(document) <= SHORT or not self._elsewhere:
            return constraint.bind(document)
        written = hashlib.blake2b(document.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        key = f"{key} of {written}"
        with self._lock:
            found = self._bound.get(key) or self._known.get(key)
            if found is None:
                raise Compiling(self._begin(key, lambda pool: pool.bound(constraint, document)))
        return _constraint(found)

    def start(self) -> None:
        """Start the processes that compile before a request needs them."""
        if self._elsewhere:
            pool = self._compilers()
            for _ in range(self._settings.compilers):
                pool.threads.submit(pool.found, Regex("a"), lambda: None)

    def close(self) -> None:
        """End the processes that compile, and what waits for them."""
        if self._elsewhere:
            pool = self._compilers()
            compilers.cache_clear()
            pool.close()
            with self._lock:
                begun = list(self._begun.values())
            for done in begun:
                done.cancel()

    def _compilers(self) -> Compilers:
        limits = self._settings
        how = limits.compilers, limits.compile_seconds, limits.compile_gigabytes
        return compilers(self._vocabulary, cache_folder(), *how)

    @property
    def _elsewhere(self) -> bool:
        """Whether processes compile, which hand over what they have compiled in files."""
        return self._settings.compilers > 0 and _has_place()

    def _begin(self, key: str, make: Callable[[Compilers], Found]) -> Future[Found]:
        """Have a constraint compiled, unless that has begun. make: has one of the processes do so"""
        if key in self._begun:
            return self._begun[key]
        client, most = CLIENT.get(), self._settings.compiling
        if self._of_client[client] >= most:
            raise Problem(
                f"{most} schemas, grammars or long documents of this client are being compiled already; "
                "try again in a moment",
                status=429,
                code="rate_limit_exceeded",
                headers={"retry-after": str(self._settings.retry_after)},
            )
        pool = self._compilers()
        self._of_client[client] += 1
        done = self._begun[key] = Future()
        pool.threads.submit(lambda: self._make(key, lambda: make(pool), client, done))
        return done

    def _make(self, key: str, make: Callable[[], Found], client: str, done: Future[Found]) -> None:
        """Compile in another process; runs on a thread that mostly waits for it."""
        if not done.set_running_or_notify_cancel():
            return
        found: Found | None = None
        try:
            found = make()
            self._keep(key, found)
            error = None
        except BaseException as raised:  # whoever waits for it is told
            error = raised
        with self._lock:
            del self._begun[key]
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]
        if found is not None:
            done.set_result(found)
        else:
            done.set_exception(error)

    def _stored(self, pool: Compilers, source: Source[Any]) -> Found:
        """What a process has compiled, read from disk."""
        return pool.found(source, lambda: self._compiled(source))

    def _keep(self, key: str, found: Found) -> None:
        with self._lock:
            self.misses += 1
            if isinstance(found, Constraint) and found.document is not None:
                self._bound[key] = found
                return
            self._known[key] = found
            while len(self._known) > self._settings.kept:
                self._known.popitem(last=False)

    def _compiled(self, source: Source[Any]) -> Found:
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


def _constraint(found: Found) -> Constraint[Any]:
    if isinstance(found, StructgenError):
        raise found.with_traceback(None)
    return found


class Compilers:
    """Some processes that compile, and a thread to wait for each."""

    def __init__(self, vocabulary: Vocabulary, count: int, seconds: float, gigabytes: float) -> None:
        self.threads = WorkThreads(count, "structgen-compiler")
        self._processes = [CompilingProcess(vocabulary, seconds, gigabytes) for _ in range(count)]
        self._idle: SimpleQueue[CompilingProcess] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)

    def close(self) -> None:
        """End the processes, and forget what waits for them."""
        for process in self._processes:
            process.stop()
        self.threads.close(0)

    def found(self, source: Source[Any], read: Callable[[], T]) -> T | StructgenError:
        """What `read` returns, which finds the source compiled on disk; or why it is refused."""
        with self._one() as compiler:
            return compiler.found(source, read)

    def bound(self, constraint: Constraint[Any], document: str) -> Found:
        """A constraint with a document bound; or why that is refused."""
        with self._one() as compiler:
            return compiler.bound(constraint, document)

    @contextmanager
    def _one(self) -> Iterator[CompilingProcess]:
        """A process that is idle, as soon as there is one."""
        compiler = self._idle.get()
        try:
            yield compiler
        finally:
            self._idle.put(compiler)


@lru_cache(maxsize=8)
def compilers(
    vocabulary: Vocabulary, folder: Path | None, count: int, seconds: float, gigabytes: float
) -> Compilers:
    """The processes for a vocabulary, which all applications share; they end with this process.

    folder: of the cache, which a process reads from the environment when it is made
    """
    return Compilers(vocabulary, count, seconds, gigabytes)


def _has_place() -> bool:
    """Whether files can be written: in the folder of the cache, or else among temporary files."""
    try:
        return cache_folder() is not None or bool(tempfile.gettempdir())
    except FileNotFoundError:
        return False
