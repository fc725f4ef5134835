"""The verb `fill`: the holes of a template, filled from a context."""

from __future__ import annotations

from structgen.compiler.constraint import compile
from structgen.documents import Document
from structgen.errors import InvalidDocument
from structgen.evidence.gather import Wanted, answered, everywhere, nowhere
from structgen.generation.options import Options
from structgen.generation.prompts import Form
from structgen.generation.request import Kind
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import request, text_of
from structgen.sources.template import Filled, Template


def fill(
    runtime: Runtime,
    template: str,
    context: str | Document | None = None,
    options: Options | None = None,
    *,
    details: bool = False,
) -> Generation[Filled]:
    """The template with its holes filled by what the context says; without a context, by what the template says.

    All holes are written on one canvas, in any order. Evidence is by JSON pointer: that of the hole `name` is /name.
    Raises InvalidSource, with line and column, for a wrong template, and InvalidDocument for an empty context.
    """
    source = Template(template)
    text = template if context is None else text_of(context, "context")
    if not text.strip():
        raise InvalidDocument("the context is empty: there is nothing to fill the holes with")
    constraint, form = compile(source, runtime.vocabulary), Form.of(source)
    kinds = (Kind(form.outlined.plain()),)
    prompt = runtime.prompts.extraction(form, text)
    document = None if context is None else text
    asked = request(runtime, prompt, constraint, options, document=document, kinds=kinds)
    shown = context if isinstance(context, Document) else Document(text)
    return answered(
        runtime, asked, Wanted(details, document=shown, stating=nowhere if context is None else everywhere)
    )
