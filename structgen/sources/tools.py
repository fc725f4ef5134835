"""Tools as a source: calls as JSON `{"name": …, "arguments": {…}}`, and their reading.

A tool is a Python function, a class that pydantic reads, or a dict in the form of OpenAI's API. The arguments of each
tool are a separate source: pydantic checks those of a function, and the JSON Schema those of a dict. A reply is one of

    {"name": "book", "arguments": {…}}      one call; with several tools, one of them
    [{"name": …}, …]                        with `parallel`: 1 to 8 calls
    {"answer": "…"}                         if the choice is "auto" or "none": a reply in words
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from reprlib import Repr
from typing import Any, overload

from structgen.errors import InvalidOption, InvalidSource, Rejected
from structgen.grammar import (
    NOTHING,
    SLACK,
    Alt,
    And,
    Check,
    Detour,
    Expr,
    Grammar,
    Not,
    Ref,
    Repeat,
    Seq,
    alt,
    both,
    complement,
    literal,
    ref,
    repeat,
    separated,
    seq,
)
from structgen.surface import option

from .canonical import canonical
from .json_schema import JsonSchema, Terms
from .json_schema.spans import spans
from .json_schema.style import Style
from .outline import Field, Outline
from .reading import json_value
from .tool import Tool, as_tool

MOST_CALLS = 8
CHOICES = ("auto", "required", "none")
ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}
ANSWER_OUTLINE = Outline.of_fields([Field("answer", Outline("string"))])
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_VALUES = frozenset({"const", "enum", "default", "example", "examples"})

SHORT = Repr()  # shortens values to fit a line of a notebook
SHORT.maxother = SHORT.maxstring = 80


@dataclass(frozen=True)
class Call:
    """One call of a tool.

    arguments: a dict by name for a function or a dict, the validated object for a class; arguments that the model
        omitted are absent
    """

    name: str
    arguments: Any
    tool: Tool

    def __repr__(self) -> str:
        """The call as Python code."""
        given = self.arguments
        if not isinstance(given, Mapping):
            return f"{self.name}({SHORT.repr(given)})"
        return f"{self.name}({', '.join(f'{name}={SHORT.repr(value)}' for name, value in given.items())})"

    def run(self) -> Any:
        """The function's result for these arguments. Raises InvalidOption if the tool is not a function."""
        return self.tool.run(self.arguments)


@dataclass(frozen=True)
class Reply(Sequence[Call]):
    """A model's reply: its calls in order, or no calls and an answer in words."""

    calls: tuple[Call, ...] = ()
    answer: str | None = None

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Call]: ...
    def __getitem__(self, index: int | slice) -> Call | Sequence[Call]:
        return self.calls[index]

    def __len__(self) -> int:
        return len(self.calls)

    def __repr__(self) -> str:
        said = [] if self.answer is None else [f"answer={SHORT.repr(self.answer)}"]
        return f"Reply({', '.join([*map(repr, self.calls), *said])})"


@dataclass(frozen=True, eq=False)
class ArgumentsCheck:
    """The checks of the tools' arguments by tool name, applied to the texts of calls."""

    checks: Mapping[str, Check]

    @property
    def places(self) -> tuple[str, ...]:
        """Pointers into the schemas of the arguments."""
        return tuple(place for check in self.checks.values() for place in check.places)

    def __call__(self, text: str) -> Detour | None:
        """The required continuation of the text of calls if the arguments of a call fail their check."""
        value, span = json.loads(text), spans(text)
        calls = [((), value)] if isinstance(value, dict) else [((i,), one) for i, one in enumerate(value)]
        for path, one in calls:
            check = self.checks.get(one.get("name", ""))
            if check is None:
                continue
            part = span.at((*path, "arguments"))
            detour = check(text[part.start : part.end])
            if detour is not None:
                before = len(text[: part.start].encode())
                return Detour(before + detour.at, detour.never, (*path, "arguments", *detour.place))
        return None


@dataclass(frozen=True, eq=False)
class ToolCalls:
    """A source of JSON text that calls tools or answers in words; parsing returns a Reply.

    choice: "auto" calls or answers, "required" calls, "none" answers, the name of a tool calls it
    parallel: an array of 1 to 8 calls instead of a single one; terms: the options of the tools' arguments
    """

    tools: Sequence[Any]
    choice: str = "auto"
    parallel: bool = False
    terms: Terms = field(default_factory=Terms)

    def __post_init__(self) -> None:
        if isinstance(self.tools, str | Mapping) or not isinstance(self.tools, Sequence):
            raise InvalidSource(f"tools are a list, not {type(self.tools).__name__}")
        tools = tuple(as_tool(given, index, self.terms) for index, given in enumerate(self.tools))
        names = [tool.name for tool in tools]
        twice = [name for index, name in enumerate(names) if name in names[:index]]
        if twice:
            raise InvalidSource(f"two tools are named {twice[0]!r}: give each a name of its own")
        if not tools and self.choice != "none":
            raise InvalidSource(
                f"there is no tool to call: give at least one, or {option('tool_choice', 'none')}"
            )
        if self.choice not in CHOICES and self.choice not in names:
            known = ", ".join(map(repr, (*CHOICES, *names)))
            raise InvalidOption(f"tool_choice must be one of {known}, not {self.choice!r}")
        object.__setattr__(self, "tools", tools)

    @property
    def answers(self) -> bool:
        """Whether a reply in words is allowed."""
        return self.choice in ("auto", "none")

    @cached_property
    def callable(self) -> tuple[Tool, ...]:
        """The tools that the choice lets the model call."""
        if self.choice == "none":
            return ()
        return tuple(tool for tool in self.tools if self.choice in (*CHOICES, tool.name))

    @cached_property
    def alternatives(self) -> tuple[dict[str, Any], ...]:
        """The JSON Schema of each kind of reply: every tool and the answer; with `parallel` all calls are one kind."""
        return tuple(self._kinds(""))

    @cached_property
    def outlines(self) -> tuple[Outline, ...]:
        """The outline of each alternative."""
        calls = [_call_outline(tool) for tool in self.callable]
        if self.parallel and calls:
            item = calls[0] if len(calls) == 1 else Outline("union", options=tuple(calls))
            calls = [Outline("array", item=item, least=1, most=MOST_CALLS)]
        return (*calls, *([ANSWER_OUTLINE] if self.answers else []))

    def outline(self) -> Outline:
        """The outline of all replies."""
        return self.outlines[0] if len(self.outlines) == 1 else Outline("union", options=self.outlines)

    @property
    def openings(self) -> tuple[str, ...]:
        """The beginnings of the replies of each alternative, without white space, long enough to distinguish them."""
        calls = [f'{{"name":{_quoted(tool.name)}' for tool in self.callable]
        if self.parallel and calls:
            calls = ["["]
        return (*calls, *(['{"answer"'] if self.answers else []))

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of all replies."""
        if len(self.alternatives) == 1:
            return self.alternatives[0]
        return {"anyOf": list(self._kinds("/anyOf/{}"))}

    def _kinds(self, at: str) -> Iterator[dict[str, Any]]:
        """The alternatives; number i is placed at the JSON pointer `at` with i in place of {}."""
        calls = self.callable
        if not self.parallel:
            yield from (call_schema(tool, at.format(index)) for index, tool in enumerate(calls))
        elif len(calls) == 1:
            yield _calls_schema(call_schema(calls[0], f"{at.format(0)}/items"))
        elif calls:
            several = [call_schema(tool, f"{at.format(0)}/items/anyOf/{i}") for i, tool in enumerate(calls)]
            yield _calls_schema({"anyOf": several})
        if self.answers:
            yield ANSWER

    def lower(self) -> Grammar:
        """The replies, as a grammar. Raises Unsupported with the tool's name and the pointer of the cause."""
        return self._replies([tool.lower() for tool in self.callable])

    def canonical(self, text: str) -> str | None:
        """The JSON text with its strings and numbers spelled as they are generated; None if the text is malformed."""
        return canonical(text)

    def reading(self) -> Grammar:
        """The replies in canonical spelling, with arguments as their sources read them."""
        return self._replies([tool.reading() for tool in self.callable])

    def _replies(self, arguments: Sequence[Grammar]) -> Grammar:
        """The replies, given the texts of each tool's arguments."""
        style, rules = self.terms.style, dict[str, Expr]()
        checks = {
            tool.name: grammar.check
            for tool, grammar in zip(self.callable, arguments, strict=True)
            if grammar.check is not None
        }
        calls = alt(
            *(
                _call(index, tool.name, grammar, style, rules)
                for index, (tool, grammar) in enumerate(zip(self.callable, arguments, strict=True))
            )
        )
        if self.parallel:
            many = separated(calls, style.comma, 1, MOST_CALLS)
            calls = seq(literal("["), style.gap, many, style.gap, literal("]"))
        answer = JsonSchema(ANSWER, self.terms.whitespace).lower().start if self.answers else NOTHING
        start = seq(alt(calls, answer) if self.callable else answer, SLACK)
        return Grammar(start, rules, ArgumentsCheck(checks) if checks else None)

    def parse(self, text: str) -> Reply:
        """The calls or the answer in the text; arguments are validated.

        Raises Rejected if the text is neither, or if a validator rejects the arguments.
        """
        value = json_value(text)
        if isinstance(value, Mapping) and "answer" in value:
            return Reply(answer=value["answer"])
        return Reply(tuple(self._read(one) for one in (value if isinstance(value, list) else [value])))

    def _read(self, value: Any) -> Call:
        name = value.get("name") if isinstance(value, Mapping) and "arguments" in value else None
        tool = next((tool for tool in self.callable if tool.name == name), None)
        if tool is None:
            text = json.dumps(value, ensure_ascii=False)
            raise Rejected(f"this calls no tool that may be called: the output was {text}", text=text)
        return Call(tool.name, tool.arguments.parse(json.dumps(value["arguments"])), tool)


def call_schema(tool: Tool, at: str = "") -> dict[str, Any]:
    """The JSON Schema of one call of the tool, for the JSON pointer `at` of a larger schema."""
    return {
        "type": "object",
        "properties": {
            "name": {"const": tool.name},
            "arguments": rebased(tool.schema, f"{at}/properties/arguments"),
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _call_outline(tool: Tool) -> Outline:
    """The outline of one call of the tool."""
    name = Field("name", Outline.of_constants("const", [tool.name]))
    return Outline.of_fields([name, Field("arguments", tool.arguments.outline())])


def rebased(schema: Any, at: str) -> Any:
    """The schema with its internal references adjusted to its place at the JSON pointer `at` of another schema."""
    if isinstance(schema, list):
        return [rebased(part, at) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {keyword: _rebased_part(keyword, part, at) for keyword, part in schema.items()}


def _rebased_part(keyword: str, part: Any, at: str) -> Any:
    if keyword == "$ref" and isinstance(part, str):
        return f"#{at}{part[1:]}" if part.startswith("#") else part
    if keyword in _NAMED and isinstance(part, Mapping):
        return {name: rebased(one, at) for name, one in part.items()}
    return part if keyword in _VALUES else rebased(part, at)


def _calls_schema(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": MOST_CALLS}


def _call(index: int, name: str, grammar: Grammar, style: Style, rules: dict[str, Expr]) -> Expr:
    """The texts of one call; adds the rules of its arguments to `rules`, renamed if necessary."""
    names: dict[str, str] = {}
    if any(rules.get(name, rule) is not rule for name, rule in grammar.rules.items()):
        names = {name: f"tool {index} {name}" for name in grammar.rules}
    rules |= {names.get(name, name): _renamed(rule, names) for name, rule in grammar.rules.items()}
    return seq(
        *(
            literal("{"),
            style.gap,
            literal('"name"'),
            style.colon,
            literal(_quoted(name)),
        ),
        *(style.comma, literal('"arguments"'), style.colon, _renamed(grammar.start, names)),
        *(style.gap, literal("}")),
    )


def _renamed(expr: Expr, names: Mapping[str, str]) -> Expr:
    """The expression with its rules renamed; parts that occur several times are rebuilt once."""

    @cache
    def rebuilt(expr: Expr) -> Expr:
        if isinstance(expr, Ref):
            return ref(names[expr.name])
        if isinstance(expr, Repeat):
            return repeat(rebuilt(expr.body), expr.low, expr.high)
        if isinstance(expr, Not):
            return complement(rebuilt(expr.body))
        for kind, build in ((Seq, seq), (Alt, alt), (And, both)):
            if isinstance(expr, kind):
                return build(*map(rebuilt, expr.parts))
        return expr

    return rebuilt(expr) if names else expr


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
