"""The verb `extract`: a typed value out of a document."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from structgen.compiler.constraint import compile
from structgen.documents import Document
from structgen.errors import InvalidDocument, InvalidSource
from structgen.evidence.gather import answered, doubted
from structgen.generation.options import Options
from structgen.generation.prompts import Form
from structgen.generation.request import Kind, Request
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import request, text_of
from structgen.sources import Terms, as_source
from structgen.sources.json_schema import JsonSchema
from structgen.sources.types import TypeSource

T = TypeVar("T")


@overload
def extract(
    runtime: Runtime,
    document: str | Document,
    spec: type[T],
    options: Options | None = ...,
    *,
    terms: Terms | None = ...,
    details: bool = ...,
) -> Generation[T]: ...
@overload
def extract(
    runtime: Runtime,
    document: str | Document,
    spec: object,
    options: Options | None = ...,
    *,
    terms: Terms | None = ...,
    details: bool = ...,
) -> Generation[Any]: ...
def extract(
    runtime: Runtime,
    document: str | Document,
    spec: object,
    options: Options | None = None,
    *,
    terms: Terms | None = None,
    details: bool = False,
) -> object:
    """The value of type `spec` that the document states.

    spec: a pydantic class, any other type, or a JSON Schema as a dict; terms: the options for reading it
    details: whether to gather all evidence, with a forward pass for each value; otherwise there are warnings only
    Raises InvalidDocument if the document is empty or too long, and what `compile` raises.
    """
    asked = extraction(runtime, document, spec, options, terms=terms)
    if details:
        source = document if isinstance(document, Document) else Document(document)
        return answered(runtime, asked, source, stating=True)
    return doubted(runtime, asked)


def extraction(
    runtime: Runtime,
    document: str | Document,
    spec: object,
    options: Options | None = None,
    *,
    terms: Terms | None = None,
) -> Request:
    """The request that `extract` gives to the model's writer."""
    text = text_of(document)
    if not text.strip():
        raise InvalidDocument("the document is empty: there is nothing to extract from")
    source = as_source(spec, terms)
    if not isinstance(source, JsonSchema | TypeSource):
        raise InvalidSource(
            f"extract needs a type or a JSON Schema, not {type(source).__name__}: there are no fields to fill"
        )
    constraint = compile(source, runtime.vocabulary)
    form = Form.of(source)
    prompt = runtime.prompts.extraction(form, text)
    kinds = (Kind(form.outlined.plain()),)
    return request(runtime, prompt, constraint, options, document=text, kinds=kinds)
