"""`structgen extract`: a document in, JSON out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from structgen.cli.document import STDIN, read_document
from structgen.cli.failure import SOME_FAILED, Misuse, report, sentence, warn, write_file
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
from structgen.cli.terminal import error_console, print_json
from structgen.errors import StructgenError
from structgen.generation.plain import answer

if TYPE_CHECKING:
    from structgen.documents import Document
    from structgen.generation.result import Generation
    from structgen.model import OnStep

Partial = Annotated[
    bool, typer.Option("--partial", help="Where the budget is too small for a list, take a part, and warn.")
]
Details = Annotated[
    bool, typer.Option("--details", help="Print value and details: confidence, spans, warnings, steps, …")
]
Stream = Annotated[
    bool, typer.Option("--stream", help="Print a line of JSON for each value that is final, and each step.")
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write a page that shows where each value is stated."),
]


def extract_command(
    documents: Annotated[
        list[str],
        typer.Argument(
            metavar="DOC...",
            help="PDF, DOCX, HTML, e-mail, CSV or text files, - for stdin; several give JSON lines.",
            show_default=False,
        ),
    ],
    schema: Annotated[
        str, typer.Option("--schema", "-s", metavar="SCHEMA", help="file.py:Class, or a JSON Schema file.")
    ],
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
    partial: Partial = False,
    details: Details = False,
    html: Html = None,
    stream: Stream = False,
    compact: Annotated[bool, typer.Option("--compact", help="Print JSON on one line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; extract always does.")] = False,
) -> None:
    """Extract what the schema asks for from documents, as JSON on stdout."""
    _check(documents, schema, {"--html": html is not None, "--stream": stream})
    alone = read_document(documents[0], encoding) if len(documents) == 1 else None
    spec = read_spec(schema)
    resources = read_resources(resource, spec)
    say_if_kernels_compile()
    terms = json_options(whitespace, additional, unknown, order, resources)
    with _progress() as (say, on_step):
        options = max_tokens, steps, seed, on_step, partial
        ways = {"details": details, "html": html, "stream": stream}
        answered = answering(loaded(model), spec, options, terms, **ways)
        say("compiling the schema")
        if alone is None:
            _print_lines(documents, lambda name: answered(read_document(name, encoding)))
            return
        found = answered(alone)
    for warning in found.pop("warnings"):
        warn(warning)
    print_json(found if details or stream else found["value"], compact=compact or stream)


def _check(documents: Sequence[str], schema: str, single: dict[str, bool]) -> None:
    """Raise Misuse if stdin is named twice, or an option that takes a single document has several."""
    if [*documents, schema].count(STDIN) > 1:
        raise Misuse("only one of DOC and --schema can be -")
    for name, given in single.items():
        if given and len(documents) > 1:
            raise Misuse(f"{name} takes one document: run the command once for each")


def answering(
    model: Any,
    spec: Any,
    options: Sequence[Any],
    terms: dict[str, Any],
    *,
    details: bool,
    html: Path | None = None,
    stream: bool = False,
) -> Callable[[Document], dict[str, Any]]:
    """What a document is answered with; options: those of decoding, in the order of `Options`."""
    from structgen.generation.options import Options
    from structgen.sources import Terms
    from structgen.verbs.extract import extract

    def answered(document: Document) -> dict[str, Any]:
        begun, how = time.perf_counter(), Options(*options)
        if stream:
            generation = _streamed(model, document, spec, how, Terms(**terms))
        else:
            evident = details or html is not None
            generation = extract(model, document, spec, how, terms=Terms(**terms), details=evident)
        if html is not None:
            write_file(html, generation.html())
        return answer(generation, time.perf_counter() - begun, details)

    return answered


def _streamed(model: Any, document: Document, spec: Any, options: Any, terms: Any) -> Generation[Any]:
    """The result of an extraction whose events are printed as they happen, a line of JSON each."""
    from dataclasses import asdict

    from pydantic_core import to_jsonable_python

    from structgen.verbs.stream import Done, Partial, stream

    for event in stream(model, document, spec, options, terms=terms):
        if isinstance(event, Done):
            return event.result
        if isinstance(event, Partial):
            print_json({"partial": to_jsonable_python(event.object)}, compact=True)
        else:
            print_json({"settled": asdict(event)}, compact=True)
        sys.stdout.flush()
    raise AssertionError("a stream ends with its result")


def _print_lines(names: Sequence[str], answered: Callable[[str], dict[str, Any]]) -> None:
    """Print a line of JSON for each document, whatever becomes of the others; exit with 3 if any of them failed."""
    failed = False
    for name in names:
        try:
            line = answered(name)
        except StructgenError as error:
            report(error)
            line, failed = {"error": sentence(error)[0]}, True
        for warning in line.pop("warnings", ()):
            warn(f"{name}: {warning}")
        print_json({"document": name, **line}, compact=True)
    if failed:
        raise typer.Exit(SOME_FAILED)


@contextmanager
def _progress() -> Iterator[tuple[Any, OnStep | None]]:
    """Show a progress line on stderr if it is a terminal."""
    console = error_console()
    if not console.is_terminal:
        yield (lambda message: None), None
        return
    with console.status("loading the model") as status:

        def on_step(event: Any) -> None:
            settled, length = int(event.accepted.sum()), event.accepted.numel()
            status.update(
                f"block {event.block + 1}, step {event.step + 1}: {settled} of {length} tokens settled"
            )

        yield status.update, on_step
