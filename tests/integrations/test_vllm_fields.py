"""Every field of vLLM's request classes beside a constraint: it works, or the request is refused with its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integrations.test_vllm import SCHEMA, Served
from structgen.integrations.vllm.asked import GUIDED, KEY, Asked, ThoughtMode
from structgen.integrations.vllm.fields import BREAKING, Endpoint
from tiny_gemma import small_tokenizer

# the fields of the request classes of vLLM 0.32, from its source
CHAT = """messages model frequency_penalty logit_bias logprobs top_logprobs max_tokens max_completion_tokens n
    presence_penalty response_format seed stop stream stream_options temperature top_p tools tool_choice
    reasoning_effort thinking_token_budget include_reasoning parallel_tool_calls user use_beam_search top_k min_p
    repetition_penalty watermarking length_penalty stop_token_ids include_stop_str_in_output ignore_eos min_tokens
    skip_special_tokens spaces_between_special_tokens truncate_prompt_tokens truncation_side prompt_logprobs
    logprob_token_ids allowed_token_ids bad_words echo add_generation_prompt continue_final_message
    add_special_tokens documents chat_template chat_template_kwargs media_io_kwargs mm_processor_kwargs
    structured_outputs priority request_id session_id return_tokens_as_token_ids return_token_ids
    routed_experts_prompt_start return_token_offsets return_prompt_text mm_payload return_mm_kwargs cache_salt
    kv_transfer_params ec_transfer_params vllm_xargs repetition_detection stream_interval"""
COMPLETION = """model prompt echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed stop stream
    stream_options suffix temperature top_p user use_beam_search top_k min_p repetition_penalty watermarking
    length_penalty stop_token_ids include_stop_str_in_output ignore_eos min_tokens skip_special_tokens
    spaces_between_special_tokens truncate_prompt_tokens truncation_side allowed_token_ids prompt_logprobs
    logprob_token_ids bad_words prompt_embeds add_special_tokens response_format structured_outputs priority
    request_id session_id return_tokens_as_token_ids return_token_ids routed_experts_prompt_start
    return_token_offsets mm_payload return_mm_kwargs cache_salt kv_transfer_params ec_transfer_params vllm_xargs
    repetition_detection thinking_token_budget stream_interval"""
RESPONSES = """background include input instructions max_output_tokens max_tool_calls metadata model logit_bias
    parallel_tool_calls previous_response_id prompt reasoning include_reasoning service_tier store stream
    temperature text tool_choice tools top_logprobs top_p top_k min_p truncation user skip_special_tokens
    include_stop_str_in_output presence_penalty frequency_penalty prompt_cache_key watermarking request_id
    session_id media_io_kwargs mm_processor_kwargs priority mm_payload return_mm_kwargs cache_salt
    enable_response_messages previous_input_messages structured_outputs repetition_penalty seed stop
    stop_token_ids ignore_eos vllm_xargs kv_transfer_params ec_transfer_params chat_template_kwargs"""
MESSAGES = """model messages max_tokens metadata output_config thinking stop_sequences stream system temperature
    tool_choice tools top_k top_p mm_payload return_mm_kwargs cache_salt watermarking kv_transfer_params
    ec_transfer_params vllm_xargs chat_template_kwargs"""
BATCH = """messages model frequency_penalty logit_bias logprobs top_logprobs logprob_token_ids max_tokens
    max_completion_tokens n presence_penalty response_format seed stop temperature top_p user tool_choice
    include_reasoning best_of use_beam_search top_k min_p repetition_penalty watermarking length_penalty
    early_stopping structured_outputs request_id add_generation_prompt continue_final_message chat_template
    chat_template_kwargs media_io_kwargs mm_processor_kwargs priority cache_salt include_stop_str_in_output
    guided_decoding_backend echo return_tokens_as_token_ids return_token_ids"""

# passed on to vLLM, which may refuse them itself: they change neither which texts are allowed nor the answer's text
KEPT = """add_special_tokens background bad_words allowed_token_ids cache_salt chat_template chat_template_kwargs
    documents ec_transfer_params enable_response_messages include include_reasoning input instructions
    kv_transfer_params logit_bias max_completion_tokens max_output_tokens max_tokens max_tool_calls media_io_kwargs
    messages metadata min_p min_tokens mm_payload mm_processor_kwargs model n previous_input_messages
    previous_response_id priority prompt prompt_cache_key prompt_embeds prompt_logprobs reasoning reasoning_effort
    request_id return_mm_kwargs return_prompt_text return_token_ids return_token_offsets return_tokens_as_token_ids
    routed_experts_prompt_start seed service_tier session_id spaces_between_special_tokens store stream
    stream_interval stream_options system temperature thinking truncate_prompt_tokens truncation truncation_side
    user"""
READ = """guided_decoding_backend output_config parallel_tool_calls response_format structured_outputs text
    tool_choice tools vllm_xargs"""

ASKED = {"structured_outputs": {"json": SCHEMA}, "max_tokens": 64}
FORBIDDEN = {
    "stop": [":"],
    "stop_sequences": ["\n"],
    "stop_token_ids": [106],
    "ignore_eos": True,
    "include_stop_str_in_output": True,
    "skip_special_tokens": False,
    "echo": True,
    "suffix": "}",
    "add_generation_prompt": False,
    "continue_final_message": True,
    "use_beam_search": True,
    "best_of": 3,
    "length_penalty": 0.5,
    "early_stopping": True,
    "frequency_penalty": 0.1,
    "presence_penalty": -1,
    "repetition_penalty": 1.1,
    "repetition_detection": {"max_pattern_size": 3},
    "top_p": 0.9,
    "top_k": 40,
    "logprobs": True,
    "top_logprobs": 3,
    "logprob_token_ids": [1],
    "thinking_token_budget": 100,
    "watermarking": True,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Served:
    path: Path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    return Served(small_tokenizer(path))


def test_every_field_of_the_request_classes_has_one_fate():
    fates = [set(KEPT.split()), set(READ.split()), set(BREAKING)]
    for names in (CHAT, COMPLETION, RESPONSES, MESSAGES, BATCH):
        for name in names.split():
            assert sum(name in fate for fate in fates) == 1, name


@pytest.mark.parametrize("name", sorted(BREAKING))
def test_a_field_that_would_break_the_answer_is_refused_by_name(server: Served, name: str):
    status, answer = server.post({**ASKED, name: FORBIDDEN[name]})
    error = json.loads(answer)["error"]
    assert status == error["code"] == 400
    assert error["param"] == f"/{name}"
    assert error["message"].startswith(f"{name} beside a constraint: ")
    assert server.post({name: FORBIDDEN[name]})[0] == 200  # without a constraint it is vLLM's affair


@pytest.mark.parametrize("name", sorted(BREAKING))
def test_values_that_ask_for_nothing_are_passed_on(server: Served, name: str):
    for value in (None, *BREAKING[name].harmless):
        assert server.post({**ASKED, name: value})[0] == 200
        assert json.loads(server.bodies[-1])[name] == value


def test_logprobs_of_completions_are_a_number(server: Served):
    assert server.post({**ASKED, "logprobs": 0}, "/v1/completions")[0] == 400


@pytest.mark.parametrize("name", sorted(GUIDED))
def test_the_older_names_of_structured_outputs_are_read(server: Served, name: str):
    given: dict[str, Any] = {
        "guided_json": SCHEMA,
        "guided_json_object": True,
        "guided_regex": "[ab]+",
        "guided_choice": ["a", "b"],
        "guided_grammar": 'root ::= "a"',
        "guided_whitespace_pattern": " ?",
    }
    status, answer = server.post({name: given[name], "guided_decoding_backend": "xgrammar", "max_tokens": 64})
    if name == "guided_whitespace_pattern":
        assert status == 400
        assert b"whitespace_pattern" in answer
        return
    body = json.loads(server.bodies[-1])
    asked = Asked.read(body["vllm_xargs"][KEY])
    assert (asked.kind, asked.value) == (GUIDED[name], given[name])
    assert not body.keys() & {name, "guided_decoding_backend"}


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_each_endpoint_takes_a_schema_or_says_that_it_does_not(server: Served, endpoint: Endpoint):
    form = {"type": "json_schema", "schema": SCHEMA}
    body: dict[str, Any] = {
        Endpoint.RESPONSES: {"text": {"format": {"name": "it", **form}}},
        Endpoint.MESSAGES: {"output_config": {"format": form}, "messages": []},
    }.get(
        endpoint,
        {"response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": SCHEMA}}},
    )
    status, answer = server.post({**body, "max_tokens": 64}, endpoint.value)
    if endpoint is Endpoint.BATCH:
        assert status == 400
        assert b"use /v1/chat/completions" in answer
        return
    assert status == 200
    assert Asked.read(json.loads(server.bodies[-1])["vllm_xargs"][KEY]).value == SCHEMA


def test_invocations_are_read_as_what_they_hold(server: Served):
    for holding, preface in (
        ({"messages": []}, ThoughtMode.SILENT),
        ({"prompt": "It is "}, ThoughtMode.NONE),
    ):
        assert server.post({**ASKED, **holding}, "/invocations")[0] == 200
        assert Asked.read(json.loads(server.bodies[-1])["vllm_xargs"][KEY]).preface is preface
    body = {"input": "an embedding", "encoding_format": "float"}
    assert server.post(body, "/invocations")[0] == 200
    assert json.loads(server.bodies[-1]) == body


@pytest.mark.parametrize(
    ("body", "mode"),
    [
        ({}, ThoughtMode.SILENT),
        ({"reasoning_effort": "low"}, ThoughtMode.THINKING),
        ({"reasoning_effort": "none"}, ThoughtMode.SILENT),
        ({"reasoning": {"effort": "high"}}, ThoughtMode.THINKING),
        ({"output_config": {"effort": "max"}}, ThoughtMode.THINKING),
        ({"thinking": {"type": "disabled"}}, ThoughtMode.SILENT),
        (
            {"reasoning_effort": "high", "chat_template_kwargs": {"enable_thinking": False}},
            ThoughtMode.SILENT,
        ),
    ],
)
def test_a_thought_precedes_the_answer_where_the_prompt_asks_for_one(
    server: Served, body: dict[str, Any], mode: ThoughtMode
):
    """As vLLM makes the prompt: an effort turns thinking on in the chat template."""
    assert server.post({**ASKED, **body})[0] == 200
    assert Asked.read(json.loads(server.bodies[-1])["vllm_xargs"][KEY]).preface is mode


def test_a_budget_for_thoughts_is_refused(server: Served):
    status, answer = server.post(
        {**ASKED, "thinking": {"type": "enabled", "budget_tokens": 1024}}, "/v1/messages"
    )
    assert (status, b"/thinking" in answer) == (400, True)
