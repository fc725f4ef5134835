"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from structgen.generation.options import MOST_SEED


class Whitespace(StrEnum):
    """Where white space may stand between JSON tokens."""

    FLEXIBLE = "flexible"
    COMPACT = "compact"


class Additional(StrEnum):
    """Which members an object may hold in addition to those that a schema names."""

    DECLARED = "declared"
    OPEN = "open"


class Unknown(StrEnum):
    """How unknown keywords are treated."""

    IGNORE = "ignore"
    ANNOTATIONS = "annotations"
    REFUSE = "refuse"


class Order(StrEnum):
    """The order of an object's members."""

    DECLARED = "declared"
    ANY = "any"


Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FOLDER",
        envvar="STRUCTGEN_MODEL",
        help="A model folder; the embedded model if not given.",
        show_default=False,
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, help="Refinement steps a block takes at most; the model's own number by default."
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, max=MOST_SEED, help="The only source of randomness.")]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Budget in tokens; by default the model's own (embedded: 1,024), or more if the shortest answer needs it.",
        show_default=False,
    ),
]
JsonAdditional = Annotated[
    Additional,
    typer.Option(
        "--additional", help="Members of objects: only those the schema names, or any that it allows."
    ),
]
JsonUnknown = Annotated[
    Unknown,
    typer.Option(
        "--unknown",
        help="Refuse unknown keywords: only misspelled ones (ignore), none (annotations) or all (refuse).",
    ),
]
JsonOrder = Annotated[
    Order, typer.Option("--order", help="Members of objects: as the schema names them, or in any order.")
]
JsonWhitespace = Annotated[
    Whitespace, typer.Option("--whitespace", help="White space between JSON tokens: anywhere, or nowhere.")
]
Resources = Annotated[
    list[str] | None,
    typer.Option(
        "--resource",
        metavar="FILE",
        help="A schema that references name, by its file name or $id, or given as URI=FILE; may be repeated.",
        show_default=False,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Encoding of a text, cp1252 say; what it declares, or else UTF-8, if not given.",
        show_default=False,
    ),
]
CopiedDocument = Annotated[
    str | None,
    typer.Option(
        "--document", metavar="DOC", help="What verbatim values are copied from.", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def json_options(
    whitespace: Whitespace,
    additional: Additional,
    unknown: Unknown,
    order: Order,
    resources: Mapping[str, Any],
) -> dict[str, Any]:
    """The JSON options, as keyword arguments of `compile` and the verbs."""
    chosen = {"whitespace": whitespace, "additional": additional, "unknown": unknown, "order": order}
    return {**{name: choice.value for name, choice in chosen.items()}, "resources": resources}
