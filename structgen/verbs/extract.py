"""The verb `extract`: a typed value out of a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from structgen.compiler.constraint import Constraint, compile
from structgen.copies import copying
from structgen.counting import coherent
from structgen.errors import InvalidDocument, InvalidSource
from structgen.generation.options import Options
from structgen.generation.prompts import Prompt
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import prompt_ids, read, write
from structgen.kinds import alternatives, description, nearness
from structgen.layout import Layout, count_weights, counted, first_layout, grown
from structgen.sources import Terms, as_source

ATTEMPTS = 6  # layouts to try


def extract(
    runtime: Runtime,
    text: str,
    spec: Any,
    options: Options | None = None,
    *,
    terms: Terms | None = None,
) -> Generation[Any]:
    """The value of type `spec` that the document states.

    Its `steps` count every attempt at a layout, but not the looks that count items.
    spec: a pydantic class, any other type, or a JSON Schema as a dict; terms: on which it is read
    Raises InvalidDocument where the document is empty or too long, and what `compile` raises.
    """
    return extract_in_layout(runtime, text, spec, options, terms=terms)[0]


def extract_in_layout(
    runtime: Runtime,
    text: str,
    spec: Any,
    options: Options | None = None,
    *,
    terms: Terms | None = None,
) -> tuple[Generation[Any], Layout | None]:
    """`extract`, and the layout that the model filled last."""
    if not text.strip():
        raise InvalidDocument("the document is empty: there is nothing to extract from")
    source = as_source(spec, terms)
    schema = getattr(source, "schema", None)
    if not isinstance(schema, Mapping):
        raise InvalidSource(
            f"extract needs a type or a JSON Schema, not {type(source).__name__}: there are no fields to fill"
        )
    constraint = compile(source, runtime.vocabulary)
    prompt = runtime.prompts.extraction(schema, text)
    layout = first_layout(runtime, _likeliest(runtime, text, schema))
    return fill_slots(runtime, prompt, text, constraint, layout, options or Options())


def _likeliest(runtime: Runtime, text: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The alternative of a union of objects that the text is nearest to; the schema itself where it is none."""
    options = alternatives(schema)
    if not options or runtime.overlap is None:
        return schema
    near = nearness(runtime.overlap, text, [description(option) for option in options])
    return options[int(near.argmax())]


def fill_slots(
    runtime: Runtime,
    prompt: Prompt,
    document: str,
    constraint: Constraint[Any],
    layout: Layout | None,
    options: Options,
) -> tuple[Generation[Any], Layout | None]:
    """Fill a layout, with the likeliest number of items and with larger slots where they are full; the last layout.

    document: what the prompt asks about, for a copier to copy from
    """
    steps, generator = 0, torch.Generator().manual_seed(options.seed)
    if layout is not None:
        asked = constraint.automaton, prompt_ids(runtime, prompt), generator
        weights = count_weights(runtime, layout, *asked)
        if runtime.copier:
            weights = coherent(runtime, layout, weights, document, *asked)
        layout = counted(runtime, layout, weights)
    for attempt in range(ATTEMPTS):
        pinned = None if layout is None else layout.block
        written = write(copier(runtime, layout, document), prompt, constraint, options, pinned=pinned)
        steps += written.steps
        larger = None
        if layout is not None and attempt + 1 < ATTEMPTS:
            larger = grown(runtime, layout, tuple(written.ids.tolist()))
        if larger is None:
            break
        layout = larger
    return replace(read(runtime, constraint, written), steps=steps), layout


def copier(runtime: Runtime, layout: Layout | None, document: str) -> Runtime:
    """The runtime with a denoiser that prefers copies in the layout's slots, where it is a copier's."""
    if layout is None or not runtime.copier:
        return runtime
    denoiser = copying(runtime.denoiser, document, layout, runtime.vocabulary, runtime.null_id)
    return runtime if denoiser is None else replace(runtime, denoiser=denoiser)
