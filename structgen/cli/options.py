"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

MOST_SEED = 2**32 - 1


class Whitespace(StrEnum):
    """Where white space may stand between JSON tokens."""

    FLEXIBLE = "flexible"
    COMPACT = "compact"


class Order(StrEnum):
    """The order of the members of objects."""

    DECLARED = "declared"
    ANY = "any"


Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FOLDER",
        envvar="STRUCTGEN_MODEL",
        help="A model folder; the embedded model if none.",
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
    typer.Option(metavar="N", min=1, help="Budget in tokens; four blocks if not given.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
