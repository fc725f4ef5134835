"""JSON pointers (RFC 6901): the steps of a path, each escaped behind a slash."""

from __future__ import annotations


def escape(step: str) -> str:
    """A member's name as one step of a JSON pointer."""
    return step.replace("~", "~0").replace("/", "~1")


def steps(pointer: str) -> list[str]:
    """The names and indexes that a JSON pointer leads through."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
