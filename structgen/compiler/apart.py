"""Compiling in a process of its own, so that no source holds the threads or the memory of whoever has it compiled.

The child, `python -m structgen.compiler.apart`, leaves what it compiles in the cache on disk, for the parent to read.
Where there is none that can be written, it leaves it in a folder of its own, which is emptied once the parent has read.
Messages are pickles: a vocabulary, limits and a surface once, then sources with the thought that precedes their answers
one way and, for each, None or a refusal the other way. A source may come with a document to copy from. Then the answer
holds the compiled arrays themselves, because documents are many and each is asked about once.
The limits of `compile` are soft, since they are looked at in loops that may be long. Behind them are hard ones: the
child cannot have more memory, and it is killed when it is late. It ends when the parent does.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any, BinaryIO, TypeVar

from structgen.cache import cache_folder, cached_in, is_writable
from structgen.compiler.compiled import Regime
from structgen.compiler.constraint import Constraint, compile
from structgen.compiler.unbound import Binding
from structgen.errors import StructgenError, Unsupported
from structgen.limits.budget import PAGE, STATM
from structgen.sources import Regex, Source
from structgen.surface import SERVER, Surface, standing_at
from structgen.tokens.vocabulary import Preface, Vocabulary

LATE = 8  # times the CPU seconds that compiling may take, as seconds of a clock: the machine may be busy
SPARE = 4  # times the memory that compiling may add, as address space
SIMPLER = "simplify it or lower the bounds of its repetitions (maxLength, maxItems, {m,n})"

T = TypeVar("T")
Refusal = tuple[type[StructgenError], tuple[Any, ...], dict[str, Any]]


class CompilingProcess:
    """A child process that compiles for one vocabulary, started when it is first needed and after it was killed."""

    def __init__(
        self, vocabulary: Vocabulary, seconds: float, gigabytes: float, surface: Surface = SERVER
    ) -> None:
        """surface: where those stand who read the refusals"""
        self._vocabulary, self._seconds, self._gigabytes = vocabulary, seconds, gigabytes
        self._surface = surface
        self._process: subprocess.Popen[bytes] | None = None
        folder = cache_folder()
        self._kept = folder if folder is not None and is_writable(folder) else None
        self._own: TemporaryDirectory[str] | None = None  # in place of a folder that is kept
        self._stopped = False

    def found(
        self, source: Source[Any], read: Callable[[], T], preface: Preface | None = None
    ) -> T | StructgenError:
        """What `read` returns, which compiles the source from the cache alone; or why the source is refused.

        preface: the thought that precedes answers, of the vocabulary that `read` compiles for
        """
        refused = self.refusal(source, preface)
        if refused is not None:
            return refused
        try:
            with cached_in(self.folder):
                return read()
        finally:
            if self._own is not None:
                for kind in Path(self._own.name).iterdir():
                    shutil.rmtree(kind, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Where the child leaves what it compiles. Raises OSError if there is no place for temporary files."""
        if self._kept is not None:
            return self._kept
        if self._own is None:
            self._own = TemporaryDirectory(prefix="structgen-", ignore_cleanup_errors=True)
        return Path(self._own.name)

    def refusal(self, source: Source[Any], preface: Preface | None = None) -> StructgenError | None:
        """What compiling a source raises, None if it is now in the folder of this process."""
        return _error(self._asked(source, preface))

    def bound(self, constraint: Constraint[T], document: str) -> Constraint[T] | StructgenError:
        """A constraint that copies, with its values from this document; or why that is refused."""
        assert constraint.unbound is not None
        preface, regime = constraint.vocabulary.preface, constraint.unbound.asked
        answer = self._asked(constraint.source, preface, document, regime)
        return answer.onto(constraint, document) if isinstance(answer, Binding) else _raised(answer)

    def _asked(
        self,
        source: Source[Any],
        preface: Preface | None,
        document: str | None = None,
        regime: Regime = "auto",
    ) -> Any:
        """What the child says to a source: a refusal, None or, with a document, a Binding."""
        child = self._running()
        late = Timer(LATE * self._seconds, child.kill)
        late.daemon = True
        late.start()
        try:
            return self._exchange(child, (source, preface or self._vocabulary.preface, document, regime))
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            self.close()
            reason = "the source takes more time or memory to compile than is allowed"
            return _refusal(Unsupported(reason, remedy=SIMPLER))
        finally:
            late.cancel()

    def stop(self) -> None:
        """Kill the process for good, from another thread than the one that waits for it."""
        self._stopped = True
        child = self._process
        if child is not None:
            child.kill()

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None
        if self._own is not None:
            self._own.cleanup()
            self._own = None

    def _running(self) -> subprocess.Popen[bytes]:
        """The process, ready for sources. Raises RuntimeError if it does not start."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            paths = os.pathsep.join(filter(None, sys.path))
            variables = {**os.environ, "PYTHONPATH": paths, "STRUCTGEN_CACHE": str(self.folder)}
            command = [sys.executable, "-m", "structgen.compiler.apart"]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables
            )
            if self._stopped:  # perhaps before there was this process
                self._process.kill()
            try:
                given = self._vocabulary, self._seconds, self._gigabytes, self._surface
                self._exchange(self._process, given)
            except (EOFError, BrokenPipeError) as error:
                self.close()
                raise RuntimeError("the process that compiles has not started") from error
        return self._process

    def _exchange(self, child: subprocess.Popen[bytes], message: object) -> Any:
        assert child.stdin is not None
        assert child.stdout is not None
        _send(child.stdin, pickle.dumps(message))
        return pickle.load(child.stdout)


def _send(pipe: Any, message: object) -> None:
    pickle.dump(message, pipe)
    pipe.flush()


def _error(refusal: Refusal | None) -> StructgenError | None:
    return None if refusal is None else _raised(refusal)


def _raised(refusal: Refusal) -> StructgenError:
    """The error of a refusal. Errors are not pickled as they are: their classes are made with more than a message."""
    kind, said, more = refusal
    error = kind.__new__(kind, *said)
    error.args = said
    vars(error).update(more)
    return error


def serve(given: BinaryIO, replies: BinaryIO) -> None:
    """Compile what comes, until nothing more does: the child's part."""
    vocabulary, seconds, gigabytes, surface = pickle.loads(pickle.load(given))
    compile(Regex("[ab]{3}"), vocabulary)  # loads the kernels, which numba compiles the first time
    _limit_memory(gigabytes)
    _send(replies, None)
    while True:
        try:
            message = pickle.load(given)
        except EOFError:
            return
        _send(replies, _answered(message, vocabulary, seconds, gigabytes, surface))


def _answered(
    message: bytes, vocabulary: Vocabulary, seconds: float, gigabytes: float, surface: Surface
) -> Refusal | Binding | None:
    try:
        source, preface, document, regime = pickle.loads(message)
        known = vocabulary.preceded(preface)
        with standing_at(surface):
            found = compile(
                source, known, regime=regime, seconds=seconds, gigabytes=gigabytes, document=document
            )
            return None if document is None else Binding.of(found)
    except StructgenError as error:
        return _refusal(error)
    except MemoryError:
        reason = f"the source needs more than {gigabytes:g} GB of memory to compile"
        return _refusal(Unsupported(reason, remedy=SIMPLER))


def _refusal(error: StructgenError) -> Refusal:
    return type(error), error.args, vars(error)


def _limit_memory(gigabytes: float) -> None:
    """On Linux, give this process no more address space than it has and a multiple of what compiling may add."""
    try:
        import resource

        has = int(STATM.read_text().split()[0]) * PAGE
        most = has + int(SPARE * gigabytes * 1e9)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (ImportError, OSError, ValueError):
        pass  # another system than Linux


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    with os.fdopen(os.dup(1), "wb") as said:
        os.dup2(2, 1)  # whatever prints does not print into the replies
        serve(sys.stdin.buffer, said)
