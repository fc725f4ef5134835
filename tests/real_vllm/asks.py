"""What is asked of a running server, with OpenAI's client, and what has to come back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

MODEL = "tiny"
CANVAS = 32
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "Who is it?"}], "max_tokens": 2 * CANVAS}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "maximum": 150}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
COLOURS = {"type": "array", "items": {"enum": ["red", "green", "blue"]}, "minItems": 1, "maxItems": 3}
UNIQUE = {
    "type": "object",
    "properties": {"tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}},
}
WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 9},
        "days": {"type": "integer", "minimum": 1, "maximum": 9},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
SEAT = {
    "type": "object",
    "properties": {"row": {"enum": ["a", "b"]}},
    "required": ["row"],
    "additionalProperties": False,
}
PARAMETERS = {"weather": WEATHER, "seat": SEAT}
CALLS = {
    "tools": [
        {"type": "function", "function": {"name": name, "parameters": schema}}
        for name, schema in PARAMETERS.items()
    ]
}
NAMED = {"type": "function", "function": {"name": "seat"}}
NESTED = 'root ::= "(" root ")" | "x"'


def by_schema(schema: Any) -> dict[str, Any]:
    """A chat's `response_format`."""
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}}


def by_outputs(**options: Any) -> dict[str, Any]:
    """vLLM's `structured_outputs`."""
    return {"extra_body": {"structured_outputs": options}}


def by_arguments(**options: Any) -> dict[str, Any]:
    """`vllm_xargs`, in which anything nested is a text."""
    return {"extra_body": {"vllm_xargs": {"structgen": json.dumps(options)}}}


Check = Callable[[str], bool]


def satisfies(schema: Any) -> Check:
    """Whether a text is JSON and valid by the jsonschema package."""
    import jsonschema

    return lambda text: jsonschema.validators.validator_for(schema)(schema).is_valid(json.loads(text))


def nested(text: str) -> bool:
    """Whether a text is as NESTED has it."""
    depth = text.count("(")
    return text == "(" * depth + "x" + ")" * depth


def refusals(client: Any) -> list[tuple[str, int, str]]:
    """What asks for a schema in stock vLLM: label, status, message."""
    asks = {"response_format": by_schema(PERSON), "structured_outputs": by_outputs(regex="[ab]{3}")}
    return [(label, *_refusal(client, more)) for label, more in asks.items()]


def refused_by_us(client: Any) -> list[tuple[str, bool, str]]:
    """Requests that must be answered 400 with a reason: label, whether they were, message."""
    found = []
    for label, more, reason in (
        ("unsupported schema", by_schema(UNIQUE), "/properties/tags/uniqueItems"),
        ("unsupported schema by vllm_xargs", by_arguments(json=UNIQUE), "/properties/tags/uniqueItems"),
        ("budget too small", {**by_schema(PERSON), "max_tokens": 5}, "this request may have 5"),
        ("malformed pattern", by_outputs(regex="[ab"), "[ab"),
        ("two constraints", {**by_schema(PERSON), **by_outputs(regex="a")}, "more than one constraint"),
        ("a stop", {**by_schema(PERSON), "stop": [":"]}, "stop beside a constraint"),
        (
            "stop_token_ids",
            {"extra_body": {"structured_outputs": {"regex": "a"}, "stop_token_ids": [5]}},
            "stop_token_ids beside a constraint",
        ),
        (
            "a schema and a required call",
            {**by_schema(PERSON), **CALLS, "tool_choice": "required"},
            "for a call and",
        ),
    ):
        status, message = _refusal(client, more)
        found.append((label, status == 400 and reason in message, message))
    return found


def together(client: Any) -> list[tuple[str, bool, str]]:
    """Different constraints and unconstrained requests at the same time: label, whether the answer is right, answer."""
    asks: list[tuple[str, dict[str, Any], Check]] = [
        ("response_format, an object", by_schema(PERSON), satisfies(PERSON)),
        ("no constraint", {}, lambda text: len(text) > 0),
        ("structured_outputs, a regex", by_outputs(regex="[ab]{3}-(yes|no)"), _matches("[ab]{3}-(yes|no)")),
        ("structured_outputs, a choice", by_outputs(choice=["red", "green"]), _matches("red|green")),
        ("structured_outputs, a grammar", by_outputs(grammar=NESTED), nested),
        ("no constraint, again", {}, lambda text: len(text) > 0),
        (
            "response_format, any object",
            {"response_format": {"type": "json_object"}},
            satisfies({"type": "object"}),
        ),
        ("vllm_xargs, an array", by_arguments(json=COLOURS), satisfies(COLOURS)),
        (
            "a budget that is no whole canvas",
            {**by_outputs(regex="[a-z ]{200,300}!"), "max_tokens": 2 * CANVAS + 7},
            _matches("[a-z ]{200,300}!"),
        ),
    ]
    with ThreadPoolExecutor(len(asks)) as pool:
        answers = list(pool.map(lambda ask: _chat(client, ask[1]), asks))
    return [(label, check(text), text) for (label, _, check), text in zip(asks, answers, strict=True)]


def ways(client: Any) -> list[tuple[str, bool, str]]:
    """Streams, thoughts and the other endpoints."""
    pattern = "[a-z ]{60,200}!"
    stream = client.chat.completions.create(
        **{**CHAT, "max_tokens": 3 * CANVAS}, **by_outputs(regex=pattern), stream=True
    )
    pieces = [event.choices[0].delta.content or "" for event in stream if event.choices]
    thoughts = by_outputs(choice=["red", "green"])
    thoughts["extra_body"]["chat_template_kwargs"] = {"enable_thinking": True}
    thought = client.chat.completions.create(**CHAT, **thoughts).choices[0].message
    form = {"format": {"type": "json_schema", "name": "it", "schema": COLOURS}}
    responses = client.responses.create(model=MODEL, input="Who?", max_output_tokens=2 * CANVAS, text=form)
    completion = client.completions.create(
        model=MODEL, prompt="It is ", max_tokens=CANVAS, **by_outputs(choice=["red", "green"])
    )
    chosen = _matches("red|green")
    return [
        (
            "a stream of several pieces",
            _matches(pattern)("".join(pieces)) and sum(map(bool, pieces)) > 1,
            "".join(pieces),
        ),
        ("an answer after a thought", chosen(thought.content) and bool(thought.reasoning), thought.content),
        ("responses", satisfies(COLOURS)(responses.output_text), responses.output_text),
        ("completions", chosen(completion.choices[0].text), completion.choices[0].text),
    ]


def calls(client: Any) -> list[tuple[str, bool, str]]:
    """Calls in the model's own syntax, which vLLM's parser has read: label, whether they are right, calls."""
    found = []
    for label, more, least, most, names in (
        (
            "a required call",
            {"tool_choice": "required", "parallel_tool_calls": False},
            1,
            1,
            {"weather", "seat"},
        ),
        ("required calls, parallel", {"tool_choice": "required"}, 1, 8, {"weather", "seat"}),
        ("a named call", {"tool_choice": NAMED, "parallel_tool_calls": False}, 1, 1, {"seat"}),
        ("a call or words", {"tool_choice": "auto"}, 0, 8, {"weather", "seat"}),
    ):
        for stream in (False, True):
            ask = {**CHAT, "max_tokens": 8 * CANVAS, **CALLS, **more}
            made = _streamed(client, ask) if stream else _called(client, ask)
            right = least <= len(made) <= most and all(
                name in names and satisfies(PARAMETERS[name])(arguments) for name, arguments in made
            )
            found.append((label + (", streamed" if stream else ""), right, str(made)))
    return found


def _called(client: Any, ask: dict[str, Any]) -> list[tuple[str, str]]:
    message = client.chat.completions.create(**ask).choices[0].message
    return [(call.function.name, call.function.arguments) for call in message.tool_calls or ()]


def _streamed(client: Any, ask: dict[str, Any]) -> list[tuple[str, str]]:
    made: dict[int, list[str]] = {}
    for event in client.chat.completions.create(**ask, stream=True):
        for call in (event.choices[0].delta.tool_calls or ()) if event.choices else ():
            name, arguments = made.setdefault(call.index, ["", ""])
            made[call.index] = [
                name + (call.function.name or ""),
                arguments + (call.function.arguments or ""),
            ]
    return [(name, arguments) for name, arguments in made.values()]


def _chat(client: Any, more: dict[str, Any]) -> str:
    return client.chat.completions.create(**{**CHAT, **more}).choices[0].message.content or ""


def _refusal(client: Any, more: dict[str, Any]) -> tuple[int, str]:
    import openai

    try:
        return 200, _chat(client, more)
    except openai.APIStatusError as error:
        return error.status_code, error.body["message"] if isinstance(error.body, dict) else str(error)


def _matches(pattern: str) -> Check:
    return lambda text: re.fullmatch(pattern, text) is not None
