"""Documents with planted faults: is every one of them warned about?

A quarter of the documents states a total above the schema's maximum, a quarter lacks a fact that the schema asks for,
a quarter has a text that breaks the schema's pattern, and a quarter a list longer than the schema allows.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from conformance.lists import cases
from papers import Paper, papers
from structgen import AnswerWarning, Document, StructgenError
from structgen.model import Model

KINDS = ("bound", "absent", "pattern", "list")
ITEMS = 12
PATTERNS = {
    "number": "^[A-Z]{2}/[0-9]{6}$",
    "phone": "^0[0-9 ]+$",
    "email": "@office[.]example$",
    "contact": "^[a-z]+$",
}


@dataclass(frozen=True)
class Fault:
    """A document, a schema that it does not fit, and the pointer that a warning has to name."""

    name: str
    document: Document
    schema: dict[str, Any]
    pointer: str


def planted(kind: str, count: int, seed: int, most_pages: int) -> Iterator[Fault]:
    """So many documents with faults of one kind."""
    if kind == "list":
        return _lists(count, seed)
    drawn = papers(f"{seed} {kind}", 8 * count, most_pages, lacking=kind == "absent")
    plant = {"bound": _bound, "absent": _absent, "pattern": _pattern}[kind]
    return islice((fault for paper in drawn if (fault := plant(paper)) is not None), count)


def _fault(paper: Paper, name: str, **keywords: Any) -> Fault:
    schema = copy.deepcopy(paper.typed_schema)
    schema["properties"][name] = {**schema["properties"][name], **keywords}
    described = f"{paper.name} {paper.language} {paper.layout}"
    return Fault(described, Document.open(paper.content, name=paper.name), schema, f"/{name}")


def _bound(paper: Paper) -> Fault | None:
    total = paper.typed.get("total")
    return None if total is None else _fault(paper, "total", minimum=0, maximum=int(total) // 2)


def _absent(paper: Paper) -> Fault | None:
    return None if paper.absent is None else _fault(paper, paper.absent)


def _pattern(paper: Paper) -> Fault | None:
    known = [name for name in PATTERNS if name in paper.values]
    name = known[len(paper.content) % len(known)] if known else None
    return None if name is None else _fault(paper, name, type="string", pattern=PATTERNS[name])


def _lists(count: int, seed: int) -> Iterator[Fault]:
    for case in cases(ITEMS, count, seed):
        schema = case.spec.model_json_schema()
        (name,) = schema["properties"]
        schema["properties"][name]["maxItems"] = ITEMS // 2
        yield Fault(case.name, Document(case.text), schema, f"/{name}")


def named(model: Model, fault: Fault) -> str | None:
    """What became of the field, if no warning names it and no error says so; None if one does."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            value = model.extract(fault.document, fault.schema)
        except StructgenError:
            return None
    kinds = [one.message for one in told if isinstance(one.message, AnswerWarning)]
    if any(one.pointer == fault.pointer for one in kinds):
        return None
    return f"{fault.name}: {fault.pointer}: {value[fault.pointer[1:]]!r}"
