"""`structgen check`: whether a text satisfies a schema or grammar, and if not, where it leaves it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from structgen.cli.document import STDIN, read_document
from structgen.cli.failure import FAILED, Misuse
from structgen.cli.model import say_if_kernels_compile
from structgen.cli.options import (
    Additional,
    CopiedDocument,
    Encoding,
    Json,
    JsonAdditional,
    JsonOrder,
    JsonUnknown,
    JsonWhitespace,
    Order,
    Resources,
    Unknown,
    Whitespace,
    json_options,
)
from structgen.cli.resources import read_resources
from structgen.cli.spec import read_spec
from structgen.cli.terminal import print_json


def check_command(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A text file, or - for stdin.")],
    schema: Annotated[
        str,
        typer.Option(
            "--schema",
            "-s",
            "--grammar",
            "-g",
            metavar="SCHEMA",
            help="file.py:Class, a JSON Schema file, a grammar .lark, .ebnf or .gbnf, or a name of the library.",
        ),
    ],
    whitespace: JsonWhitespace = Whitespace.FLEXIBLE,
    additional: JsonAdditional = Additional.DECLARED,
    unknown: JsonUnknown = Unknown.IGNORE,
    resource: Resources = None,
    order: JsonOrder = Order.DECLARED,
    document: CopiedDocument = None,
    encoding: Encoding = None,
    as_json: Json = False,
) -> None:
    """Say whether a text is accepted and, if not, where it leaves the schema and what was possible there."""
    if [text, schema, document].count(STDIN) > 1:
        raise Misuse("only one of TEXT, --schema and --document can be -")
    read, spec = read_document(text, encoding).text, read_spec(schema)
    say_if_kernels_compile()
    from structgen.compiler.constraint import compile

    options = json_options(whitespace, additional, unknown, order, read_resources(resource, spec))
    copied = None if document is None else read_document(document, encoding)
    result = compile(spec, document=copied, **options).check(read if read.strip() != read[:-1] else read[:-1])
    if as_json:
        print_json(asdict(result))
    else:
        sys.stdout.write(f"{result}\n")
    if not result:
        raise typer.Exit(FAILED)
