"""The check of a reply's calls: what no automaton can decide about their arguments, and that no two calls are equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from structgen.grammar import Check, Detour

from ..json_schema.otherwise import as_read, not_again
from ..json_schema.repeats import identity
from ..json_schema.spans import PathStep, Span, spans

DISTINCT = "/distinct"  # stands for the option among the places that are checked


@dataclass(frozen=True, eq=False)
class CallsCheck:
    """The checks of the tools' arguments by tool name, applied to the texts of calls; distinct: of the calls too."""

    checks: Mapping[str, Check]
    distinct: bool = False

    @property
    def places(self) -> tuple[str, ...]:
        """Pointers into the schemas of the arguments."""
        inside = tuple(place for check in self.checks.values() for place in check.places)
        return (*inside, DISTINCT) if self.distinct else inside

    def __call__(self, text: str) -> Detour | None:
        """The required continuation of the text of calls, if some arguments fail their check or a call is repeated."""
        value, span = as_read(text), spans(text)
        several = isinstance(value, list)
        seen = set()
        for index, one in enumerate(value if several else [value]):
            path: tuple[PathStep, ...] = (index,) if several else ()
            detour = self._inside(text, one, span, path)
            if detour is not None:
                return detour
            key = identity(one)
            if self.distinct and key in seen:
                return _repeated(text, span, index)
            seen.add(key)
        return None

    def _inside(
        self, text: str, call: Mapping[str, object], span: Span, path: tuple[PathStep, ...]
    ) -> Detour | None:
        """The detour that the arguments of a call ask for."""
        check = self.checks.get(str(call.get("name", "")))
        if check is None:
            return None
        part = span.at((*path, "arguments"))
        detour = check(text[part.start : part.end])
        if detour is None:
            return None
        before = len(text[: part.start].encode())
        return Detour(before + detour.at, detour.never, (*path, "arguments", *detour.place))


def _repeated(text: str, span: Span, index: int) -> Detour:
    """The detour of a call that is equal to one before it: another call, or the end."""
    elements = span.elements
    spelled = [text[part.start : part.end] for part in elements[: index + 1]]
    return Detour(len(text[: elements[index - 1].end].encode()), not_again(spelled))
