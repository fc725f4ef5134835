"""The prompt that the model was trained on: an outline of what is asked for, a line with #, the document."""

from __future__ import annotations

from structgen_mini.outline import Outline, outline_text


def prompt_text(outline: Outline, document: str) -> str:
    """The text of a prompt."""
    return f"{outline_text(outline)}\n#\n{document}"
