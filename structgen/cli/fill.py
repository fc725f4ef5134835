"""`structgen fill`: a template and a context in, the filled text out."""

from __future__ import annotations

from typing import Annotated

import typer

from structgen.cli.document import STDIN, read_document, read_template
from structgen.cli.failure import Misread, Misuse, warn
from structgen.cli.model import loaded, say_if_kernels_compile
from structgen.cli.options import Encoding, MaxTokens, Model, Seed, Steps
from structgen.cli.terminal import print_json, print_text


def fill_command(
    template: Annotated[
        str, typer.Argument(metavar="TEMPLATE", help="A text with {{holes}}, or - for stdin.")
    ],
    context: Annotated[
        str | None,
        typer.Option(
            "--context", "-c", metavar="DOC", help="The document that says what fills the holes, or -."
        ),
    ] = None,
    model: Model = None,
    steps: Steps = None,
    seed: Seed = 0,
    max_tokens: MaxTokens = None,
    encoding: Encoding = None,
    details: Annotated[
        bool, typer.Option("--details", help="Print JSON: text, values, and details: confidence, spans, …")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: text and values.")] = False,
) -> None:
    """Fill the holes of a template; everything else is printed as it stands."""
    if [template, context].count(STDIN) > 1:
        raise Misuse("only one of TEMPLATE and --context can be -")
    text = read_template(template, encoding)
    from structgen.errors import InvalidSource
    from structgen.sources.template import Filled, Template

    try:
        source = Template(text)
    except InvalidSource as error:
        raise Misread(str(error)) from None
    document = None if context is None else read_document(context, encoding)
    say_if_kernels_compile()
    from structgen.generation.options import Options
    from structgen.verbs.fill import fill

    options = Options(max_tokens, steps, seed)
    generation = fill(loaded(model), source, document, options, details=details)
    filled = generation.value
    assert isinstance(filled, Filled)  # since no class is asked for
    for warning in generation.warnings:
        warn(str(warning))
    if not (details or as_json):
        print_text(filled.text)
        return
    from pydantic_core import to_jsonable_python

    answer = {"text": filled.text, "values": to_jsonable_python(dict(filled))}
    print_json(answer | ({"details": generation.evidence.to_dict()} if details else {}))
