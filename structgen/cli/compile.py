"""`structgen compile`: the size of the automaton of a schema, grammar or pattern, or why it cannot be compiled."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from structgen.cli.document import read_document
from structgen.cli.failure import Misuse
from structgen.cli.model import kernels_shown
from structgen.cli.options import (
    Additional,
    CopiedDocument,
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
from structgen.cli.terminal import print_json, print_table
from structgen.errors import Unsupported

HARMLESS = ("uniqueItems",)  # a value that violates these still parses

if TYPE_CHECKING:
    from structgen.compiler.constraint import Info
    from structgen.sources import Source


def compile_command(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="file.py:Class, a JSON Schema file, a grammar .lark, .ebnf or .gbnf, a name of the library, or - for "
            "a schema on stdin.",
            show_default=False,
        ),
    ] = None,
    regex: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="A regular expression, instead of SOURCE.", show_default=False),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A tokenizer.json; single bytes if not given.", show_default=False),
    ] = None,
    whitespace: JsonWhitespace = Whitespace.FLEXIBLE,
    additional: JsonAdditional = Additional.DECLARED,
    unknown: JsonUnknown = Unknown.IGNORE,
    resource: Resources = None,
    order: JsonOrder = Order.DECLARED,
    document: CopiedDocument = None,
    explain: Annotated[
        bool, typer.Option(help="List everything that cannot be enforced, instead of compiling.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compile a schema, grammar or regular expression and print the size of its automaton."""
    name, spec = _named(source, regex)
    options = json_options(whitespace, additional, unknown, order, read_resources(resource, spec))
    if explain:
        return _explain(name, spec, options, as_json)
    from structgen.compiler.constraint import compile
    from structgen.tokens.vocabulary import BYTES, Vocabulary

    copied = None if document is None else read_document(document)
    with kernels_shown():
        vocabulary = BYTES if tokenizer is None else Vocabulary.from_file(tokenizer)
        info = compile(spec, vocabulary, document=copied, **options).info()
    if as_json:
        print_json(_rounded(info))
    else:
        print_table(name, _described(info, "bytes" if tokenizer is None else f"{vocabulary.size:,} tokens"))


def _named(source: str | None, regex: str | None) -> tuple[str, Any]:
    """The name of the source to compile, and the source. Raises Misuse unless exactly one is given."""
    if (source is None) == (regex is None):
        raise Misuse("give one of SOURCE and --regex; see `structgen compile --help`")
    if regex is not None:
        from structgen.sources import Regex

        return regex, Regex(regex)
    assert source is not None
    return source, read_spec(source)


def _explain(name: str, spec: Any, options: dict[str, Any], as_json: bool) -> None:
    """Print everything that is refused or not enforced, each with its pointer and remedy."""
    from structgen.sources import JsonSchema, Terms, TypeSource, as_source

    source = as_source(spec, Terms(**options))
    refusals = source.refusals() if isinstance(source, JsonSchema | TypeSource) else _refusals(source)
    relaxed = source.relaxations() if isinstance(source, TypeSource) else []
    checked = source.checked() if isinstance(source, JsonSchema | TypeSource) else []
    if as_json:
        print_json(
            {"refusals": _rows(refusals), "not enforced": _rows(relaxed), "checked while generating": checked}
        )
        return
    found: dict[str, list[str]] = {}
    for row in _rows(refusals):
        found.setdefault(row["at"], []).append(row["why"])
    table = {at: "\n".join(reasons) for at, reasons in found.items()} or {"refused": "nothing"}
    for row in _rows(relaxed):
        kind = "not enforced, does no harm" if row["keyword"] in HARMLESS else "checked when parsing"
        table[row["at"]] = "\n".join(filter(None, [table.get(row["at"]), f"{kind}: {row['why']}"]))
    for at in checked:
        table[at] = "\n".join(filter(None, [table.get(at), "checked while generating"]))
    print_table(name, table)


def _refusals(source: Source[Any]) -> list[Unsupported]:
    """The refusals of a grammar or a pattern."""
    try:
        source.lower()
    except Unsupported as error:
        return [error]
    return []


def _rows(errors: list[Unsupported]) -> list[dict[str, Any]]:
    return [
        {"at": error.pointer or "/", "keyword": error.keyword, "why": str(error), "instead": error.remedy}
        for error in errors
    ]


def _rounded(info: Info) -> dict[str, Any]:
    return asdict(info) | {"milliseconds": round(info.milliseconds, 3)}


def _described(info: Info, symbols: str) -> dict[str, Any]:
    return {
        "over": symbols,
        "states": f"{info.states:,}",
        "classes": f"{info.classes:,}",
        "edges": f"{info.edges:,}",
        "min tokens": f"{info.min_tokens:,}",
        **({} if info.max_tokens is None else {"max tokens": f"{info.max_tokens:,}"}),
        "milliseconds": f"{info.milliseconds:.1f}" + (" (from the cache)" if info.cached else ""),
        **({"checked while generating": "\n".join(info.checked)} if info.checked else {}),
    }
