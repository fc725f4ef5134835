"""What pydantic asks of metadata in an annotation, answered by sources and expressions alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar


class OfInstances:
    """A method that a class itself lacks, so that pydantic takes sources as metadata but no class of them as a type."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def __get__(self, instance: Any, owner: type) -> Callable[..., Any]:
        """The method of an instance."""
        if instance is None:
            raise AttributeError(f"{owner.__name__} is no type of values")
        return partial(self._method, instance)


class Annotates:
    """What may stand in the annotation of a string; `described` says how, and `sources.annotation` sets it."""

    described: ClassVar[Callable[[Any], Any]]

    @OfInstances
    def __get_pydantic_core_schema__(self, kind: Any, handler: Any) -> Any:
        return Annotates.described(self).core_schema(kind, handler)

    @OfInstances
    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return Annotates.described(self).json_schema(schema, handler)
