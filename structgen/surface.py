"""How an option is spelled on the surface that the user used, so that a message names a remedy that exists there.

The same refusal can reach someone who wrote Python, a command line, or a request to a server. The code that takes the
input declares its surface with `standing_at`; messages call `option` and need not know where they will be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Surface:
    """A surface is one way for a user to reach structgen, with its spelling of options.

    form: format string of an option, with the fields `name`, `dashed` (the name with hyphens), `value` and `quoted`
    flag: the same of an option that is switched on
    resource: format string of the option that supplies the schema with the identifier `uri`
    limit: format string of the advice to raise the limit `name`; empty where the user cannot raise it
    budget: format string of the option `max_tokens`, where it is spelled unlike the others
    """

    form: str
    flag: str
    resource: str
    limit: str = ""
    budget: str = ""


PYTHON = Surface(
    "{name}={quoted}", "{name}=True", "resources={{{uri!r}: …}}", "pass compile() a larger {name}="
)
COMMAND_LINE = Surface("--{dashed} {value}", "--{dashed}", "--resource FILE with the schema {uri}")
REQUEST = Surface(
    '"{name}": {quoted} in vllm_xargs.structgen',
    '"{name}": true in vllm_xargs.structgen',
    '"resources": {{"{uri}": …}} in vllm_xargs.structgen',
)
SERVER = Surface(
    '"{name}": {quoted} in "structgen"',
    '"{name}": true in "structgen"',
    '"resources": {{"{uri}": …}} in "structgen"',
)

_current: ContextVar[Surface] = ContextVar("surface", default=PYTHON)


@contextmanager
def standing_at(surface: Surface) -> Iterator[None]:
    """Spell options as this surface does, for the duration of the context."""
    token = _current.set(surface)
    try:
        yield
    finally:
        _current.reset(token)


def option(name: str, value: object) -> str:
    """An option with its value: `order="any"` in Python, `--order any` on the command line."""
    surface = _current.get()
    form = surface.budget if surface.budget and name == "max_tokens" else surface.form
    return form.format(name=name, dashed=name.replace("_", "-"), value=value, quoted=json.dumps(value))


def flag(name: str) -> str:
    """An option that is switched on: `partial=True` in Python, `--partial` on the command line."""
    return _current.get().flag.format(name=name, dashed=name.replace("_", "-"))


def resource(uri: str) -> str:
    """The option that supplies the schema with this identifier."""
    return _current.get().resource.format(uri=uri)


def simpler_or_larger(name: str) -> str:
    """The remedy when compilation has used up the limit `name`."""
    limit = _current.get().limit
    return f"simplify it, or {limit.format(name=name)}" if limit else "simplify it"
