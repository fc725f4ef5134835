"""Bodies of requests: unknown fields are refused by name, fields that change nothing are taken, others are refused."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from structgen.server.problems import HALF, Problem, quoted
from structgen.sources.json_schema.pointers import escape, steps

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

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The JSON Schema of the body, with what is refused as such."""
        found = handler(core)
        properties = handler.resolve_ref_schema(found)["properties"]
        for name, harmful in cls.HARMFUL.items():
            properties[name] = {
                "enum": [None, *harmful.harmless],
                "description": f"not supported: {harmful.why}",
            }
        return found

    def check(self) -> None:
        """Raise Problem for the first field that asks for what this server does not have, or that is no UTF-8 text."""
        refuse_halves(self)
        for name, harmful in self.HARMFUL.items():
            if harmful.applies(getattr(self, name)):
                raise Problem(
                    f"{name} is not supported here: {harmful.why}",
                    param=f"/{name}",
                    code="unsupported_parameter",
                )


def refuse_halves(body: Any, at: str = "") -> None:
    """Raise Problem for the first text in a body that holds half a surrogate pair."""
    waiting = [(at, body)]
    while waiting:  # no recursion: a body may be nested as deeply as JSON can be read
        at, value = waiting.pop()
        if isinstance(value, str):
            if not value.isascii() and HALF.search(value):
                raise Problem(
                    "this text contains half of a surrogate pair, which UTF-8 cannot encode", param=at
                )
        elif isinstance(value, list):
            waiting += [(f"{at}/{index}", part) for index, part in enumerate(value)][::-1]
        elif isinstance(value, BaseModel | Mapping):
            members = value if isinstance(value, Mapping) else {**vars(value), **(value.model_extra or {})}
            for name, part in reversed(list(members.items())):
                inside = f"{at}/{escape(name)}"
                waiting += [(inside, part), (inside, name)]


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
    kind = str(error["type"])
    if kind == "json_invalid":
        return Problem("the body is not JSON", code="invalid_json")
    if kind == "string_unicode":
        return Problem(
            "the body contains half of a surrogate pair, which UTF-8 cannot encode", code="invalid_json"
        )
    if not param:
        return Problem(_no_object(body), code="invalid_json")
    name = _name(param, body)
    if kind == "extra_forbidden":
        near = _near(param.rpartition("/")[2])
        return Problem(f"{name} is not a field of this request{near}", param=param, code="unknown_parameter")
    if kind == "missing":
        return Problem(f"{name} is missing", param=param, code="missing_required_parameter")
    if kind.startswith("union_tag"):
        found = error.get("ctx", {})
        said = f"the type of {name} is missing"
        if "tag" in found:
            said = f"the type of {name} is one of {found['expected_tags']}, not {quoted(str(found['tag']))}"
        return Problem(said, param=f"{param}/type", code="invalid_value")
    said = " or ".join(dict.fromkeys(_said(other) for place, other in placed if place == param))
    said = said.replace(" or should be ", " or ")
    return Problem(
        f"{name} {said}" if said.startswith("should") else f"{name}: {said}",
        param=param,
        code="invalid_value",
    )


def _said(error: Mapping[str, Any]) -> str:
    """What pydantic says, in plain words that continue a sentence."""
    said = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    for technical, plain in IN_WORDS.items():
        said = said.replace(technical, plain)
    return said[:1].lower() + said[1:]


def _name(param: str, body: Any) -> str:
    """How a message calls the place of a pointer: by the name of a field, or as an item of one."""
    *holders, last = steps(param)
    here = body
    for step in holders:
        here = here[int(step)] if isinstance(here, list) else here[step]
    return f"item {last} of {quoted(holders[-1])}" if isinstance(here, list) else quoted(last)


# pydantic's words for the types of JSON
IN_WORDS = {
    "a valid dictionary or object to extract fields from": "an object",
    "a valid dictionary": "an object",
    "a valid list": "an array",
    "a valid boolean": "true or false",
    "a valid integer": "an integer",
    "a valid string": "a string",
    "a valid number": "a number",
    "List should have": "should have",
    "Dictionary should have": "should have",
    " after validation": "",
}


def _no_object(body: Any) -> str:
    """What is wrong with a body that is no object."""
    if body is None or body == b"":
        return "the body is empty: send a JSON object"
    if isinstance(body, bytes):
        return "the body is not marked as JSON: send it with content-type: application/json"
    return "the body has to be a JSON object"


def _inside(place: Sequence[str | int]) -> Sequence[str | int]:
    return place[1:] if place and place[0] == "body" else place


def _near(name: str) -> str:
    """A guess at what was meant."""
    known = [field for kind in RequestBody.__subclasses__() for field in kind.model_fields]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f"; did you mean {near[0]!r}?" if near else "; leave it out"
