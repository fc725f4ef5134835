"""A request ready to be written: prompt, constraint and budget, and how its text becomes an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

from structgen.compiler.constraint import Constraint
from structgen.documents import Document
from structgen.errors import Rejected, StructgenError
from structgen.evidence.gather import Wanted, nowhere
from structgen.generation import writer
from structgen.generation.prompts import Form, Prompt
from structgen.generation.request import Kind, Request
from structgen.generation.result import Generation
from structgen.generation.writer import PromptTooLong
from structgen.grammar import as_expr
from structgen.model import Model
from structgen.server.answering.compiled import CompiledSources
from structgen.server.answering.telling import Spoken, calling, in_words
from structgen.server.asking.ask import Ask
from structgen.server.asking.formats import WantedFormat
from structgen.server.asking.tools import key_of
from structgen.server.problems import Problem, of_error
from structgen.sources import JsonSchema, Readable, Regex, as_source
from structgen.sources.tools import Call, Tools
from structgen.sources.tools.forms import JSON_FORM
from structgen.verbs import call, extract
from structgen_engine.decoding.options import DecodingOptions, Schedule

ANY_TEXT = Regex(r"\S(.|\n)*")
ANSWER = JsonSchema(
    {
        "type": "object",
        "properties": {"answer": {"type": "string", "minLength": 1}},
        "required": ["answer"],
        "additionalProperties": False,
    }
)  # in words, by a model that writes objects alone


@dataclass(frozen=True)
class Saying:
    """What an answer says: a text, or calls in the place of one."""

    content: str | None = None
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, eq=False)
class Prepared:
    """A request that only has to be written.

    asked: None if the answer is known without asking; said: what a generation says
    spoken: what the settled beginning of its text says already; None if only the whole text says anything
    whole: the generation of a document that is read in parts, in place of `asked`
    """

    wanted: Wanted
    said: Callable[[Generation[Any]], Saying]
    asked: Request | None = None
    spoken: Callable[[str], Spoken] | None = None
    whole: Callable[[Model], Generation[Any]] | None = field(default=None, repr=False)


def prepared(model: Model, sources: CompiledSources, ask: Ask) -> Prepared:
    """What to write for a request. Raises Problem if it cannot be answered."""
    try:
        if ask.tools is not None:
            found = _calls(model, sources, ask, ask.tools)
            if found is not None:
                return _scaled(found, ask)
        if ask.form is not None:
            return _scaled(_formed(model, sources, ask, ask.form), ask)
        return _scaled(_words(model, sources, ask), ask)
    except PromptTooLong as error:
        raise Problem(str(error), param=ask.places.messages, code="context_length_exceeded") from error
    except StructgenError as error:
        raise of_error(error, ask.places.messages, budget=ask.places.budget) from error


def _scaled(found: Prepared, ask: Ask) -> Prepared:
    if ask.temperature is None or ask.temperature == 1 or found.asked is None:
        return found
    return replace(
        found, asked=replace(found.asked, options=_at_temperature(found.asked.options, ask.temperature))
    )


@lru_cache(maxsize=64)
def _at_temperature(options: DecodingOptions, share: float) -> DecodingOptions:
    """The options at a share of their temperature; equal options are one object, so that rows can share a step."""
    own = options.temperature
    start, end = (own.start, own.end) if isinstance(own, Schedule) else (own, own)
    return replace(options, temperature=Schedule(start * share, end * share))


def _text(ask: Ask) -> str:
    """The conversation as one text."""
    return call.conversation(list(ask.turns))


def _calls(model: Model, sources: CompiledSources, ask: Ask, tools: Tools) -> Prepared | None:
    """Calls, or calls or an answer; None if the request concerns no tool."""
    text = _text(ask)
    if call.is_off_topic(model, tools, ask.document or text):
        return None
    form = None if ask.must_call else ask.form
    source, key = tools, key_of(tools)
    kinds = call.kinds_of(tools)
    if form is not None:
        must = replace(tools, tool_choice=_required(tools))
        source, key = as_source(as_expr(must) | as_expr(form.source)), f"{key} or {form.key}"
        kinds = (*call.kinds_of(must), _kind(form))
        tools = must
        text = f"{text}\n\nIf no tool is needed, answer with {_described(form)}."
    try:
        constraint = sources.get(key, source)
    except StructgenError as error:
        raise of_error(error, ask.places.tools) from error
    asked = writer.request(
        model, model.prompts.calls(tools, text), constraint, ask.options, document=ask.document, kinds=kinds
    )
    wanted = call.wanted(tools, ask.document, details=ask.details)
    said = partial(_reply, tools, answers=form is not None)
    told = partial(calling, tools) if form is None and tools.form == JSON_FORM else None
    return Prepared(wanted, said, asked, told)


def _required(tools: Tools) -> Any:
    return replace(tools.choice, mode="required")


def _kind(form: WantedFormat) -> Kind:
    """An answer in words as one of several kinds: an object begins with the name of its first member."""
    if not isinstance(form.source, JsonSchema):
        return Kind({"kind": "string"})
    outline = form.source.outline()
    first = f'{{"{outline.fields[0].name}"' if outline.kind == "object" and outline.fields else "{"
    return Kind(outline.plain(), first)


def _described(form: WantedFormat) -> str:
    if isinstance(form.source, JsonSchema):
        return f"JSON that follows the JSON Schema {json.dumps(form.source.schema, ensure_ascii=False)}"
    return "a text of the form that was asked for"


def _reply(tools: Tools, generation: Generation[Any], *, answers: bool) -> Saying:
    """What a text of calls says. answers: whether it may be an answer that is none of the tools'."""
    if answers:
        try:
            reply = tools.parse(generation.text)
        except Rejected:
            return Saying(generation.text)
    else:
        reply = generation.value
    return Saying(None if reply.calls else reply.answer, reply.calls)


def _formed(model: Model, sources: CompiledSources, ask: Ask, form: WantedFormat) -> Prepared:
    """An answer of the form that was asked for."""
    text = _text(ask)
    if not isinstance(form.source, JsonSchema):
        wanted = Wanted(ask.details, warned=False, is_json=isinstance(form.source, Readable), stating=nowhere)
        prompt = model.prompts.plain(text)
        constraint = _constraint(model, sources, ask, form, lambda: prompt)
        return Prepared(wanted, _verbatim, writer.request(model, prompt, constraint, ask.options), Spoken)
    source, wanted = form.source, extract.wanted(Document(ask.document), details=ask.details)
    try:
        constraint = _constraint(
            model, sources, ask, form, lambda: model.prompts.extraction(Form.of(source), text)
        )
        asked = extract.requested(model, constraint, Form.of(source), ask.document, ask.options, said=text)
    except PromptTooLong:
        if len(ask.turns) > 1:
            raise
        return Prepared(wanted, _verbatim, whole=partial(_in_parts, ask, source))
    return Prepared(wanted, _verbatim, asked, Spoken)


def _constraint(
    model: Model, sources: CompiledSources, ask: Ask, form: WantedFormat, prompt: Callable[[], Prompt]
) -> Constraint[Any]:
    """The constraint of a form, bound to the document if it copies and the model reads all of the prompt."""
    try:
        constraint = sources.get(form.key, form.source)
        if not constraint.copies:
            return constraint
        writer.prompt_ids(model, prompt())
        return sources.bound(form.key, constraint, ask.document)
    except PromptTooLong:
        raise
    except StructgenError as error:
        raise of_error(error, form.place) from error


def _in_parts(ask: Ask, source: JsonSchema, model: Model) -> Generation[Any]:
    return extract.extract(model, ask.document, source, ask.options, details=ask.details)


def _words(model: Model, sources: CompiledSources, ask: Ask) -> Prepared:
    """An answer in words of the model's own."""
    wanted = Wanted(ask.details, warned=False, is_json=False, stating=nowhere)
    text = _text(ask) if any(turn["content"] for turn in ask.turns) else ""
    if not text.strip():
        return Prepared(wanted, _verbatim)
    if model.fills == "object":
        constraint = sources.get("answer", ANSWER)
        asked = extract.requested(
            model, constraint, Form.of(ANSWER), ask.document or text, ask.options, said=text
        )
        return Prepared(wanted, lambda found: Saying(found.value["answer"]), asked, in_words)
    constraint = sources.get("text", ANY_TEXT)
    asked = writer.request(model, model.prompts.plain(text), constraint, ask.options)
    return Prepared(wanted, _verbatim, asked, Spoken)


def _verbatim(generation: Generation[Any]) -> Saying:
    return Saying(generation.text)
