"""`structgen compile`: how large a schema becomes as an automaton, or why it cannot become one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from structgen.cli.options import Json, Order, Whitespace
from structgen.cli.spec import read_spec
from structgen.cli.terminal import print_json, print_table

HARMLESS = ("uniqueItems",)  # what pydantic does not mind

if TYPE_CHECKING:
    from structgen.constraint import Info
    from structgen.errors import Unsupported


def compile_command(
    schema: Annotated[
        str, typer.Argument(metavar="SCHEMA", help="file.py:Class, a JSON Schema file, or - for stdin.")
    ],
    tokenizer: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A tokenizer.json; over single bytes if none.", show_default=False),
    ] = None,
    whitespace: Annotated[
        Whitespace, typer.Option(help="White space between JSON tokens: anywhere, or nowhere.")
    ] = Whitespace.FLEXIBLE,
    order: Annotated[
        Order, typer.Option(help="Members of objects: as the schema names them, or in any order.")
    ] = Order.DECLARED,
    explain: Annotated[
        bool, typer.Option(help="List everything that cannot be enforced, instead of compiling.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compile a schema and print the size of its automaton."""
    spec = read_spec(schema)
    if explain:
        return _explain(schema, spec, order.value, as_json)
    from structgen.constraint import compile
    from structgen.vocabulary import BYTES, Vocabulary

    vocabulary = BYTES if tokenizer is None else Vocabulary.from_file(tokenizer)
    info = compile(spec, vocabulary, whitespace=whitespace.value, order=order.value).info()
    if as_json:
        print_json(_rounded(info))
    else:
        print_table(schema, _described(info, "bytes" if tokenizer is None else f"{vocabulary.size:,} tokens"))


def _explain(name: str, spec: Any, order: Any, as_json: bool) -> None:
    """Print every refusal and whatever else is not enforced, each with its place and the way out."""
    from structgen.sources import JsonSchema, Model, as_source

    source = as_source(spec, order=order)
    refusals = source.refusals() if isinstance(source, JsonSchema | Model) else []
    relaxed = source.relaxations() if isinstance(source, Model) else []
    checked = source.checked() if isinstance(source, JsonSchema | Model) else []
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
        "milliseconds": f"{info.milliseconds:.1f}" + (" (from the cache)" if info.cached else ""),
        **({"checked while generating": "\n".join(info.checked)} if info.checked else {}),
    }
