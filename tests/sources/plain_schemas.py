"""Outlines of flat schemas, judged by the reader that training has for them: it shares nothing with the sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from structgen.sources.outline import Outline
from structgen_mini.outline import Outline as PlainOutline
from training.schemas import outline_of


def agrees(outline: Outline, schema: Any) -> bool:
    """Whether an outline, words aside, is the one that training reads from the flat schema."""
    return PlainOutline.of(unsaid(outline).plain()) == outline_of(schema)


def unsaid(outline: Outline) -> Outline:
    """The outline without words."""
    return replace(
        outline,
        said=(),
        fields=tuple(replace(field, value=unsaid(field.value)) for field in outline.fields),
        item=None if outline.item is None else unsaid(outline.item),
        options=tuple(map(unsaid, outline.options)) if outline.kind == "union" else outline.options,
    )


def words(schema: Any) -> tuple[str, ...]:
    """The words by which a schema without references describes itself."""
    found: list[str] = []
    if isinstance(schema, Mapping):
        for keyword in ("title", "description", "const", "enum"):
            value = schema.get(keyword)
            found += (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))
        for name, part in schema.get("properties", {}).items():
            found += (name, *words(part))
    return tuple(found)
