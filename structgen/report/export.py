"""Values and their places in a document, in the forms that annotation tools read.

Label Studio counts offsets in code points since version 1.6, and the Web Annotation Data Model (W3C, 2017, section
4.2.5) asks for code points too. Readers that run in a browser and count what JavaScript counts want UTF-16 units.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

from structgen.errors import InvalidOption
from structgen.report.proof import Entry

Form = Literal["label-studio", "w3c"]
Unit = Literal["code-points", "utf-16"]

CREATOR = "structgen"
AROUND = 32  # characters of a quote's prefix and suffix


def export(
    form: Form, rows: Sequence[Entry], text: str | None, *, name: str = "", unit: Unit = "code-points"
) -> list[dict[str, Any]]:
    """The values of one document as tasks with predictions (label-studio) or as annotations (w3c).

    text: of the document, None if it is not known, then no value has a place; name: of the document
    unit: what offsets count; raises InvalidOption for an unknown form or unit
    """
    for value, known in ((form, get_args(Form)), (unit, get_args(Unit))):
        if value not in known:
            raise InvalidOption(f"{value!r} is none of {', '.join(known)}")
    at = _counted(text or "", unit)
    return (
        [_task(rows, text, name, at)] if form == "label-studio" else _annotations(rows, text or "", name, at)
    )


def _counted(text: str, unit: Unit) -> Callable[[int], int]:
    """The offset of a character in the unit."""
    if unit == "code-points":
        return lambda place: place
    wide = [index for index, character in enumerate(text) if ord(character) > 0xFFFF]
    return lambda place: place + bisect_left(wide, place)


def _task(rows: Sequence[Entry], text: str | None, name: str, at: Callable[[int], int]) -> dict[str, Any]:
    """A task for a labelling configuration with a Text named `text` and Labels named `label`."""
    known = [row.confidence for row in rows if row.confidence is not None]
    score = {"score": min(known)} if known else {}
    return {
        "data": {
            "text": text or "",
            "document": name,
            "values": {row.pointer: row.value for row in rows},
            "warnings": [f"{row.pointer}: {doubt}" for row in rows for doubt in row.doubts],
        },
        "predictions": [
            {
                "model_version": CREATOR,
                **score,
                "result": [_region(row, text, at) for row in rows if row.spans and text is not None],
            }
        ],
    }


def _region(row: Entry, text: str, at: Callable[[int], int]) -> dict[str, Any]:
    start, end = row.spans[0]
    value = {"start": at(start), "end": at(end), "text": text[start:end], "labels": [row.pointer]}
    score = {} if row.confidence is None else {"score": row.confidence}
    names = {"id": row.pointer, "from_name": "label", "to_name": "text", "type": "labels"}
    return {**names, "value": value, **score}


def _annotations(
    rows: Sequence[Entry], text: str, name: str, at: Callable[[int], int]
) -> list[dict[str, Any]]:
    """One annotation for each value; that of a value without a place is about the document as a whole."""
    return [
        {
            "@context": "http://www.w3.org/ns/anno.jsonld",
            "type": "Annotation",
            "creator": {"type": "Software", "name": CREATOR},
            "body": [
                {"type": "TextualBody", "purpose": "tagging", "value": row.pointer},
                {
                    "type": "TextualBody",
                    "purpose": "describing",
                    "value": row.value,
                    "format": "application/json",
                },
                *({"type": "TextualBody", "purpose": "commenting", "value": doubt} for doubt in row.doubts),
            ],
            "target": {"source": name, **_selected(row, text, at)},
        }
        for row in rows
    ]


def _selected(row: Entry, text: str, at: Callable[[int], int]) -> dict[str, Any]:
    if not row.spans or not text:
        return {}
    start, end = row.spans[0]
    quote = {
        "type": "TextQuoteSelector",
        "exact": text[start:end],
        "prefix": text[max(0, start - AROUND) : start],
        "suffix": text[end : end + AROUND],
    }
    return {"selector": [{"type": "TextPositionSelector", "start": at(start), "end": at(end)}, quote]}
