"""The check of a reply's calls: what no automaton can decide about their arguments, and that no two calls are equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from structgen.grammar import Check, Detour, Grammar, alt, literal, seq, spelled_out

from ..json_schema.otherwise import JSON_AGAIN, Uniqueness, as_read
from ..json_schema.repeats import identity
from ..json_schema.spans import PathStep, Span, spans
from .forms import CallForm
from .forms.reading import Said

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
                return _repeated(text, span, value[: index + 1])
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


def _repeated(text: str, span: Span, calls: Sequence[Any]) -> Detour:
    """The detour of the last of these calls, which is equal to one before it: another call, or the end."""
    elements = span.elements[: len(calls)]
    spelled = [text[part.start : part.end] for part in elements]
    return Detour(len(text[: elements[-2].end].encode()), JSON_AGAIN.not_again(spelled, calls))


@dataclass(frozen=True, eq=False)
class FormCheck:
    """The same checks of calls in a form of a family of models.

    said: the calls in a text, found by the form's automaton; names, checks: of the tools, by number
    """

    form: CallForm
    said: Callable[[str], Sequence[Said]]
    names: Sequence[str]
    checks: Sequence[Check | None]
    distinct: bool = False

    @property
    def places(self) -> tuple[str, ...]:
        """Pointers into the schemas of the arguments."""
        inside = tuple(place for check in self.checks if check is not None for place in check.places)
        return (*inside, DISTINCT) if self.distinct else inside

    def __call__(self, text: str) -> Detour | None:
        """The required continuation of the text of calls, if some arguments fail their check or a call is repeated."""
        calls = [one for one in self.said(text) if one.tool >= 0]
        seen = set()
        for index, one in enumerate(calls):
            detour = self._inside(text, one, index)
            if detour is not None:
                return detour
            key = one.tool, identity(as_read(one.part.json))
            if self.distinct and key in seen:
                return self._again(text, calls[: index + 1])
            seen.add(key)
        return None

    def _inside(self, text: str, call: Said, index: int) -> Detour | None:
        """The detour that the arguments of a call ask for."""
        check, part = self.checks[call.tool], call.part
        if check is None:
            return None
        if part.is_json:
            detour = check(part.text)
            before = len(text[: part.start].encode())
            return detour and Detour(before + detour.at, detour.never, (index, *detour.place))
        assert isinstance(check, Uniqueness)
        detour = check.within(text, as_read(part.json), part.span, self.form.again)
        return detour and Detour(detour.at, detour.never, (index, *detour.place))

    def _again(self, text: str, calls: Sequence[Said]) -> Detour:
        """The detour of the last of these calls, which is equal to one before it."""
        again = [
            way
            for one in calls
            for way in (
                self.form.framed(self.names[one.tool], self.form.known(as_read(one.part.json))),
                literal(text[one.start : one.end]),
            )
        ]
        never = seq(self.form.between, alt(*again))
        spelled = spelled_out(Grammar(never, markup=self.form.markup), ()).start
        return Detour(len(text[: calls[-2].end].encode()), spelled)
