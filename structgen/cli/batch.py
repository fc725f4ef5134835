"""`structgen batch`: many documents in, a file of JSON lines out, which an interrupted run goes on with."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

import typer

from structgen.cli.extract import Details, Partial
from structgen.cli.failure import SOME_FAILED, Misuse, debugging
from structgen.cli.model import loaded, say_if_kernels_compile
from structgen.cli.options import (
    Additional,
    Encoding,
    JsonAdditional,
    JsonOrder,
    JsonUnknown,
    JsonWhitespace,
    MaxTokens,
    Model,
    Order,
    Resources,
    Seed,
    Steps,
    Unknown,
    Whitespace,
    json_options,
)
from structgen.cli.requests import RequestJob, check_options
from structgen.cli.resources import read_resources
from structgen.cli.serve import Names
from structgen.cli.spec import read_spec
from structgen.cli.terminal import error_console
from structgen.generation.plain import json_line
from structgen.surface import COMMAND_LINE

if TYPE_CHECKING:
    from structgen.batch import RowWorker, Store
    from structgen.batch.store import LineForm
    from structgen.batch.worker import Asked, Line


class _Keyed(Protocol):
    def key(self, settings: str) -> str: ...


Row = TypeVar("Row", bound=_Keyed)
Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Documents, folders of documents, and JSONL, CSV or Parquet files with a text in each row.",
        show_default=False,
    ),
]
Schema = Annotated[
    str | None,
    typer.Option(
        "--schema",
        "-s",
        metavar="SCHEMA",
        help="file.py:Class, or a JSON Schema file. Without it, INPUT are batch files of OpenAI's API.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Where the lines of JSON go, a row each; a .parquet file has columns.",
    ),
]
TextColumn = Annotated[
    str,
    typer.Option(
        "--text-column",
        metavar="NAME",
        help="The column that holds the text, of JSONL, CSV and Parquet files.",
    ),
]
IdColumn = Annotated[
    str | None, typer.Option("--id-column", metavar="NAME", help="A column to repeat as `id` in each line.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with FILE: rows that it answers are not read again.")
]
RetryErrors = Annotated[
    bool, typer.Option("--retry-errors", help="Go on with FILE, and try rows again that are errors in it.")
]
Together = Annotated[
    int, typer.Option("--rows", metavar="N", min=1, help="Documents in work at a time, in each process.")
]
Workers = Annotated[
    int, typer.Option("--workers", metavar="N", min=1, help="Processes, each with the model.")
]


def batch_command(
    context: typer.Context,
    inputs: Inputs,
    output: Output,
    schema: Schema = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    resume: Resume = False,
    retry_errors: RetryErrors = False,
    workers: Workers = 1,
    rows_together: Together = 4,
    model: Model = None,
    steps: Steps = None,
    seed: Seed = 0,
    max_tokens: MaxTokens = None,
    whitespace: JsonWhitespace = Whitespace.FLEXIBLE,
    additional: JsonAdditional = Additional.DECLARED,
    unknown: JsonUnknown = Unknown.IGNORE,
    resource: Resources = None,
    order: JsonOrder = Order.DECLARED,
    encoding: Encoding = None,
    partial_lists: Partial = False,
    details: Details = False,
    name: Names = None,
) -> None:
    """Extract what the schema asks for from many documents, into a file of JSON lines.

    Each row ends as a value or as an error with its reason; a run that is interrupted goes on with --resume.

    Without a schema the inputs are batch files of OpenAI's API, whose requests are answered as by `structgen serve`.
    """
    ways = _Ways(output, resume or retry_errors, retry_errors, workers, rows_together)
    if schema is None:
        check_options(context, output)
        _answer_requests(inputs, RequestJob(model, tuple(name or ()), rows_together), ways)
        return
    if name:
        raise Misuse("--name is for requests, without --schema")
    from structgen.batch import RowWorker, lost, rows
    from structgen.generation.options import Options

    spec = read_spec(schema)
    terms = json_options(whitespace, additional, unknown, order, read_resources(resource, spec))
    options = Options(max_tokens, steps, seed, partial=partial_lists)
    worker = RowWorker(spec, options, terms, details, encoding, rows_together, COMMAND_LINE)
    job = _Job(model, schema, replace(worker, spec=None))
    source = _some(rows(inputs, text=text_column, id=id_column), inputs)
    settings = worker.settings(model)
    _run(source, ways.store(settings), job.make, settings, lost, ways)


def _answer_requests(inputs: Sequence[str], job: RequestJob, ways: _Ways) -> None:
    from structgen.batch.requests import RESPONSES, lost_line, requests

    source, settings = _some(requests(inputs), inputs), job.settings()
    _run(source, ways.store(settings, RESPONSES), job.make, settings, lost_line, ways)


@dataclass(frozen=True)
class _Ways:
    """Where the lines of a batch go, and how it runs. together: rows in work at a time in each of the workers"""

    output: Path
    resume: bool
    retry_errors: bool
    workers: int
    together: int

    def store(self, settings: str, form: LineForm | None = None) -> Store:
        """The file of the lines; says so if it starts anew."""
        from structgen.batch.store import ANSWERS, Store

        more = {"resume": self.resume, "retry_errors": self.retry_errors, "form": form or ANSWERS}
        store = Store(self.output, settings, spelled=json_line, **more)
        if store.restarted is not None:
            _say(
                f"the settings differ from those of {self.output}: starting anew; "
                f"its lines are kept in {store.restarted}"
            )
        return store


def _some(source: Iterator[Row], inputs: Sequence[str]) -> Iterator[Row]:
    """The rows. Raises Misuse if there is none."""
    first = next(source, None)
    if first is None:
        raise Misuse(f"there is nothing to read in {', '.join(inputs)}")
    return chain([first], source)


def _run(
    source: Iterator[Row],
    store: Store,
    make: Callable[[], Any],
    settings: str,
    lost: Callable[[tuple[Row, str]], Line],
    ways: _Ways,
) -> None:
    """Answer the rows that the store does not answer; exit with 3 if some are errors.

    make: makes the function that answers rows with their keys; lost: the line of a row whose process always dies
    """
    from structgen.batch import answered

    say_if_kernels_compile()
    before = store.written
    try:
        with _progress(before) as advance:
            waiting = ((row, key) for row in source if not store.answers(key := row.key(settings)))
            for _, line in answered(waiting, make, ways.workers, lost, ways.together):
                store.write(line, json_line(line))
                advance(store)
    except BaseException:
        store.close()
        raise
    store.finish()
    _say(f"{store.written - before} rows read, {before} known, {store.failed} errors: {store.path}")
    if store.failed:
        raise typer.Exit(SOME_FAILED)


@dataclass(frozen=True)
class _Job:
    """The worker of a batch, as processes get it that read the schema and load the model for themselves.

    worker: without its spec, which may be a class that cannot be pickled
    """

    model: str | None
    schema: str
    worker: RowWorker

    def make(self) -> Callable[[Iterable[Asked]], Iterator[tuple[Asked, Line]]]:
        """The function that answers rows, with the model loaded."""
        if not debugging():
            warnings.simplefilter("ignore")  # other libraries', also in processes of their own
        return partial(replace(self.worker, spec=read_spec(self.schema)).lines, loaded(self.model))


def _say(message: str) -> None:
    error_console().print(message, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _progress(before: int) -> Iterator[Callable[[Any], None]]:
    """Rows and errors so far, on stderr if it is a terminal."""
    console = error_console()
    if not console.is_terminal:
        yield lambda store: None
        return
    with console.status("loading the model") as status:
        yield lambda store: status.update(f"{store.written - before} rows read, {store.failed} errors")
