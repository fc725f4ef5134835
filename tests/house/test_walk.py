"""A document's way through `extract`: few modules of structgen are handed it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import house
import structgen as sg

FEW = 7
SMALL = 32  # items; what holds more is no prompt in pieces
STRUCTGEN = house.PACKAGES["structgen"]
DOCUMENT = "Invoice of Rossi S.r.l., Milan. Total due: 120.50 EUR."
SCHEMA = {
    "type": "object",
    "properties": {"seller": {"type": "string"}, "total": {"type": "number"}},
    "required": ["seller", "total"],
}


def holds(value: Any, text: str, depth: int = 4) -> bool:
    """Whether a value is the text, or holds it in fields or items."""
    if isinstance(value, str):
        return text in value
    if depth == 0:
        return False
    if isinstance(value, list | tuple | dict) and len(value) > SMALL:
        return False
    if isinstance(value, list | tuple):
        return any(holds(item, text, depth - 1) for item in value)
    if isinstance(value, dict):
        return any(holds(item, text, depth - 1) for item in value.values())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return any(
            holds(getattr(value, field.name, None), text, depth - 1) for field in dataclasses.fields(value)
        )
    return False


@contextmanager
def handed(text: str) -> Iterator[dict[str, set[str]]]:
    """Modules of structgen whose functions get an argument that holds the text, with the names of the functions."""
    entered: dict[str, set[str]] = {}

    def follow(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        path = Path(code.co_filename)
        if event != "call" or not path.is_relative_to(STRUCTGEN):
            return
        arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if any(holds(frame.f_locals.get(name), text) for name in arguments):
            entered.setdefault(str(path.relative_to(STRUCTGEN)), set()).add(code.co_name)

    before = sys.getprofile()
    sys.setprofile(follow)
    try:
        yield entered
    finally:
        sys.setprofile(before)


def test_extract_hands_the_document_to_few_modules():
    model = sg.load()
    model.extract(DOCUMENT, SCHEMA, steps=2)  # so that no kernel is compiled while calls are followed
    with handed(DOCUMENT) as entered:
        model.extract(DOCUMENT, SCHEMA, steps=2)
    assert {"model.py", "verbs/extract.py", "generation/writer.py"} <= entered.keys()
    assert len(entered) <= FEW, entered
