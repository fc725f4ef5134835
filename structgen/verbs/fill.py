"""The verb `fill`: the holes of a template, filled from a context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from structgen.compiler.constraint import compile
from structgen.documents import Document
from structgen.errors import InvalidDocument, InvalidOption
from structgen.evidence.gather import Wanted, answered, everywhere, nowhere
from structgen.generation.leaves import Leaf
from structgen.generation.options import Options
from structgen.generation.prompts import Form
from structgen.generation.request import Kind
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import prompt_ids, request, text_of
from structgen.sources.json_schema.pointers import escape
from structgen.sources.template import HoleValues, Template


def fill(
    runtime: Runtime,
    template: str | Template[object],
    context: str | Document | None = None,
    options: Options | None = None,
    *,
    into: type[object] | None = None,
    types: Mapping[str, object] | None = None,
    details: bool = False,
) -> Generation[object]:
    """The template with its holes filled by what the context says; without a context, by what the template says.

    All holes are written on one canvas, in any order. Evidence is by JSON pointer: that of the hole `name` is /name.
    into: the class that the values make instead of a Filled; types: Python types of holes
    Raises InvalidSource, with line and column, for a wrong template, and InvalidDocument for an empty context.
    """
    source = _template(template, types, into)
    text = source.text if context is None else text_of(context, "context")
    if not text.strip():
        raise InvalidDocument("the context is empty: there is nothing to fill the holes with")
    as_object = runtime.fills == "object"
    written: object = HoleValues(source) if as_object else source
    constraint = compile(written, runtime.vocabulary)
    form = Form.of(source)
    kinds = (Kind(form.outlined.plain()),)
    prompt = runtime.prompts.filling(form, source.text, text)
    if constraint.copies:
        prompt_ids(runtime, prompt)  # too long a context is refused before its pieces are compiled
        constraint = constraint.bind(text)
    document = None if context is None else text
    asked = request(runtime, prompt, constraint, options, document=document, kinds=kinds)
    shown = context if isinstance(context, Document) else Document(text)
    stating = nowhere if context is None else everywhere
    read = None if as_object else FilledHoles(source)
    return answered(runtime, asked, Wanted(details, True, shown, as_object, stating, read))


def _template(
    template: str | Template[object], types: Mapping[str, object] | None, into: type[object] | None
) -> Template[object]:
    if not isinstance(template, Template):
        return Template(template, types or {}, into)
    if types or into is not None:
        raise InvalidOption("a Template has its own types and class: give them to sg.Template")
    return template


class FilledHoles:
    """The values of a filled template by pointer, with their places: several of a hole that comes again."""

    def __init__(self, template: Template[object]) -> None:
        self._template = template

    def __call__(self, text: str) -> Mapping[str, Leaf]:
        """Raises Rejected if the text is no filled template."""
        pieces, found = self._template.pieces(text), dict[str, Leaf]()
        for k, hole in enumerate(self._template.holes):
            at = f"/{escape(hole.name)}"
            if at in found:
                found[at] = replace(found[at], again=(*found[at].again, (pieces[k].start, pieces[k].end)))
            else:
                found[at] = Leaf(at, hole.plain(text[pieces[k].start : pieces[k].end]), *pieces[k])
        return found
