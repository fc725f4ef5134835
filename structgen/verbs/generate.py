"""The verb `generate`: an answer to a prompt that satisfies any source."""

from __future__ import annotations

from structgen.compiler.constraint import compile
from structgen.documents import Document
from structgen.evidence.gather import Wanted, answered, nowhere, several
from structgen.generation.options import Options
from structgen.generation.request import Request
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import request, text_of
from structgen.sources import Readable, Terms, as_source


def generate(
    runtime: Runtime,
    prompt: str | Document,
    source: object,
    options: Options | None = None,
    *,
    terms: Terms | None = None,
    details: bool = False,
) -> Generation[object]:
    """An answer to the prompt that satisfies the source."""
    asked = _request(runtime, prompt, source, options, terms)
    return answered(runtime, asked, _wanted(asked, details))


def generate_several(
    runtime: Runtime,
    prompt: str | Document,
    source: object,
    most: int,
    options: Options | None = None,
    *,
    terms: Terms | None = None,
    details: bool = False,
) -> list[Generation[object]]:
    """Up to `most` distinct answers, the likeliest first."""
    asked = _request(runtime, prompt, source, options, terms)
    return several(runtime, asked, most, _wanted(asked, details))


def _request(
    runtime: Runtime, prompt: str | Document, source: object, options: Options | None, terms: Terms | None
) -> Request:
    constraint = compile(as_source(source, terms), runtime.vocabulary)
    return request(runtime, runtime.prompts.plain(text_of(prompt, "prompt")), constraint, options)


def _wanted(asked: Request, details: bool) -> Wanted:
    is_json = isinstance(asked.constraint.source, Readable)
    return Wanted(details, warned=False, is_json=is_json, stating=nowhere)
