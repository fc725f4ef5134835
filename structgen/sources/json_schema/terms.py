"""The options of JSON sources as one value, which is the same for schemas, classes and tools on every surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from structgen.errors import InvalidSource

from .keywords import Unknown
from .read import Rules
from .style import Order, Style, Whitespace

Additional = Literal["declared", "open"]
Schema = Mapping[str, Any] | bool
Resources = Mapping[str, Schema]  # by the URIs that references name

_ALLOWED = {"whitespace": Whitespace, "additional": Additional, "unknown": Unknown, "order": Order}


@dataclass(frozen=True, eq=False)
class Terms:
    """The options for how JSON is read and written if a source does not define it; JsonSchema documents each option."""

    whitespace: Whitespace = "flexible"
    additional: Additional = "declared"
    unknown: Unknown = "ignore"
    resources: Resources = field(default_factory=dict)
    order: Order = "declared"

    def __post_init__(self) -> None:
        for name, kind in _ALLOWED.items():
            _check_choice(name, getattr(self, name), get_args(kind))
        if not isinstance(self.resources, Mapping):
            raise InvalidSource(
                f"resources maps identifiers to schemas, as in {{'other.json': {{…}}}}; it cannot be "
                f"{type(self.resources).__name__}"
            )
        for uri, schema in self.resources.items():
            if not isinstance(uri, str) or not isinstance(schema, dict | bool):
                raise InvalidSource(
                    f"resources maps identifiers to schemas, and a schema is an object, true or false; {uri!r:.40} "
                    f"is mapped to {type(schema).__name__}"
                )

    @property
    def style(self) -> Style:
        """The style in which JSON is written."""
        return Style(self.whitespace, self.order)

    def rules(self, base: Rules) -> Rules:
        """The rules for a reader of schemas, with formats and patterns from `base`."""
        return replace(base, unknown=self.unknown, resources=self.resources)


def _check_choice(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        *others, last = map(repr, allowed)
        raise InvalidSource(f"{name} is {', '.join(others)} or {last}, not {value!r:.60}")
