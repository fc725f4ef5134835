"""Forty requests of many kinds at once: each has its own answer, in spite of the others."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from real_vllm.asks import CALLS, CANVAS, NAMED, NESTED, PARAMETERS, PERSON, UNIQUE, nested, satisfies
from real_vllm.wire import calls, post, texts

COUNT = 40
MOST_DELAY = 3.0  # seconds
CHAT, COMPLETIONS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"
TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"n": {"type": "integer", "maximum": 9}, "next": {"$ref": "#/$defs/node"}},
            "required": ["n"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}
TAG = {
    "type": "structural_tag",
    "format": {
        "type": "tag",
        "begin": "<a>",
        "content": {"type": "regex", "pattern": "[0-9]{2}"},
        "end": "</a>",
    },
}
LARK = 'start: "(" start ")" | "x"'


@dataclass(frozen=True)
class Kind:
    """A kind of request: the endpoint, the body for a number, and the check of a whole answer for that number."""

    name: str
    path: str
    body: Callable[[int], dict[str, Any]]
    right: Callable[[int, str], bool]
    status: int = 200


def crowd(base: str, model: str) -> Iterator[tuple[str, bool, str]]:
    """Label, whether the answer is right, answer."""
    asks = [(number, KINDS[number % len(KINDS)]) for number in range(COUNT)]

    def asked(number: int, kind: Kind) -> tuple[int, str]:
        return post(base, kind.path, {"model": model, **kind.body(number)})

    with ThreadPoolExecutor(COUNT) as pool:
        answers = list(pool.map(lambda ask: asked(*ask), asks))
    for (number, kind), (status, answer) in zip(asks, answers, strict=True):
        yield f"{number} {kind.name}", status == kind.status and kind.right(number, answer), answer


def hostile(base: str, model: str) -> Iterator[tuple[str, bool, str]]:
    """Three patterns whose automata have 2^18 states and more, and behind them a trivial one."""

    def timed(pattern: str) -> tuple[int, float]:
        begun = time.monotonic()
        status, _ = post(base, CHAT, {"model": model, **_chat(_outputs(regex=pattern))})
        return status, time.monotonic() - begun

    _, alone = timed("a|b")
    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(timed, f"(a|b)*a(a|b){{{length}}}") for length in (18, 19, 20)]
        time.sleep(0.1)
        status, behind = timed("b|c")
    refused = [one.result()[0] for one in others] == [400] * 3
    yield (
        "a trivial request behind hostile ones",
        status == 200 and refused and behind - alone <= MOST_DELAY,
        f"{alone:.1f} s alone, {behind:.1f} s behind them",
    )


def _chat(more: dict[str, Any], canvases: int = 2) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Who?"}], "max_tokens": canvases * CANVAS, **more}


def _form(schema: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}}


def _outputs(**options: Any) -> dict[str, Any]:
    return {"structured_outputs": options}


def _of_number(number: int) -> str:
    """A pattern that no other request of the crowd has."""
    return f"{number}:[a-f]{{3,9}}"


def _all(check: Callable[[str], bool], count: int = 1) -> Callable[[int, str], bool]:
    return lambda number, answer: len(found := texts(answer)) == count and all(map(check, found))


def _own(number: int, answer: str) -> bool:
    found = texts(answer)
    return bool(found) and all(re.fullmatch(_of_number(number), text) for text in found)


def _called(number: int, answer: str) -> bool:
    made = calls(answer)
    return bool(made) and all(satisfies(PARAMETERS[name])(json.dumps(given)) for name, given in made)


def _free(number: int, answer: str) -> bool:
    """A free answer of random weights may be empty."""
    return json.loads(answer)["choices"][0]["finish_reason"] in ("stop", "length")


def _seated(number: int, answer: str) -> bool:
    return _called(number, answer) and {name for name, _ in calls(answer)} == {"seat"}


def _enum(number: int) -> dict[str, Any]:
    return {"enum": [f"red-{number}", f"green-{number}"]}


KINDS = [
    Kind("response_format, an object", CHAT, lambda n: _chat(_form(PERSON)), _all(satisfies(PERSON))),
    Kind(
        "response_format, any object",
        CHAT,
        lambda n: _chat({"response_format": {"type": "json_object"}}),
        _all(satisfies({"type": "object"})),
    ),
    Kind("a regex", CHAT, lambda n: _chat(_outputs(regex=_of_number(n))), _own),
    Kind(
        "a choice",
        CHAT,
        lambda n: _chat(_outputs(choice=_enum(n)["enum"])),
        lambda n, answer: texts(answer)[0] in _enum(n)["enum"],
    ),
    Kind("a grammar in EBNF", CHAT, lambda n: _chat(_outputs(grammar=NESTED)), _all(nested)),
    Kind("a grammar in Lark", CHAT, lambda n: _chat(_outputs(grammar=LARK)), _all(nested)),
    Kind(
        "a structural tag",
        CHAT,
        lambda n: _chat({"response_format": TAG}),
        _all(lambda text: re.fullmatch("<a>[0-9]{2}</a>", text) is not None),
    ),
    Kind("a recursive schema", CHAT, lambda n: _chat(_form(TREE), 4), _all(satisfies(TREE))),
    Kind("a required call", CHAT, lambda n: _chat({**CALLS, "tool_choice": "required"}, 8), _called),
    Kind("a named call", CHAT, lambda n: _chat({**CALLS, "tool_choice": NAMED}, 8), _seated),
    Kind(
        "a completion",
        COMPLETIONS,
        lambda n: {"prompt": "It is ", "max_tokens": CANVAS, **_outputs(regex=_of_number(n))},
        _own,
    ),
    Kind(
        "a response",
        RESPONSES,
        lambda n: {
            "input": "Who?",
            "max_output_tokens": 2 * CANVAS,
            "text": {"format": {"type": "json_schema", "name": "it", "schema": PERSON}},
        },
        _all(satisfies(PERSON)),
    ),
    Kind(
        "a message",
        "/v1/messages",
        lambda n: _chat({"output_config": {"format": {"type": "json_schema", "schema": _enum(n)}}}),
        lambda n, answer: json.loads(texts(answer)[0]) in _enum(n)["enum"],
    ),
    Kind(
        "a batch",
        f"{CHAT}/batch",
        lambda n: {**_chat(_outputs(regex=_of_number(n))), "messages": [_chat({})["messages"]] * 2},
        lambda n, answer: _own(n, answer) and len(texts(answer)) == 2,
    ),
    Kind("an invocation", "/invocations", lambda n: _chat(_outputs(regex=_of_number(n))), _own),
    Kind("two answers", CHAT, lambda n: _chat({**_outputs(regex=_of_number(n)), "n": 2}), _own),
    Kind("a stream", CHAT, lambda n: _chat({**_outputs(regex=_of_number(n)), "stream": True}), _own),
    Kind(
        "several canvases",
        CHAT,
        lambda n: _chat(_outputs(regex="[a-z ]{80,120}!"), 5),
        _all(lambda text: re.fullmatch("[a-z ]{80,120}!", text) is not None),
    ),
    Kind("no constraint", CHAT, lambda n: _chat({}), _free),
    Kind(
        "a schema that is refused", CHAT, lambda n: _chat(_form(UNIQUE)), lambda n, a: "uniqueItems" in a, 400
    ),
]
