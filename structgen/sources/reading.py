"""Texts that are accepted in addition to those that are generated.

Generated texts have few spellings, because each spelling costs states in every automaton. Accepted texts may have any
spelling, so that a text from elsewhere is judged by its value. A source with several spellings per value maps all of
them to a canonical one, and defines which texts in that spelling it allows. Other sources accept only what they
generate.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Protocol, runtime_checkable

from structgen.errors import Rejected
from structgen.grammar import Grammar


def json_value(text: str) -> Any:
    """The value that a JSON text stands for. Raises Rejected if Python cannot read the text as JSON."""
    try:
        return json.loads(text)
    except RecursionError:
        reason = "its values are nested deeper than Python reads"
    except (TypeError, ValueError) as error:
        reason = str(error)
    raise Rejected(f"this is no JSON text: {reason}; the output was {text}", text=text)


class Capture(NamedTuple):
    """A piece of a text: characters start … end − 1; `text` leaves out what a grammar hides in it."""

    text: str
    start: int
    end: int


@runtime_checkable
class Capturing(Protocol):
    """A source that names pieces of the texts that it generates."""

    def captures(self, text: str) -> dict[str, list[Capture]]:
        """The pieces of a text by name, in order."""
        ...


@runtime_checkable
class Readable(Protocol):
    """A source that accepts more texts than it generates."""

    def canonical(self, text: str) -> str | None:
        """The canonical spelling of the text; None if it has none."""
        ...

    def reading(self) -> Grammar:
        """The allowed texts in canonical spelling."""
        ...
