"""Every public error is one of structgen's own, whatever is passed in and whichever library noticed it."""

from __future__ import annotations

import contextlib
from typing import Any

import pydantic
import pytest

import structgen as sg
from structgen.generation.options import MOST_SEED
from structgen.integrations.rows import HostBatch
from structgen.integrations.vllm.asked import Asked
from structgen.sources.tools import Tools


class Even(pydantic.BaseModel):
    n: int

    @pydantic.field_validator("n")
    @classmethod
    def even(cls, n: int) -> int:
        if n % 2:
            raise ValueError("odd")
        return n


def at_noon(hour: int) -> None:
    """A function that a model may call."""


SOURCES: dict[str, Any] = {
    "class": Even,
    "type": list[int],
    "schema": {"type": "object", "properties": {"n": {"type": "integer"}}},
    "tools": Tools([at_noon]),
}
TEXTS = [
    '{"n":',
    "zzz",
    "",
    "\ud800",
    "9" * 5000,
    "[" * 100_000,
    '{"n":1}',
    "[5]",
    '{"name": "other"}',
    "null",
]


@pytest.mark.parametrize("resources", [[], "", 0, {"a": 3}], ids=repr)
@pytest.mark.parametrize("verb", ["extract", "generate", "call", "compile"])
def test_resources_that_are_no_mapping_of_schemas_are_refused(verb: str, resources: object) -> None:
    asked = {"extract": ("text", {}), "generate": ("text", {}), "call": ("text", [len_of]), "compile": ({},)}[
        verb
    ]
    ask = sg.compile if verb == "compile" else getattr(sg.load(), verb)
    with pytest.raises(sg.InvalidSource, match="resources maps identifiers to schemas"):
        ask(*asked, resources=resources)


def len_of(text: str) -> int:
    """How long a text is."""
    return len(text)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text)[:20])
def test_parsing_any_text_gives_a_value_or_rejects_it(source: str, text: str) -> None:
    with contextlib.suppress(sg.Rejected):
        sg.compile(SOURCES[source]).parse(text)


@pytest.mark.parametrize("text", ['{"n":', "", "9" * 5000, "[" * 100_000], ids=lambda text: repr(text)[:20])
@pytest.mark.parametrize("source", SOURCES)
def test_what_is_no_json_is_rejected(source: str, text: str) -> None:
    with pytest.raises(sg.Rejected, match="no JSON text") as caught:
        sg.compile(SOURCES[source]).parse(text)
    assert caught.value.text == text


@pytest.mark.parametrize("seed", [-1, MOST_SEED + 1, None, "3", 1.5, True])
def test_one_range_of_seeds(seed: Any) -> None:
    with pytest.raises(sg.InvalidOption, match="seed"):
        HostBatch([None], block_length=4, max_tokens=8, seed=seed)
    with pytest.raises(sg.InvalidOption, match="seed"):
        sg.load().extract("text", {"type": "boolean"}, seed=seed)


def test_the_largest_seed_is_taken_everywhere() -> None:
    HostBatch([None], block_length=4, max_tokens=8, seed=MOST_SEED)
    sg.load().extract("yes", {"type": "boolean"}, seed=MOST_SEED, steps=1)


@pytest.mark.parametrize(
    "options",
    [
        {"json": "{"},
        {"json": {"type": 5}},
        {"regex": "("},
        {"regex": 5},
        {"choice": []},
        {"choice": 5},
        {"choice": {"a": 1}},
        {"grammar": "root ::= ("},
        {"json": {}, "additional": "all"},
        {"json": {}, "resources": 5},
        {"json": {}, "order": []},
        {},
        5,
    ],
    ids=repr,
)
def test_a_request_to_vllm_with_wrong_options_is_refused_by_structgen(options: Any) -> None:
    with pytest.raises(sg.StructgenError):
        sg.compile(Asked.of(options).source())
