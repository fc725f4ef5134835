"""The canvas of a constrained request in vLLM is as long as its longest answer, unless the request says otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from integrations.test_vllm import Served, asks
from integrations.vllm_engine import Engine, Request, StockSampler
from structgen.integrations.vllm.asked import KEY, Asked
from structgen.integrations.vllm.canvas import CANVAS_LENGTH
from structgen.integrations.vllm.constraints import Constraints
from structgen.integrations.vllm.sampler import ConstrainedSampler
from tiny_gemma import CANVAS, HEAD, small_tokenizer

SERVED = 256


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")


@pytest.fixture(scope="module")
def server(tokenizer: Path) -> Served:
    return Served(tokenizer, parser="", canvas=SERVED)


def length(server: Served, body: dict[str, Any], path: str = "/v1/chat/completions") -> int | None:
    """The length that reaches vLLM; None is the model's."""
    status, answer = server.post(body, path)
    assert status == 200, answer
    return json.loads(server.bodies[-1]).get("vllm_xargs", {}).get(CANVAS_LENGTH)


@pytest.mark.parametrize(
    ("options", "budget", "expected"),
    [
        ({"choice": ["yes", "no"]}, 512, 16),
        ({"regex": "x{15}"}, 512, 16),  # and the end
        ({"regex": "x{16}"}, 512, 32),
        ({"regex": "x{0,238}"}, 512, 240),
        ({"regex": "x{240}"}, 512, None),
        ({"regex": "x*"}, 512, None),
        ({"regex": "x*"}, 40, 48),
        ({"grammar": 'root ::= "(" root ")" | "x"'}, 512, None),
        ({"grammar": 'root ::= "(" root ")" | "x"'}, 20, 32),
    ],
)
def test_a_canvas_holds_the_longest_answer(
    server: Served, options: dict[str, Any], budget: int, expected: int | None
):
    assert length(server, {"structured_outputs": options, "max_tokens": budget}) == expected


def test_a_request_that_names_a_length_has_it(server: Served):
    asked = {"structured_outputs": {"choice": ["yes", "no"]}, "max_tokens": 64}
    for own in (8, SERVED):
        assert length(server, {**asked, "vllm_xargs": {CANVAS_LENGTH: own}}) == own


def test_free_requests_have_the_models_canvas(server: Served):
    assert length(server, {"max_tokens": 8}) is None


def test_a_thought_may_be_long(tokenizer: Path):
    server = Served(tokenizer, canvas=SERVED)
    asked = {"structured_outputs": {"choice": ["yes", "no"]}, "max_tokens": 500}
    assert length(server, asked) == 16  # with an empty thought
    assert length(server, {**asked, "chat_template_kwargs": {"enable_thinking": True}}) is None


def test_a_server_that_does_not_say_its_canvas_is_asked_for_none(tokenizer: Path):
    assert (
        length(Served(tokenizer), {"structured_outputs": {"choice": ["yes", "no"]}, "max_tokens": 64}) is None
    )


@pytest.mark.parametrize("width", [16, 32])
def test_answers_in_short_canvases_are_accepted(tokenizer: Path, width: int):
    """Where the longest answer takes one canvas, and where it goes on with the next."""
    compiled, arguments = Constraints(lambda: tokenizer, HEAD), asks(thinking=None, regex="[a-z]{9,30}!")
    request = Request(0, 2 * CANVAS, arguments)
    torch.manual_seed(0)
    Engine(ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled), CANVAS).run([request], width=width)
    assert compiled.submit(Asked.read(arguments[KEY])).result().accepts_ids(request.ids)
