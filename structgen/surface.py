"""How an option is spelled where the user stands, so that a message names a remedy that exists there.

The same refusal reaches someone who wrote Python, a command line, or a request to a server. Whoever takes the input in
says which it is; messages ask for the spelling and need not know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Surface:
    """One way in.

    form: an option, as a format of its `name`, its `dashed` name, its `value` and that `quoted`
    resource: how the schema that a reference calls `uri` is given; limit: how more of a limit is asked for, if it is
    """

    form: str
    resource: str
    limit: str = ""


PYTHON = Surface("{name}={quoted}", "resources={{{uri!r}: …}}", "pass compile() a larger {name}=")
COMMAND_LINE = Surface("--{dashed} {value}", "--resource FILE with the schema {uri}")
REQUEST = Surface(
    '"{name}": {quoted} in vllm_xargs.structgen', '"resources": {{"{uri}": …}} in vllm_xargs.structgen'
)

_current: ContextVar[Surface] = ContextVar("surface", default=PYTHON)


@contextmanager
def standing_at(surface: Surface) -> Iterator[None]:
    """Spell options as this surface has them."""
    token = _current.set(surface)
    try:
        yield
    finally:
        _current.reset(token)


def option(name: str, value: object) -> str:
    """An option with its value: `order="any"` in Python, `--order any` on the command line."""
    return _current.get().form.format(
        name=name, dashed=name.replace("_", "-"), value=value, quoted=json.dumps(value)
    )


def resource(uri: str) -> str:
    """The option that gives the document of this identifier."""
    return _current.get().resource.format(uri=uri)


def simpler_or_larger(name: str) -> str:
    """What to do where a limit of compiling is used up."""
    limit = _current.get().limit
    return f"simplify it, or {limit.format(name=name)}" if limit else "simplify it"
