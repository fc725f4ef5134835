"""Constrained requests in SGLang's own algorithms: every answer is accepted, and neighbours are as in stock SGLang."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import jsonschema
import pytest
import torch

import structgen.integrations.sglang as plugin
from real_sglang.standins import Ask, Loop, Runner, sglang
from structgen.integrations.sglang.held import Held
from tiny_gemma import HEAD, small_tokenizer

SGLANG = sglang()
BLOCK, MASK, CONTEXT = 8, 4, 512
SCHEMA = {
    "type": "object",
    "properties": {"a": {"enum": [1, 2]}},
    "required": ["a"],
    "additionalProperties": False,
}
TAG = {"type": "structural_tag", "format": {"type": "regex", "pattern": "[ab]{2}"}}
WAYS: dict[str, tuple[dict[str, Any], Any]] = {
    "json_schema": (
        {"json_schema": json.dumps(SCHEMA)},
        lambda text: jsonschema.validate(json.loads(text), SCHEMA),
    ),
    "regex": ({"regex": "[a-c]{9,12}!"}, lambda text: _matches("[a-c]{9,12}!", text)),
    "repetitions": ({"regex": "a{9,12}"}, lambda text: _matches("a{9,12}", text)),
    "ebnf": (
        {"ebnf": 'root ::= "yes" | "no" tail\ntail ::= "" | "t"'},
        lambda text: _matches("yes|not?", text),
    ),
    "structural_tag": ({"structural_tag": json.dumps(TAG)}, lambda text: _matches("[ab]{2}", text)),
}
ALGORITHMS: dict[str, dict[str, Any]] = {
    "Gemma4Renoise": {"max_denoising_steps": 6},
    "LowConfidence": {"threshold": 0.4},
    "JointThreshold": {"threshold": 0.4},
    "JointThreshold vectorized": {"threshold": 0.4, "vectorized_decoding": True},
    "JointThreshold penalty": {"threshold": 0.4, "penalty_lambda": 200.0},
}


def _matches(pattern: str, text: str) -> None:
    assert re.fullmatch(pattern, text), text


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")


@pytest.fixture(scope="module", autouse=True)
def hooked() -> None:
    """SGLang finds the plugin by its entry point, as each of its processes does."""
    SGLANG.plugins.load_plugins()
    assert plugin.BACKEND in SGLANG.hook_registry.HookRegistry._patched


def config(name: str, *, fdfo: bool) -> Any:
    kind = name.split()[0]
    return SGLANG.DllmConfig(
        algorithm=kind,
        algorithm_config=ALGORITHMS[name],
        block_size=BLOCK,
        mask_id=MASK,
        max_running_requests=4,
        first_done_first_out_mode=fdfo,
        requires_separate_context_encoding=kind == "Gemma4Renoise",
        capture_input_preparation=kind == "Gemma4Renoise",
    )


@pytest.fixture
def manager(tokenizer: Path) -> Iterator[Any]:
    """SGLang's manager of grammars in a scheduler's surroundings; its backend is what the hook makes."""
    running = SimpleNamespace(
        dllm=SimpleNamespace(dllm_algorithm="Gemma4Renoise"),
        kernel=SimpleNamespace(grammar_backend="xgrammar"),
    )
    serving = SimpleNamespace(
        skip_tokenizer_init=False, constrained_json_disable_any_whitespace=True, reasoning_parser=None
    )
    group = SimpleNamespace(world_size=1, first_rank=0, is_first_rank=True)
    scheduler = SimpleNamespace(
        server_args=None,
        tokenizer=tokenizer,
        model_config=SimpleNamespace(
            vocab_size=HEAD, hf_eos_token_id={1}, think_end_ids=None, context_len=CONTEXT
        ),
        dp_tp_cpu_group=None,
        dp_tp_group=group,
        pp_group=None,
        dllm_config=config("Gemma4Renoise", fdfo=False),
    )
    with (
        patch.object(SGLANG.runtime_context, "get_exec", lambda: running),
        patch.object(SGLANG.runtime_context, "get_serving", lambda: serving),
        patch.object(SGLANG.grammar_manager, "get_serving", lambda: serving),
        patch.object(SGLANG.grammar_manager, "get_parallel", lambda: SimpleNamespace(pp_rank=0, pp_size=1)),
    ):
        yield SGLANG.grammar_manager.GrammarManager(scheduler)


def request(rid: str, *, tokens: int = 40, **parameters: Any) -> Ask:
    return Ask(rid, SGLANG.SamplingParams(max_new_tokens=tokens, **parameters))


def held(manager: Any, ask: Ask) -> Ask:
    """The request after SGLang's manager has compiled its grammar."""
    if manager.process_req_with_grammar(ask):
        begun = time.monotonic()
        while ask not in manager.get_ready_grammar_requests():
            assert time.monotonic() - begun < 60
    return ask


def answers(manager: Any, name: str, asks: list[Ask], *, fdfo: bool, poison: str | None = None) -> None:
    """Run these requests together."""
    manager.scheduler.dllm_config = config(name, fdfo=fdfo)
    torch.manual_seed(0)
    runner = Runner(HEAD, BLOCK)
    runner.poison = poison
    for ask in asks:
        held(manager, ask)
    end = next((one.grammar.constraint.vocabulary for one in asks if isinstance(one.grammar, Held)), None)
    stop = -1 if end is None or end.end is None else end.special[end.end]
    Loop(SGLANG.get_algorithm(manager.scheduler.dllm_config), runner, stop, name == "Gemma4Renoise").run(asks)


def text_of(ask: Ask) -> str:
    vocabulary = ask.grammar.constraint.vocabulary
    ids = list(ask.output_ids)
    return vocabulary.decode(ids[: ids.index(vocabulary.special[vocabulary.end])]).decode()


@pytest.mark.parametrize("fdfo", [False, True], ids=["together", "first done, first out"])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_answer_is_accepted_and_a_free_neighbour_is_stock(manager: Any, name: str, fdfo: bool) -> None:
    """All kinds of constraint and a free request in one batch, over several blocks; json_schema: jsonschema judges."""
    asks = [request(kind, **parameters) for kind, (parameters, _) in WAYS.items()]
    answers(manager, name, [*asks, request("free", tokens=16)], fdfo=fdfo)
    for ask in asks:
        assert ask.to_finish is None
        WAYS[ask.rid][1](text_of(ask))
    together = request("free", tokens=16)
    answers(manager, name, [request("regex", regex="[a-c]{9,12}!"), together], fdfo=fdfo)
    alone = request("free", tokens=16)
    answers(manager, name, [alone], fdfo=fdfo)
    assert list(together.output_ids)[:16] == list(alone.output_ids)[:16]


@pytest.mark.parametrize("name", ["Gemma4Renoise", "LowConfidence", "JointThreshold"])
def test_logits_that_are_no_numbers_end_their_request_alone(manager: Any, name: str) -> None:
    asks = [request("bad", regex="[a-c]{9,12}!"), request("good", regex="[a-c]{9,12}!")]
    answers(manager, name, asks, fdfo=False, poison="bad")
    assert asks[0].to_finish is not None
    _matches("[a-c]{9,12}!", text_of(asks[1]))


def test_what_cannot_be_enforced_is_refused_with_its_reason(manager: Any) -> None:
    """Before the batch: a schema that is none, a budget that is too small, a constraint that takes too long."""
    for expected, ask in {
        "colour": request("1", json_schema='{"type": "colour"}'),
        "JSON": request("2", json_schema="{"),
        "tokens": request("3", regex="[a-c]{30}", tokens=4),
        "structural": request("4", structural_tag="[]"),
    }.items():
        held(manager, ask)
        assert ask.refusal is not None, expected
        assert expected in ask.refusal, ask.refusal
        again = Ask(ask.rid, ask.sampling_params)
        assert held(manager, again).refusal == ask.refusal


@pytest.mark.parametrize("name", ["Gemma4Renoise", "LowConfidence", "JointThreshold"])
def test_fields_that_do_not_go_together_with_a_constraint_are_refused_by_name(
    manager: Any, name: str
) -> None:
    settings = config(name, fdfo=False)
    assert settings.validate_request(request("a", regex="a")) is None
    loud: dict[str, Any] = {
        "stop": ["x"],
        "stop_token_ids": {3},
        "ignore_eos": True,
        "min_p": 0.5,
        "beam_width": 2,
    }
    for field, value in loud.items():
        refusal = settings.validate_request(request("a", regex="a", **{field: value}))
        assert refusal is not None, field
        assert field in refusal
    both = settings.validate_request(request("a", regex="a", json_schema="{}"))
    assert both is not None
    assert "one constraint" in both


def test_requests_without_a_constraint_are_checked_by_sglang_alone() -> None:
    settings = config("Gemma4Renoise", fdfo=False)
    assert settings.validate_request(request("a", stop=["x"])) is None
    refusal = settings.validate_request(request("a", min_p=0.5))
    assert refusal is not None
    assert "renoise schedule" in refusal


def test_servers_of_other_models_keep_their_backend() -> None:
    running = SimpleNamespace(
        dllm=SimpleNamespace(dllm_algorithm=None), kernel=SimpleNamespace(grammar_backend="none")
    )
    serving = SimpleNamespace(enable_strict_thinking=False)
    with (
        patch.object(SGLANG.runtime_context, "get_exec", lambda: running),
        patch.object(SGLANG.base_grammar_backend, "get_exec", lambda: running),
        patch.object(SGLANG.base_grammar_backend, "get_serving", lambda: serving),
    ):
        assert SGLANG.base_grammar_backend.create_grammar_backend(None, None, 10) is None


def test_a_request_that_was_taken_back_goes_on_from_the_tokens_that_are_there(manager: Any) -> None:
    """SGLang may drop a block that is being written, or begin a request anew from what it has."""
    ask = held(manager, request("a", regex="[a-c]{9,12}!"))
    ask.output_ids.extend(_ids(ask, "abcabcab"))
    assert ask.grammar.block(BLOCK)[1] == BLOCK
    del ask.output_ids[4:]
    block, _ = ask.grammar.block(BLOCK)
    assert block is not None
    assert ask.grammar._read == _ids(ask, "abca")


def _ids(ask: Ask, text: str) -> list[int]:
    vocabulary = ask.grammar.constraint.vocabulary
    return [
        next(k for k in range(vocabulary.size) if vocabulary.written(k) == letter.encode()) for letter in text
    ]
