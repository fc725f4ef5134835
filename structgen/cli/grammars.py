"""`structgen grammars`: the grammars that come with structgen: their names, their texts, and a run of their cases."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from structgen.cli.failure import FAILED
from structgen.cli.model import kernels_shown
from structgen.cli.options import Json
from structgen.cli.terminal import print_json, print_table

if TYPE_CHECKING:
    from structgen.sources.library import LibraryGrammar

Name = Annotated[str, typer.Argument(metavar="NAME", help="A name that `structgen grammars list` prints.")]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="The grammars; all of them if none is named.")
]

grammars = typer.Typer(help="The grammars that come with structgen: list, show, test.", no_args_is_help=True)


@grammars.command("list")
def list_command(as_json: Json = False) -> None:
    """List the grammars: names, titles and standards."""
    from structgen.sources.library import library

    entries = [library.entry(name) for name in library]
    if as_json:
        print_json(
            [{"name": e.name, "title": e.title, "standard": e.standard, "url": e.url} for e in entries]
        )
    else:
        print_table("grammars", {e.name: f"{e.title} ({e.standard})" for e in entries})


@grammars.command("show")
def show_command(name: Name, as_json: Json = False) -> None:
    """Print one grammar, in the notation that `structgen compile` reads."""
    from structgen.sources.library import library

    entry = library.entry(name)
    if as_json:
        print_json(asdict(entry))
    else:
        sys.stdout.write(entry.text)


@grammars.command("test")
def cases_command(
    names: Names = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A tokenizer.json: test token ids too.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the cases of each grammar: texts that it must accept, and texts that it must reject."""
    from structgen.sources.library import library
    from structgen.tokens.vocabulary import Vocabulary

    entries = [library.entry(name) for name in names or library]
    with kernels_shown():
        vocabulary = None if tokenizer is None else Vocabulary.from_file(tokenizer)
        wrong = {entry.name: _wrong(entry, vocabulary) for entry in entries}
    if as_json:
        print_json(wrong)
    else:
        print_table("grammars", {entry.name: _verdict(entry, wrong[entry.name]) for entry in entries})
    if any(wrong.values()):
        raise typer.Exit(FAILED)


def _wrong(entry: LibraryGrammar, vocabulary: Any) -> list[dict[str, str]]:
    """The cases that come out wrong, over bytes and over the ids of the vocabulary if there is one."""
    from structgen.compiler.constraint import compile

    readers: dict[str, Callable[[str], bool]] = {"bytes": compile(entry.source).accepts}
    if vocabulary is not None:
        constraint = compile(entry.source, vocabulary)
        readers["tokens"] = lambda text: constraint.accepts_ids(vocabulary.encode(text))
    cases = [*((text, True) for text in entry.accept), *((text, False) for text in entry.reject)]
    return [
        {"text": text, "over": over, "wrongly": "rejected" if wanted else "accepted"}
        for over, accepts in readers.items()
        for text, wanted in cases
        if accepts(text) != wanted
    ]


def _verdict(entry: LibraryGrammar, wrong: list[dict[str, str]]) -> str:
    if not wrong:
        return f"right: {len(entry.accept)} accepted, {len(entry.reject)} rejected"
    return "\n".join(f"wrong: {case['text']!r} is {case['wrongly']}, over {case['over']}" for case in wrong)
