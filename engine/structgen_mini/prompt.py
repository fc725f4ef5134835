"""The prompt that the model was trained on: an outline of what is asked for, a line with #, the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from structgen_mini.outline import outline


def prompt(schema: Mapping[str, Any], document: str) -> str:
    """The text of a prompt."""
    return f"{outline(schema)}\n#\n{document}"
