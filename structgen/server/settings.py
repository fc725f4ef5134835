"""The settings of a server: its names, its keys and its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ServerSettings:
    """What the operator of a server decides.

    names: by which requests may call the model, in addition to its own name
    keys: API keys, none for open access; key_file: one key a line, read again whenever the file changes
    body_bytes, prompt_characters, questions: the most of one request; options: the most answers of all its questions
    answers: the most `n`
    waiting: requests that may wait for a worker; more get 429, with `retry_after` seconds
    rows: requests whose steps the model makes together, 1 for one after the other
    workers: threads that read and compile; without rows they also answer
    compilers: processes that compile, 0 to compile on the threads of the server
    compile_seconds, compile_gigabytes: that compiling one constraint may take; compiling: how many, long documents
        included, may be compiled at once for one client (by its key, or else its address), more get 429
    kept: compiled constraints in memory
    max_tokens: the largest budget that a request may ask for
    closing: seconds that the end of the server waits for the present step, when no request is answered any more
    """

    names: Sequence[str] = ()
    keys: Sequence[str] = field(default=(), repr=False)
    key_file: Path | None = None
    body_bytes: int = 8 << 20
    prompt_characters: int = 1 << 20
    questions: int = 400
    options: int = 4096
    answers: int = 16
    waiting: int = 256
    retry_after: int = 1
    rows: int = 8
    workers: int = 1
    compilers: int = 1
    compiling: int = 8
    compile_seconds: float = 5.0
    compile_gigabytes: float = 1.0
    kept: int = 256
    max_tokens: int = 1 << 16
    closing: float = 10.0
