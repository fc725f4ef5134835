"""Every field of vLLM's request classes beside a constraint, and what becomes of it: it works, or it is refused.

The names are those of vLLM 0.32 and 0.33. A field that works has a value here that asks for something; the answer is
right beside it. What is refused is answered 400 with the field's name, by the plugin or by vLLM itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MESSAGES = [{"role": "user", "content": "Which colour?"}]
SCHEMA = {"enum": ["red", "green"]}
FORM = {"type": "json_schema", "schema": SCHEMA}
CLASSES = {
    "/v1/chat/completions": "openai.chat_completion.protocol:ChatCompletionRequest",
    "/v1/completions": "openai.completion.protocol:CompletionRequest",
    "/v1/responses": "openai.responses.protocol:ResponsesRequest",
    "/v1/messages": "anthropic.protocol:AnthropicMessagesRequest",
    "/v1/chat/completions/batch": "openai.chat_completion.protocol:BatchChatCompletionRequest",
}
BODIES: Mapping[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES, "max_tokens": 32},
    "/v1/completions": {"prompt": "The colour is ", "max_tokens": 32},
    "/v1/responses": {"input": "Which colour?", "max_output_tokens": 32},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 32},
    "/v1/chat/completions/batch": {"messages": [MESSAGES, MESSAGES], "max_tokens": 32},
}  # without a model and without a constraint

# Fields by class, one text each.
NAMES = {
    "/v1/chat/completions": """messages model frequency_penalty logit_bias logprobs top_logprobs max_tokens
        max_completion_tokens n presence_penalty response_format seed stop stream stream_options temperature top_p
        tools tool_choice reasoning_effort thinking_token_budget include_reasoning parallel_tool_calls user
        use_beam_search top_k min_p repetition_penalty watermarking length_penalty stop_token_ids
        include_stop_str_in_output ignore_eos min_tokens skip_special_tokens spaces_between_special_tokens
        truncate_prompt_tokens truncation_side prompt_logprobs logprob_token_ids allowed_token_ids bad_words echo
        add_generation_prompt continue_final_message add_special_tokens documents chat_template chat_template_kwargs
        media_io_kwargs mm_processor_kwargs structured_outputs priority request_id session_id
        return_tokens_as_token_ids return_token_ids return_weight_versions routed_experts_prompt_start
        return_token_offsets return_prompt_text mm_payload return_mm_kwargs cache_salt kv_transfer_params
        ec_transfer_params vllm_xargs repetition_detection stream_interval""",
    "/v1/completions": """model prompt echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed
        stop stream stream_options suffix temperature top_p user use_beam_search top_k min_p repetition_penalty
        watermarking length_penalty stop_token_ids include_stop_str_in_output ignore_eos min_tokens
        skip_special_tokens spaces_between_special_tokens truncate_prompt_tokens truncation_side allowed_token_ids
        prompt_logprobs logprob_token_ids bad_words prompt_embeds add_special_tokens response_format
        structured_outputs priority request_id session_id return_tokens_as_token_ids return_token_ids
        return_weight_versions routed_experts_prompt_start return_token_offsets mm_payload return_mm_kwargs
        cache_salt kv_transfer_params ec_transfer_params vllm_xargs repetition_detection thinking_token_budget
        stream_interval""",
    "/v1/responses": """background include input instructions max_output_tokens max_tool_calls metadata model
        logit_bias parallel_tool_calls previous_response_id prompt reasoning include_reasoning service_tier store
        stream temperature text tool_choice tools top_logprobs top_p top_k min_p truncation user skip_special_tokens
        spaces_between_special_tokens include_stop_str_in_output presence_penalty frequency_penalty prompt_cache_key
        prompt_cache_options prompt_cache_retention safety_identifier watermarking request_id session_id
        media_io_kwargs mm_processor_kwargs priority mm_payload return_mm_kwargs cache_salt
        enable_response_messages previous_input_messages structured_outputs repetition_penalty seed stop
        stop_token_ids ignore_eos vllm_xargs kv_transfer_params ec_transfer_params chat_template_kwargs""",
    "/v1/messages": """model messages max_tokens metadata output_config thinking stop_sequences stream system
        temperature tool_choice tools top_k top_p mm_payload return_mm_kwargs cache_salt watermarking
        kv_transfer_params ec_transfer_params vllm_xargs chat_template_kwargs""",
    "/v1/chat/completions/batch": """messages model frequency_penalty logit_bias logprobs top_logprobs
        logprob_token_ids max_tokens max_completion_tokens n presence_penalty response_format seed stop temperature
        top_p user tool_choice include_reasoning best_of use_beam_search top_k min_p repetition_penalty watermarking
        length_penalty early_stopping structured_outputs request_id add_generation_prompt continue_final_message
        chat_template chat_template_kwargs media_io_kwargs mm_processor_kwargs priority cache_salt
        include_stop_str_in_output guided_decoding_backend echo return_tokens_as_token_ids return_token_ids""",
}

# What the plugin refuses beside a constraint.
FORBIDDEN: Mapping[str, Any] = {
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
# What the plugin refuses with and without a constraint, because it ends vLLM's engine on this model.
FATAL: Mapping[str, Any] = {"prompt_logprobs": 1}
# What vLLM refuses on this model, or in this configuration of it; some of it at one endpoint only.
LEFT: Mapping[str, Any] = {
    "allowed_token_ids": [5],
    "background": True,
    "bad_words": ["red"],
    "chat_template": "{% for m in messages %}{{ m['content'] }}{% endfor %}",
    "logit_bias": {"5": 1.0},
    "media_io_kwargs": {"image": {}},
    "min_p": 0.1,
    "min_tokens": 2,
    "mm_processor_kwargs": {"a": 1},
    "prompt_embeds": "AA==",
    "seed": 1,
    "temperature": 0.5,
}
LEFT_AT: Mapping[tuple[str, str], Any] = {
    ("/v1/responses", "prompt"): {"id": "a"},
    ("/v1/responses", "previous_response_id"): "resp_none",  # 404
    ("/v1/chat/completions/batch", "n"): 2,
}
SAID: Mapping[str, str] = {
    "chat_template": "Chat template",
    "previous_response_id": "resp_none",
}  # by which vLLM names a field that it refuses otherwise
# What holds the constraint, and is read by the plugin: a request with it, where it is all that asks for one.
READ: Mapping[str, dict[str, Any]] = {
    "guided_decoding_backend": {"guided_decoding_backend": "xgrammar", "guided_choice": SCHEMA["enum"]},
    "output_config": {"output_config": {"format": FORM}},
    "parallel_tool_calls": {"parallel_tool_calls": False, "structured_outputs": {"json": SCHEMA}},
    "response_format": {"response_format": {"type": "json_schema", "json_schema": {"name": "it", **FORM}}},
    "structured_outputs": {"structured_outputs": {"regex": "red|green"}},
    "text": {"text": {"format": {"name": "it", **FORM}}},
    "tool_choice": {"tool_choice": "none", "structured_outputs": {"json": SCHEMA}},
    "tools": {
        "tools": [{"type": "function", "function": {"name": "seat"}}],
        "tool_choice": "none",
        "structured_outputs": {"json": SCHEMA},
    },
    "vllm_xargs": {"vllm_xargs": {"structgen": json.dumps({"json": SCHEMA})}},
}
_ANTHROPIC = {
    "tools": [{"name": "seat", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "none"},
    "structured_outputs": {"json": SCHEMA},
}
READ_AT: Mapping[tuple[str, str], dict[str, Any]] = {
    ("/v1/responses", "tools"): {
        "tools": [{"type": "function", "name": "seat", "parameters": {"type": "object"}}],
        "tool_choice": "none",
        "structured_outputs": {"json": SCHEMA},
    },
    ("/v1/messages", "tools"): _ANTHROPIC,
    ("/v1/messages", "tool_choice"): _ANTHROPIC,
}
# What works: neither which answers are allowed nor the answer's text depends on it.
WORKS: Mapping[str, Any] = {
    "add_special_tokens": True,
    "cache_salt": "salt",
    "chat_template_kwargs": {"enable_thinking": False},
    "documents": [{"title": "a", "text": "b"}],
    "ec_transfer_params": {"a": 1},
    "enable_response_messages": True,
    "include": ["reasoning.encrypted_content"],
    "include_reasoning": False,
    "input": "Red or green?",
    "instructions": "Be brief.",
    "kv_transfer_params": {"a": 1},
    "max_completion_tokens": 32,
    "max_output_tokens": 32,
    "max_tokens": 32,
    "max_tool_calls": 2,
    "messages": MESSAGES,
    "metadata": {"user_id": "a"},
    "mm_payload": "none",
    "model": "tiny",
    "n": 2,
    "previous_input_messages": [],
    "priority": 1,
    "prompt": "Red or ",
    "prompt_cache_key": "key",
    "prompt_cache_options": {"a": 1},
    "prompt_cache_retention": "24h",
    "reasoning": {"effort": "none"},
    "reasoning_effort": "none",
    "request_id": "one",
    "return_mm_kwargs": True,
    "return_prompt_text": True,
    "return_token_ids": True,
    "return_token_offsets": True,
    "return_tokens_as_token_ids": True,
    "return_weight_versions": True,
    "routed_experts_prompt_start": 1,
    "safety_identifier": "a",
    "service_tier": "auto",
    "session_id": "one",
    "spaces_between_special_tokens": False,
    "store": False,
    "stream": True,
    "stream_interval": 2,
    "stream_options": {"include_usage": True},
    "system": "Be brief.",
    "thinking": {"type": "disabled"},
    "truncate_prompt_tokens": 8,
    "truncation": "auto",
    "truncation_side": "left",
    "user": "someone",
}
BESIDE: Mapping[str, dict[str, Any]] = {
    "stream_options": {"stream": True}
}  # without which a field is refused


def fate(path: str, name: str) -> tuple[str, dict[str, Any]]:
    """What becomes of a field at an endpoint, and a request with it: "works", "refused" by us, or "left" to vLLM.

    Raises KeyError if the field is in no table.
    """
    constraint = {"structured_outputs": {"regex": "red|green"}}
    if name in READ:
        return "works", READ_AT.get((path, name), READ[name])
    if (path, name) in LEFT_AT or name in LEFT:
        return "left", {**constraint, name: LEFT_AT.get((path, name), LEFT.get(name))}
    if name in FORBIDDEN or name in FATAL:
        return "refused", {**constraint, name: {**FORBIDDEN, **FATAL}[name]}
    value = [MESSAGES] * 2 if name == "messages" and path.endswith("batch") else WORKS[name]
    return "works", {**constraint, **BESIDE.get(name, {}), name: value}
