"""From the bodies of chats and responses to a request in the server's own words."""

from __future__ import annotations

from typing import Any

from structgen.errors import StructgenError
from structgen.generation.options import MOST_SEED, Options
from structgen.model import Model
from structgen.server.asking.ask import Ask, BodyPlaces
from structgen.server.asking.formats import WantedFormat, structured, wanted_format
from structgen.server.asking.tools import wanted_tools
from structgen.server.asking.turns import chat_turns, content_text, document_of, item_turns
from structgen.server.problems import Problem, of_error
from structgen.server.settings import ServerSettings
from structgen.server.wire.body import StructgenFields
from structgen.server.wire.chat import ChatRequest
from structgen.server.wire.responses import ResponsesRequest
from structgen.sources import Terms

MOST_STOPS = 4
INCLUDED = "message.output_text.logprobs"


def of_chat(body: ChatRequest, model: Model, settings: ServerSettings) -> Ask:
    """What a chat asks for. Raises Problem."""
    body.check()
    own = body.structgen or StructgenFields()
    budget = "/max_completion_tokens" if body.max_tokens is None else "/max_tokens"
    if body.max_tokens is not None and body.max_completion_tokens is not None:
        raise Problem("give max_completion_tokens or max_tokens, not both", param="/max_tokens")
    terms = _terms(own)
    form = _form(
        wanted_format(
            body.response_format, "/response_format", terms, nested=True, special=model.vocabulary.special
        ),
        structured(body.structured_outputs, "/structured_outputs", terms, model.vocabulary.special),
    )
    tools = wanted_tools(body.tools, body.tool_choice, body.parallel_tool_calls, terms=terms, form=model.form)
    turns = chat_turns([message.model_dump() for message in body.messages])
    ask = Ask(
        turns,
        document_of(turns, own.verbatim_source),
        form,
        tools,
        _at_most(body.n or 1, settings.answers, "/n"),
        _options(body.seed, body.max_tokens or body.max_completion_tokens, own, settings, budget),
        body.temperature,
        _stops(body.stop),
        _top(body.logprobs, body.top_logprobs),
        own.details,
        own.canvas,
        bool(body.stream),
        terms,
        BodyPlaces(budget=budget),
    )
    return _checked(ask, settings)


def of_response(body: ResponsesRequest, model: Model, settings: ServerSettings) -> Ask:
    """What the request for a response asks for. Raises Problem."""
    body.check()
    own = body.structgen or StructgenFields()
    terms, special = _terms(own), model.vocabulary.special
    form = _form(
        wanted_format(body.text and body.text.format, "/text/format", terms, nested=False, special=special),
        structured(body.structured_outputs, "/structured_outputs", terms, special),
    )
    tools = wanted_tools(body.tools, body.tool_choice, body.parallel_tool_calls, terms=terms, form=model.form)
    turns = item_turns(body.input)
    if body.instructions:
        turns = [{"role": "developer", "content": _instructions(body.instructions)}, *turns]
    top = (body.top_logprobs or 0) if body.top_logprobs or INCLUDED in (body.include or ()) else None
    ask = Ask(
        turns,
        document_of(turns, own.verbatim_source),
        form,
        tools,
        1,
        _options(body.seed, body.max_output_tokens, own, settings, "/max_output_tokens"),
        body.temperature,
        top=top,
        details=own.details,
        canvas=own.canvas,
        streamed=bool(body.stream),
        terms=terms,
        places=BodyPlaces(messages="/input", budget="/max_output_tokens"),
    )
    return _checked(ask, settings)


def _instructions(given: Any) -> str:
    if isinstance(given, str):
        return given
    return "\n".join(
        content_text(item.get("content"), f"/instructions/{i}/content") for i, item in enumerate(given)
    )


def _checked(ask: Ask, settings: ServerSettings) -> Ask:
    size = sum(len(str(turn["content"] or "")) for turn in ask.turns)
    if size > settings.prompt_characters:
        raise Problem(
            f"the conversation has {size:,} characters, and this server reads at most {settings.prompt_characters:,}",
            param=ask.places.messages,
            status=413,
            code="prompt_too_long",
        )
    if ask.must_call and ask.form is not None:
        raise Problem(
            "the request asks for a call and for an answer of a given form: set tool_choice to auto for one of both, "
            "or leave one out",
            param="/tool_choice",
        )
    if ask.stop and (ask.form is not None or ask.tools is not None):
        raise Problem(
            "stop would cut an answer whose form is given: leave it out, and put a limit into the schema or grammar",
            param=ask.places.stop,
            code="unsupported_parameter",
        )
    if ask.must_call and not any(turn["content"] for turn in ask.turns):
        raise Problem("there is no text to call a tool for", param=ask.places.messages)
    return ask


def _form(one: WantedFormat | None, other: WantedFormat | None) -> WantedFormat | None:
    if one is not None and other is not None:
        raise Problem(
            "the request asks for two forms of the answer: leave out structured_outputs or the other one",
            param="/structured_outputs",
        )
    return one or other


def _terms(own: StructgenFields) -> Terms:
    try:
        return Terms(own.whitespace, own.additional, own.unknown, own.resources or {}, own.order)
    except StructgenError as error:
        raise of_error(error, "/structgen/resources") from error


def _options(
    seed: int | None, max_tokens: int | None, own: StructgenFields, settings: ServerSettings, at: str
) -> Options:
    if max_tokens is not None and own.max_tokens is not None:
        raise Problem("the budget is given twice: leave one out", param="/structgen/max_tokens")
    budget = max_tokens or own.max_tokens
    if budget is not None:
        _at_most(budget, settings.max_tokens, at if own.max_tokens is None else "/structgen/max_tokens")
    return Options(budget, own.steps, (seed or 0) % (MOST_SEED + 1), partial=own.partial)


def _at_most(value: int, most: int, at: str) -> int:
    if value > most:
        raise Problem(f"{at[1:]} is at most {most} here, not {value}", param=at, code="invalid_value")
    return value


def _stops(given: str | list[str] | None) -> tuple[str, ...]:
    stops = (given,) if isinstance(given, str) else tuple(given or ())
    if len(stops) > MOST_STOPS:
        raise Problem(f"stop has at most {MOST_STOPS} texts, not {len(stops)}", param="/stop")
    if "" in stops:
        raise Problem("a stop text must not be empty", param="/stop")
    return stops


def _top(wanted: bool | None, top: int | None) -> int | None:
    if top and not wanted:
        raise Problem("top_logprobs needs logprobs to be true", param="/top_logprobs")
    return (top or 0) if wanted else None
