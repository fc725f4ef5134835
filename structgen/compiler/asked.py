"""The two grammars of a source: what is generated, and what is read."""

from __future__ import annotations

from typing import Any

from structgen.errors import Unsupported
from structgen.grammar import Combines, Grammar
from structgen.sources import Readable, Source


def generated(source: Source[Any]) -> Grammar:
    """What is generated."""
    try:
        return source.lower()
    except RecursionError:
        raise Unsupported("the source is nested too deeply to be compiled", remedy="flatten it") from None


def readable(source: Source[Any]) -> Grammar:
    """What is read: JSON in its canonical spelling; in other texts any white space where a bounded one is generated."""
    if isinstance(source, Readable):
        return source.reading()
    return source.whole() if isinstance(source, Combines) else generated(source)
