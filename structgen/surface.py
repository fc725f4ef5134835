"""How an option is spelled where the user stands, so that a message names a remedy that exists there.

The same refusal reaches someone who wrote Python, a command line, or a request to a server. Whoever takes the input in
says which it is; messages ask for the spelling and need not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Surface:
    """One way in.

    form: an option, as a format of its `name` and `value`; resource: how another document is given, a format of `uri`
    """

    form: str
    resource: str


PYTHON = Surface('{name}="{value}"', "resources={{{uri!r}: …}}")
COMMAND_LINE = Surface("--{name} {value}", "--resource FILE")
REQUEST = Surface(
    '"{name}": "{value}" in vllm_xargs.structgen', '"resources": {{"{uri}": …}} in vllm_xargs.structgen'
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


def option(name: str, value: str) -> str:
    """An option with its value: `order="any"` in Python, `--order any` on the command line."""
    return _current.get().form.format(name=name, value=value)


def resource(uri: str) -> str:
    """The option that gives the document of this identifier."""
    return _current.get().resource.format(uri=uri)
