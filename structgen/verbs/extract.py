"""The verb `extract`: a typed value out of a document."""

from __future__ import annotations

from typing import Any

from structgen.compiler.constraint import Constraint, compile
from structgen.documents import Document
from structgen.errors import InvalidDocument, InvalidSource
from structgen.evidence.gather import Wanted, answered, several
from structgen.generation.options import Options
from structgen.generation.prompts import Form
from structgen.generation.request import Kind, Request
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import PromptTooLong, prompt_ids, request, text_of
from structgen.sources import Terms, as_source
from structgen.sources.json_schema import JsonSchema
from structgen.sources.types import TypeSource


def extract(
    runtime: Runtime,
    document: str | Document,
    spec: object,
    options: Options | None = None,
    *,
    terms: Terms | None = None,
    details: bool = False,
) -> Generation[object]:
    """The value of type `spec` that the document states.

    spec: a pydantic class, any other type, or a JSON Schema as a dict; terms: the options for reading it
    details: whether to gather all evidence, with a forward pass for each value; otherwise there are warnings only
    Raises InvalidDocument if the document is empty or too long, and what `compile` raises.
    """
    source = document if isinstance(document, Document) or not details else Document(document)
    try:
        asked = extraction(runtime, document, spec, options, terms=terms)
    except PromptTooLong:
        return _long(runtime, source, spec, options, terms, details=details)
    return answered(runtime, asked, wanted(source, details=details))


def extract_several(
    runtime: Runtime,
    document: str | Document,
    spec: object,
    most: int,
    options: Options | None = None,
    *,
    terms: Terms | None = None,
    details: bool = False,
) -> list[Generation[object]]:
    """Up to `most` distinct values, the likeliest first; see `extract`."""
    asked = extraction(runtime, document, spec, options, terms=terms)
    return several(runtime, asked, most, wanted(document, details=details))


def wanted(document: str | Document, *, details: bool) -> Wanted:
    """What is wanted beside a value that a document states."""
    if details and isinstance(document, str):
        document = Document(document)
    return Wanted(details, document=document if isinstance(document, Document) else None)


def extraction(
    runtime: Runtime,
    document: str | Document,
    spec: object,
    options: Options | None = None,
    *,
    terms: Terms | None = None,
) -> Request:
    """The request that `extract` gives to the model's writer; verbatim values are copied from the document."""
    text = text_of(document)
    if not text.strip():
        raise InvalidDocument("the document is empty: there is nothing to extract from")
    source = as_source(spec, terms)
    if not isinstance(source, JsonSchema | TypeSource):
        raise InvalidSource(
            f"extract needs a type or a JSON Schema, not {type(source).__name__}: there are no fields to fill"
        )
    return requested(runtime, compile(source, runtime.vocabulary), Form.of(source), text, options)


def requested(
    runtime: Runtime,
    constraint: Constraint[Any],
    form: Form,
    document: str,
    options: Options | None,
    *,
    said: str | None = None,
) -> Request:
    """The request for an answer under a compiled constraint.

    document: that verbatim values are copied from and that should state the values; said: the text of the prompt if
    it is more than the document
    """
    prompt = runtime.prompts.extraction(form, document if said is None else said)
    kinds = (Kind(form.outlined.plain()),)
    if constraint.copies:
        prompt_ids(runtime, prompt)  # too long a document is refused before its pieces are compiled
        constraint = constraint.bind(document)
    return request(runtime, prompt, constraint, options, document=document, kinds=kinds)


def _long(
    runtime: Runtime,
    document: str | Document,
    spec: object,
    options: Options | None,
    terms: Terms | None,
    *,
    details: bool,
) -> Generation[object]:
    """The value that the windows of a document give, which as a whole is longer than the model reads."""
    from structgen.verbs.windows import read_windows, windows

    text, form = text_of(document), Form.of(as_source(spec, terms))  # type: ignore[arg-type]
    start, end = windows(runtime, form, text)[0]
    asked = extraction(runtime, text[start:end], spec, options, terms=terms)
    source = document if isinstance(document, Document) else None
    return read_windows(runtime, asked, form, text, source, details=details)
