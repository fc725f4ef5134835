"""The form of prompt that the model was trained on: the outline of the answer, a line with #, and the document."""

from __future__ import annotations

from structgen_mini.outline import Outline, outline_text


def prompt_text(outline: Outline, document: str) -> str:
    """The text of a prompt."""
    return f"{outline_text(outline)}\n#\n{document}"
