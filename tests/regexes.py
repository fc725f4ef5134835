"""Whether regular expressions hold the texts that Python's re matches from end to end."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable

from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import Expr
from structgen.sources.languages import contains
from structgen.sources.regex import fullmatch_expr
from structgen.sources.regex.dialect import Dialect


def agrees(pattern: str, texts: Iterable[str]) -> bool | None:
    """Whether `pattern` holds the texts that re matches; None if it is refused, which must have a cause in re too."""
    try:
        with warnings.catch_warnings(action="ignore"):
            expected = re.compile(pattern)
    except re.error:
        expected = None
    expr = _lowered(pattern)
    if expr is None or expected is None:
        return None if expr is None else False
    return all(contains(expr, text) == bool(expected.fullmatch(text)) for text in texts)


def _lowered(pattern: str) -> Expr | None:
    try:
        return fullmatch_expr(pattern, Dialect.PYTHON_UNICODE)
    except (InvalidSource, Unsupported):
        return None
