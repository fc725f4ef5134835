"""Texts that are read beside those that are generated.

What is generated has few spellings, since each costs states in every automaton. What is accepted may be spelled in any
way, so that a text from elsewhere is judged by its value: a source that knows other spellings says which one stands for
them all, and which texts in that spelling it allows. Other sources read what they generate and nothing else.
"""

from __future__ import annotations

import json
from typing import Any, Protocol, runtime_checkable

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


@runtime_checkable
class Readable(Protocol):
    """A source that reads more than it generates."""

    def canonical(self, text: str) -> str | None:
        """The spelling of the text that stands for all its spellings; None where it has none."""
        ...

    def reading(self) -> Grammar:
        """The allowed texts in canonical spelling."""
        ...
