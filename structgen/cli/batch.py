"""`structgen batch`: many documents in, a file of JSON lines out, which an interrupted run goes on with."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from structgen.cli.extract import Details, Partial, answering
from structgen.cli.failure import SOME_FAILED, Misuse, debugging, sentence
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
from structgen.cli.resources import read_resources
from structgen.cli.spec import read_spec
from structgen.cli.terminal import error_console, json_text
from structgen.errors import InvalidSource, StructgenError, Unsupported
from structgen.surface import COMMAND_LINE, standing_at

if TYPE_CHECKING:
    from structgen.batch import BatchRow, Store

    Asked = tuple[BatchRow, str]  # a row and its key

Line = dict[str, Any]


Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Documents, folders of documents, and JSONL, CSV or Parquet files with a text in each row.",
        show_default=False,
    ),
]
Schema = Annotated[
    str, typer.Option("--schema", "-s", metavar="SCHEMA", help="file.py:Class, or a JSON Schema file.")
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
    inputs: Inputs,
    schema: Schema,
    output: Output,
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
) -> None:
    """Extract what the schema asks for from many documents, into a file of JSON lines.

    Each row ends as a value or as an error with its reason; a run that is interrupted goes on with --resume.
    """
    from structgen.batch import Store, rows

    spec = read_spec(schema)
    terms = json_options(whitespace, additional, unknown, order, read_resources(resource, spec))
    options = max_tokens, steps, seed, partial_lists
    job = _Job(model, schema, options, details, encoding, terms, rows_together)
    settings = job.digest(spec)
    source = rows(inputs, text=text_column, id=id_column)
    first = next(source, None)
    if first is None:
        raise Misuse(f"there is nothing to read in {', '.join(inputs)}")
    again = resume or retry_errors
    spelled = partial(json_text, depth=None)
    store = Store(output, settings, resume=again, retry_errors=retry_errors, spelled=spelled)
    if store.restarted is not None:
        _say(
            f"the settings differ from those of {output}: starting anew; its lines are kept in {store.restarted}"
        )
    _run(_chain(first, source), store, job, settings, workers)


def _run(source: Iterator[BatchRow], store: Store, job: _Job, settings: str, workers: int) -> None:
    """Answer the rows that the store does not answer; exit with 3 if some are errors."""
    from structgen.batch import answered

    say_if_kernels_compile()
    before = store.written
    try:
        with _progress(before) as advance:
            waiting = ((row, key) for row in source if not store.answers(key := row.key(settings)))
            for (row, key), line in answered(waiting, job.make, workers, _lost, job.together):
                whole = {
                    "key": key,
                    "source": row.source,
                    **({} if row.id is None else {"id": row.id}),
                    **line,
                }
                store.write(whole, json_text(whole, None))
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
    """What is done with each row; it can be pickled, so that workers can load the model for themselves."""

    model: str | None
    schema: str
    options: tuple[Any, ...]  # max_tokens, steps, seed, partial
    details: bool
    encoding: str | None
    terms: dict[str, Any]
    together: int  # rows in work at a time

    def digest(self, spec: Any) -> str:
        """A digest of all that answers depend on beside their documents."""
        from structgen import __version__
        from structgen.sources import as_source

        wanted = getattr(as_source(spec), "schema", None)
        told = [__version__, self.model, wanted, repr(spec) if wanted is None else "", *self.options]
        told += [self.details, self.encoding, self.terms]
        return sha256(json.dumps(told, sort_keys=True, default=repr).encode()).hexdigest()

    def make(self) -> Callable[[Iterable[Asked]], Iterator[tuple[Asked, Line]]]:
        """The function that answers rows, with the model loaded."""
        max_tokens, steps, seed, partial_lists = self.options
        if not debugging():
            warnings.simplefilter("ignore")  # other libraries', also in processes of their own
        spec, model = read_spec(self.schema), loaded(self.model)

        def options(key: str) -> tuple[Any, ...]:
            return max_tokens, steps, (int(key[:8], 16) + seed) % 2**32, None, partial_lists

        work = partial(_line, spec, options, self.terms, self.details, self.encoding)
        return partial(_lines, model, self.together, work)


def _lines(
    model: Any, together: int, work: Callable[[Any, Asked], Line], rows: Iterable[Asked]
) -> Iterator[tuple[Asked, Line]]:
    """The rows with their lines, as they are finished: so many at a time share the passes of the model."""
    from structgen.generation.batcher import Batcher
    from structgen.generation.flow import finished

    flying: dict[int, Asked] = {}

    def noted() -> Iterator[Asked]:
        for number, asked in enumerate(rows):
            flying[number] = asked
            yield asked

    for number, future in finished(Batcher(model, together), noted(), work, ordered=False):
        yield flying.pop(number), future.result()


def _line(
    spec: Any,
    options: Callable[[str], tuple[Any, ...]],
    terms: dict[str, Any],
    details: bool,
    encoding: str | None,
    model: Any,
    asked: Asked,
) -> Line:
    """The line of a row without its key and source: a value, its warnings and no error, or an error alone."""
    from structgen.documents import Document

    row, key = asked
    if row.error:
        return {"error": row.error}
    try:
        with standing_at(COMMAND_LINE):
            file = Path(row.source)
            document = Document.open(file, encoding=encoding) if row.text is None else Document(row.text)
            return {**answering(model, spec, options(key), terms, details=details)(document), "error": ""}
    except StructgenError as error:
        pointer = error.pointer if isinstance(error, InvalidSource | Unsupported) else None
        return {"error": f"{type(error).__name__}: {sentence(error)[0]}"} | (
            {"pointer": pointer} if pointer else {}
        )
    except Exception as error:  # of one row of a million: the others go on
        return {"error": f"{type(error).__name__}: {sentence(error)[0]}"}


def _lost(asked: tuple[BatchRow, str]) -> Line:
    return {"error": "WorkerDied: the process that read this row ended, each time that it was tried"}


def _chain(first: BatchRow, others: Iterator[BatchRow]) -> Iterator[BatchRow]:
    yield first
    yield from others


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
