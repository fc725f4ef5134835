"""The constraint of a request, in any spelling that clients use, and its form on the way to the engine.

OpenAI's API has `response_format` (and `text.format` of responses), vLLM has `structured_outputs`, and it passes
`vllm_xargs` to the engine uninterpreted. All of them become one `Asked`, which is written as a JSON text, because
`vllm_xargs` cannot hold nested values in any other form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import as_expr
from structgen.sources import Source, Terms, as_source
from structgen.sources.requested import JSON_KINDS, SOURCE_KINDS, requested
from structgen.sources.tools import Tools

KEY = "structgen"  # in vllm_xargs, which become the extra_args of vLLM's SamplingParams
CALLS = "calls"  # of tools, which no client spells as a constraint
TERMS = ("additional", "unknown", "order", "resources")
CANVAS_OPTIONS = (
    "diffusion_constrained",
    "diffusion_read_only",
    "diffusion_pinned",
)  # vLLM's own constraints on a canvas


class ThoughtMode(Enum):
    """The kinds of thought that may precede the text of an answer."""

    NONE = "none"
    SILENT = "silent"  # an empty thought, unless the chat template has put it into the prompt
    THINKING = "thinking"


@dataclass(frozen=True)
class Asked:
    """A constraint that is not compiled yet.

    kind: one of SOURCE_KINDS, or CALLS; value: the schema, pattern, strings, grammar or tag, or of calls `tools`,
        `tool_choice`, `parallel`, `form`, and in `answer` the options of another constraint that may stand instead
    compact: no white space in JSON
    terms: options of a JSON Schema by name, those of TERMS, as `JsonSchema` takes them
    """

    kind: str
    value: Any
    compact: bool = False
    preface: ThoughtMode = ThoughtMode.NONE
    terms: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Any, *, compact: bool = False, preface: ThoughtMode = ThoughtMode.NONE) -> Asked:
        """The constraint in the fields of vLLM's `structured_outputs`.

        Raises InvalidSource if they are not exactly one constraint, Unsupported if they ask for something else.
        """
        if not isinstance(options, Mapping):
            raise InvalidSource(f"structured_outputs is an object, not {options!r:.60}")
        given = {name: value for name, value in options.items() if value not in (None, False)}
        compact = bool(given.pop("disable_any_whitespace", compact))
        for name, remedy in _REFUSED.items():
            if name in given:
                raise Unsupported(f"{name} of structured_outputs is not enforced", remedy=remedy)
        terms = {name: given.pop(name) for name in TERMS if name in given}
        if len(given) != 1 or not given.keys() <= set(SOURCE_KINDS):
            names = ", ".join(sorted(map(str, given))) or "nothing"
            raise InvalidSource(
                f"structured_outputs holds one of {', '.join(SOURCE_KINDS)}; here it holds {names}"
            )
        ((kind, value),) = given.items()
        return cls(kind, value, compact, preface).under(terms)

    @classmethod
    def read(cls, text: Any) -> Asked:
        """The constraint in a text from `written` or from a client; raises InvalidSource if the text is not one."""
        try:
            options = dict(json.loads(text))
            preface = ThoughtMode(options.pop("preface", ThoughtMode.NONE.value))
        except (TypeError, ValueError, RecursionError):
            raise InvalidSource(f'{KEY} in vllm_xargs is a JSON text such as {{"regex": "[a-z]+"}}') from None
        if CALLS in options:
            return cls(CALLS, options[CALLS], preface=preface)
        return cls.of(options, preface=preface)

    def under(self, terms: Mapping[str, Any]) -> Asked:
        """The same with these options added; raises InvalidSource if it is not a JSON Schema."""
        if terms and self.kind not in JSON_KINDS:
            raise InvalidSource(
                f"{', '.join(terms)} is an option of JSON Schemas, and this is a {self.kind}: leave it out"
            )
        return replace(self, terms={**self.terms, **terms})

    def written(self) -> str:
        """One line of JSON, the same for equal constraints."""
        return json.dumps({**self.options(), "preface": self.preface.value}, sort_keys=True)

    def options(self) -> dict[str, Any]:
        """The constraint without its preface, in the fields of `structured_outputs`."""
        return {self.kind: self.value, "disable_any_whitespace": self.compact, **self.terms}

    def source(self, special: Mapping[str, int] | None = None) -> Source[Any]:
        """The source to compile; raises InvalidSource if the value has the wrong type.

        special: ids of the vocabulary's special tokens by name, which a structural tag may name
        """
        if self.kind == CALLS:
            return self._calls(special)
        terms = Terms("compact" if self.compact else "flexible", **self.terms)
        return requested(self.kind, self.value, terms, special or {})

    def _calls(self, special: Mapping[str, int] | None) -> Source[Any]:
        given = dict(self.value)
        answer, choice = given.get("answer"), given["tool_choice"]
        if answer is not None:
            choice = _required(choice)
        calls = Tools(given["tools"], choice, given["parallel"], form=given["form"])
        if answer is None:
            return calls
        return as_source(as_expr(calls) | as_expr(Asked.of(answer).source(special)))


def _required(choice: Any) -> Any:
    """The choice under which a tool must be called, of those that it allows."""
    if not isinstance(choice, Mapping) or choice.get("type") != "allowed_tools":
        return "required"
    inside = choice.get("allowed_tools", choice)
    return {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": inside["tools"]}}


_REFUSED = {
    "whitespace_pattern": "leave it out for any white space, or set disable_any_whitespace for none",
    "disable_additional_properties": "write additionalProperties: false into the schema",
}


GUIDED = {
    "guided_json": "json",
    "guided_json_object": "json_object",
    "guided_regex": "regex",
    "guided_choice": "choice",
    "guided_grammar": "grammar",
    "guided_whitespace_pattern": "whitespace_pattern",
}  # vLLM's names before `structured_outputs`, which it no longer reads


def taken(body: dict[str, Any], *, compact: bool = False) -> Asked | None:
    """Remove the constraint from a request's body and return it, None if there is none.

    Other fields and response formats of other kinds stay, for vLLM to answer.
    Raises InvalidSource or Unsupported, also if there is more than one constraint.
    """
    terms = _terms(body)
    found = [
        *_from_format(body, "response_format", body, compact),
        *_from_format(body.get("text"), "format", body, compact),
        *_from_format(body.get("output_config"), "format", body, compact),
        *_from_fields(body, compact),
        *_from_arguments(body),
    ]
    if len(found) > 1:
        raise InvalidSource(
            "the request asks for more than one constraint; give one of response_format, structured_outputs and "
            f"vllm_xargs.{KEY}"
        )
    if terms and not found:
        raise InvalidSource(
            f"vllm_xargs.{KEY} holds {', '.join(terms)}, but the request asks for no constraint"
        )
    return found[0].under(terms) if found else None


def placed(body: dict[str, Any], asked: Asked) -> None:
    """Put a constraint into the field where the engine finds it."""
    body["vllm_xargs"] = {**(body.get("vllm_xargs") or {}), KEY: asked.written()}


def _from_format(holder: Any, name: str, body: dict[str, Any], compact: bool) -> list[Asked]:
    """The constraints in `response_format` of chats and completions, `text.format` or `output_config.format`."""
    if not isinstance(holder, dict) or not isinstance(holder.get(name), dict):
        return []
    form = holder[name]
    if form.get("type") == "json_object":
        asked = Asked("json_object", True, compact)
    elif form.get("type") == "json_schema":
        inner = form if holder is not body else form.get("json_schema")
        if not isinstance(inner, dict) or inner.get("schema") is None:
            raise InvalidSource(f"{name} of type json_schema needs a schema")
        asked = Asked("json", inner["schema"], compact)
    elif form.get("type") == "structural_tag":
        asked = Asked("structural_tag", form, compact)
    else:
        return []
    del holder[name]
    return [asked]


def _from_fields(body: dict[str, Any], compact: bool) -> list[Asked]:
    options = body.pop("structured_outputs", None)
    guided = {new: body.pop(old) for old, new in GUIDED.items() if body.get(old) is not None}
    body.pop("guided_decoding_backend", None)
    return [Asked.of(one, compact=compact) for one in (options, guided or None) if one is not None]


def _terms(body: dict[str, Any]) -> dict[str, Any]:
    """Remove and return the options in `vllm_xargs` for a constraint that the request has elsewhere."""
    arguments = body.get("vllm_xargs")
    text = arguments.get(KEY) if isinstance(arguments, dict) else None
    try:
        terms = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}  # a malformed JSON text is rejected later, when the constraint is read
    if not isinstance(terms, dict) or not terms or not terms.keys() <= set(TERMS):
        return {}
    body["vllm_xargs"] = {name: value for name, value in body["vllm_xargs"].items() if name != KEY}
    return terms


def _from_arguments(body: dict[str, Any]) -> list[Asked]:
    arguments = body.get("vllm_xargs")
    if not isinstance(arguments, dict) or KEY not in arguments:
        return []
    body["vllm_xargs"] = {name: value for name, value in arguments.items() if name != KEY}
    return [Asked.read(arguments[KEY])]
