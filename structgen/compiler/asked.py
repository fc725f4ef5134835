"""The grammars of a source: what is generated, by a table or by a search, and what is read."""

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


def searched(source: Source[Any]) -> Grammar | None:
    """What is generated where configurations are searched, if it is another grammar than that of tables.

    White space is not bounded there: each count of spaces is a configuration, and a search that keeps fewer is faster.
    """
    return source.whole() if isinstance(source, Combines) else None


def readable(source: Source[Any]) -> Grammar:
    """What is read: JSON in its canonical spelling; in other texts any white space where a bounded one is generated."""
    if isinstance(source, Readable):
        return source.reading()
    return source.whole() if isinstance(source, Combines) else generated(source)
