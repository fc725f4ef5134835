"""The fields of a format in a structural tag, read with errors that say where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from structgen.errors import InvalidSource, Unsupported


@dataclass(frozen=True)
class FormatPlace:
    """A format in the tag, with its pointer."""

    value: Mapping[str, Any]
    pointer: str

    def wrong(self, what: str, name: str | None = None) -> InvalidSource:
        """The error that this format, or its field `name`, is malformed."""
        return InvalidSource(what, pointer=self.pointer if name is None else f"{self.pointer}/{name}")

    def unsupported(self, what: str, remedy: str, name: str) -> Unsupported:
        """The error that its field `name` cannot be enforced."""
        return Unsupported(what, keyword=name, pointer=f"{self.pointer}/{name}", remedy=remedy)

    def text(self, name: str, *, empty: bool = True) -> str:
        """A field that is a string."""
        value = self.value.get(name)
        if not isinstance(value, str) or not (value or empty):
            raise self.wrong(
                f"{name} must be a {'' if empty else 'non-empty '}string, not {value!r:.40}", name
            )
        self.check_whole(value, name)
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A field that is true or false; `default` if it is absent."""
        value = self.value.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(f"{name} must be a boolean, not {value!r:.40}", name)
        return value

    def listed(self, name: str, kinds: tuple[type, ...], *, least: int = 0) -> list[Any]:
        """A field that is an array of such values; empty if it is absent and may be."""
        value: Any = self.value.get(name) if least else self.value.get(name) or []
        fits = isinstance(value, list | tuple) and all(
            isinstance(one, kinds) and not isinstance(one, bool) for one in value
        )
        if not fits or len(value) < least:
            raise self.wrong(
                f"{name} must be {'a non-empty' if least else 'an'} array, not {value!r:.40}", name
            )
        return list(value)

    def strings(self, name: str, *, least: int = 0) -> list[str]:
        """A field that is an array of non-empty strings."""
        found = self.listed(name, (str,), least=least)
        if "" in found:
            raise self.wrong(f"{name} must hold non-empty strings", name)
        self.check_whole("".join(found), name)
        return found

    def check_whole(self, text: str, name: str) -> None:
        """Refuse a text with half of a surrogate pair."""
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.wrong(f"{name} has half of a surrogate pair, which is no character", name) from None

    def count(self, name: str, default: int | None = None) -> int | None:
        """A field that is a number; `default` if it is absent."""
        value = self.value.get(name, default)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self.wrong(f"{name} must be an integer, not {value!r:.40}", name)
        return value
