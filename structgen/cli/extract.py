"""`structgen extract`: a document in, JSON out."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from structgen.cli.document import STDIN, read_document
from structgen.cli.failure import Misuse
from structgen.cli.model import loaded, say_if_kernels_compile
from structgen.cli.options import (
    Additional,
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

if TYPE_CHECKING:
    from structgen.generation.result import Generation
    from structgen.model import OnStep


def extract_command(
    document: Annotated[str, typer.Argument(metavar="DOC", help="A text file, or - for stdin.")],
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
    details: Annotated[
        bool,
        typer.Option("--details", help="Print value and details: log_prob, steps, blocks, …"),
    ] = False,
    compact: Annotated[bool, typer.Option("--compact", help="Print JSON on one line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; extract always does.")] = False,
) -> None:
    """Extract what the schema asks for from a document, as JSON on stdout."""
    if document == STDIN and schema == STDIN:
        raise Misuse("only one of DOC and --schema can be -")
    text, spec = read_document(document), read_spec(schema)
    say_if_kernels_compile()
    with _progress() as (say, on_step):
        generator = loaded(model)
        say("compiling the schema")
        begun = time.perf_counter()
        generation = generator.extract(
            text,
            spec,
            details=True,
            max_tokens=max_tokens,
            steps=steps,
            seed=seed,
            on_step=on_step,
            **json_options(whitespace, additional, unknown, order, read_resources(resource, spec)),
        )
        seconds = time.perf_counter() - begun
    value = json_value(generation.text)
    print_json(_detailed(value, generation, seconds) if details else value, compact=compact)


def json_value(text: str) -> Any:
    """The value of a JSON text; numbers keep all their digits."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def _detailed(value: Any, generation: Generation[Any], seconds: float) -> dict[str, Any]:
    log_prob = generation.log_prob
    return {
        "value": value,
        "details": {
            "log_prob": round(log_prob, 4) if math.isfinite(log_prob) else None,
            "steps": generation.steps,
            "seconds": round(seconds, 3),
            "blocks": generation.blocks,
            "dropped_share": generation.dropped_share,
        },
    }


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
