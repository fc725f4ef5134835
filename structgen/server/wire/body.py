"""Bodies of requests: unknown fields are refused by name, fields that change nothing are taken, others are refused."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from structgen.server.problems import Problem
from structgen.sources.json_schema.pointers import escape

WITHOUT = "leave it out"


class Body(BaseModel):
    """A part of a request that has the fields it names and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StructgenFields(Body):
    """What a request can ask of structgen alone, in its field `structgen`.

    details: the probability of every value, alternatives, spans in the document, and warnings
    verbatim_source: what verbatim values are copied from: the last user message, the message with this number, or the
        whole conversation
    canvas: whether a stream also shows the canvas after each step
    The others are the options of the Python API with the same names.
    """

    details: bool = False
    verbatim_source: Literal["last_user", "conversation"] | int = "last_user"
    canvas: bool = False
    partial: bool = False
    steps: int | None = Field(default=None, ge=1, le=10_000)
    max_tokens: int | None = Field(default=None, ge=1)
    whitespace: Literal["flexible", "compact"] = "flexible"
    additional: Literal["declared", "open"] = "declared"
    unknown: Literal["ignore", "annotations", "refuse"] = "ignore"
    order: Literal["declared", "any"] = "declared"
    resources: dict[str, Any] | None = None


@dataclass(frozen=True)
class Harmful:
    """A field that would change the answer in a way that this server does not have.

    why: the reason and what to do; harmless: the values that ask for nothing
    """

    why: str
    harmless: tuple[Any, ...] = ()

    def applies(self, value: Any) -> bool:
        """Whether the value asks for something."""
        same = any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in self.harmless)
        return value is not None and value not in ([], {}, "") and not same


class RequestBody(Body):
    """A request to a model: which one, and the fields that every endpoint takes and ignores."""

    HARMFUL: ClassVar[Mapping[str, Harmful]] = {}

    model: str | None = None

    def check(self) -> None:
        """Raise Problem for the first field that asks for what this server does not have."""
        for name, harmful in self.HARMFUL.items():
            if harmful.applies(getattr(self, name)):
                raise Problem(
                    f"{name} is not supported here: {harmful.why}",
                    param=f"/{name}",
                    code="unsupported_parameter",
                )


def pointer(place: Sequence[str | int], body: Any) -> str:
    """The JSON pointer of a place as pydantic names it, without the names of alternatives between its parts."""
    found = ""
    here: Any = body
    for at, part in enumerate(place):
        last = at + 1 == len(place)
        if _holds(here, part):
            here = here[part]
        elif not (last and isinstance(here, Mapping)):
            continue
        found += "/" + escape(str(part))
    return found


def _holds(value: Any, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, Mapping) and part in value


def misfit(errors: Sequence[Mapping[str, Any]], body: Any) -> Problem:
    """The problem of a body that pydantic refuses: the error that is deepest in it."""
    placed = [(pointer(_inside(error["loc"]), body), error) for error in errors]
    param, error = max(placed, key=lambda one: one[0].count("/"))
    name = param.rpartition("/")[2] or "body"
    kind, message = str(error["type"]), str(error["msg"])
    if kind == "json_invalid":
        return Problem("the body is not JSON", code="invalid_json")
    if kind == "extra_forbidden":
        return Problem(
            f"{name!r} is no field of this request{_near(name)}", param=param, code="unknown_parameter"
        )
    if kind == "missing":
        return Problem(f"{name!r} is missing", param=param, code="missing_required_parameter")
    said = message.removeprefix("Value error, ").removeprefix("Input ")
    said = said[:1].lower() + said[1:]
    return Problem(
        f"{name!r} {said}" if said.startswith("should") else f"{name!r}: {said}",
        param=param,
        code="invalid_value",
    )


def _inside(place: Sequence[str | int]) -> Sequence[str | int]:
    return place[1:] if place and place[0] == "body" else place


def _near(name: str) -> str:
    """A guess at what was meant."""
    known = [field for kind in RequestBody.__subclasses__() for field in kind.model_fields]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f"; did you mean {near[0]!r}?" if near else "; leave it out"
