"""The code that families of models share: finding transformers, the device, the chat template and the cache."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch

CACHE_SINCE_5_24, CACHE_BEFORE = "cache", "past_key_values"  # the argument's name by release of transformers
INSTALL = "pip install 'transformers>=5.17' accelerate"
MESSAGE = "{}"  # stands for the user's message in a chat template


def transformers_for(family: str) -> Any:
    """The transformers package; raises ImportError, which says how to install it, if it is absent."""
    try:
        import transformers  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ImportError(f"{family} needs transformers: {INSTALL}") from None
    return transformers


def chosen_device(device: str) -> str:
    """The given device; for "auto", the first GPU, or the CPU if there is none."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def chat_turn(tokenizer: Any, **options: Any) -> str:
    """One user turn and the start of the answer in the tokenizer's own chat template; {} stands for the message.

    options: variables of the template. Without a template only the tokenizer's first token precedes the message.
    """
    if tokenizer.chat_template is None:
        return (tokenizer.bos_token or "") + MESSAGE
    turn = [{"role": "user", "content": MESSAGE}]
    return tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True, **options)


def cache_argument(function: Callable[..., Any], cache: Any) -> dict[str, Any]:
    """The cache as a keyword argument, under the name that `function` uses."""
    known = inspect.signature(function).parameters
    return {CACHE_SINCE_5_24 if CACHE_SINCE_5_24 in known else CACHE_BEFORE: cache}


def cache_of(output: Any) -> Any:
    """The cache in a model's output."""
    return output[CACHE_SINCE_5_24] if CACHE_SINCE_5_24 in output else output[CACHE_BEFORE]
