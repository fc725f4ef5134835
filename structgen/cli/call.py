"""`structgen call`: a request and tools in, the calls out as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from structgen.cli.document import STDIN, read_request
from structgen.cli.failure import Misuse, warn
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
from structgen.cli.spec import read_json, read_spec
from structgen.cli.terminal import print_json
from structgen.generation.plain import json_value

if TYPE_CHECKING:
    from structgen.generation.result import Generation
    from structgen.sources.tools import Reply


def call_command(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The request as text, or - for stdin.")],
    tools: Annotated[
        list[str],
        typer.Option(
            "--tools",
            "-t",
            metavar="TOOLS",
            help="A JSON file of tools, or file.py:function; may be repeated.",
        ),
    ],
    tool_choice: Annotated[
        str, typer.Option(metavar="CHOICE", help="auto, required, none, or a tool's name.")
    ] = "auto",
    parallel: Annotated[bool, typer.Option("--parallel", help="Allow up to eight calls.")] = False,
    min_calls: Annotated[int | None, typer.Option(help="At least so many calls.")] = None,
    max_calls: Annotated[int | None, typer.Option(help="At most so many calls.")] = None,
    distinct: Annotated[bool, typer.Option("--distinct", help="No two calls are equal.")] = False,
    form: Annotated[
        str | None,
        typer.Option(metavar="FORM", help="How calls are written: json, gemma, harmony, hermes or qwen_xml."),
    ] = None,
    model: Model = None,
    steps: Steps = None,
    seed: Seed = 0,
    encoding: Encoding = None,
    max_tokens: MaxTokens = None,
    whitespace: JsonWhitespace = Whitespace.FLEXIBLE,
    additional: JsonAdditional = Additional.DECLARED,
    unknown: JsonUnknown = Unknown.IGNORE,
    resource: Resources = None,
    order: JsonOrder = Order.DECLARED,
    compact: Annotated[bool, typer.Option("--compact", help="Print JSON on one line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; call always does.")] = False,
) -> None:
    """Print the tool calls that a request asks for, as JSON, or {"answer": …} if no tool is needed."""
    if [request, *tools].count(STDIN) > 1:
        raise Misuse("only one of REQUEST and --tools can be -")
    given = [tool for name in tools for tool in _read(name)]
    said = read_request(encoding) if request == STDIN else request
    say_if_kernels_compile()
    generation = loaded(model).call(
        said,
        given,
        tool_choice=tool_choice,
        parallel=parallel or None,
        min_calls=min_calls,
        max_calls=max_calls,
        distinct=distinct or None,
        form=form,
        details=True,
        max_tokens=max_tokens,
        steps=steps,
        seed=seed,
        **json_options(whitespace, additional, unknown, order, read_resources(resource)),
    )
    for warning in generation.warnings:
        if warning.kind == "off topic":
            warn(warning.detail)
    print_json(_printed(generation), compact=compact)


def _printed(generation: Generation[Reply]) -> Any:
    """The reply as JSON, whatever the form in which it was generated; no calls and no answer are an empty list."""
    if generation.text.startswith(("{", "[")):
        return json_value(generation.text)
    if generation.value.answer is not None:
        return {"answer": generation.value.answer}
    calls = [
        {"name": call.name, "arguments": call.text if call.tool.custom else json_value(call.text)}
        for call in generation.value
    ]
    return calls[0] if len(calls) == 1 else calls


def _read(name: str) -> Iterator[Any]:
    """The tools in a file: a list of tools, a single tool, or an object whose "tools" is the list."""
    if ".py" in name:
        yield read_spec(name)
        return
    value = read_json(name, "tools")
    if isinstance(value, dict) and isinstance(value.get("tools"), list):
        value = value["tools"]
    yield from value if isinstance(value, list) else [value]
