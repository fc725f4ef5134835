"""Every field of the request classes of the vLLM that is installed, asked of its server beside a constraint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from real_vllm.fields import BODIES, CLASSES, NAMES, READ, SAID, fate
from real_vllm.wire import post, texts

AT_ONCE = 6
Found = tuple[str, bool, str]


def every_field(base: str, model: str) -> Iterator[Found]:
    """Label, whether it is as it should be, answer: for each class, then for each of its fields."""
    for path, name in CLASSES.items():
        module, _, kind = name.partition(":")
        installed = getattr(import_module(f"vllm.entrypoints.{module}"), kind).model_fields
        unknown = [one for one in installed if one not in NAMES[path].split()]
        yield f"{path}: its fields are known", not unknown, ", ".join(unknown) or f"{len(installed)} fields"
    asks = [(path, path, name) for path, names in NAMES.items() for name in names.split()]
    asks += [("/invocations", path, name) for path, _, name in asks if path in _INVOKED]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda ask: _asked(base, model, *ask), asks)


_INVOKED = ("/v1/chat/completions", "/v1/completions")


def _asked(base: str, model: str, path: str, kind: str, name: str) -> Found:
    end, more = fate(kind, name)
    status, answer = post(base, path, {"model": model, **BODIES[kind], **more})
    if end == "works":
        right = status == 200 and all(_chosen(text, name) for text in texts(answer))
    else:
        right = status in (400, 404) and SAID.get(name, name) in answer
    return f"{path} {name}, {end}", right, f"{status} {answer}"


def _chosen(text: str, name: str) -> bool:
    if name in READ and name != "structured_outputs":
        return _json(text) in ("red", "green") or text in ("red", "green")
    return text in ("red", "green")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
