"""Failures of a command: one sentence on stderr and an exit code."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from structgen.cli.terminal import error_console
from structgen.errors import InvalidDocument, StructgenError

FAILED, MISUSED, SOME_FAILED, INTERRUPTED = 1, 2, 3, 130


class Misuse(Exception):
    """The command line itself is wrong: exit code 2."""


class Misread(Misuse):
    """A grammar cannot be read; the message shows the line, and a caret below it, after its first line."""


class Failure(Exception):
    """A failure that the user can fix and no StructgenError covers: exit code 1."""


def report(error: Exception) -> int:
    """Print the error as one sentence on stderr and return the exit code."""
    if isinstance(error, BrokenPipeError):
        _drop_stdout()
        return FAILED
    if debugging():
        error_console().print_exception()
    message, code = sentence(error)
    console = error_console()
    console.print("error:", style="bold red", end=" ", highlight=False)
    console.print(message, markup=False, highlight=False, soft_wrap=True)
    return code


def warn(message: str) -> None:
    """Print a warning about a result as one line on stderr."""
    console = error_console()
    console.print("warning:", style="bold yellow", end=" ", highlight=False)
    console.print(" ".join(message.split()), markup=False, highlight=False, soft_wrap=True)


def debugging() -> bool:
    """Whether STRUCTGEN_DEBUG asks for tracebacks and warnings."""
    return os.environ.get("STRUCTGEN_DEBUG", "") not in ("", "0")


@contextmanager
def silent_warnings() -> Iterator[None]:
    """Keep other libraries' warnings off the terminal, unless debugging."""
    with warnings.catch_warnings():
        if not debugging():
            warnings.simplefilter("ignore")
        yield


def sentence(error: Exception) -> tuple[str, int]:
    """The error as one line, and the exit code that it stands for; the line of a grammar is shown below it."""
    message, code = _message(error)
    if isinstance(error, Misread):
        return message, code
    return " ".join(message.split()), code


def _message(error: Exception) -> tuple[str, int]:
    if isinstance(error, Misuse | InvalidDocument):
        return str(error), MISUSED
    if isinstance(error, StructgenError | Failure):
        return str(error), FAILED
    if hasattr(error, "format_message"):  # what the option parser raises
        return _misuse(error), MISUSED
    return (
        f"internal error: {type(error).__name__}: {error}; please report it, "
        "with the traceback that STRUCTGEN_DEBUG=1 shows",
        FAILED,
    )


def _misuse(error: Any) -> str:
    """The option parser's message, followed by the command that prints the help."""
    message = str(error.format_message()).rstrip(".").replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", None) or "structgen"
    return f"{message[:1].lower()}{message[1:]}; see `{command} --help`"


def _drop_stdout() -> None:
    """Redirect stdout to nowhere: the reader of our pipe has gone, and the interpreter still flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_file(path: Path, text: str) -> None:
    """Write a text file as UTF-8. Raises Misuse if that is not possible."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Misuse(f"cannot write {path}: {error.strerror}") from None
