"""`structgen batch` without a schema: OpenAI's batch files, answered as the server answers their requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from structgen.cli.failure import Failure, Misuse
from structgen.cli.model import loaded
from structgen.generation.plain import json_line

if TYPE_CHECKING:
    from structgen.batch.requests import AskedRequest

    Lines = Iterator[tuple[AskedRequest, dict[str, Any]]]

TAKEN = ("inputs", "output", "resume", "retry_errors", "workers", "rows_together", "model", "name")


def check_options(context: typer.Context, output: Path) -> None:
    """Raise Misuse for options that requests do not have, and for an output that is not JSON lines."""
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in TAKEN and _given(context, name):
            raise Misuse(
                f"{parameter.opts[0]} is for documents, with --schema: a request says in its body what it asks for"
            )
    if output.suffix.lower() == ".parquet":
        raise Misuse("responses are lines of JSON: name the output FILE.jsonl")


def _given(context: typer.Context, name: str) -> bool:
    """Whether an option was written on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@dataclass(frozen=True)
class RequestJob:
    """What is done with each request; it can be pickled, so that processes can load the model for themselves."""

    model: str | None
    names: Sequence[str]
    together: int  # requests in work at a time

    def settings(self) -> str:
        """A digest of all that responses depend on beside their requests."""
        from structgen import __version__

        return sha256(json_line(["requests", __version__, self.model, *self.names]).encode()).hexdigest()

    def make(self) -> Callable[[Iterable[AskedRequest]], Lines]:
        """The function that answers requests, with the model loaded."""
        try:
            from structgen.server import ServerSettings, create_app
        except ImportError as error:
            raise Failure(f"{error.name} is not installed: pip install 'structgen-dlm[serve]'") from None
        settings = ServerSettings(names=tuple(self.names), rows=self.together, waiting=self.together)
        return partial(_lines, create_app(loaded(self.model), settings), self.together)


def _lines(app: Any, together: int, rows: Iterable[AskedRequest]) -> Lines:
    """The rows with their lines, as they are finished."""
    from structgen.batch.requests import refused_line, response_line
    from structgen.server.offline import OfflineRequest, answered

    refused: list[AskedRequest] = []

    def right() -> Iterator[tuple[AskedRequest, OfflineRequest]]:
        for asked in rows:
            row, _ = asked
            if row.error:
                refused.append(asked)
            else:
                yield asked, OfflineRequest(row.method, row.url, row.body)

    for asked, found in answered(app, right(), together):
        yield asked, response_line(asked, found.status, found.request_id, found.body)
        while refused:
            yield (wrong := refused.pop()), refused_line(wrong)
    for wrong in refused:
        yield wrong, refused_line(wrong)
